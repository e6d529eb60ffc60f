"""Orders to an issue's sender, from whatever terminal: pause, resume, cancel.

An order is a row that the sender looks at several times a second. Pausing keeps everything where
it is: what is on the wire is finished, what was claimed goes back. Cancelling ends what is not
sent; a claimed row is its sender's to give back, and the sender cancels it then.

The mailer pauses an issue itself when the relay objects to the sender: trying every reader in
turn would help nobody. Such a pause is ``by`` the mailer, and a person who sends again lifts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from mailer.clock import Clock
from mailer.delivery.account import Account
from mailer.delivery.delivery import TRANSITIONS, DeliveryState
from mailer.delivery.statements import Driver
from mailer.errors import IllegalTransition
from mailer.storage.database import Database
from mailer.storage.schema import deliveries, events, orders

MAILER = "mailer"
"""Who ordered it when no person did."""

Word = Literal["pause", "cancel"]


@dataclass(frozen=True, slots=True)
class Order:
    """What an issue's sender was told, why, by whom and when."""

    word: Word
    reason: str
    by: str
    at: datetime

    @property
    def is_by_person(self) -> bool:
        """False when the mailer ordered it."""
        return self.by != MAILER

    def __str__(self) -> str:
        said = "paused" if self.word == "pause" else "cancelled"
        return f"{said} by {self.by}" + (f": {self.reason}" if self.reason else "")


class Orders(Account):
    """The part of the ledger that an operator speaks to."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database)
        self._clock = clock
        self._driver = Driver(is_sqlite=database.is_sqlite)

    def order(self, issue_id: str) -> Order | None:
        """Return the order in force, or None."""
        with self._database.read() as connection:
            row = connection.execute(select(orders).where(orders.c.issue_id == issue_id)).first()
        return None if row is None else Order(row.word, row.reason, row.by, row.at)

    def pause(self, issue_id: str, *, by: str, reason: str = "") -> None:
        """Tell the sender to stop and keep everything.

        Raises:
            IllegalTransition: the issue is cancelled.
        """
        self._give_order(issue_id, "pause", by=by, reason=reason)

    def resume(self, issue_id: str, *, by: str) -> bool:
        """Take a pause back; return whether there was one."""
        now = self._clock.now()
        with self._database.write() as connection:
            count = connection.execute(
                orders.delete().where(orders.c.issue_id == issue_id, orders.c.word == "pause")
            ).rowcount
            if count:
                keep_event(connection, now, "send.resumed", issue_id, {}, by=by)
        return bool(count)

    def cancel(self, issue_id: str, *, by: str) -> int:
        """Cancel what is not sent yet; return how many.

        What a sender has claimed it gives back within a second, and cancels it then. Where the
        sender is dead, the next one does.
        """
        self._give_order(issue_id, "cancel", by=by, reason="")
        return self.carry_out_cancel(issue_id)

    def reopen(self, issue_id: str) -> None:
        """Take any order back: the issue starts anew."""
        with self._database.write() as connection:
            connection.execute(orders.delete().where(orders.c.issue_id == issue_id))

    def carry_out_cancel(self, issue_id: str) -> int:
        """Cancel whatever is neither sent nor claimed of an issue whose order is to cancel."""
        order = self.order(issue_id)
        if order is None or order.word != "cancel":
            return 0
        states = [
            state.value
            for state, step in TRANSITIONS
            if step == "cancel" and state is not DeliveryState.CLAIMED
        ]
        now = self._clock.now()
        with self._database.write() as connection:
            count = connection.execute(
                update(deliveries)
                .where(deliveries.c.issue_id == issue_id, deliveries.c.state.in_(states))
                .values(
                    state=DeliveryState.CANCELLED.value,
                    updated_at=now,
                    reply_text=f"cancelled by {order.by}",
                )
            ).rowcount
            if count:
                detail = {"count": count}
                keep_event(connection, now, "deliveries.cancelled", issue_id, detail, by=order.by)
        return count

    def record(self, kind: str, issue_id: str, detail: Mapping[str, Any]) -> None:
        """Keep an event about an issue's sending."""
        with self._database.write() as connection:
            keep_event(connection, self._clock.now(), kind, issue_id, dict(detail))

    def _give_order(self, issue_id: str, word: Word, *, by: str, reason: str) -> None:
        now = self._clock.now()
        with self._database.write() as connection:
            known = connection.execute(
                select(orders.c.word).where(orders.c.issue_id == issue_id)
            ).scalar()
            if known == "cancel" and word == "pause":
                raise IllegalTransition(f"the sending of {issue_id} is cancelled")
            connection.execute(orders.delete().where(orders.c.issue_id == issue_id))
            connection.execute(
                insert(orders).values(
                    issue_id=issue_id, word=word, reason=reason[:500], by=by, at=now
                )
            )
            kind = "send.paused" if word == "pause" else "send.cancelled"
            keep_event(connection, now, kind, issue_id, {"reason": reason[:500]}, by=by)


def keep_event(
    connection: Connection,
    at: datetime,
    kind: str,
    issue_id: str,
    detail: Mapping[str, Any],
    *,
    by: str = MAILER,
) -> None:
    """Write an event on a transaction that is open."""
    connection.execute(
        insert(events).values(
            at=at, kind=kind, issue_id=issue_id, region="", by=by, detail=dict(detail)
        )
    )
