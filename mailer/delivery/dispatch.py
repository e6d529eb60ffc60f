"""One pass of sending on the event loop: connections ask, messages go, replies are written down.

Every connection takes its next message from what is in hand, by the pacer's rules and its relay's.
Two facts of each message go into the journal at once; the ledger hears of them in groups, from a
thread (``books``). While more than ``HOLD`` endings wait for the ledger nobody is given a message,
so that what a power cut could make us repeat stays one group.

A pass ends when nothing is due any more, when it is told to stop, or when nobody would get
through; what is on the wire is finished and what is in hand is given back in each case.

Failures: ``StorageFailed`` (ledger or journal) ends the pass like an order to stop, then is raised.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from mailer.delivery.books import Books, Errand, Taken, Turn
from mailer.delivery.delivery import Outcome, Trouble
from mailer.delivery.journal import Ending, Journal
from mailer.delivery.ledger import end_state
from mailer.delivery.pacing import Pacer, asks_to_slow
from mailer.delivery.rota import Clerk, Rota, at_fault, dropped
from mailer.delivery.routes import Line, Lines, Session
from mailer.delivery.statements import GONE
from mailer.delivery.transaction import Outgoing
from mailer.delivery.voyage import ANSWERED, GROUP, HOLD, Voyage
from mailer.errors import IllegalTransition, InvalidInput, MailerError, StorageFailed

SETTLE_S = 0.05
"""An ending waits for the ledger no longer than this."""

POLL_S = 0.25
"""How often orders are looked for while nothing else happens."""

STALE_S = 1.0
"""What is in hand for longer is asked about again before it goes: somebody may have left."""

SOON_S = 20.0
"""A pass stays for what was put off to within so many seconds from now."""

LOST_IN_A_ROW = 5
"""So many sessions lost in a row, and one for each connection more: the relay is ill."""


class Dispatch:
    """One pass; made and used within one event loop. See ``rota.Desk``."""

    def __init__(self, voyage: Voyage, books: Books, journal: Journal, lines: Lines) -> None:
        self._voyage = voyage
        self._books = books
        self._journal = journal
        self._lines = lines
        self._clock = voyage.clock
        self._loop = asyncio.get_running_loop()
        self.time = self._loop.time
        self.pacer: Pacer[Taken] = Pacer(
            lines.connections, limits=voyage.policy.domains, at_once=voyage.policy.domain_at_once
        )
        self._bell = asyncio.Event()
        self._rota = Rota(self._loop)
        self._endings: list[Ending] = []
        self._unsettled = 0
        self._skipped: dict[int, str] = {}
        self._refused: dict[int, str] = {}
        self._back: dict[int, datetime | None] = {}
        self._flying: dict[int, Taken] = {}
        self._lost_in_a_row = 0
        self._is_closing = False
        self._is_flush_due = False
        self._failure: BaseException | None = None
        self._dry_at = float("-inf")
        self._asked_at = 0.0
        self._doubted_at = self.time()
        self._next_due_at: datetime | None = None

    async def run(self) -> None:
        """Send until there is nothing to do."""
        tasks = [
            asyncio.create_task(self._serve(line))
            for line in self._lines.lines
            for _ in range(line.slots)
        ]
        with ThreadPoolExecutor(1, "ledger") as thread:
            try:
                await self._keep_books(thread)
            finally:
                self._close()
                results = await asyncio.gather(*tasks, return_exceptions=True)
                failures = [each for each in results if isinstance(each, BaseException)]
                self._failure = self._failure or next(iter(failures), None)
                await self._finish(thread)
        if self._failure is not None:
            raise self._failure

    async def _keep_books(self, thread: ThreadPoolExecutor) -> None:
        while not self._is_closing:
            if self._voyage.should_stop():
                self._voyage.report.was_stopped = True
                return
            errand = self._errand()
            if errand is not None:
                self._apply(await self._turn(thread, errand), errand)
            if self._is_quiet():
                return
            if self._voyage.allowance == 0 and not self._flying:
                self._voyage.report.is_at_ceiling = True
                return
            self._voyage.tell(self.time(), on_wire=len(self._flying))
            await self._nap()

    def _errand(self) -> Errand | None:
        now = self.time()
        is_due = bool(self._endings or self._skipped or self._refused or self._back)
        wanted = self._wanted(now)
        is_poll = now - self._asked_at >= POLL_S
        if not (is_due or wanted or is_poll):
            return None
        errand = self._collected()
        errand.claim, errand.asks = wanted, is_poll
        if is_poll:
            self._asked_at = now
        if now - self._doubted_at >= STALE_S and self.pacer.waiting:
            errand.doubted = self.pacer.items()
            self._doubted_at = now
        return errand

    def _collected(self) -> Errand:
        errand = Errand(self._endings, self._skipped, self._refused, self._back)
        self._endings, self._skipped, self._refused, self._back = [], {}, {}, {}
        return errand

    def _wanted(self, now: float) -> int:
        policy = self._voyage.policy
        batch = policy.signed_batch if self._voyage.is_signed else policy.batch
        if self.pacer.ready() > batch // 2 or now < self._dry_at + POLL_S:
            return 0
        allowance = self._voyage.allowance
        return batch if allowance is None else max(0, min(batch, allowance - self.pacer.waiting))

    async def _turn(self, thread: ThreadPoolExecutor, errand: Errand) -> Turn:
        try:
            return await self._loop.run_in_executor(thread, self._books.turn, errand)
        except StorageFailed:
            # The journal has what ended; the next run settles it.
            self._unsettled -= len(errand.endings)
            raise

    def _apply(self, turn: Turn, errand: Errand) -> None:
        self._unsettled -= len(turn.settled)
        self._journal.settled(turn.settled)
        self._voyage.skipped(turn.skipped + len(errand.skipped), refused=len(errand.refused))
        if turn.unexpected:
            raise IllegalTransition(
                f"{turn.unexpected} deliveries were changed by somebody else while on the wire"
            )
        if turn.order is not None:
            self._voyage.report.order = turn.order
            self._close()
        now = self.time()
        if errand.claim and len(turn.taken) + turn.skipped < errand.claim:
            self._dry_at, self._next_due_at = now, turn.next_due_at
        for item in errand.doubted if turn.gone else ():
            # One that went or was put off while the ledger was asked is in hand no more.
            if item.delivery.id in turn.gone and self.pacer.drop(item.domain, item):
                self._skipped[item.delivery.id] = GONE
        for item in turn.taken:
            if self._is_closing:
                self._back[item.delivery.id] = None
            elif (later_s := self.pacer.offer(item.domain, item, now)) is not None:
                self._park(item, later_s)
        if self.pacer.waiting:
            self._rota.wake_all()

    def _park(self, item: Taken, later_s: float) -> None:
        self._back[item.delivery.id] = at = self._clock.now() + timedelta(seconds=later_s)
        self._next_due_at = min(self._next_due_at or at, at)  # The ledger has not heard of it.

    def _is_quiet(self) -> bool:
        """True when nothing is in hand, on the wire or about to fall due again."""
        has_more = self._endings or self._back or self._skipped or self._refused
        if self.pacer.waiting or self._flying or has_more:
            return False
        if self._dry_at == float("-inf"):
            return False
        soon = self._clock.now() + timedelta(seconds=SOON_S)
        return self._next_due_at is None or self._next_due_at > soon

    async def _nap(self) -> None:
        """Wait for the bell, or as long as nothing needs us."""
        is_idle = not (self._endings or self._flying or self.pacer.waiting)
        before = self._clock.now()
        await self._hear_bell(SETTLE_S if self._endings or self._skipped or self._back else POLL_S)
        if is_idle and self._next_due_at and self._clock.now() == before < self._next_due_at:
            # A fixed clock would never bring back what is parked.
            self._clock.sleep((self._next_due_at - before).total_seconds())

    async def _hear_bell(self, pause: float) -> None:
        if len(self._endings) < GROUP:
            timer = self._loop.call_later(pause, self._bell.set)
            await self._bell.wait()
            timer.cancel()
        else:
            await asyncio.sleep(0)
        self._bell.clear()

    async def _finish(self, thread: ThreadPoolExecutor) -> None:
        for item in (*self.pacer.empty(), *self._flying.values()):
            if not item.is_begun:
                self._back.setdefault(item.delivery.id, None)
        errand = self._collected()
        if errand.endings or errand.skipped or errand.refused or errand.back:
            try:
                turn = await self._turn(thread, errand)
                self._journal.settled(turn.settled)
                self._voyage.skipped(len(errand.skipped), refused=len(errand.refused))
            except StorageFailed as error:
                self._failure = self._failure or error
        self._voyage.tell(self.time(), on_wire=0, is_last=True)

    async def _serve(self, line: Line) -> None:
        session: Session | None = None
        clerk = Clerk(self, line)
        try:
            while not self._is_closing:
                if clerk.seen == self._rota.changes or not self.pacer.waiting:
                    clerk.seen = -1
                    await self._rota.sleep()
                    continue
                if session is None:
                    session = await self._dial(line)
                    if session is None and line.trouble is None:
                        # It serves us, only not on one more connection.
                        return
                    if session is None:
                        continue
                trouble = await session.drive(clerk)
                if trouble is not None or clerk.is_lost:
                    await session.close()
                    session = None
                    line.open -= 1
                    self._lost(clerk, trouble)
        except (MailerError, OSError) as error:
            self._failure = self._failure or error
            self._close()
        finally:
            if session is not None:
                line.open -= 1
                await session.close()

    async def _dial(self, line: Line) -> Session | None:
        if line.trouble is not None and self.time() < line.retry_at:
            self._rota.wake_at(line.retry_at)
            await self._rota.sleep()
            return None
        found = await line.dialler.connect()
        if not isinstance(found, Trouble):
            line.open += 1
            self._lines.recovered(line)
            return found
        if self._is_closing:
            return None
        if trouble := self._lines.failed(line, found, self.time()):
            self.stop(trouble)
        elif line.trouble:
            self._voyage.troubled(line.route.name, found)
        return None

    def _lost(self, clerk: Clerk, trouble: Trouble | None) -> None:
        clerk.is_lost = False
        self._rota.changes += 1
        if trouble is not None and trouble.is_lasting and len(self._lines.lines) == 1:
            self.stop(trouble)
            return
        self._lost_in_a_row += 1
        enough = LOST_IN_A_ROW + self._lines.connections - 1
        if self._lost_in_a_row >= enough and not self._is_closing:
            self.stop(dropped(enough, trouble, clerk.said))

    def stop(self, trouble: Trouble) -> None:
        """End the pass: nobody would get through."""
        if self._voyage.report.trouble is None:
            self._voyage.report.trouble = trouble
        self._close()

    def _close(self) -> None:
        self._is_closing = True
        self._rota.is_over = True
        self._bell.set()
        self._rota.wake_all()

    def give(self, clerk: Clerk, line: Line) -> Outgoing | None:
        voyage = self._voyage
        while not self._is_closing:
            if self._unsettled >= HOLD or voyage.allowance == 0 or voyage.should_stop():
                self._bell.set()
                break
            now = self.time()
            if not self._lines.may_take(line, now):
                if line.rate is not None:
                    self._rota.wake_at(max(line.rate.ready_at(now), now + 0.001))
                break
            item = self.pacer.take(now)
            if item is None:
                if (at := self.pacer.next_ready_at()) is not None:
                    self._rota.wake_at(at)
                if self.pacer.waiting == 0:
                    self._bell.set()
                break
            outgoing = self._composed(item)
            if outgoing is None:
                continue
            self._lines.take(line, now)
            clerk.taken_at[item.delivery.id] = now
            self._flying[item.delivery.id] = item
            if voyage.allowance is not None:
                voyage.allowance -= 1
            return outgoing
        clerk.seen = self._rota.changes
        return None

    def _composed(self, item: Taken) -> Outgoing | None:
        delivery = item.delivery
        try:
            return self._voyage.compose(delivery, item.content)
        except InvalidInput as error:
            self._refused[delivery.id] = f"cannot be written: {error}"
            self.pacer.left(item.domain)
            self._bell.set()
            return None
        except MailerError as error:
            # An edition that cannot be compiled concerns everybody.
            self.pacer.give_back(item.domain, item)
            self._failure = self._failure or error
            self._close()
            return None

    def begin(self, outgoing: Outgoing) -> None:
        delivery = outgoing.delivery
        try:
            self._journal.begun(delivery.id, delivery.attempts + 1)
        except StorageFailed as error:
            self._failure = self._failure or error
            self._close()
            raise
        self._flying[delivery.id].is_begun = True

    def end(self, clerk: Clerk, line: Line, outgoing: Outgoing, outcome: Outcome) -> None:
        now = self.time()
        delivery = outgoing.delivery
        item = self._flying.pop(delivery.id)
        took_s = now - max(clerk.taken_at.pop(delivery.id), clerk.ended_at)
        clerk.ended_at = now
        self._lines.ended(line, now, is_untried=outcome.is_untried)
        if not outcome.is_connection_usable:
            clerk.is_lost, clerk.said = True, outcome.note
        else:
            self._lost_in_a_row = 0
        if outcome.is_untried:
            if self._voyage.allowance is not None:
                self._voyage.allowance += 1
            self.pacer.give_back(item.domain, item)
            self._rota.wake_all()
            return
        ending = self._voyage.ending(delivery, outcome, item.first_tried_at)
        self._endings.append(ending)
        self._unsettled += 1
        self._journal.ended(ending)
        if not self._is_flush_due:
            self._is_flush_due = True
            self._loop.call_soon(self._flush)
        self._voyage.ended(item.domain, end_state(outcome, ending.due_at))
        self._pace(item.domain, outcome, took_s, now)
        if outcome.is_sender_at_fault:
            self.stop(at_fault(outcome))
        if len(self._endings) >= GROUP or not self.pacer.waiting:
            self._bell.set()
        if self._rota.has_sleepers and self.pacer.waiting:
            self._rota.wake_all()

    def _flush(self) -> None:
        """Give the journal's lines to the kernel before the network is looked at again."""
        self._is_flush_due = False
        try:
            self._journal.flush()
        except StorageFailed as error:
            self._failure = self._failure or error
            self._close()

    def _pace(self, domain: str, outcome: Outcome, took_s: float, now: float) -> None:
        if outcome.verdict in ANSWERED:
            self.pacer.succeeded(domain, took_s, now)
        elif outcome.reply is not None and not outcome.is_sender_at_fault:
            must_slow = asks_to_slow(outcome.reply)
            for item in self.pacer.deferred(domain, took_s, now, must_slow=must_slow):
                self._park(item, self.pacer.rest_s(domain, now))
        else:
            self.pacer.left(domain)
