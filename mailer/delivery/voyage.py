"""What is known of one run of sending: its policy, its report, and what is told meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mailer.clock import Clock
from mailer.delivery.delivery import Delivery, DeliveryState, Outcome, Trouble, Verdict
from mailer.delivery.journal import Ending
from mailer.delivery.ledger import Recovery
from mailer.delivery.message import CompiledEdition
from mailer.delivery.ordering import Order
from mailer.delivery.pacing import DomainLimit, WarmUp
from mailer.delivery.retries import next_try_at
from mailer.delivery.transaction import Outgoing
from mailer.policies import RetryPolicy

GROUP = 200
"""So many endings are settled at once, or fewer after a twentieth of a second."""

HOLD = 500
"""While so many endings are not settled, nobody is given a message."""

TELL_S = 0.1
"""How often a watcher hears, at most."""

ANSWERED = frozenset({Verdict.ACCEPT, Verdict.REFUSE})
"""Verdicts after which nothing is left to do."""

_DOMAINS = 1000


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """How the sender works.

    ``batch`` deliveries are claimed at a time, ``signed_batch`` where each is signed ahead.
    ``domains`` have limits of their own; ``domain_at_once`` is every other domain's share of the
    wire, 0 for as much as there is. ``warm_up`` bounds a day's attempts.
    """

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    batch: int = 1000
    signed_batch: int = 400
    domains: Mapping[str, DomainLimit] = field(default_factory=dict)
    domain_at_once: int = 0
    warm_up: WarmUp = field(default_factory=WarmUp)
    time_zone: str = "UTC"

    @property
    def may_resend(self) -> bool:
        """Whether what is in doubt is sent again."""
        return self.retry.in_doubt == "resend"


@dataclass(slots=True)
class SendReport:
    """What a run came to.

    ``counts`` are this run's ends by state; a delivery tried twice counts twice. ``deferrals``
    are by recipient domain. ``left`` is what is still open in the regions asked for,
    ``next_due_at`` when the first of it is due. ``order`` is what an operator said meanwhile.
    ``is_at_ceiling``: today's warm-up allowance is used up. ``alert`` says what became of the alert
    about a trouble.
    """

    issue_id: str
    recovery: Recovery = field(default_factory=Recovery)
    counts: Counter[DeliveryState] = field(default_factory=Counter)
    deferrals: Counter[str] = field(default_factory=Counter)
    trouble: Trouble | None = None
    order: Order | None = None
    was_stopped: bool = False
    is_at_ceiling: bool = False
    alert: str = ""
    left: int = 0
    next_due_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """True when nothing is left to do."""
        return self.left == 0

    def sentence(self) -> str:
        """Say in one line how it ended."""
        kept = f"{self.left} deliveries are kept for the next run"
        if self.order:
            return f"{self.order}; {kept if self.left else 'nothing is left to send'}"
        if self.trouble:
            return f"stopped: {self.trouble}. {kept}" + (f"; {self.alert}" if self.alert else "")
        if self.was_stopped:
            return f"stopped as asked; {kept}"
        if not self.left:
            return "every delivery is settled"
        if self.is_at_ceiling:
            return f"today's warm-up allowance is used up; {kept}"
        if self.next_due_at is None:
            return f"{self.left} deliveries wait for an operator"
        return (
            f"{self.left} deliveries wait; the next is due at {self.next_due_at:%Y-%m-%d %H:%M} UTC"
        )


@dataclass(frozen=True, slots=True)
class Pulse:
    """A run at an instant: what is done of how much, how fast, and which domains put off."""

    done: int
    total: int
    per_second: float
    left_s: float | None
    on_wire: int
    deferrals: Mapping[str, int]


@dataclass(slots=True, kw_only=True)
class Voyage:
    """One run's shared state; ``allowance`` is what today's ceiling leaves, None for no ceiling."""

    clock: Clock
    policy: SendPolicy
    edition: Callable[[Delivery], CompiledEdition]
    fields: Callable[[Delivery], Mapping[str, str]]
    should_stop: Callable[[], bool]
    progress: Callable[[int, int], None]
    watch: Callable[[Pulse], None]
    report: SendReport
    is_signed: bool = False
    allowance: int | None = None
    done: int = 0
    total: int = 0
    record: Callable[[str, Trouble], None] = lambda _name, _trouble: None
    _told: tuple[float, int] = (0.0, 0)
    _speed: float = 0.0

    def compose(self, delivery: Delivery, content: Sequence[bytes]) -> Outgoing:
        """Return a delivery's message; ``content`` is what was composed before, if anything.

        Raises:
            InvalidInput: it cannot be written for this reader.
            RenderFailed: the edition cannot be compiled.
        """
        edition = self.edition(delivery)
        needs_utf8 = edition.needs_smtputf8(delivery)
        return Outgoing(
            delivery,
            edition.envelope(delivery),
            content or edition.compose(delivery, self.fields(delivery)),
            needs_smtputf8=needs_utf8,
            is_dot_free=True,
            needs_8bit=needs_utf8,
        )

    def ending(
        self, delivery: Delivery, outcome: Outcome, first_tried_at: datetime | None
    ) -> Ending:
        """Return how an attempt ended, with when to try again."""
        now = self.clock.now()
        due_at: datetime | None = None
        if outcome.is_sender_at_fault:
            # The reader is not to blame and was not tried: due as soon as the fault is mended.
            due_at = now
        elif outcome.verdict not in ANSWERED:
            due_at = next_try_at(
                delivery.attempts + 1,
                now=now,
                first_tried_at=_began_at(delivery, first_tried_at or now, now),
                policy=self.policy.retry,
                key=delivery.token,
            )
        return Ending(delivery.id, delivery.attempts + 1, outcome, now, due_at)

    def ended(self, domain: str, state: DeliveryState) -> None:
        """Count an ending."""
        self.done += 1
        report = self.report
        report.counts[state] += 1
        if state is DeliveryState.DEFERRED and (
            domain in report.deferrals or len(report.deferrals) < _DOMAINS
        ):
            report.deferrals[domain] += 1

    def skipped(self, count: int, *, refused: int = 0) -> None:
        """Count readers who were skipped, and those whose message cannot be written."""
        self.done += count + refused
        for state, number in ((DeliveryState.SKIPPED, count), (DeliveryState.REFUSED, refused)):
            if number:
                self.report.counts[state] += number

    def troubled(self, name: str, trouble: Trouble) -> None:
        """Note that one of several relays is in trouble."""
        self.record(name, trouble)

    def tell(self, now: float, *, on_wire: int, is_last: bool = False) -> None:
        """Tell whoever watches, a few times a second."""
        told_at, told = self._told
        if not told_at:
            self._told = (now, 0)
        if (now - told_at < TELL_S and told and not is_last) or self.done == told:
            return
        if told_at and now > told_at:
            speed = (self.done - told) / (now - told_at)
            self._speed += (speed - self._speed) * (0.2 if self._speed else 1.0)
        self._told = (now, self.done)
        self.total = max(self.total, self.done)
        self.progress(self.done, self.total)
        left_s = (self.total - self.done) / self._speed if self._speed else None
        self.watch(
            Pulse(
                self.done, self.total, self._speed, left_s, on_wire,
                dict(self.report.deferrals.most_common(5)),
            )
        )  # fmt: skip


def _began_at(delivery: Delivery, first_tried_at: datetime, now: datetime) -> datetime:
    """Return since when a delivery was tried; a first try still to come was a wrong clock's."""
    return first_tried_at if first_tried_at <= now else min(delivery.dated_at, now)
