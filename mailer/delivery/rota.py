"""The connections of a pass: who rests, who is woken, and what each asks and tells."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from mailer.delivery.delivery import Outcome, Trouble
from mailer.delivery.routes import Line
from mailer.delivery.transaction import Outgoing


class Rota:
    """Lets connections without work rest until something changes.

    ``changes`` counts whatever may have made work; a connection that found none at the present
    count may rest, and misses nothing.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._sleepers: deque[asyncio.Future[None]] = deque()
        self._alarm_at = float("inf")
        self.changes = 0
        self.is_over = False

    @property
    def has_sleepers(self) -> bool:
        """True when somebody rests."""
        return bool(self._sleepers)

    async def sleep(self) -> None:
        """Rest until woken."""
        if self.is_over:
            return
        sleeper: asyncio.Future[None] = self._loop.create_future()
        self._sleepers.append(sleeper)
        await sleeper

    def wake_all(self) -> None:
        """Let every idle connection look for work."""
        self.changes += 1
        while self._sleepers:
            sleeper = self._sleepers.popleft()
            if not sleeper.done():
                sleeper.set_result(None)

    def wake_at(self, at: float) -> None:
        """Wake everybody at an instant of the loop's time, or before."""
        if at < self._alarm_at and at != float("inf"):
            self._alarm_at = at
            self._loop.call_at(at, self._alarm)

    def _alarm(self) -> None:
        self._alarm_at = float("inf")
        self.wake_all()


class Desk(Protocol):
    """What clerks turn to; the dispatch."""

    def give(self, clerk: Clerk, line: Line, /) -> Outgoing | None:
        """Return the connection's next message."""
        ...

    def begin(self, outgoing: Outgoing, /) -> None:
        """Write down that the content is about to be written."""
        ...

    def end(self, clerk: Clerk, line: Line, outgoing: Outgoing, outcome: Outcome, /) -> None:
        """Write down how a message ended."""
        ...


class Clerk:
    """What one connection asks and tells: the ``Work`` of ``transaction``."""

    __slots__ = ("_dispatch", "_line", "ended_at", "is_lost", "said", "seen", "taken_at")

    def __init__(self, dispatch: Desk, line: Line) -> None:
        self._dispatch = dispatch
        self._line = line
        self.taken_at: dict[int, float] = {}
        self.ended_at = 0.0
        self.is_lost = False
        self.said = ""
        self.seen = -1

    def next(self) -> Outgoing | None:
        if self.is_lost:
            return None
        return self._dispatch.give(self, self._line)

    def starting(self, item: Outgoing, /) -> None:
        self._dispatch.begin(item)

    def ended(self, item: Outgoing, outcome: Outcome, /) -> None:
        self._dispatch.end(self, self._line, item, outcome)


def at_fault(outcome: Outcome) -> Trouble:
    """Return why the sending pauses after an outcome that objects to the sender."""
    reply = outcome.reply
    # The enhanced code is what one looks up in a provider's list.
    said = f"{reply.code} {reply.enhanced} {reply.text}" if reply else outcome.note
    return Trouble(
        f"the relay objects to the sender, not to a reader: {' '.join(said.split())}",
        "mend what it names (login, From domain, SPF, DKIM, size), then send again",
        is_lasting=True,
        reply=outcome.reply,
    )


def dropped(count: int, trouble: Trouble | None, said: str) -> Trouble:
    """Return why the sending stops after so many connections lost in a row."""
    return Trouble(
        f"the relay dropped {count} connections one after the other: "
        f"{trouble.problem if trouble else said}",
        "look at its log; what is not sent stays in the ledger, run the command again",
        reply=trouble.reply if trouble else None,
    )
