"""A pipe whose end says that the supervisor is gone.

The supervisor holds one end and writes nothing; each part holds the other and reads. When the
supervisor ends, however it ends, the kernel closes its end and the part reads the end of the file:
then it sends itself SIGTERM, and SIGKILL should that not be enough. It needs no help from the
operating system beyond pipes, and cannot mistake another process for a parent.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Self

GRACE_S = 8.0


class Lifeline:
    """The supervisor's side; ``fileno`` is the end that parts are given."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._writing)
        os.close(self._reading)

    def fileno(self) -> int:
        """Return the end for the parts."""
        return self._reading


def hang_on(descriptor: int) -> None:
    """End this process when whoever holds the other end of a lifeline is gone."""

    def wait() -> None:
        while os.read(descriptor, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(GRACE_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
