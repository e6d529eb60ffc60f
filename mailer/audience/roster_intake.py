"""Intake: doing what a staged roster says, with statements that each write for all of its rows.

New people, their subscriptions and the record of consent are written by the database from the
staging table; then names, fields and languages of people who were known are filled in, and
suppressions made. A reader's name and language are only filled in, never overwritten, for the
reader may have chosen them; fields are the publisher's and the newest roster's values hold.
Somebody who left is stored by address alone.

Everything happens inside the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    update,
)

from mailer.audience.basis import LawfulBasis
from mailer.audience.consent import Step, next_state
from mailer.audience.joining import Verdict
from mailer.audience.staging import STAGED, Progress
from mailer.audience.stance import SUPPRESSING, Stance
from mailer.audience.subscriber import TIME_ZONE, SubscriptionState
from mailer.audience.suppression import Suppression, put_suppression
from mailer.audience.verdicts import LEAVES, OPEN, SUBSCRIBES, SUPPRESSES
from mailer.storage import schema
from mailer.storage.instant import Instant

_PEOPLE, _LINKS, _EVENTS = schema.subscribers, schema.subscriptions, schema.consent_events
_FRESH = and_(OPEN, or_(SUBSCRIBES, LEAVES), STAGED.c.here.is_(None))
_MOVED = or_(
    and_(OPEN, SUBSCRIBES, STAGED.c.here == SubscriptionState.PENDING.value),
    STAGED.c.verdict == Verdict.LEFT.value,
)
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Intake:
    """One roster for one list: whose, from where, on what ground, and when (aware UTC)."""

    region: str
    source: str
    basis: LawfulBasis
    now: datetime


def take_staged(
    connection: Connection, intake: Intake, *, total: int, progress: Progress | None
) -> None:
    """Do what the staged and decided rows say.

    Args:
        connection: in a transaction of the only writer.
        intake: what is taken in.
        total: rows in all, for the progress.
        progress: called before each step.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    # In a roster that comes again there may be nobody; these go through it in the addresses' order.
    is_any_fresh = connection.execute(select(exists().where(_FRESH))).scalar()
    steps = [
        ("Writing people", is_any_fresh, _insert_people(intake, is_sqlite=is_sqlite)),
        ("Writing subscriptions", is_any_fresh, _insert_links(intake)),
        ("Writing subscriptions", True, _move_links(intake)),
        ("Writing consents", is_any_fresh, _insert_consents(intake)),
        ("Writing consents", True, _insert_moves(intake)),
        ("Filling in names", True, _fill_in("name")),
        ("Filling in languages", True, _fill_in("language")),
        ("Writing fields", True, _merge_fields(is_sqlite=is_sqlite)),
    ]
    for place, (label, is_wanted, statement) in enumerate(steps):
        if progress is not None:
            progress(total * place // len(steps), total, label)
        if is_wanted:
            connection.execute(statement)
    _suppress(connection, intake)
    if progress is not None:
        progress(total, total, "Committing")


def _insert_people(intake: Intake, *, is_sqlite: bool) -> Any:
    text = case((SUBSCRIBES, STAGED.c.fields), else_="{}")
    fields: ColumnElement[Any] = type_coerce(text, JSON) if is_sqlite else cast(text, JSON)
    fresh = (
        select(
            STAGED.c.address,
            case((SUBSCRIBES, STAGED.c.name), else_=""),
            fields,
            case((SUBSCRIBES, STAGED.c.language), else_=""),
            _at(intake),
        )
        .where(_FRESH, STAGED.c.person.is_(None))
        # The index of addresses grows at its end instead of everywhere.
        .order_by(STAGED.c.address)
    )
    return insert(_PEOPLE).from_select(
        ["address", "name", "fields", "language", "created_at"], fresh
    )


def _at(intake: Intake) -> ColumnElement[datetime]:
    return literal(intake.now, Instant())


def _state(step: Step, before: SubscriptionState | None = None) -> str:
    return next_state(before, step, address="", region="").value


def _after(step: Step) -> str:
    """Return the state after a roster's step, which is the same from wherever it may be taken."""
    return _state(step, SubscriptionState.PENDING)


def _fresh_links() -> Select[Any]:
    return (
        select(_PEOPLE.c.id)
        .select_from(STAGED)
        .join(_PEOPLE, _PEOPLE.c.address == STAGED.c.address)
        .where(_FRESH)
        # New people were numbered in this order, and an index gives it.
        .order_by(STAGED.c.address)
    )


def _new_state() -> ColumnElement[str]:
    return case((SUBSCRIBES, _state(Step.IMPORT)), else_=_state(Step.LEFT_ELSEWHERE))


def _new_step() -> ColumnElement[str]:
    return case((SUBSCRIBES, Step.IMPORT.value), else_=Step.LEFT_ELSEWHERE.value)


def _insert_links(intake: Intake) -> Any:
    rows = _fresh_links().add_columns(
        literal(intake.region), _new_state(), literal(intake.source), _at(intake)
    )
    columns = ["subscriber_id", "region", "state", "source", "changed_at"]
    return insert(_LINKS).from_select(columns, rows)


def _move_links(intake: Intake) -> Any:
    after = case((SUBSCRIBES, _after(Step.IMPORT)), else_=_after(Step.LEFT_ELSEWHERE))
    return (
        update(_LINKS)
        .where(_MOVED, _LINKS.c.subscriber_id == STAGED.c.person, _LINKS.c.region == intake.region)
        .values(state=after, source=intake.source, changed_at=_at(intake))
    )


_EVENT_COLUMNS = [
    "subscriber_id",
    "region",
    "step",
    "state",
    "source",
    "at",
    "basis",
    "note",
    "evidence_at",
]


def _event(intake: Intake) -> tuple[ColumnElement[Any], ...]:
    return (
        literal(intake.region),
        _new_step(),
        _new_state(),
        literal(intake.source),
        _at(intake),
        case((SUBSCRIBES, intake.basis.value), else_=""),
        STAGED.c.note,
        STAGED.c.given_at,
    )


def _insert_consents(intake: Intake) -> Any:
    return insert(_EVENTS).from_select(_EVENT_COLUMNS, _fresh_links().add_columns(*_event(intake)))


def _insert_moves(intake: Intake) -> Any:
    rows = select(cast(STAGED.c.person, Integer), *_event(intake)).where(_MOVED)
    return insert(_EVENTS).from_select(_EVENT_COLUMNS, rows.order_by(STAGED.c.n))


def _fill_in(column: str) -> Any:
    known, staged = _PEOPLE.c[column], STAGED.c[column]
    return (
        update(_PEOPLE)
        .where(STAGED.c.person == _PEOPLE.c.id, SUBSCRIBES, OPEN, known == "", staged != "")
        .values({column: staged})
    )


def _merge_fields(*, is_sqlite: bool) -> Any:
    merged: ColumnElement[Any]
    is_changed: ColumnElement[bool]
    # A time zone may be the reader's own choice: like a name, it is only filled in.
    if is_sqlite:
        path = f"$.{TIME_ZONE}"
        is_known = func.json_type(_PEOPLE.c.fields, path).is_not(None)
        others = func.json_remove(STAGED.c.fields, path)
        merged = func.json_patch(_PEOPLE.c.fields, case((is_known, others), else_=STAGED.c.fields))
        before = type_coerce(_PEOPLE.c.fields, Text)
        # Mostly they are the same to the letter, and then need not be read.
        is_changed = and_(STAGED.c.fields != before, merged != before)
        merged = type_coerce(merged, JSON)
    else:
        from sqlalchemy.dialects.postgresql import JSONB

        held, staged = cast(_PEOPLE.c.fields, JSONB), cast(STAGED.c.fields, JSONB)
        rest = staged.op("-", return_type=JSONB())(literal(TIME_ZONE, Text()))
        given = case((held.has_key(TIME_ZONE), rest), else_=staged)
        is_changed = ~held.contains(given)
        merged = cast(held.op("||")(given), JSON)
    return (
        update(_PEOPLE)
        .where(STAGED.c.person == _PEOPLE.c.id, SUBSCRIBES, OPEN, STAGED.c.fields != "{}")
        .where(is_changed)
        .values(fields=merged)
    )


def _suppress(connection: Connection, intake: Intake) -> None:
    last = 0
    wanted = and_(SUPPRESSES, or_(OPEN, STAGED.c.verdict == Verdict.SUPPRESSED.value))
    statement = select(
        STAGED.c.n, STAGED.c.address, STAGED.c.stance, STAGED.c.said, STAGED.c.given_at
    ).order_by(STAGED.c.n)
    while True:
        rows = connection.execute(statement.where(wanted, STAGED.c.n > last).limit(_CHUNK)).all()
        for row in rows:
            day = f", {row.given_at:%Y-%m-%d}" if row.given_at else ""
            evidence = f"{intake.source}: {row.said}{day}"
            reason = SUPPRESSING[Stance(row.stance)]
            put_suppression(connection, Suppression(row.address, reason, evidence, intake.now))
        if len(rows) < _CHUNK:
            return
        last = rows[-1].n
