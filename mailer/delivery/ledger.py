"""The ledger: every delivery's row, changed only along the table of states.

Each method is one short transaction; none stays open across the network. The sender's rhythm:
``claim`` a batch, send it, ``settle`` what ended in groups. Between the two a row is *claimed*;
whether its content is on the wire (*transmitting*) is the journal's to say, because a commit for
each message would cost more than the message. Settling makes both steps of the table at once.

Every UPDATE names the state and the number of attempts it expects, so that what a journal tells
twice is written once. A claimed row belongs to its sender: an operator's cancel leaves it alone
and the sender, who is told within a second, gives it back.

``recover`` is for the holder of the sender's lock alone: it treats every claimed row as a dead
sender's, and asks that sender's journal what became of it.

Failures: ``StorageFailed`` from the database; ``IllegalTransition`` for a step the table lacks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from mailer.delivery import journal as journals
from mailer.delivery import statements
from mailer.delivery.delivery import (
    Delivery,
    DeliveryState,
    Outcome,
    Verdict,
    next_state,
)
from mailer.delivery.journal import Ending
from mailer.delivery.keeping import Keeping
from mailer.delivery.misdating import Misdating
from mailer.delivery.ordering import Orders, keep_event
from mailer.delivery.plans import Plans
from mailer.delivery.withholding import Withholding
from mailer.errors import IllegalTransition
from mailer.storage import schema
from mailer.storage.schema import deliveries

_S = DeliveryState
_COLUMNS = deliveries.c

DEAD = "the sender died before the reply was read"
LOST = "the sender died and its journal is not here"


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was left by a sender that died: claims given back, ended attempts, those in doubt."""

    released: int = 0
    in_doubt: int = 0
    settled: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """Deliveries taken, the longest due first; ``first_tried_at`` of those tried before, by id."""

    deliveries: list[Delivery]
    first_tried_at: dict[int, datetime]


class Ledger(Plans, Orders, Keeping, Misdating, Withholding):
    """Deliveries and attempts in the database; what can be asked of them is in ``Account``."""

    def recover(self, told: journals.Account | None = None, *, journal_id: str = "") -> Recovery:
        """Judge a dead sender's claims by its journal; then expect the journal ``journal_id``.

        What the journal says ended is settled as it ended; what it says was begun is in doubt;
        the rest goes back. Where the journal is not the one the claims are accounted for in
        (another machine sent, or the file was lost), every claim is in doubt.

        Call it only while holding the sender's lock.
        """
        now = self._clock.now()
        with self._database.write() as connection:
            expected = self._journal_id(connection)
            claims = [
                self._driver.delivery(row)
                for row in connection.exec_driver_sql(statements.DEAD_CLAIMS).all()
            ]
            is_ours = bool(expected) and told is not None and told.id == expected
            is_known = is_ours or not expected
            ended, begun = _judged(claims, told if is_ours else None, now, is_known=is_known)
            self._settle(connection, [*ended, *begun])
            judged = {item.delivery_id for item in (*ended, *begun)}
            back = [item.id for item in claims if item.id not in judged]
            released = self._give_back(connection, dict.fromkeys(back), now)
            self._expect(connection, journal_id, now)
            if claims:
                detail = {
                    "released": released,
                    "in_doubt": len(begun),
                    "settled": len(ended),
                    "damaged_lines": told.damaged if told else 0,
                    "is_journal_known": is_known,
                }
                keep_event(connection, now, "send.recovered", "", detail)
        return Recovery(released=released, in_doubt=len(begun), settled=len(ended))

    def closed(self) -> None:
        """Say that every claim is settled or given back: no journal is expected any more."""
        with self._database.write() as connection:
            self._expect(connection, "", self._clock.now())

    def claim(
        self,
        issue_id: str,
        *,
        regions: Collection[str] | None = None,
        limit: int = 100,
        may_resend: bool = True,
    ) -> Claim:
        """Take due deliveries for this sender, the longest due first.

        A region and state at a time, off the end of the index: what it costs does not grow with
        the list.

        Args:
            issue_id: whose deliveries.
            regions: only these; None for all.
            limit: how many at most.
            may_resend: take those in doubt as well (the policy ``resend``).
        """
        now = self._driver.stamp(self._clock.now())
        driver = self._driver
        found: list[Delivery] = []
        first: dict[int, datetime] = {}
        with self._database.write() as connection:
            for _due, region, state in self._heads(connection, issue_id, regions, may_resend, now):
                rows = driver.run(
                    connection, driver.claim, now, issue_id, region, state, now,
                    limit - len(found),
                ).all()  # fmt: skip
                found += [driver.delivery(row) for row in rows]
                if len(found) >= limit:
                    break
            for item in found:
                if item.attempts:
                    row = driver.run(connection, statements.FIRST_TRIES, item.id).first()
                    if row:
                        first[item.id] = driver.instant(row[1])
        return Claim(sorted(found, key=lambda item: (item.due_at, item.id)), first)

    def next_planned_at(
        self, issue_id: str, regions: Collection[str] | None = None
    ) -> datetime | None:
        """Return when the next delivery that nobody has tried is due; one step an index's end."""
        driver = self._driver
        with self._database.read() as connection:
            ends = [
                driver.run(connection, statements.HEAD, issue_id, region, _S.PLANNED.value).scalar()
                for region in self._regions(connection, issue_id, regions)
            ]
        return min((driver.instant(each) for each in ends if each is not None), default=None)

    def expire(self, issue_id: str, *, before: datetime) -> int:
        """End deliveries that were due, and planned, before an instant; return how many were.

        What was planned a moment ago for an hour long past is not too old but late, or the clock
        has just jumped; it is tried.
        """
        now = self._clock.now()
        with self._database.write() as connection:
            return connection.execute(
                update(deliveries)
                .where(_COLUMNS.issue_id == issue_id, _COLUMNS.due_at < before)
                .where(_COLUMNS.updated_at < before)
                .where(_COLUMNS.state == _S.PLANNED.value)
                .values(
                    state=next_state(_S.PLANNED, "expire").value,
                    updated_at=now,
                    reply_text="too old: nothing could be sent in time",
                )
            ).rowcount

    def skip(self, reasons: Mapping[int, str], *, step: str = "skip") -> int:
        """End claimed deliveries without a transaction, each with its reason; count them.

        Args:
            reasons: by delivery.
            step: ``skip`` for who may not get it, ``refuse`` for what cannot be written.
        """
        if not reasons:
            return 0
        now = self._clock.now()
        with self._database.write() as connection:
            return sum(
                self._move(connection, item, _S.CLAIMED, step, now, reply_text=reason[:500])
                for item, reason in reasons.items()
            )

    def settle(self, endings: Sequence[Ending]) -> int:
        """Write how attempts of claimed deliveries ended, all in one commit.

        Returns:
            How many were claimed and at that attempt; the others are left as they are.
        """
        if not endings:
            return 0
        with self._database.write() as connection:
            return self._settle(connection, endings)

    def release(self, due_at: Mapping[int, datetime | None]) -> int:
        """Give claims back; return how many were given.

        Args:
            due_at: by delivery, when it is due again; None for when it was due before.
        """
        if not due_at:
            return 0
        with self._database.write() as connection:
            return self._give_back(connection, due_at, self._clock.now())

    def resolve(self, delivery_id: int, step: str, *, why: str) -> None:
        """Settle a delivery in doubt by hand.

        Args:
            delivery_id: which.
            step: ``accept`` on evidence such as the relay's log, ``cancel``, or ``defer`` to send
                the same bytes again now.
            why: kept with the row.

        Raises:
            IllegalTransition: it is not in doubt.
        """
        now = self._clock.now()
        values: dict[str, Any] = {"reply_code": None, "reply_enhanced": "", "reply_text": why[:500]}
        if step == "defer":
            values["due_at"] = now
        with self._database.write() as connection:
            if not self._move(connection, delivery_id, _S.IN_DOUBT, step, now, **values):
                raise IllegalTransition("that delivery is not in doubt; there is nothing to settle")

    def _heads(
        self,
        connection: Connection,
        issue_id: str,
        regions: Collection[str] | None,
        may_resend: bool,
        now: Any,
    ) -> list[tuple[Any, str, str]]:
        """Return (due, region, state) of every end of the index that has something due."""
        driver = self._driver
        states = [_S.DEFERRED, _S.PLANNED] + [_S.IN_DOUBT] * may_resend
        ends = []
        for region in self._regions(connection, issue_id, regions):
            for state in states:
                head = driver.run(connection, statements.HEAD, issue_id, region, state.value)
                due = head.scalar()
                if due is not None and due <= now:
                    ends.append((due, region, state.value))
        return sorted(ends)

    def _regions(
        self, connection: Connection, issue_id: str, regions: Collection[str] | None
    ) -> list[str]:
        if regions is not None:
            return sorted(regions)
        rows = self._driver.run(connection, statements.REGIONS, issue_id, issue_id).all()
        return [row[0] for row in rows]

    def _settle(self, connection: Connection, endings: Sequence[Ending]) -> int:
        driver = self._driver
        now = driver.stamp(self._clock.now())
        ended = [_ended(driver, ending) for ending in endings]
        with connection.begin_nested() as savepoint:
            if driver.settle(connection, ended, now) == len(ended):
                driver.keep_attempts(connection, ended)
                return len(ended)
            savepoint.rollback()
        # Some were settled before (a journal told twice): find out which, one by one.
        changed = 0
        for row in ended:
            if driver.settle(connection, [row], now):
                driver.keep_attempts(connection, [row])
                changed += 1
        return changed

    def _give_back(
        self, connection: Connection, due_at: Mapping[int, datetime | None], now: datetime
    ) -> int:
        driver = self._driver
        next_state(_S.CLAIMED, "release")
        stamp = driver.stamp(now)
        rows = [
            (stamp, driver.stamp(at) if at else None, delivery_id)
            for delivery_id, at in sorted(due_at.items())
        ]
        return driver.run_all(connection, statements.RELEASE, rows)

    def _move(
        self,
        connection: Connection,
        delivery_id: int,
        state: DeliveryState,
        step: str,
        now: datetime,
        **values: Any,
    ) -> int:
        return connection.execute(
            update(deliveries)
            .where(_COLUMNS.id == delivery_id, _COLUMNS.state == state.value)
            .values(state=next_state(state, step).value, updated_at=now, **values)
        ).rowcount

    def _journal_id(self, connection: Connection) -> str:
        statement = select(schema.journals.c.id).where(schema.journals.c.name == _SENDER)
        return connection.execute(statement).scalar() or ""

    def _expect(self, connection: Connection, journal_id: str, now: datetime) -> None:
        table = schema.journals
        connection.execute(table.delete().where(table.c.name == _SENDER))
        if journal_id:
            connection.execute(insert(table).values(name=_SENDER, id=journal_id, opened_at=now))


_SENDER = "sender"


def end_state(outcome: Outcome, due_at: datetime | None) -> DeliveryState:
    """Return the state of a claimed delivery whose attempt ended so.

    Args:
        outcome: what it came to.
        due_at: when to try again; a deferred or doubtful one without it expires.
    """
    return _END_STATES[outcome.verdict, due_at is None]


def _end_state(verdict: Verdict, *, is_last: bool) -> DeliveryState:
    state = next_state(next_state(_S.CLAIMED, "transmit"), verdict.value)
    if is_last and verdict in {Verdict.DEFER, Verdict.DOUBT}:
        return next_state(state, "expire")
    return state


_END_STATES = {
    (verdict, is_last): _end_state(verdict, is_last=is_last)
    for verdict in Verdict
    for is_last in (False, True)
}


def _judged(
    claims: Sequence[Delivery],
    told: journals.Account | None,
    now: datetime,
    *,
    is_known: bool,
) -> tuple[list[Ending], list[Ending]]:
    """Return what ended, and what is in doubt, of a dead sender's claims."""
    ended = []
    doubts = []
    for claim in claims:
        number = claim.attempts + 1
        ending = told.ended.get((claim.id, number)) if told else None
        if ending is not None:
            ended.append(ending)
        elif not is_known or (told is not None and told.begun.get(claim.id) == number):
            outcome = Outcome(Verdict.DOUBT, None, DEAD if is_known else LOST)
            doubts.append(Ending(claim.id, number, outcome, now, now))
    return ended, doubts


def _ended(driver: statements.Driver, ending: Ending) -> statements.Ended:
    outcome, reply = ending.outcome, ending.outcome.reply
    return statements.Ended(
        ending.delivery_id,
        ending.number,
        end_state(outcome, ending.due_at).value,
        driver.stamp(ending.due_at) if ending.due_at else None,
        driver.stamp(ending.ended_at),
        outcome.verdict.value,
        reply.code if reply else None,
        reply.enhanced if reply else "",
        reply.text if reply else "",
        outcome.note,
    )
