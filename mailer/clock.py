"""The only "now" and the only sleep of the program.

Everything that needs the time takes a ``Clock``; pure functions take an instant. Instants are
aware and in UTC. ``MAILER_FIXED_NOW`` (see settings) gives ``FixedClock`` to rehearse a week.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds; zero or less returns at once."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)


class FixedClock:
    """A clock that stands where it was set; sleeping moves it and takes no time."""

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("a fixed clock needs an aware instant")
        self._now = now.astimezone(UTC)
        self._start = self._now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            # Less than it can show would leave it standing, and who waits for it waiting for ever.
            self._now += max(timedelta(seconds=seconds), timedelta(microseconds=1))

    def set(self, now: datetime) -> None:
        """Move the clock to an aware instant, forwards or backwards."""
        self._now = now.astimezone(UTC)
