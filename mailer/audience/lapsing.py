"""Lapsing: forgetting sign-ups that nobody confirmed.

A sign-up without a confirmation is somebody's address and nobody's consent. When it is older than
the publication's ``pending_days`` the subscription goes with its events, and the person too when
nothing else is left of them. Who had left that list before, and signed up again without
confirming, is *unsubscribed* again instead: a roster must go on knowing that they left. Lapses are
counted in a tally; joins and leaves are not touched by them. Confirmations go when they expired
so long ago.

Each call takes one batch in the caller's transaction; whoever calls goes on while it returns full
ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, insert, select, tuple_, update

from mailer.audience.consent import Step, next_state
from mailer.audience.movement import day_of
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.tally import LAPSES, Key, add_tallies
from mailer.storage import schema

BATCH = 400
"""Subscriptions a transaction; two values each, below SQLite's limit."""

SOURCE = "never confirmed"
_PENDING = SubscriptionState.PENDING


@dataclass(frozen=True, slots=True)
class Lapsed:
    """One batch: subscriptions deleted, given back to *unsubscribed*, people deleted."""

    deleted: int = 0
    returned: int = 0
    people: int = 0

    @property
    def count(self) -> int:
        """Subscriptions dealt with."""
        return self.deleted + self.returned


def count_pending(connection: Connection, *, before: datetime) -> int:
    """Return how many sign-ups have waited since before an instant."""
    links = schema.subscriptions
    return int(
        connection.execute(
            select(func.count())
            .select_from(links)
            .where(links.c.state == _PENDING.value, links.c.changed_at < before)
        ).scalar_one()
    )


def lapse_pending(connection: Connection, *, before: datetime, now: datetime) -> Lapsed:
    """Forget one batch of sign-ups that have waited since before an instant."""
    links, facts, people = schema.subscriptions, schema.consent_events, schema.subscribers
    found = [
        (row[0], row[1])
        for row in connection.execute(
            select(links.c.subscriber_id, links.c.region)
            .where(links.c.state == _PENDING.value, links.c.changed_at < before)
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
    stayed = {
        (row[0], row[1])
        for row in connection.execute(
            select(facts.c.subscriber_id, facts.c.region)
            .where(fact.in_(found), facts.c.state != _PENDING.value)
            .distinct()
        )
    }
    gone = [pair for pair in found if pair not in stayed]
    if stayed:
        after = next_state(_PENDING, Step.UNSUBSCRIBE, address="", region="").value
        changed = {"state": after, "source": SOURCE}
        connection.execute(
            update(links).where(link.in_(sorted(stayed))).values(**changed, changed_at=now)
        )
        connection.execute(
            insert(facts),
            [
                changed
                | {
                    "subscriber_id": who,
                    "region": region,
                    "step": Step.UNSUBSCRIBE.value,
                    "at": now,
                }
                for who, region in sorted(stayed)
            ],
        )
    deleted = 0
    if gone:
        connection.execute(delete(facts).where(fact.in_(gone)))
        connection.execute(delete(links).where(link.in_(gone)))
        numbers = sorted({who for who, _region in gone})
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
        for _who, region in gone:
            counted[LAPSES, f"{region}/pages", day_of(now)] += 1
        add_tallies(connection, counted)
    return Lapsed(deleted=len(gone), returned=len(stayed), people=deleted)


def drop_confirmations(
    connection: Connection, *, before: datetime, is_dry_run: bool = False
) -> int:
    """Delete confirmations that expired before an instant; return how many."""
    table = schema.confirmations
    if is_dry_run:
        counted = select(func.count()).select_from(table).where(table.c.expires_at < before)
        return int(connection.execute(counted).scalar_one())
    return connection.execute(delete(table).where(table.c.expires_at < before)).rowcount


def _delete_people(connection: Connection, numbers: list[int]) -> int:
    if not numbers:
        return 0
    for table in (schema.consent_events, schema.confirmations):
        connection.execute(delete(table).where(table.c.subscriber_id.in_(numbers)))
    people = schema.subscribers
    return connection.execute(delete(people).where(people.c.id.in_(numbers))).rowcount
