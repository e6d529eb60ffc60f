"""Sending: from due deliveries to settled ones, through the relays.

The order of things is the promise:

1. one sender at a time, by a lock that dies with its holder; what a dead one left is recovered
   with the journal it left;
2. a claim is committed, then eligibility is asked again: who left since the plan is skipped;
3. the journal says "begun" before the first byte of a content, "ended" once its reply is read;
4. the ledger is settled in groups; what it does not have yet the journal has.

A reader's own trouble (a refused address, a name that cannot be written) is settled for that
reader. Trouble that would meet everybody (every relay is down, does not trust us, drops every
connection) stops the run with a sentence about it, and what was claimed is given back. Asked to
stop, the sender finishes what is on the wire, gives the rest back and repeats nothing. Orders from
other terminals (pause, resume, cancel) are looked for four times a second.

After SIGKILL at most one message a connection is repeated, byte for byte; after a power cut, at
most one group. Failures: ``SenderBusy`` when another process sends; ``StorageFailed`` from the
ledger or the journal, with what ended kept by the other of the two.
"""

from __future__ import annotations

import gc
import secrets
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from mailer.clock import Clock
from mailer.delivery.books import Books, Eligibility
from mailer.delivery.delivery import Delivery, Trouble
from mailer.delivery.dispatch import LOST_IN_A_ROW, Dispatch
from mailer.delivery.journal import Journal, read_journal
from mailer.delivery.ledger import Ledger
from mailer.delivery.message import CompiledEdition
from mailer.delivery.ordering import Order
from mailer.delivery.relay import run_loop
from mailer.delivery.rota import at_fault
from mailer.delivery.routes import Route, open_lines
from mailer.delivery.voyage import Pulse, SendPolicy, SendReport, Voyage
from mailer.errors import ConfigurationError, Fault, IllegalTransition
from mailer.storage.database import Database

__all__ = [
    "LOST_IN_A_ROW",
    "Eligibility",
    "Pulse",
    "Route",
    "SendPolicy",
    "SendReport",
    "Sender",
    "SenderBusy",
    "at_fault",
]

POLL_S = 0.5
"""How often a waiting sender asks whether it should stop, or go on."""


COLLECT_AFTER = 20_000
"""New objects before the collector looks at them while a pass runs: a few hundred messages'."""

TURN_S = 0.0005


MOST_SHORTENED = 64
"""Editions kept that leave out what some readers had: as many as a region's stories are apart."""


class SenderBusy(IllegalTransition):
    """Another process is sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends what the ledger says is due.

    ``routes`` are the relays; ``register`` says who may not be mailed any more; ``edition``
    returns a region's compiled edition of the issue being sent, asked once a run and region;
    ``fields`` returns the values of a reader's slots, the same at every call, and like ``edition``
    may be called from another thread. ``journal`` is a file on this machine's disk, the same for
    every sender of the database; beside the database when it is SQLite.
    """

    ledger: Ledger
    database: Database
    routes: Sequence[Route]
    register: Eligibility
    edition: Callable[[str], CompiledEdition]
    fields: Callable[[Delivery], Mapping[str, str]]
    clock: Clock
    policy: SendPolicy = field(default_factory=SendPolicy)
    journal: Path | None = None

    def run(
        self,
        issue_id: str,
        *,
        regions: Collection[str] | None = None,
        wait_s: float = 0,
        prepare: Callable[[], None] | None = None,
        on_pause: Callable[[Order], None] | None = None,
        progress: Callable[[int, int], None] | None = None,
        watch: Callable[[Pulse], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> SendReport:
        """Send the issue's due deliveries.

        Args:
            issue_id: whose deliveries.
            regions: only these; None for all.
            wait_s: wait up to so long in all for retries that fall due; 0 to leave them.
            prepare: called under the sender's lock before the first message: planning, so that
                no two processes plan and send side by side.
            on_pause: told of a pause, which is then waited out; without it a pause ends the run.
            progress: called with done and total, a few times a second.
            watch: called with more of the same, as often.
            should_stop: asked before each message and while waiting.

        Raises:
            SenderBusy: another process is sending.
        """
        with self.database.exclusive("sender") as is_held:
            if not is_held:
                raise SenderBusy(
                    "another process is sending from this database; wait for it, or stop it first"
                )
            report = SendReport(issue_id)
            editions: dict[str, CompiledEdition] = {}
            shortened: dict[tuple[str, str], CompiledEdition] = {}

            def edition(delivery: Delivery) -> CompiledEdition:
                region, withheld = delivery.region, delivery.withheld
                if region not in editions:
                    editions[region] = self.edition(region)
                    voyage.is_signed = voyage.is_signed or editions[region].is_signed
                if not withheld:
                    return editions[region]
                found = shortened.get((region, withheld))
                if found is None:
                    found = editions[region].without(withheld)
                    if len(shortened) >= MOST_SHORTENED:
                        shortened.clear()
                    shortened[region, withheld] = found
                return found

            voyage = Voyage(
                clock=self.clock,
                policy=self.policy,
                edition=edition,
                fields=self.fields,
                should_stop=should_stop or (lambda: False),
                progress=progress or (lambda _done, _total: None),
                watch=watch or (lambda _pulse: None),
                report=report,
                record=self._record_relay,
            )
            _Run(self, voyage, regions).until_settled(wait_s, prepare, on_pause)
            return report

    def journal_path(self) -> Path:
        """Return where the journal is.

        Raises:
            ConfigurationError: the database is no file and no place was given.
        """
        if self.journal is not None:
            return self.journal
        if not self.database.is_sqlite:
            raise ConfigurationError(
                Fault("a sender on PostgreSQL needs a file for its journal", field="journal")
            )
        return Path(f"{self.database.engine.url.database}.sending")

    def _record_relay(self, name: str, trouble: Trouble) -> None:
        self.ledger.record("relay.failed", "", {"relay": name, "problem": trouble.problem})


class _Run:
    """One run: passes of sending, and the waits between them."""

    def __init__(self, sender: Sender, voyage: Voyage, regions: Collection[str] | None) -> None:
        self._sender = sender
        self._ledger = sender.ledger
        self._clock = sender.clock
        self._voyage = voyage
        self._report = voyage.report
        self._regions = regions
        self._issue_id = voyage.report.issue_id

    def until_settled(
        self,
        wait_s: float,
        prepare: Callable[[], None] | None,
        on_pause: Callable[[Order], None] | None,
    ) -> None:
        """Send pass after pass, wait for retries while the time allows; then say what is left."""
        path = self._sender.journal_path()
        journal_id = secrets.token_hex(8)
        told = read_journal(path)
        self._report.recovery = self._ledger.recover(told, journal_id=journal_id)
        if prepare:
            prepare()
        age = timedelta(hours=self._sender.policy.retry.max_age_hours)
        self._ledger.expire(self._issue_id, before=self._clock.now() - age)
        journal = Journal(path, journal_id)
        is_settled = False
        try:
            self._passes(journal, wait_s, on_pause)
            is_settled = True
        finally:
            # First the file, then the word that none is expected: never the other way round.
            journal.close(is_settled=False)
            if is_settled:
                self._ledger.closed()
                path.unlink(missing_ok=True)
        self._ledger.carry_out_cancel(self._issue_id)
        report = self._report
        report.left = self._ledger.open_count(self._issue_id, regions=self._regions)
        report.next_due_at = self._ledger.next_due_at(
            self._issue_id, regions=self._regions, may_resend=self._sender.policy.may_resend
        )
        if report.trouble:
            detail = {"problem": report.trouble.problem, "is_lasting": report.trouble.is_lasting}
            self._ledger.record("send.paused", self._issue_id, detail)

    def _passes(
        self, journal: Journal, wait_s: float, on_pause: Callable[[Order], None] | None
    ) -> None:
        deadline = self._clock.monotonic() + wait_s
        policy = self._sender.policy
        books = Books(
            self._ledger,
            self._sender.register,
            edition=self._voyage.edition,
            fields=self._sender.fields,
            issue_id=self._issue_id,
            regions=self._regions,
            may_resend=policy.may_resend,
        )
        try:
            while self._may_begin(on_pause):
                self._ledger.redate(self._issue_id, policy.retry)
                self._voyage.total = self._voyage.done + self._ledger.open_count(
                    self._issue_id, regions=self._regions
                )
                self._voyage.allowance = self._allowance()
                with _calm():
                    run_loop(self._pass(journal, books))
                if self._report.order:
                    continue
                if self._is_over() or not self._wait(deadline):
                    return
        finally:
            books.close()

    async def _pass(self, journal: Journal, books: Books) -> None:
        lines = open_lines(self._sender.routes)
        await Dispatch(self._voyage, books, journal, lines).run()

    def _may_begin(self, on_pause: Callable[[Order], None] | None) -> bool:
        """Look for an order; wait out a pause, if that was asked for."""
        told: Order | None = None
        while order := self._ledger.order(self._issue_id):
            self._report.order = order
            if order.word == "cancel" or on_pause is None:
                return False
            if order != told:
                on_pause(order)
                told = order
            if self._voyage.should_stop():
                self._report.was_stopped = True
                return False
            self._clock.sleep(POLL_S)
        self._report.order = None
        return True

    def _allowance(self) -> int | None:
        """Return how many attempts today's warm-up leaves; None when it sets no bound."""
        policy = self._sender.policy
        here = self._clock.now().astimezone(ZoneInfo(policy.time_zone))
        ceiling = policy.warm_up.ceiling(here.date())
        if ceiling is None:
            return None
        return max(0, ceiling - self._ledger.tried_since(_midnight(here)))

    def _is_over(self) -> bool:
        trouble = self._report.trouble
        return self._report.was_stopped or (trouble is not None and trouble.is_lasting)

    def _wait(self, deadline: float) -> bool:
        """Sleep until something is due; return False when it is not worth it."""
        due_at = self._ledger.next_due_at(
            self._issue_id, regions=self._regions, may_resend=self._sender.policy.may_resend
        )
        if due_at is None:
            return False
        now = self._clock.now()
        if self._report.trouble:
            # The relay was just found ill; asking it again at once would only hammer it.
            pause = timedelta(minutes=self._sender.policy.retry.first_delay_minutes)
            due_at = max(due_at, now + pause)
        if self._report.is_at_ceiling:
            here = now.astimezone(ZoneInfo(self._sender.policy.time_zone))
            due_at = max(due_at, _midnight(here + timedelta(days=1)))
        seconds = (due_at - now).total_seconds()
        if seconds <= 0:
            # Due, and yet not to be had: the issue was cancelled, or another machine has it.
            return False
        if self._clock.monotonic() + seconds > deadline:
            return False
        end = self._clock.monotonic() + seconds
        while (rest := end - self._clock.monotonic()) > 0:
            if self._voyage.should_stop():
                self._report.was_stopped = True
                return False
            if self._ledger.order(self._issue_id):
                break
            self._clock.sleep(min(rest, POLL_S))
        self._report.trouble = None
        self._report.is_at_ceiling = False
        return True


@contextmanager
def _calm() -> Iterator[None]:
    """Let the interpreter attend to the sending: fewer collections, shorter turns of its threads.

    What was there before the pass need not be looked through for garbage again and again; and the
    ledger's thread must not keep the one that sends waiting for the usual five milliseconds.
    """
    thresholds, interval_s = gc.get_threshold(), sys.getswitchinterval()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(interval_s)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _midnight(here: datetime) -> datetime:
    return here.replace(hour=0, minute=0, second=0, microsecond=0)
