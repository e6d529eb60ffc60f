"""Which relay gets the next message: weights, rates, and who steps in when one is down.

Relays share the messages by their weights; the one that is ahead of its share waits a little for
the others, unless they make no headway. A weight of 0 is a reserve, used while every other relay
is in trouble. A relay in trouble is left alone for a while and then tried again. What a relay is
given a second is bounded by a bucket of its own.

Pure but for the connections themselves, which the relays open: every method is told the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mailer.delivery.delivery import Trouble
from mailer.delivery.pacing import Bucket, bucket
from mailer.delivery.transaction import Work
from mailer.errors import ConfigurationError

LEAD = 50
"""So many messages a relay may be ahead of its share before it waits for the others."""

STALLED_S = 3.0
"""Nobody waits for a relay that has had no reply for so long."""

RETRY_S = 15.0
LONGEST_RETRY_S = 300.0
"""After trouble a relay is tried again so much later, twice as long each time."""


class Session(Protocol):
    """One SMTP session, as ``relay`` makes them."""

    async def drive(self, work: Work, /) -> Trouble | None:
        """Send until there is nothing more, or the session ends."""
        ...

    async def close(self) -> None:
        """Say goodbye; never fails."""
        ...


class Dialler(Protocol):
    """Opens sessions to one relay."""

    async def connect(self) -> Session | Trouble:
        """Open a session, or say what stands in the way."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A relay and what it is given.

    ``relay`` makes the dialler, once a run. ``per_second`` 0 is no limit; ``weight`` is its share
    of the messages against the others', 0 a reserve.
    """

    relay: Callable[[], Dialler]
    name: str = "relay"
    connections: int = 1
    per_second: float = 0.0
    weight: float = 1.0


@dataclass(slots=True, eq=False)
class Line:
    """A route in use."""

    route: Route
    dialler: Dialler
    rate: Bucket | None
    slots: int
    open: int = 0
    on_wire: int = 0
    given: float = 0.0
    progress_at: float = 0.0
    trouble: Trouble | None = None
    retry_at: float = 0.0
    troubles: int = 0

    def is_stalled(self, now: float) -> bool:
        """True when what it has on the wire gets no reply."""
        return bool(self.on_wire) and now - self.progress_at > STALLED_S


@dataclass(slots=True)
class Lines:
    """All routes in use; made by ``open_lines``."""

    lines: list[Line] = field(default_factory=list)

    @property
    def connections(self) -> int:
        """How many connections there are at most."""
        return sum(line.slots for line in self.lines)

    def may_take(self, line: Line, now: float) -> bool:
        """Whether the next message may go to this relay now."""
        if line.rate is not None and line.rate.ready_at(now) > now:
            return False
        if len(self.lines) == 1:
            return True
        if line.route.weight <= 0:
            return all(other.trouble for other in self.lines if other.route.weight > 0)
        share = line.given / line.route.weight
        return not any(
            other.route.weight > 0
            and other is not line
            and other.trouble is None
            and not other.is_stalled(now)
            and share > other.given / other.route.weight + LEAD / line.route.weight
            for other in self.lines
        )

    def take(self, line: Line, now: float) -> None:
        """Count a message that goes to this relay."""
        if line.rate is not None:
            line.rate.take(now)
        if not line.on_wire:
            line.progress_at = now
        line.given += 1
        line.on_wire += 1

    def ended(self, line: Line, now: float, *, is_untried: bool) -> None:
        """Count a message's end."""
        line.on_wire -= 1
        line.progress_at = now
        if is_untried:
            line.given -= 1

    def failed(self, line: Line, trouble: Trouble, now: float) -> Trouble | None:
        """Hear of trouble with a relay; return it when no relay is left without.

        One that refuses one connection more and goes on with those it has is not in trouble.
        """
        if line.open and not trouble.is_lasting:
            return None
        line.trouble = trouble
        wait = min(LONGEST_RETRY_S, RETRY_S * 2 ** min(line.troubles, 16))
        line.retry_at = float("inf") if trouble.is_lasting else now + wait
        line.troubles += 1
        return None if any(not each.trouble for each in self.lines) else trouble

    def recovered(self, line: Line) -> None:
        """Hear that a relay serves us; it need not make up for what it missed."""
        if line.trouble is None:
            return
        line.trouble, line.troubles = None, 0
        shares = [
            other.given / other.route.weight
            for other in self.lines
            if other is not line and other.route.weight > 0 and not other.trouble
        ]
        if shares and line.route.weight > 0:
            line.given = max(line.given, min(shares) * line.route.weight)


def open_lines(routes: Sequence[Route]) -> Lines:
    """Put routes into use.

    Raises:
        ConfigurationError: there is none, or one cannot be used as it is set.
    """
    if not routes:
        raise ConfigurationError("no relay is set")
    return Lines(
        [
            Line(route, route.relay(), bucket(route.per_second), max(1, route.connections))
            for route in routes
        ]
    )
