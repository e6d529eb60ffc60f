"""A tarpit: one provider answers after seconds, or never, and the others keep their rate.

Counted in virtual time: connections that pipeline as the engine's do, a hand that is refilled as
the engine refills it, the pacer's rules. Promised: over a minute the others get nine tenths of the
messages they get without the tarpit.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from functools import cache

import pytest

from mailer.delivery.pacing import Pacer
from mailer.delivery.voyage import SendPolicy

CONNECTIONS = 12
FAST_S = 0.02
WINDOW_S = 60.0
TAR = "tar.example"
DOMAINS = 20


@dataclass
class Wire:
    """Connections in virtual time: each carries one message and holds the next one's envelope."""

    slow_s: float
    share: int
    pacer: Pacer[str] = field(default_factory=lambda: Pacer(CONNECTIONS))
    done: int = 0
    now: float = 0.0
    _claimed: int = 0
    _events: list[tuple[float, int, int]] = field(default_factory=list)
    _parked: list[tuple[float, int]] = field(default_factory=list)
    _queues: list[list[tuple[str, float]]] = field(
        default_factory=lambda: [[] for _ in range(CONNECTIONS)]
    )
    _ended_at: list[float] = field(default_factory=lambda: [0.0] * CONNECTIONS)
    _order: int = 0

    def run(self) -> int:
        """Return how many messages of the other domains went in the window."""
        while self.now < WINDOW_S:
            self._refill()
            for number in range(CONNECTIONS):
                self._take(number)
            if self._events and self._events[0][0] <= self.now + FAST_S:
                self.now, _, number = heapq.heappop(self._events)
                self._end(number)
            else:
                self.now += FAST_S
        return self.done

    def _refill(self) -> None:
        batch = SendPolicy().batch
        while self._parked and self._parked[0][0] <= self.now:
            heapq.heappop(self._parked)
            self._offer(TAR)
        if self.pacer.waiting > batch // 2:
            return
        for _ in range(batch):
            self._claimed += 1
            is_tar = self.share and self._claimed % self.share == 0
            self._offer(TAR if is_tar else f"d{self._claimed % DOMAINS}.example")

    def _offer(self, domain: str) -> None:
        later_s = self.pacer.offer(domain, domain, self.now)
        if later_s is not None:
            heapq.heappush(self._parked, (self.now + later_s, len(self._parked)))

    def _take(self, number: int) -> None:
        queue = self._queues[number]
        while len(queue) < 2 and (domain := self.pacer.take(self.now)) is not None:
            queue.append((domain, self.now))
            if len(queue) == 1:
                self._begin(number)

    def _begin(self, number: int) -> None:
        takes_s = self.slow_s if self._queues[number][0][0] == TAR else FAST_S
        self._order += 1
        heapq.heappush(self._events, (self.now + takes_s, self._order, number))

    def _end(self, number: int) -> None:
        domain, taken_at = self._queues[number].pop(0)
        took_s = self.now - max(taken_at, self._ended_at[number])
        self._ended_at[number] = self.now
        self.pacer.succeeded(domain, took_s, self.now)
        self.done += domain != TAR
        if self._queues[number]:
            self._begin(number)


@cache
def alone() -> int:
    """Return how many messages go where nobody is slow."""
    return Wire(slow_s=0, share=0).run()


@pytest.mark.parametrize("share", [50, 5, 2])
@pytest.mark.parametrize("slow_s", [3.0, 30.0, 10_000.0], ids=["3s", "30s", "never"])
def test_the_others_keep_nine_tenths_of_their_rate(share: int, slow_s: float) -> None:
    beside = Wire(slow_s, share=share).run()
    assert alone() > 0.9 * CONNECTIONS * WINDOW_S / FAST_S
    assert beside >= 0.9 * alone(), f"{beside} of {alone()}"
