"""Sending: from due deliveries to settled ones, through the relay.

The order of things is the promise:

1. one sender at a time, by a lock that dies with its holder; what a dead one left is recovered;
2. a claim is committed, then eligibility is asked again: who left since the plan is skipped;
3. the relay is reached and the message written *before* the delivery is marked as transmitting;
4. the mark is committed before the first byte, the outcome before the next message's bytes.

A reader's own trouble (a refused address, a name that cannot be written) is settled for that
reader. Trouble that would meet everybody (the relay is down, does not trust us, drops every
connection) stops the run with a sentence about it, and what was claimed is given back. Asked to
stop, the sender finishes the message on the wire, gives the rest back and repeats nothing.

Failures: ``SenderBusy`` when another process sends; ``StorageFailed`` leaves at most one message
in doubt. Limits: one connection, one message at a time.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from mailer.clock import Clock
from mailer.delivery.delivery import Delivery, DeliveryState, Outcome, Trouble, Verdict
from mailer.delivery.ledger import Ledger, Recovery, end_state
from mailer.delivery.message import CompiledEdition
from mailer.delivery.relay import Relay
from mailer.delivery.retries import next_try_at
from mailer.errors import IllegalTransition, InvalidInput
from mailer.publication import RetryPolicy
from mailer.storage.database import Database

LOST_IN_A_ROW = 5
"""So many connections lost one after the other mean the relay is ill, not the readers."""

POLL_S = 1.0
"""How often a waiting sender asks whether it should stop."""


class Eligibility(Protocol):
    """Knows who may not be mailed; the audience's register."""

    def ineligible(self, pairs: Collection[tuple[int, str]], /) -> Collection[tuple[int, str]]:
        """Return those of the (subscriber id, region) pairs that may not be mailed now."""
        ...


class SenderBusy(IllegalTransition):
    """Another process is sending."""


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """How the sender works; ``batch`` deliveries are claimed at a time."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    batch: int = 100

    @property
    def may_resend(self) -> bool:
        """Whether what is in doubt is sent again."""
        return self.retry.in_doubt == "resend"


@dataclass(slots=True)
class SendReport:
    """What a run came to.

    ``counts`` are this run's ends by state; a delivery tried twice counts twice. ``left`` is what
    is still open in the regions asked for, ``next_due_at`` when the first of it is due.
    """

    issue_id: str
    recovery: Recovery = field(default_factory=Recovery)
    counts: Counter[DeliveryState] = field(default_factory=Counter)
    trouble: Trouble | None = None
    was_stopped: bool = False
    left: int = 0
    next_due_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """True when nothing is left to do."""
        return self.left == 0

    def sentence(self) -> str:
        """Say in one line how it ended."""
        if self.trouble:
            return f"stopped: {self.trouble}. {self.left} deliveries are kept for the next run"
        if self.was_stopped:
            return f"stopped as asked; {self.left} deliveries are kept for the next run"
        if not self.left:
            return "every delivery is settled"
        if self.next_due_at is None:
            return f"{self.left} deliveries wait for an operator"
        return f"{self.left} deliveries wait; the next is due at {self.next_due_at:%F %H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends what the ledger says is due.

    ``relay`` makes a relay, not yet opened; ``register`` says who may not be mailed any more;
    ``edition`` returns a region's compiled edition of the issue being sent, asked once a run and
    region; ``fields`` returns the values of a reader's slots, the same at every call.
    """

    ledger: Ledger
    database: Database
    relay: Callable[[], Relay]
    register: Eligibility
    edition: Callable[[str], CompiledEdition]
    fields: Callable[[Delivery], Mapping[str, str]]
    clock: Clock
    policy: SendPolicy = field(default_factory=SendPolicy)

    def run(
        self,
        issue_id: str,
        *,
        regions: Collection[str] | None = None,
        wait_s: float = 0,
        progress: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> SendReport:
        """Send the issue's due deliveries.

        Args:
            issue_id: whose deliveries.
            regions: only these; None for all.
            wait_s: wait up to so long in all for retries that fall due; 0 to leave them.
            progress: called with done and total after each message.
            should_stop: asked before each message and while waiting.

        Raises:
            SenderBusy: another process is sending.
        """
        with self.database.exclusive("sender") as is_held:
            if not is_held:
                raise SenderBusy(
                    "another process is sending from this database; wait for it, or stop it first"
                )
            run = _Run(self, issue_id, regions, progress, should_stop)
            run.report.recovery = self.ledger.recover()
            try:
                run.until_settled(wait_s)
            finally:
                run.close()
            report = run.report
            report.left = self.ledger.open_count(issue_id, regions=regions)
            report.next_due_at = self.ledger.next_due_at(
                issue_id, regions=regions, may_resend=self.policy.may_resend
            )
            if report.trouble:
                self.ledger.record(
                    "send.paused",
                    issue_id,
                    {"problem": report.trouble.problem, "is_lasting": report.trouble.is_lasting},
                )
            return report


class _Run:
    """One run's state: the relay, the message to settle, the claims in hand."""

    def __init__(
        self,
        sender: Sender,
        issue_id: str,
        regions: Collection[str] | None,
        progress: Callable[[int, int], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.report = SendReport(issue_id)
        self._sender = sender
        self._ledger = sender.ledger
        self._policy = sender.policy
        self._clock = sender.clock
        self._regions = regions
        self._progress = progress or (lambda _done, _total: None)
        self._should_stop = should_stop or (lambda: False)
        self._relay = sender.relay()
        self._editions: dict[str, CompiledEdition] = {}
        self._claims: deque[Delivery] = deque()
        self._unsettled: tuple[Delivery, Outcome, datetime | None] | None = None
        self._lost_in_a_row = 0
        self._done = 0
        self._total = 0

    def until_settled(self, wait_s: float) -> None:
        """Send batch after batch; wait for retries while the time allows."""
        deadline = self._clock.monotonic() + wait_s
        self._total = self._ledger.open_count(self.report.issue_id, regions=self._regions)
        while True:
            while self._batch():
                pass
            if self._is_over() or not self._wait(deadline):
                return

    def close(self) -> None:
        """Settle the last message, give the other claims back, say goodbye to the relay."""
        try:
            self._settle()
            self._release()
        finally:
            self._relay.close()

    def _batch(self) -> bool:
        """Claim and send one batch; return whether to go on."""
        if self._should_stop():
            self.report.was_stopped = True
            return False
        claims = self._ledger.claim(
            self.report.issue_id,
            regions=self._regions,
            limit=self._policy.batch,
            may_resend=self._policy.may_resend,
        )
        self._claims.extend(claims)
        if not claims:
            self._settle()
            return False
        self._skip_ineligible()
        while self._claims:
            if self._should_stop():
                self.report.was_stopped = True
                return False
            if trouble := self._relay.open():
                self.report.trouble = trouble
                return False
            self._send(self._claims[0])
            if self.report.trouble:
                return False
        return True

    def _skip_ineligible(self) -> None:
        pairs = [(delivery.subscriber_id, delivery.region) for delivery in self._claims]
        gone = set(self._sender.register.ineligible(pairs))
        if not gone:
            return
        left = [item for item in self._claims if (item.subscriber_id, item.region) in gone]
        self._skip({item.id: "left or suppressed since the plan" for item in left})

    def _skip(self, reasons: Mapping[int, str]) -> None:
        count = self._ledger.skip(reasons)
        self._claims = deque(item for item in self._claims if item.id not in reasons)
        self.report.counts[DeliveryState.SKIPPED] += count
        self._advance(len(reasons))

    def _send(self, delivery: Delivery) -> None:
        try:
            edition = self._edition(delivery.region)
            content = edition.render(delivery, self._sender.fields(delivery))
            envelope = edition.envelope(delivery)
        except InvalidInput as error:
            self._skip({delivery.id: f"cannot be written: {error}"})
            return
        is_marked = self._ledger.settle(self._unsettled, delivery)
        self._unsettled = None
        self._claims.popleft()
        if not is_marked:
            self._advance(1)
            return
        outcome = self._relay.deliver(
            envelope, content, needs_smtputf8=edition.needs_smtputf8(delivery)
        )
        due_at = self._due_again(delivery, outcome)
        self._unsettled = (delivery, outcome, due_at)
        self.report.counts[end_state(outcome, due_at)] += 1
        self._advance(1)
        self._notice(outcome)

    def _edition(self, region: str) -> CompiledEdition:
        if region not in self._editions:
            self._editions[region] = self._sender.edition(region)
        return self._editions[region]

    def _due_again(self, delivery: Delivery, outcome: Outcome) -> datetime | None:
        now = self._clock.now()
        if outcome.verdict in {Verdict.ACCEPT, Verdict.REFUSE}:
            return None
        first = self._ledger.first_tried_at(delivery.id) if delivery.attempts else None
        again = next_try_at(
            delivery.attempts + 1,
            now=now,
            first_tried_at=first or now,
            policy=self._policy.retry,
            key=delivery.token,
        )
        # The reader is not to blame and was not tried: due as soon as the fault is mended.
        return now if outcome.is_sender_at_fault else again

    def _notice(self, outcome: Outcome) -> None:
        """Stop the run when the outcome says that nobody would get through."""
        said = f"{outcome.reply.code} {outcome.reply.text}" if outcome.reply else outcome.note
        if outcome.is_sender_at_fault:
            self.report.trouble = Trouble(
                f"the relay objects to the sender, not to a reader: {said}",
                "mend what it names (login, From domain, SPF, DKIM, size), then send again",
                is_lasting=True,
                reply=outcome.reply,
            )
        self._lost_in_a_row = 0 if outcome.is_connection_usable else self._lost_in_a_row + 1
        if self._lost_in_a_row >= LOST_IN_A_ROW and not self.report.trouble:
            self.report.trouble = Trouble(
                f"the relay dropped {LOST_IN_A_ROW} connections one after the other: {said}",
                "look at its log; what is not sent stays in the ledger, run the command again",
                reply=outcome.reply,
            )

    def _settle(self) -> None:
        if self._unsettled:
            self._ledger.settle(self._unsettled)
            self._unsettled = None

    def _advance(self, count: int) -> None:
        self._done += count
        self._total = max(self._total, self._done)
        self._progress(self._done, self._total)

    def _is_over(self) -> bool:
        trouble = self.report.trouble
        return self.report.was_stopped or (trouble is not None and trouble.is_lasting)

    def _wait(self, deadline: float) -> bool:
        """Sleep until something is due; return False when it is not worth it."""
        self._settle()
        self._release()
        due_at = self._ledger.next_due_at(
            self.report.issue_id, regions=self._regions, may_resend=self._policy.may_resend
        )
        if due_at is None:
            return False
        now = self._clock.now()
        if self.report.trouble:
            # The relay was just found ill; asking it again at once would only hammer it.
            pause = timedelta(minutes=self._policy.retry.first_delay_minutes)
            due_at = max(due_at, now + pause)
        seconds = (due_at - now).total_seconds()
        if self._clock.monotonic() + seconds > deadline:
            return False
        end = self._clock.monotonic() + seconds
        while (rest := end - self._clock.monotonic()) > 0:
            if self._should_stop():
                self.report.was_stopped = True
                return False
            self._clock.sleep(min(rest, POLL_S))
        self.report.trouble = None
        self._lost_in_a_row = 0
        return True

    def _release(self) -> None:
        if self._claims:
            self._ledger.release([delivery.id for delivery in self._claims])
            self._claims.clear()
