"""Readers who are in no register, as the statements that a plan is written from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Integer, Select, String, literal, select, union_all

from mailer.audience.subscriber import Recipient

SELECTS = 400
"""Readers in one union; SQLite takes at most 500."""


def audience_of(recipients: Iterable[Recipient]) -> dict[str, Select[Any]]:
    """Return what ``Register.audience`` would for just these; an address once in a region."""
    by_region: dict[str, list[Recipient]] = {}
    for who in recipients:
        by_region.setdefault(who.region, []).append(who)
    return {region: _selected(people) for region, people in by_region.items()}


def _selected(people: list[Recipient]) -> Select[Any]:
    parts = (
        select(union_all(*map(_row, people[at : at + SELECTS])).subquery())
        for at in range(0, len(people), SELECTS)
    )
    rows = union_all(*parts).subquery()
    return select(rows).order_by(rows.c.address)


def _row(who: Recipient) -> Select[Any]:
    return select(
        literal(who.subscriber_id, Integer).label("subscriber_id"),
        literal(who.address, String).label("address"),
        literal(who.name, String).label("name"),
    )
