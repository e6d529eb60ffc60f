"""Segments for a person to look at: how many readers an expression selects, and which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, select

from mailer.app import App
from mailer.audience.segments import compile_segment, read_where
from mailer.audience.subscriber import SubscriptionState
from mailer.segment import Comparison, comparisons_of, read_segment
from mailer.storage import schema

_PEOPLE, _LINKS, _BARRED = schema.subscribers, schema.subscriptions, schema.suppressions


def count_data(app: App, where: str, region: str | None) -> dict[str, Any]:
    """Count the subscriptions that an expression selects, by list and state.

    ``readers`` are people who are confirmed on one of these lists and not suppressed;
    ``unknown_fields`` are named and nobody has them.

    Raises:
        InvalidInput: the expression cannot be read.
    """
    statement = _selected(app, where, region)
    by_state = statement.with_only_columns(_LINKS.c.region, _LINKS.c.state, func.count()).group_by(
        _LINKS.c.region, _LINKS.c.state
    )
    readers = (
        statement.outerjoin(_BARRED, _BARRED.c.address == _PEOPLE.c.address)
        .where(_LINKS.c.state == SubscriptionState.CONFIRMED.value, _BARRED.c.address.is_(None))
        .with_only_columns(func.count(_PEOPLE.c.id.distinct()))
    )
    found: dict[str, Counter[str]] = {}
    with app.database.read() as connection:
        for slug, state, number in connection.execute(by_state):
            found.setdefault(slug, Counter())[state] = number
        total = connection.execute(readers).scalar_one()
    known = [slug for slug in app.publication.region_map if region in (None, slug)]
    gone = sorted(set(found) - set(known))
    return {
        "where": where,
        "readers": total,
        "unknown_fields": fields_nobody_has(app, where),
        "lists": [
            {"region": slug}
            | {state.value: found.get(slug, Counter())[state.value] for state in SubscriptionState}
            for slug in [*known, *gone]
        ],
    }


def list_data(
    app: App, where: str, region: str | None, state: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return the subscriptions that an expression selects, one row each, by address.

    Raises:
        InvalidInput: the expression cannot be read.
    """
    statement = (
        _selected(app, where, region)
        .with_only_columns(
            _PEOPLE.c.address,
            _PEOPLE.c.name,
            _LINKS.c.region,
            _LINKS.c.state,
            _LINKS.c.changed_at,
            _LINKS.c.source,
        )
        .order_by(_PEOPLE.c.address, _LINKS.c.region)
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(_LINKS.c.state == state)
    with app.database.read() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def fields_nobody_has(app: App, where: str) -> list[str]:
    """Return the fields that an expression names and no reader has; most likely misspelt."""
    if not where:
        return []
    return absent_fields(
        app, {c.name for c in comparisons_of(read_segment(where)) if c.subject == "field"}
    )


def absent_fields(app: App, names: Collection[str]) -> list[str]:
    """Return those of some roster fields that no reader has."""
    with app.database.read() as connection:
        return [
            name
            for name in sorted(names)
            if not connection.execute(
                select(_PEOPLE.c.id)
                .where(compile_segment(Comparison("field", name, "is set")))
                .limit(1)
            ).first()
        ]


def _selected(app: App, where: str, region: str | None) -> Select[Any]:
    node = read_where(where, tuple(app.publication.region_map))
    statement = (
        select(_PEOPLE.c.id)
        .join(_LINKS, _LINKS.c.subscriber_id == _PEOPLE.c.id)
        .where(compile_segment(node))
    )
    return statement if region is None else statement.where(_LINKS.c.region == region)
