"""Giving a list out: CSV that a spreadsheet cannot run and that an import reads back the same.

The columns are email, name, status, since (the date of the consent, or of leaving), language and
one for each field that anybody on the list has. Written by address, a few rows at a time.

Confirmed readers are given without those who are suppressed. With everybody, the status says who
waits, left, bounced, complained or is blocked, in words that an import takes for the same; who
asked to be forgotten is on no list, also while somebody's sign-up of them waits to be confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from sqlalchemy import ColumnElement, Connection, Select, and_, case, collate, func, select

from mailer.audience.joining import FindErased
from mailer.audience.spreadsheet import write_rows
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.suppression import SuppressionReason
from mailer.storage import schema
from mailer.storage.database import Database

_PEOPLE, _LINKS, _BARRED = schema.subscribers, schema.subscriptions, schema.suppressions
_WORDS = {
    SuppressionReason.COMPLAINT.value: "complained",
    SuppressionReason.BOUNCE.value: "bounced",
    SuppressionReason.MANUAL.value: "suppressed",
}
_COLUMNS = ("email", "name", "status", "since", "language")


def export_roster(
    database: Database,
    region: str,
    out: TextIO,
    *,
    state: SubscriptionState | None = SubscriptionState.CONFIRMED,
    narrowed: ColumnElement[bool] | None = None,
    erased: FindErased | None = None,
) -> int:
    """Write a list and return the number of its rows.

    Args:
        database: where it is.
        region: slug of the list's region.
        out: opened with ``newline=""``.
        state: only subscriptions in this state, without suppressed addresses; None writes
            everybody, suppressed ones with the reason as their status.
        narrowed: a condition over subscribers and subscriptions, for a part of the list.
        erased: finds those among addresses that asked to be forgotten, and gets them left out.
    """
    with database.read() as connection:
        part = _Part(region, state, narrowed)
        names = _field_names(connection, part)
        forgotten = _forgotten(connection, part, erased) if erased else set()

        def rows() -> Iterator[Sequence[str]]:
            yield (*_COLUMNS, *names)
            for row in connection.execute(_statement(part, is_sqlite=database.is_sqlite)):
                if row.address in forgotten:
                    continue
                status = _WORDS.get(row.reason or "", row.state)
                since = row.agreed_at or row.changed_at
                instant = f"{since:%Y-%m-%dT%H:%M:%SZ}"
                fields = [str(row.fields.get(name, "")) for name in names]
                yield (row.address, row.name, status, instant, row.language, *fields)

        return write_rows(out, rows()) - 1


@dataclass(frozen=True, slots=True)
class _Part:
    """Which part of which list."""

    region: str
    state: SubscriptionState | None
    narrowed: ColumnElement[bool] | None


def _listed(columns: Sequence[ColumnElement[Any]], part: _Part) -> Select[Any]:
    statement = (
        select(*columns)
        .select_from(_LINKS)
        .join(_PEOPLE, _LINKS.c.subscriber_id == _PEOPLE.c.id)
        .outerjoin(_BARRED, _BARRED.c.address == _PEOPLE.c.address)
        .where(_LINKS.c.region == part.region)
        .execution_options(yield_per=2000)
    )
    if part.narrowed is not None:
        statement = statement.where(part.narrowed)
    if part.state is None:
        erased = SuppressionReason.ERASED.value
        return statement.where(func.coalesce(_BARRED.c.reason, "") != erased)
    return statement.where(_LINKS.c.state == part.state.value, _BARRED.c.address.is_(None))


def _statement(part: _Part, *, is_sqlite: bool) -> Select[Any]:
    events = schema.consent_events
    later = events.alias("later")
    newest = (
        select(func.max(later.c.id))
        .where(later.c.subscriber_id == _LINKS.c.subscriber_id, later.c.region == _LINKS.c.region)
        .correlate(_LINKS)
        .scalar_subquery()
    )
    agreed = (
        select(events.c.evidence_at)
        .where(and_(events.c.id == newest, events.c.state == _LINKS.c.state))
        .correlate(_LINKS)
        .scalar_subquery()
    )
    barred_at = case((_BARRED.c.address.is_not(None), _BARRED.c.at), else_=agreed)
    columns = (
        _PEOPLE.c.address,
        _PEOPLE.c.name,
        _PEOPLE.c.language,
        _PEOPLE.c.fields,
        _LINKS.c.state,
        _LINKS.c.changed_at,
        _BARRED.c.reason,
        barred_at.label("agreed_at"),
    )
    # PostgreSQL sorts by the server's language unless told otherwise; SQLite compares bytes.
    by = _PEOPLE.c.address if is_sqlite else collate(_PEOPLE.c.address, "C")
    return _listed(columns, part).order_by(by)


def _forgotten(connection: Connection, part: _Part, erased: FindErased) -> set[str]:
    # Anybody can sign them up again; confirming lifts the erasure, so only those who wait are.
    waiting = _listed([_PEOPLE.c.address], part).where(
        _LINKS.c.state == SubscriptionState.PENDING.value
    )
    return erased(connection, connection.execute(waiting).scalars().all())


def _field_names(connection: Connection, part: _Part) -> list[str]:
    names: set[str] = set()
    for fields in connection.execute(_listed([_PEOPLE.c.fields], part)).scalars():
        names.update(fields)
    return sorted(names - set(_COLUMNS))
