"""Who gets an issue, and for which region: the statements behind ``Register.recipients``.

Eligible is an address with a confirmed subscription, no suppression and no pause that still runs
(``now`` is aware UTC; it is asked when an issue is planned and again at every claim). Somebody on
several lists gets one copy, for the most specific region: the deeper in the ladder of parents the
better (a group before the national list), then the publication's order. Regions the publication no
longer has count for nothing. One statement does it on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    cast,
    collate,
    exists,
    func,
    or_,
    select,
)

from mailer.audience.segments import compile_segment
from mailer.publication import Region
from mailer.segment import read_segment
from mailer.storage import schema

_PEOPLE = schema.subscribers
_LINKS = schema.subscriptions
_BARRED = schema.suppressions

AUDIENCE_RULE = (
    "confirmed, not suppressed and not paused; one copy an address, for its most specific region "
    "(deepest first, then the publication's order), among those its list is narrowed to"
)
"""The rule in words; an approval's checksum covers it, so change it with the statements."""


def most_specific_first(regions: Mapping[str, Region]) -> tuple[str, ...]:
    """Return the slugs in the order in which a reader of several lists is given one.

    Args:
        regions: by slug, in the publication's order.
    """

    def depth(slug: str) -> int:
        steps = {slug}
        while (slug := regions[slug].parent) in regions and slug not in steps:
            steps.add(slug)
        return len(steps)

    return tuple(sorted(regions, key=lambda slug: -depth(slug)))


def _eligible_links(now: datetime) -> Select[Any]:
    is_awake = or_(_PEOPLE.c.paused_until.is_(None), _PEOPLE.c.paused_until <= now)
    return (
        select(_LINKS.c.subscriber_id, _LINKS.c.region, _PEOPLE.c.address, _PEOPLE.c.name)
        .join(_PEOPLE, _PEOPLE.c.id == _LINKS.c.subscriber_id)
        .outerjoin(_BARRED, _BARRED.c.address == _PEOPLE.c.address)
        .where(and_(_LINKS.c.state == "confirmed", _BARRED.c.address.is_(None), is_awake))
    )


def region_recipients_statement(
    regions: Mapping[str, Region], region: str, *, now: datetime, is_sqlite: bool
) -> Select[Any]:
    """Select subscriber_id, address, name of who gets this region's edition, by address.

    A reader is passed over who is on the list of a region that comes before this one for them.
    No window over all readers is needed for that: a million are read in a second or two.

    Args:
        regions: by slug, in the publication's order.
        region: whose recipients.
        now: a pause that ends later keeps a reader out.
        is_sqlite: which of the two databases will run it.
    """
    chosen = _of_region(regions, region, now)
    return chosen.order_by(_by_code_point(_PEOPLE.c.address, is_sqlite=is_sqlite))


def _of_region(regions: Mapping[str, Region], region: str, now: datetime) -> Select[Any]:
    ranked = most_specific_first(regions)
    before = ranked[: ranked.index(region)]
    better = _LINKS.alias("better")
    statement = (
        _eligible_links(now)
        .with_only_columns(_LINKS.c.subscriber_id, _PEOPLE.c.address, _PEOPLE.c.name)
        .where(_LINKS.c.region == region, *_narrowed(regions, [region], _LINKS))
    )
    if not before:
        return statement
    return statement.where(
        ~exists().where(
            better.c.subscriber_id == _LINKS.c.subscriber_id,
            # A reader is on one or two lists: those are looked through, not each region looked up.
            func.coalesce(better.c.region, "").in_(before),
            better.c.state == "confirmed",
            *_narrowed(regions, before, better),
        )
    )


def _narrowed(
    regions: Mapping[str, Region], slugs: Iterable[str], links: FromClause
) -> list[ColumnElement[bool]]:
    """Return a condition for each list that is narrowed: not its subscription, or one that fits."""
    return [
        or_(links.c.region != slug, compile_segment(read_segment(regions[slug].where), links=links))
        for slug in slugs
        if regions[slug].where
    ]


def region_count_statement(
    regions: Mapping[str, Region], region: str, *, now: datetime
) -> Select[Any]:
    """Select the number of a region's recipients."""
    return select(func.count()).select_from(_of_region(regions, region, now).subquery())


def ineligible_statement(regions: Mapping[str, Region], *, is_sqlite: bool) -> Select[Any]:
    """Select those of ``pairs`` that may not be sent: nobody's, left, suppressed, pausing, or not
    among those a list is narrowed to.

    Parameters: ``pairs``, a JSON list of [subscriber id, region]; ``now``, the instant.
    """
    pairs = bindparam("pairs", type_=String)
    person: ColumnElement[Any]
    region: ColumnElement[Any]
    if is_sqlite:
        each = func.json_each(pairs).table_valued("value")
        person, region = (func.json_extract(each.c.value, f"$[{at}]") for at in (0, 1))
    else:
        from sqlalchemy.dialects.postgresql import JSONB

        each = func.jsonb_array_elements(cast(pairs, JSONB)).table_valued("value")
        person = cast(each.c.value.op("->>")(0), Integer)
        region = each.c.value.op("->>")(1)
    asked = select(person.label("person"), region.label("region")).select_from(each).cte("asked")
    now = bindparam("now", type_=_PEOPLE.c.paused_until.type)
    may_have_it = exists().where(
        _LINKS.c.subscriber_id == asked.c.person,
        _LINKS.c.region == asked.c.region,
        _LINKS.c.state == "confirmed",
        _PEOPLE.c.id == _LINKS.c.subscriber_id,
        or_(_PEOPLE.c.paused_until.is_(None), _PEOPLE.c.paused_until <= now),
        ~exists().where(_BARRED.c.address == _PEOPLE.c.address),
        *_narrowed(regions, regions, _LINKS),
    )
    return select(asked.c.person, asked.c.region).where(~may_have_it)


def _by_code_point(column: ColumnElement[str], *, is_sqlite: bool) -> ColumnElement[str]:
    # PostgreSQL sorts by the server's language unless told otherwise; SQLite compares bytes.
    return column if is_sqlite else collate(column, "C")
