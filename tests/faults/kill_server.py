"""Starts senders to be killed: everything is imported once, each sender is a fork.

Usage: kill_server.py ROOT PORT IN_DOUBT CONNECTIONS. A line ``send`` on standard input starts a
sender, whose process id is answered; its end is answered by its exit status, negative when a
signal ended it, and the line that it says.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mailer.clock import SystemClock
from mailer.policies import RetryPolicy
from mailer.storage.database import open_database
from tests.faults.world import ISSUE, open_world


def send(root: Path, port: int, in_doubt: str, connections: int) -> str:
    """Send what is due; return the report's sentence."""
    database = open_database("", root=root)
    world = open_world(database, SystemClock())
    world.connections = connections
    world.retry = RetryPolicy(first_delay_minutes=5, in_doubt=in_doubt)  # type: ignore[arg-type]
    report = world.sender(port, timeout_s=20).run(ISSUE)
    database.close()
    return report.sentence()


def tell(line: str) -> None:
    """Write a line to whoever started this."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until standard input ends."""
    root, port, in_doubt = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    connections = int(sys.argv[4])
    for _ in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            status = 70
            try:
                os.write(writing, send(root, port, in_doubt, connections).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        tell(str(child))
        _, status = os.waitpid(child, 0)
        with os.fdopen(reading) as said:
            tell(f"{os.waitstatus_to_exitcode(status)} {said.read()}")


main()
