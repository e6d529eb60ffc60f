"""Doing something again and again until told to stop, in the main thread.

The work asks ``should_stop`` and returns early; the wait between two rounds ends at once on a
signal. A second signal ends the process, which the ledger survives.
"""

from __future__ import annotations

import queue
import signal
from collections.abc import Callable
from types import FrameType

import structlog

from mailer.errors import ConfigurationError, MailerError

log = structlog.get_logger()


class Patrol:
    """Rounds of work until SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self._heard: list[int] = []
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()

    def should_stop(self) -> bool:
        """Say whether a signal has come."""
        return bool(self._heard)

    def walk(self, look: Callable[[], None], *, every_s: float) -> None:
        """Call ``look`` at once and then every so often; its failures are logged and it goes on."""
        before = {
            number: signal.signal(number, self._hear) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            while not self.should_stop():
                self._look(look)
                if self.should_stop():
                    break
                try:
                    self._signals.get(timeout=every_s)
                except queue.Empty:
                    continue
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _look(self, look: Callable[[], None]) -> None:
        try:
            look()
        except (MailerError, ConfigurationError) as error:
            log.warning("round.failed", why=str(error))
        except Exception:
            log.exception("round.failed")

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self._heard.append(number)
        self._signals.put(number)
        signal.signal(number, signal.SIG_DFL)
