"""`mailer serve` as a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.web.publishing import WEB_URL


@dataclass(frozen=True)
class Served:
    """A running server: where it is, and its process."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def served(root: Path, *, log: Path, **environment: str) -> Iterator[Served]:
    """Run the command until the block ends; what it logs goes to ``log``."""
    settings = {"MAILER_WEB_URL": WEB_URL, **environment}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "mailer", "-C", str(root), "serve", "--port", "0"],
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://\S+(?=/)", line)
            assert found, line + log.read_text()
            yield Served(found[0], process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(20)
