"""Pacing: which message goes next, so that no provider is pressed and none holds up the others.

Every recipient domain has a lane: what waits for it, how much of it is on the wire, and how much
may be. The lanes take turns. A lane's share of the wire starts small, rises by one for each round
of messages that got through, and falls by half when the domain defers; one that goes on asking us
to slow down rests, longer each time. A domain with a bucket of its own is held to its rate. A lane
whose replies take far longer than everybody else's is *slow*: it is given one message at a time,
and all slow lanes together a tenth of the connections, so that the others keep the rest.

What waits behind a lane that cannot take it soon is not kept in hand: ``offer`` says when it
should be offered again, one slot after the other at the lane's own rate (or after its rest), and
the ledger remembers. So a large slow domain neither fills the hand nor is claimed again and again.

Pure: every method is told the time, in seconds that never go backwards. No I/O, no clock.
Precedents: Postfix's qmgr(8) and its SCHEDULER_README (slow rise, a fall per cohort of failures).
"""

from __future__ import annotations

import heapq
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from mailer.delivery.delivery import Reply
from mailer.errors import InvalidInput

Item = TypeVar("Item")

FIRST_LIMIT = 1
"""Messages of a domain on the wire at first."""

SLOW_S = 1.0
SLOW_TIMES = 5.0
"""A lane is slow when a reply takes longer than this, and so many times the others' time."""

REST_AFTER = 10
REST_S = 30.0
LONGEST_REST_S = 600.0
"""Asked to slow down so many times in a row a lane rests so long, twice as long each time. Other
deferrals do not count: under greylisting each reader's first try is put off, and must be made."""

SOON_S = 2.0
"""A held-back lane keeps in hand what it can send within so many seconds."""

HELD = 64
"""A held-back lane keeps no more than this in hand, however fast it is."""

UNPROVED = 32
UNPROVED_S = 0.3
"""Before its first reply a lane keeps so many in hand; the rest is offered again this later."""

LANES = 4096
"""So many idle lanes are remembered; the oldest is forgotten first."""


@dataclass(slots=True)
class Bucket:
    """A token bucket: ``rate`` messages a second, ``burst`` of them at once."""

    rate: float
    burst: float = 1.0
    _level: float = field(default=-1.0, init=False)
    _at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.burst < 1:
            raise InvalidInput("a bucket needs a rate above 0 and a burst of 1 or more")

    def ready_at(self, now: float) -> float:
        """Return when the next message may go; ``now`` or earlier means at once."""
        self._fill(now)
        # A hair is forgiven: a timer set for this instant must find the bucket ready.
        return now if self._level >= 1 - 1e-6 else now + (1 - self._level) / self.rate

    def take(self, now: float) -> None:
        """Let one message go."""
        self._fill(now)
        self._level -= 1

    def _fill(self, now: float) -> None:
        if self._level < 0 and self._at == 0.0:
            self._level = self.burst
        elif now > self._at:
            self._level = min(self.burst, self._level + (now - self._at) * self.rate)
        self._at = now


_SLOW_DOWN = re.compile(
    r"too (many|much|quickly|fast)|rate.?limit|throttl|slow down|server busy|\[TSS", re.IGNORECASE
)


def asks_to_slow(reply: Reply) -> bool:
    """True when a deferral is about how much we send: 421, or a 4xx that says so in words.

    4.7.x alone is not enough, greylisting says that too.
    """
    return reply.code == 421 or (reply.code // 100 == 4 and bool(_SLOW_DOWN.search(reply.text)))


def bucket(rate: float) -> Bucket | None:
    """Return a bucket of ``rate`` messages a second with a burst of a tenth; None for 0."""
    return Bucket(rate, max(1.0, rate / 10)) if rate > 0 else None


@dataclass(frozen=True, slots=True)
class DomainLimit:
    """What a provider is given: messages a second and messages at once; 0 is no limit."""

    per_second: float = 0.0
    at_once: int = 0


@dataclass(slots=True, eq=False)
class Lane(Generic[Item]):
    """One recipient domain."""

    domain: str
    ceiling: float
    bucket: Bucket | None = None
    waiting: deque[Item] = field(default_factory=deque)
    in_flight: int = 0
    limit: float = FIRST_LIMIT
    latency_s: float = 0.0
    is_slow: bool = False
    is_listed: bool = False
    deferrals: int = 0
    rests: int = 0
    rest_until: float = 0.0
    next_slot: float = 0.0
    heard_at: float = 0.0
    is_proved: bool = False

    def rate(self) -> float:
        """Return how many messages a second it is thought to take; 0 when nothing holds it."""
        if self.bucket is not None:
            return self.bucket.rate
        if self.is_slow:
            return 1 / max(self.latency_s, SLOW_S)
        return 0.0


class Pacer(Generic[Item]):
    """What is in hand, lane by lane.

    Args:
        connections: how many there are in all.
        limits: domains with limits of their own.
        at_once: a domain's messages on the wire at most; 0 for as many as there is room for.
    """

    def __init__(
        self, connections: int, *, limits: Mapping[str, DomainLimit] | None = None, at_once: int = 0
    ) -> None:
        # A pipelining connection has two in hand: one waits for its reply, one has its envelope.
        self._room = 2 * connections
        self._at_once = at_once
        self._limits = limits or {}
        self._slow_limit = max(1, connections // 10)
        self._slow_in_flight = 0
        self._lanes: dict[str, Lane[Item]] = {}
        self._ring: deque[Lane[Item]] = deque()
        self._later: list[tuple[float, str]] = []
        self._slow: set[Lane[Item]] = set()
        self._latency_s = 0.0
        self.waiting = 0

    def offer(self, domain: str, item: Item, now: float) -> float | None:
        """Take an item in hand, or say in how many seconds to offer it again."""
        lane = self._lane(domain)
        if lane.rest_until > now:
            return lane.rest_until - now
        self._judge(lane, now)
        if not lane.is_proved and len(lane.waiting) >= UNPROVED:
            return UNPROVED_S
        if (rate := lane.rate()) and len(lane.waiting) >= min(HELD, max(2.0, rate * SOON_S)):
            # One slot each: what is put off comes back at the rate at which it can be sent.
            lane.next_slot = max(lane.next_slot, now + SOON_S) + 1 / rate
            return lane.next_slot - now
        lane.waiting.append(item)
        self.waiting += 1
        self._list(lane)
        return None

    def give_back(self, domain: str, item: Item) -> None:
        """Put an item that was taken and not sent at its lane's head; it is no failure."""
        lane = self._lane(domain)
        self._leave(lane)
        lane.waiting.appendleft(item)
        self.waiting += 1
        self._list(lane)

    def take(self, now: float) -> Item | None:
        """Return the next item that may go now, or None."""
        while self._later and self._later[0][0] <= now:
            _, domain = heapq.heappop(self._later)
            if domain in self._lanes:
                self._list(self._lanes[domain])
        ring = self._ring
        while ring:
            lane = ring.popleft()
            lane.is_listed = False
            if lane.in_flight >= int(lane.limit):
                self._judge(lane, now)
                continue
            if not lane.waiting:
                continue
            if lane.is_slow and self._slow_in_flight >= self._slow_limit:
                continue
            if lane.bucket is not None:
                at = lane.bucket.ready_at(now)
                if at > now:
                    heapq.heappush(self._later, (at, lane.domain))
                    continue
                lane.bucket.take(now)
            item = lane.waiting.popleft()
            self.waiting -= 1
            if not lane.in_flight:
                lane.heard_at = now
            lane.in_flight += 1
            self._slow_in_flight += lane.is_slow
            if lane.waiting:
                lane.is_listed = True
                ring.append(lane)
            return item
        return None

    def next_ready_at(self) -> float | None:
        """Return when time itself lets something go that may not go now."""
        return self._later[0][0] if self._later else None

    def succeeded(self, domain: str, took_s: float, now: float) -> None:
        """Say that a message got an answer about itself: accepted, or refused for good."""
        lane = self._lane(domain)
        self._leave(lane)
        lane.deferrals = lane.rests = 0
        lane.is_proved = True
        # One more for each round of as many as there are: Postfix's positive feedback 1/limit.
        if not lane.is_slow and lane.limit < lane.ceiling:
            lane.limit = min(lane.ceiling, lane.limit + 1 / lane.limit)
        lane.heard_at = now
        self._time(lane, took_s)
        if lane.waiting:
            self._list(lane)

    def deferred(
        self, domain: str, took_s: float, now: float, *, must_slow: bool = False
    ) -> list[Item]:
        """Say that the domain put a message off; return what to give back while it rests.

        What is given back may be offered again once the lane's rest is over, see ``rest_s``.
        """
        lane = self._lane(domain)
        self._leave(lane)
        lane.is_proved = True
        lane.limit = max(1.0, lane.limit / 2)
        lane.deferrals = lane.deferrals + 1 if must_slow else 0
        lane.heard_at = now
        self._time(lane, took_s)
        if lane.deferrals >= REST_AFTER:
            lane.deferrals = 0
            lane.rest_until = now + min(LONGEST_REST_S, REST_S * 2**lane.rests)
            lane.rests = min(lane.rests + 1, 16)
            back = list(lane.waiting)
            lane.waiting.clear()
            self.waiting -= len(back)
            return back
        if lane.waiting:
            self._list(lane)
        return []

    def rest_s(self, domain: str, now: float) -> float:
        """Return how long the domain rests still; 0 when it does not."""
        return max(0.0, self._lane(domain).rest_until - now)

    def left(self, domain: str) -> None:
        """Say that a message is off the wire for no fault of the domain's."""
        lane = self._lane(domain)
        self._leave(lane)
        if lane.waiting:
            self._list(lane)

    def empty(self) -> list[Item]:
        """Give up everything in hand."""
        found = [item for lane in self._lanes.values() for item in lane.waiting]
        for lane in self._lanes.values():
            lane.waiting.clear()
            lane.is_listed = False
        self._ring.clear()
        self._later.clear()
        self.waiting = 0
        return found

    def ready(self) -> int:
        """Return how much of what is in hand is not behind a slow lane."""
        return self.waiting - sum(len(lane.waiting) for lane in self._slow)

    def items(self) -> list[Item]:
        """Return what is in hand and not taken."""
        return [item for lane in self._lanes.values() for item in lane.waiting]

    def drop(self, domain: str, item: Item) -> bool:
        """Take an item out of hand that may not be sent any more; say whether it was there."""
        lane = self._lane(domain)
        if item not in lane.waiting:
            return False
        lane.waiting.remove(item)
        self.waiting -= 1
        return True

    def _lane(self, domain: str) -> Lane[Item]:
        lane = self._lanes.get(domain)
        if lane is None:
            if len(self._lanes) >= LANES:
                self._forget()
            limit = self._limits.get(domain, DomainLimit())
            ceiling = min(self._room, limit.at_once or self._at_once or self._room)
            lane = Lane(domain, float(ceiling), bucket(limit.per_second))
            lane.limit = min(float(FIRST_LIMIT), lane.ceiling)
            self._lanes[domain] = lane
        return lane

    def _list(self, lane: Lane[Item]) -> None:
        if not lane.is_listed:
            lane.is_listed = True
            self._ring.append(lane)

    def _leave(self, lane: Lane[Item]) -> None:
        lane.in_flight -= 1
        if lane.is_slow:
            self._slow_in_flight -= 1
            for other in self._slow:
                if other.waiting:
                    self._list(other)

    def _time(self, lane: Lane[Item], took_s: float) -> None:
        lane.latency_s += (took_s - lane.latency_s) * (0.3 if lane.latency_s else 1.0)
        if not lane.is_slow:
            self._latency_s += (took_s - self._latency_s) * 0.05
        others = self._latency_s
        self._mark(lane, lane.latency_s > SLOW_S and lane.latency_s > SLOW_TIMES * others)

    def _judge(self, lane: Lane[Item], now: float) -> None:
        """Call a lane slow that has kept us waiting for long, before it says a word."""
        waited_s = now - lane.heard_at
        if lane.in_flight and waited_s > SLOW_S and waited_s > SLOW_TIMES * self._latency_s:
            lane.latency_s = max(lane.latency_s, waited_s)
            self._mark(lane, is_slow=True)

    def _mark(self, lane: Lane[Item], is_slow: bool) -> None:
        if is_slow != lane.is_slow:
            lane.is_slow = is_slow
            self._slow_in_flight += lane.in_flight if is_slow else -lane.in_flight
            (self._slow.add if is_slow else self._slow.discard)(lane)
        if is_slow:
            lane.limit = 1.0

    def _forget(self) -> None:
        idle = [
            lane.domain
            for lane in self._lanes.values()
            if not (lane.waiting or lane.in_flight or lane.is_slow or lane.rests)
        ]
        for domain in idle[: len(self._lanes) // 2]:
            del self._lanes[domain]


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A new sender's plan: ``first_day`` messages on day one, then ``growth`` times as many."""

    starts_on: date | None = None
    first_day: int = 500
    growth: float = 1.5

    def ceiling(self, day: date) -> int | None:
        """Return how many messages may be tried on ``day``; None once there is no limit.

        Before the plan starts nothing is limited. The plan ends after 60 days.
        """
        if self.starts_on is None or not 0 <= (age := (day - self.starts_on).days) < 60:
            return None
        return int(self.first_day * self.growth**age)
