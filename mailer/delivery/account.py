"""The ledger's account of itself: counts, histories, what is due. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, literal, select, text, tuple_

from mailer.delivery.delivery import Delivery, DeliveryState, Reply, Verdict
from mailer.storage.database import Database
from mailer.storage.schema import CLAIMED, WAITING, attempts, deliveries

CHUNK = 500
"""Rows in one statement, well below SQLite's limit of bound values."""

LONGEST_DAY = timedelta(hours=25)
"""The one in autumn when clocks are put back."""

_S = DeliveryState
_COLUMNS = deliveries.c


@dataclass(frozen=True, slots=True)
class Attempt:
    """One SMTP transaction for a delivery, as it ended."""

    number: int
    ended_at: datetime
    verdict: Verdict
    reply: Reply | None
    note: str


@dataclass(frozen=True, slots=True)
class Domain:
    """A recipient domain's deliveries in figures; ``next_due_at`` is of those that wait."""

    name: str
    total: int
    states: dict[DeliveryState, int]
    next_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retries:
    """How many deliveries were put off, how many of them are due, and when the next one is."""

    waiting: int = 0
    due: int = 0
    next_due_at: datetime | None = None


class Account:
    """What can be asked of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def summary(self, issue_id: str) -> dict[str, dict[DeliveryState, int]]:
        """Return counts per region and state; regions in alphabetical order, zeros left out."""
        statement = (
            select(_COLUMNS.region, _COLUMNS.state, func.count())
            .where(_COLUMNS.issue_id == issue_id)
            .group_by(_COLUMNS.region, _COLUMNS.state)
            .order_by(_COLUMNS.region, _COLUMNS.state)
        )
        found: dict[str, dict[DeliveryState, int]] = {}
        with self._database.read() as connection:
            for region, state, count in connection.execute(statement):
                found.setdefault(region, {})[DeliveryState(state)] = count
        return found

    def open_count(self, issue_id: str, *, regions: Collection[str] | None = None) -> int:
        """Return how many deliveries have work left."""
        # Two counts: each reads an index of its own that holds nothing else.
        with self._database.read() as connection:
            return sum(
                int(
                    connection.execute(
                        select(func.count())
                        .select_from(deliveries)
                        .where(_COLUMNS.issue_id == issue_id, *within(regions), text(condition))
                    ).scalar_one()
                )
                for condition in (WAITING, CLAIMED)
            )

    def domains(self, issue_id: str, *, limit: int = 20) -> list[Domain]:
        """Return the domains with the most deliveries, largest first; reads the whole issue."""
        domain = self._domain().label("domain")
        waiting = case((_COLUMNS.state == _S.DEFERRED.value, _COLUMNS.due_at))
        statement = (
            select(domain, _COLUMNS.state, func.count(), func.min(waiting))
            .where(_COLUMNS.issue_id == issue_id)
            .group_by(domain, _COLUMNS.state)
        )
        states: dict[str, dict[DeliveryState, int]] = {}
        due: dict[str, datetime] = {}
        with self._database.read() as connection:
            for name, state, count, next_due_at in connection.execute(statement):
                states.setdefault(name, {})[DeliveryState(state)] = count
                if next_due_at is not None:
                    due[name] = next_due_at
        found = [Domain(name, sum(by.values()), by, due.get(name)) for name, by in states.items()]
        return sorted(found, key=lambda item: (-item.total, item.name))[:limit]

    def retries(self, issue_id: str, *, now: datetime) -> Retries:
        """Return what was deferred or is in doubt and waits for another try."""
        is_due = case((_COLUMNS.due_at <= now, 1), else_=0)
        statement = (
            select(func.count(), func.sum(is_due), func.min(_COLUMNS.due_at))
            .where(_COLUMNS.issue_id == issue_id)
            .where(_COLUMNS.state.in_([_S.DEFERRED.value, _S.IN_DOUBT.value]))
            .where(text(WAITING))
        )
        with self._database.read() as connection:
            waiting, due, next_due_at = connection.execute(statement).one()
        return Retries(int(waiting), int(due or 0), next_due_at)

    def troubles(self, issue_id: str, *, limit: int = 5) -> list[tuple[DeliveryState, str, int]]:
        """Return the commonest replies to what did not get through: state, reply, how many."""
        states = (_S.REFUSED, _S.DEFERRED, _S.EXPIRED, _S.IN_DOUBT)
        count = func.count()
        statement = (
            select(_COLUMNS.state, _COLUMNS.reply_code, _COLUMNS.reply_text, count)
            .where(_COLUMNS.issue_id == issue_id)
            .where(_COLUMNS.state.in_([state.value for state in states]))
            .group_by(_COLUMNS.state, _COLUMNS.reply_code, _COLUMNS.reply_text)
            .order_by(count.desc(), _COLUMNS.state, _COLUMNS.reply_text)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [
                (DeliveryState(state), f"{code} {text}" if code else text or "no reply", number)
                for state, code, text, number in connection.execute(statement)
            ]

    def tried_since(self, instant: datetime) -> int:
        """Return how many attempts ended within a day from an instant, over all issues.

        Not more than a day: what a clock that was ahead wrote is no part of it.
        """
        ended_at = attempts.c.ended_at
        statement = select(func.count()).where(
            ended_at >= instant, ended_at < instant + LONGEST_DAY
        )
        with self._database.read() as connection:
            return int(connection.execute(statement).scalar_one())

    def next_due_at(
        self,
        issue_id: str,
        *,
        regions: Collection[str] | None = None,
        may_resend: bool = True,
    ) -> datetime | None:
        """Return when the next delivery is due, past or future; None when none is waiting."""
        states = [_S.PLANNED, _S.DEFERRED] + [_S.IN_DOUBT] * may_resend
        statement = (
            select(func.min(_COLUMNS.due_at))
            .where(_COLUMNS.issue_id == issue_id, *within(regions))
            .where(_COLUMNS.state.in_([state.value for state in states]))
            .where(text(WAITING))
        )
        with self._database.read() as connection:
            return connection.execute(statement).scalar()

    def deliveries(
        self,
        issue_id: str,
        *,
        region: str | None = None,
        state: DeliveryState | None = None,
    ) -> Iterator[Delivery]:
        """Yield an issue's deliveries by region and address."""
        last = ("", "")
        while True:
            statement = (
                select(deliveries)
                .where(_COLUMNS.issue_id == issue_id)
                .where(tuple_(_COLUMNS.region, _COLUMNS.address) > last)
                .order_by(_COLUMNS.region, _COLUMNS.address)
                .limit(CHUNK)
            )
            if region is not None:
                statement = statement.where(_COLUMNS.region == region)
            if state is not None:
                statement = statement.where(_COLUMNS.state == state.value)
            with self._database.read() as connection:
                rows = connection.execute(statement).all()
            for row in rows:
                yield read_delivery(row)
            if len(rows) < CHUNK:
                return
            last = (rows[-1].region, rows[-1].address)

    def history(self, address: str) -> list[tuple[Delivery, list[Attempt]]]:
        """Return an address's deliveries, newest first, each with its attempts in order."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(deliveries)
                .where(_COLUMNS.address == address)
                .order_by(_COLUMNS.dated_at.desc(), _COLUMNS.id.desc())
            ).all()
            return [(read_delivery(row), _attempts(connection, row.id)) for row in rows]

    def _domain(self) -> ColumnElement[str]:
        at = literal("@")
        if self._database.is_sqlite:
            where = func.instr(_COLUMNS.address, at)
            return func.substr(_COLUMNS.address, where + 1)
        return func.split_part(_COLUMNS.address, at, 2)

    def first_tried_at(self, delivery_id: int) -> datetime | None:
        """Return when a delivery's first attempt ended, or None."""
        with self._database.read() as connection:
            return connection.execute(
                select(func.min(attempts.c.ended_at)).where(attempts.c.delivery_id == delivery_id)
            ).scalar()


def within(regions: Collection[str] | None) -> list[Any]:
    """Return the condition that a delivery is of one of the regions; None for all."""
    return [] if regions is None else [_COLUMNS.region.in_(sorted(regions))]


def read_delivery(row: Any) -> Delivery:
    """Return a row of ``deliveries`` as a value."""
    return Delivery(
        id=row.id,
        issue_id=row.issue_id,
        region=row.region,
        subscriber_id=row.subscriber_id,
        address=row.address,
        name=row.name,
        token=row.token,
        dated_at=row.dated_at,
        due_at=row.due_at,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        reply=_reply(row.reply_code, row.reply_enhanced, row.reply_text),
        updated_at=row.updated_at,
        note="" if row.reply_code is not None else row.reply_text,
        withheld=row.withheld,
    )


def _attempts(connection: Connection, delivery_id: int) -> list[Attempt]:
    rows = connection.execute(
        select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
    )
    return [
        Attempt(
            row.number,
            row.ended_at,
            Verdict(row.verdict),
            _reply(row.reply_code, row.reply_enhanced, row.reply_text),
            row.note,
        )
        for row in rows
    ]


def _reply(code: int | None, enhanced: str, text: str) -> Reply | None:
    return None if code is None else Reply(code, enhanced, text)
