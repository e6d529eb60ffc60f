"""Lapsing: forgetting sign-ups that nobody confirmed.

A sign-up without a confirmation is somebody's address and nobody's consent. When it is older than
the publication's ``pending_days`` the subscription goes with its events, and the person too when
nothing else is left of them. Nobody goes whose confirmation
can still be used: they were asked again lately. Lapses are counted in a tally; joins and leaves are
not touched by them. Confirmations go when they expired
so long ago.

Each call takes one batch in the caller's transaction; whoever calls goes on while it returns full
ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, select, tuple_

from mailer.audience.movement import day_of
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.tally import LAPSES, Key, add_tallies
from mailer.storage import schema

BATCH = 400
"""Subscriptions a transaction; two values each, below SQLite's limit."""

_PENDING = SubscriptionState.PENDING


@dataclass(frozen=True, slots=True)
class Lapsed:
    """One batch: subscriptions and people deleted."""

    count: int = 0
    people: int = 0


def count_pending(connection: Connection, *, before: datetime, now: datetime) -> int:
    """Return how many sign-ups have waited since before an instant."""
    links = schema.subscriptions
    return int(
        connection.execute(
            select(func.count()).select_from(links).where(_has_waited(before, now))
        ).scalar_one()
    )


def lapse_pending(connection: Connection, *, before: datetime, now: datetime) -> Lapsed:
    """Forget one batch of sign-ups that have waited since before an instant."""
    links, facts, people = schema.subscriptions, schema.consent_events, schema.subscribers
    found = [
        (row[0], row[1])
        for row in connection.execute(
            select(links.c.subscriber_id, links.c.region)
            .where(_has_waited(before, now))
            .order_by(links.c.subscriber_id, links.c.region)
            .limit(BATCH)
            # Somebody may be confirming at this moment; they wait, and find themselves gone.
            .with_for_update()
        )
    ]
    if not found:
        return Lapsed()
    link, fact = (
        tuple_(links.c.subscriber_id, links.c.region),
        tuple_(facts.c.subscriber_id, facts.c.region),
    )
    connection.execute(delete(facts).where(fact.in_(found)))
    connection.execute(delete(links).where(link.in_(found)))
    numbers = sorted({who for who, _region in found})
    alone = list(
        connection.execute(
            select(people.c.id).where(
                people.c.id.in_(numbers),
                ~exists().where(links.c.subscriber_id == people.c.id),
            )
        ).scalars()
    )
    deleted = _delete_people(connection, alone)
    counted: Counter[Key] = Counter()
    for _who, region in found:
        counted[LAPSES, f"{region}/pages", day_of(now)] += 1
    add_tallies(connection, counted)
    return Lapsed(count=len(found), people=deleted)


def drop_confirmations(
    connection: Connection, *, before: datetime, is_dry_run: bool = False
) -> int:
    """Delete confirmations that expired before an instant; return how many."""
    table = schema.confirmations
    if is_dry_run:
        counted = select(func.count()).select_from(table).where(table.c.expires_at < before)
        return int(connection.execute(counted).scalar_one())
    return connection.execute(delete(table).where(table.c.expires_at < before)).rowcount


def _has_waited(before: datetime, now: datetime) -> ColumnElement[bool]:
    links, asked = schema.subscriptions, schema.confirmations
    # A repeated sign-up asks anew and leaves the subscription as old as it is.
    may_answer = exists().where(
        asked.c.subscriber_id == links.c.subscriber_id,
        asked.c.used_at.is_(None),
        asked.c.expires_at > now,
    )
    return and_(links.c.state == _PENDING.value, links.c.changed_at < before, ~may_answer)


def _delete_people(connection: Connection, numbers: list[int]) -> int:
    if not numbers:
        return 0
    for table in (schema.consent_events, schema.confirmations):
        connection.execute(delete(table).where(table.c.subscriber_id.in_(numbers)))
    people = schema.subscribers
    return connection.execute(delete(people).where(people.c.id.in_(numbers))).rowcount
