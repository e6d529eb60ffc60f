"""The ledger: every delivery's row, changed only along the table of states.

Each method is one short transaction; none stays open across the network. The sender's rhythm:
``claim`` a batch, ``skip`` who may not have it, then for each message ``settle`` the last one and
mark the next as transmitting in the same commit. So at any instant at most one row a connection
is ``transmitting``, and that is the only message a crash can repeat.

Every UPDATE names the state it expects; a row that is not in it any more (an operator cancelled
it meanwhile) is not touched. ``recover`` is for the holder of the sender's lock alone: it treats
every claimed and transmitting row as a dead sender's.

Failures: ``StorageFailed`` from the database; ``IllegalTransition`` for a step the table lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mailer.audience.subscriber import Recipient
from mailer.clock import Clock
from mailer.delivery.account import CHUNK, Account, read_delivery, within
from mailer.delivery.delivery import (
    TRANSITIONS,
    Delivery,
    DeliveryState,
    Outcome,
    Verdict,
    next_state,
)
from mailer.errors import IllegalTransition
from mailer.storage.database import Database
from mailer.storage.schema import attempts, deliveries, events, issues

_S = DeliveryState
_COLUMNS = deliveries.c


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was left by a sender that died: claims given back, messages in doubt."""

    released: int = 0
    in_doubt: int = 0


class Ledger(Account):
    """Deliveries and attempts in the database; what can be asked of them is in ``Account``."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database)
        self._clock = clock

    def plan(
        self,
        issue_id: str,
        recipients: Callable[[Connection], Iterable[Recipient]],
        *,
        due_at: Mapping[str, datetime],
        token: Callable[[], str],
    ) -> tuple[Counter[str], Counter[str]]:
        """Add a row for each recipient without one; return added and present ones per region.

        A row that was skipped or cancelled before anything of it can have arrived starts anew,
        in the region that is the recipient's now; it counts as added.
        """
        planned: Counter[str] = Counter()
        already: Counter[str] = Counter()
        now = self._clock.now()
        make = sqlite.insert if self._database.is_sqlite else postgresql.insert
        statement = make(deliveries).on_conflict_do_nothing(
            index_elements=[_COLUMNS.issue_id, _COLUMNS.address]
        )
        with self._database.write() as connection:
            stream = iter(recipients(connection))
            while chunk := list(islice(stream, CHUNK)):
                present = _present(connection, issue_id, chunk)
                rows, again = [], []
                for who in chunk:
                    if present.get(who.address, 0) is None:
                        already[who.region] += 1
                        continue
                    planned[who.region] += 1
                    ended, present[who.address] = present.get(who.address), None
                    row = {
                        "region": who.region,
                        "subscriber_id": who.subscriber_id,
                        "name": who.name,
                        "token": token(),
                        "state": _S.PLANNED.value,
                        "dated_at": due_at[who.region],
                        "due_at": due_at[who.region],
                        "updated_at": now,
                    }
                    if ended is not None:
                        again.append({"row_id": ended, **row})
                    else:
                        rows.append({"issue_id": issue_id, "address": who.address, **row})
                if rows:
                    connection.execute(statement, rows)
                for row in again:
                    connection.execute(
                        update(deliveries)
                        .where(_COLUMNS.id == row.pop("row_id"))
                        .values(**row, reply_code=None, reply_enhanced="", reply_text="")
                    )
        return planned, already

    def foresee(
        self, issue_id: str, recipients: Callable[[Connection], Iterable[Recipient]]
    ) -> tuple[Counter[str], Counter[str]]:
        """Count what ``plan`` would add and find, writing nothing."""
        planned: Counter[str] = Counter()
        already: Counter[str] = Counter()
        with self._database.read() as connection:
            stream = iter(recipients(connection))
            while chunk := list(islice(stream, CHUNK)):
                present = _present(connection, issue_id, chunk)
                for who in chunk:
                    is_there = present.get(who.address, 0) is None
                    (already if is_there else planned)[who.region] += 1
        return planned, already

    def recover(self) -> Recovery:
        """Give back a dead sender's claims; put what it was transmitting in doubt.

        Call it only while holding the sender's lock.
        """
        now = self._clock.now()
        with self._database.write() as connection:
            rows = connection.execute(
                select(deliveries).where(_COLUMNS.state == _S.TRANSMITTING.value)
            ).all()
            for row in rows:
                outcome = Outcome(Verdict.DOUBT, None, "the sender died before the reply was read")
                self._end(connection, read_delivery(row), outcome, now, step="crash")
            released = connection.execute(
                update(deliveries)
                .where(_COLUMNS.state == _S.CLAIMED.value)
                .values(state=next_state(_S.CLAIMED, "crash").value, updated_at=now)
            ).rowcount
            if rows or released:
                detail = {"released": released, "in_doubt": len(rows)}
                _event(connection, now, "send.recovered", "", detail)
        return Recovery(released=released, in_doubt=len(rows))

    def claim(
        self,
        issue_id: str,
        *,
        regions: Collection[str] | None = None,
        limit: int = 100,
        may_resend: bool = True,
    ) -> list[Delivery]:
        """Take due deliveries for this sender, the longest due first.

        Args:
            issue_id: whose deliveries.
            regions: only these; None for all.
            limit: how many at most.
            may_resend: take those in doubt as well (the policy ``resend``).
        """
        now = self._clock.now()
        states = [_S.PLANNED, _S.DEFERRED] + [_S.IN_DOUBT] * may_resend
        picked = (
            select(_COLUMNS.id)
            .where(_COLUMNS.issue_id == issue_id, _COLUMNS.due_at <= now, *within(regions))
            .where(_COLUMNS.state.in_([state.value for state in states]))
            .where(exists().where(issues.c.id == issue_id, issues.c.state != "cancelled"))
            .order_by(_COLUMNS.due_at, _COLUMNS.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(deliveries)
            .where(_COLUMNS.id.in_(picked))
            .values(state=_S.CLAIMED.value, updated_at=now)
            .returning(*deliveries.c)
        )
        with self._database.write() as connection:
            rows = connection.execute(statement).all()
        return sorted((read_delivery(row) for row in rows), key=lambda item: (item.due_at, item.id))

    def expire(self, issue_id: str, *, before: datetime) -> int:
        """End planned deliveries that were due before an instant; return how many were."""
        now = self._clock.now()
        with self._database.write() as connection:
            return connection.execute(
                update(deliveries)
                .where(_COLUMNS.issue_id == issue_id, _COLUMNS.due_at < before)
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
        count = 0
        with self._database.write() as connection:
            for delivery_id, reason in reasons.items():
                count += self._move(
                    connection, delivery_id, _S.CLAIMED, step, now, reply_text=reason[:500]
                )
        return count

    def settle(
        self,
        done: tuple[Delivery, Outcome, datetime | None] | None,
        then: Delivery | None = None,
    ) -> bool:
        """Write the last message's end and mark the next as transmitting, in one commit.

        Args:
            done: the delivery, what it came to, and when to try again. None there means never:
                a deferred or doubtful delivery expires.
            then: a claimed delivery to mark.

        Returns:
            Whether ``then`` is marked; False when it was cancelled meanwhile.
        """
        now = self._clock.now()
        with self._database.write() as connection:
            if done:
                delivery, outcome, due_at = done
                self._end(connection, delivery, outcome, due_at)
            if then is None:
                return False
            return bool(self._move(connection, then.id, _S.CLAIMED, "transmit", now))

    def release(self, ids: Collection[int]) -> int:
        """Give claims back; return how many were given."""
        now = self._clock.now()
        with self._database.write() as connection:
            return sum(
                self._move(connection, item, _S.CLAIMED, "release", now) for item in sorted(ids)
            )

    def cancel(self, issue_id: str, *, by: str) -> int:
        """Cancel what is not sent yet; return how many. A message on the wire is left alone."""
        states = [state.value for state, step in TRANSITIONS if step == "cancel"]
        now = self._clock.now()
        with self._database.write() as connection:
            count = connection.execute(
                update(deliveries)
                .where(_COLUMNS.issue_id == issue_id, _COLUMNS.state.in_(states))
                .values(state=_S.CANCELLED.value, updated_at=now, reply_text=f"cancelled by {by}")
            ).rowcount
            _event(connection, now, "deliveries.cancelled", issue_id, {"count": count}, by=by)
        return count

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

    def record(self, kind: str, issue_id: str, detail: Mapping[str, Any]) -> None:
        """Keep an event about an issue's sending."""
        with self._database.write() as connection:
            _event(connection, self._clock.now(), kind, issue_id, dict(detail))

    def _end(
        self,
        connection: Connection,
        delivery: Delivery,
        outcome: Outcome,
        due_at: datetime | None,
        *,
        step: str = "",
    ) -> None:
        now = self._clock.now()
        state = end_state(outcome, due_at, step=step)
        reply = outcome.reply
        number = delivery.attempts + 1
        values: dict[str, Any] = {
            "state": state.value,
            "attempts": number,
            "updated_at": now,
            "reply_code": reply.code if reply else None,
            "reply_enhanced": reply.enhanced if reply else "",
            "reply_text": reply.text if reply else outcome.note,
        }
        if due_at is not None:
            values["due_at"] = due_at
        changed = connection.execute(
            update(deliveries)
            .where(_COLUMNS.id == delivery.id, _COLUMNS.state == _S.TRANSMITTING.value)
            .values(**values)
        ).rowcount
        if changed != 1:
            raise IllegalTransition(
                f"delivery {delivery.id} is not transmitting; another sender changed it"
            )
        connection.execute(
            insert(attempts).values(
                delivery_id=delivery.id,
                number=number,
                ended_at=now,
                verdict=outcome.verdict.value,
                reply_code=reply.code if reply else None,
                reply_enhanced=reply.enhanced if reply else "",
                reply_text=reply.text if reply else "",
                note=outcome.note,
            )
        )

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


def end_state(outcome: Outcome, due_at: datetime | None, *, step: str = "") -> DeliveryState:
    """Return the state of a transmission that ended so.

    Args:
        outcome: what it came to.
        due_at: when to try again; a deferred or doubtful one without it expires.
        step: instead of the outcome's own step.
    """
    state = next_state(_S.TRANSMITTING, step or outcome.verdict.value)
    if due_at is None and outcome.verdict in {Verdict.DEFER, Verdict.DOUBT}:
        return next_state(state, "expire")
    return state


def _present(
    connection: Connection, issue_id: str, chunk: Iterable[Recipient]
) -> dict[str, int | None]:
    """Return the addresses that have a row: None, or its id when it may start anew."""
    may_have_arrived = exists().where(
        attempts.c.delivery_id == _COLUMNS.id,
        attempts.c.verdict.in_([Verdict.DOUBT.value, Verdict.ACCEPT.value]),
    )
    statement = select(_COLUMNS.address, _COLUMNS.id, _COLUMNS.state, may_have_arrived).where(
        _COLUMNS.issue_id == issue_id, _COLUMNS.address.in_([who.address for who in chunk])
    )
    over = {state.value for state, step in TRANSITIONS if step == "replan"}
    return {
        address: row_id if state in over and not arrived else None
        for address, row_id, state, arrived in connection.execute(statement)
    }


def _event(
    connection: Connection,
    at: datetime,
    kind: str,
    issue_id: str,
    detail: Mapping[str, Any],
    *,
    by: str = "mailer",
) -> None:
    connection.execute(
        insert(events).values(
            at=at, kind=kind, issue_id=issue_id, region="", by=by, detail=dict(detail)
        )
    )
