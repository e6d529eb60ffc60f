"""An inbox in a process of its own: prints its port, runs until its standard input ends."""

from __future__ import annotations

import sys
from pathlib import Path

from mailer.clock import SystemClock
from mailer.inbox.server import InboxServer
from mailer.inbox.store import Store

with InboxServer(Store(Path(sys.argv[1]), SystemClock())) as server:
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    sys.stdin.read()
