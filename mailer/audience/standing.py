"""Where an address or a list stands: the register's questions to the database.

Every function reads inside the caller's connection and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from mailer.audience import eligibility
from mailer.audience.subscriber import Subscriber, Subscription, SubscriptionState
from mailer.audience.suppression import Suppression
from mailer.errors import Fault, NotFound
from mailer.publication import Region
from mailer.storage import schema

_IDS_A_QUESTION = 900


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """A fact about a subscription; ``at`` is aware UTC."""

    region: str
    step: str
    state: SubscriptionState
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of an address; ``subscriber`` is None for one only suppressed."""

    address: str
    subscriber: Subscriber | None
    suppression: Suppression | None
    history: tuple[ConsentEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionCount:
    """A list in figures.

    ``suppressed`` are confirmed ones who are suppressed all the same; ``recipients`` get this
    region's edition (somebody on two lists counts for one of them).
    """

    region: str
    pending: int = 0
    confirmed: int = 0
    unsubscribed: int = 0
    suppressed: int = 0
    recipients: int = 0


def find_person(connection: Connection, address: str) -> Row[Any] | None:
    """Return the row of a normalised address, or None."""
    people = schema.subscribers
    return connection.execute(select(people).where(people.c.address == address)).one_or_none()


def require_person(connection: Connection, address: str) -> Row[Any]:
    """Return the row of a normalised address, or raise ``NotFound``."""
    row = find_person(connection, address)
    if row is None:
        raise unknown_address(address)
    return row


def unknown_address(address: str) -> NotFound:
    """Return the error for an address nobody knows."""
    return NotFound(
        Fault(f"{address} is not known", remedy="`mailer subscribers list` shows who is")
    )


def history_of(connection: Connection, subscriber_id: int) -> tuple[ConsentEvent, ...]:
    """Return a subscriber's consent events, the oldest first."""
    events = schema.consent_events
    return tuple(
        ConsentEvent(row.region, row.step, SubscriptionState(row.state), row.source, row.at)
        for row in connection.execute(
            select(events).where(events.c.subscriber_id == subscriber_id).order_by(events.c.id)
        )
    )


def list_people(
    connection: Connection,
    *,
    region: str | None,
    state: SubscriptionState | str | None,
    limit: int | None,
) -> tuple[Subscriber, ...]:
    """Return subscribers by address; see ``Register.list``."""
    people, links = schema.subscribers, schema.subscriptions
    statement = select(people).order_by(people.c.address).limit(limit)
    if region is not None or state is not None:
        found = select(links.c.subscriber_id)
        if region is not None:
            found = found.where(links.c.region == region)
        if state is not None:
            found = found.where(links.c.state == SubscriptionState(state).value)
        statement = statement.where(people.c.id.in_(found))
    return with_subscriptions(connection, connection.execute(statement).all())


def count_regions(
    connection: Connection, regions: Mapping[str, Region], *, now: datetime
) -> tuple[RegionCount, ...]:
    """Return each region in figures, in the order given."""
    links, people, barred = schema.subscriptions, schema.subscribers, schema.suppressions
    figures: dict[str, dict[str, int]] = {slug: {} for slug in regions}
    by_state = select(links.c.region, links.c.state, func.count()).group_by(
        links.c.region, links.c.state
    )
    stopped = (
        select(links.c.region, func.count())
        .join(people, people.c.id == links.c.subscriber_id)
        .join(barred, barred.c.address == people.c.address)
        .where(links.c.state == SubscriptionState.CONFIRMED.value)
        .group_by(links.c.region)
    )
    for region, state, number in connection.execute(by_state):
        figures.get(region, {})[state] = number
    for region, number in connection.execute(stopped):
        figures.get(region, {})["suppressed"] = number
    for region in regions:
        getting = eligibility.region_count_statement(regions, region, now=now)
        figures[region]["recipients"] = connection.execute(getting).scalar_one()
    return tuple(RegionCount(slug, **figures[slug]) for slug in regions)


def with_subscriptions(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Subscriber, ...]:
    """Return the subscribers of some rows, in their order, with all their subscriptions."""
    links = schema.subscriptions
    found: dict[int, list[Subscription]] = {row.id: [] for row in rows}
    ids = sorted(found)
    for start in range(0, len(ids), _IDS_A_QUESTION):
        chunk = ids[start : start + _IDS_A_QUESTION]
        for link in connection.execute(
            select(links).where(links.c.subscriber_id.in_(chunk)).order_by(links.c.region)
        ):
            found[link.subscriber_id].append(
                Subscription(
                    link.region, SubscriptionState(link.state), link.changed_at, link.source
                )
            )
    return tuple(
        Subscriber(row.id, row.address, row.name, dict(row.fields), tuple(found[row.id]))
        for row in rows
    )
