"""Growth: who joined and left each list, week by week, and through which channel.

Counted are movements of subscriptions (see ``audience.movement``), so somebody on two lists counts
on each. Events that are still here are counted by the database; those of erased readers and lapsed
sign-ups by their tallies, which hold nothing but figures. Weeks begin on Monday, in UTC. How many
readers a list had at a week's end is worked out backwards from how many it has now, so figures and
list agree whatever was deleted since.

Known limit: a suppressed reader is still on the list and is no leave; ``mailer regions`` counts
them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, Date, case, cast, func, select

from mailer.audience.movement import CHANNELS, CONFIRMED, channel_of
from mailer.audience.tally import JOINS, LAPSES, LEAVES, Key, read_tallies
from mailer.storage import schema
from mailer.storage.database import Database

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Week:
    """One list's week: joins and leaves by channel, sign-ups that lapsed, readers at its end."""

    monday: date
    joins: Mapping[str, int] = field(default_factory=dict)
    leaves: Mapping[str, int] = field(default_factory=dict)
    lapses: int = 0
    readers: int = 0

    @property
    def joined(self) -> int:
        """Joins through any channel."""
        return sum(self.joins.values())

    @property
    def left(self) -> int:
        """Leaves by any way."""
        return sum(self.leaves.values())

    @property
    def net(self) -> int:
        """Joins without leaves."""
        return self.joined - self.left


@dataclass(frozen=True, slots=True)
class Growth:
    """One list, or all of them: its weeks, the oldest first, and its readers now."""

    region: str
    weeks: tuple[Week, ...]
    readers: int

    @property
    def joined(self) -> int:
        """Joins in all of the weeks."""
        return sum(week.joined for week in self.weeks)

    @property
    def left(self) -> int:
        """Leaves in all of the weeks."""
        return sum(week.left for week in self.weeks)

    @property
    def net(self) -> int:
        """Joins without leaves in all of the weeks."""
        return self.joined - self.left


def growth_of(
    database: Database, regions: Sequence[str], *, weeks: int, now: datetime
) -> list[Growth]:
    """Return each region's growth over so many weeks, the one of ``now`` the last.

    Args:
        database: where the events and tallies are.
        regions: slugs, in the order wanted.
        weeks: 1 or more.
        now: aware UTC.
    """
    mondays = mondays_until(now, weeks)
    since = datetime.combine(mondays[0], time(), UTC)
    with database.read() as connection:
        counted = _movements(connection, since)
        for key, count in read_tallies(connection, (JOINS, LEAVES, LAPSES)).items():
            if key[2] >= mondays[0]:
                counted[key] += count
        standing = _standing(connection)
    return [_grown(slug, mondays, counted, standing[slug]) for slug in regions]


def together(parts: Iterable[Growth]) -> Growth:
    """Return the growth of several lists as one; its region is ""."""
    lists = list(parts)
    weeks = []
    for same in zip(*(each.weeks for each in lists), strict=True):
        joins: Counter[str] = Counter()
        leaves: Counter[str] = Counter()
        for week in same:
            joins.update(week.joins)
            leaves.update(week.leaves)
        weeks.append(
            Week(
                same[0].monday,
                joins,
                leaves,
                sum(week.lapses for week in same),
                sum(week.readers for week in same),
            )
        )
    return Growth("", tuple(weeks), sum(each.readers for each in lists))


def mondays_until(now: datetime, weeks: int) -> list[date]:
    """Return so many Mondays in order, the last on or before the UTC day of ``now``."""
    today = now.astimezone(UTC).date()
    last = today - timedelta(days=today.weekday())
    return [last - WEEK * back for back in range(weeks - 1, -1, -1)]


def _grown(slug: str, mondays: Sequence[date], counted: Counter[Key], readers: int) -> Growth:
    joins: dict[date, Counter[str]] = {monday: Counter() for monday in mondays}
    leaves: dict[date, Counter[str]] = {monday: Counter() for monday in mondays}
    lapses: Counter[date] = Counter()
    after: Counter[date] = Counter()
    for (name, key, day), count in counted.items():
        region, _, channel = key.partition("/")
        monday = day - timedelta(days=day.weekday())
        if region != slug or monday not in joins:
            continue
        if name == LAPSES:
            lapses[monday] += count
            continue
        (joins if name == JOINS else leaves)[monday][channel] += count
        after[monday] += count if name == JOINS else -count
    weeks = []
    standing = readers
    for monday in reversed(mondays):
        weeks.append(
            Week(
                monday, _ordered(joins[monday]), _ordered(leaves[monday]), lapses[monday], standing
            )
        )
        standing -= after[monday]
    return Growth(slug, tuple(reversed(weeks)), readers)


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return {channel: counts[channel] for channel in CHANNELS if counts[channel]}


def _movements(connection: Connection, since: datetime) -> Counter[Key]:
    events = schema.consent_events
    earlier = events.alias("earlier")
    before = func.coalesce(
        select(earlier.c.state)
        .where(
            earlier.c.subscriber_id == events.c.subscriber_id,
            earlier.c.region == events.c.region,
            earlier.c.id < events.c.id,
        )
        .order_by(earlier.c.id.desc())
        .limit(1)
        .scalar_subquery(),
        "",
    )
    is_sqlite = connection.dialect.name == "sqlite"
    day = func.date(events.c.at) if is_sqlite else cast(func.timezone("UTC", events.c.at), Date)
    steps = (
        select(
            events.c.region,
            events.c.step,
            events.c.source,
            day.label("day"),
            case((events.c.state == CONFIRMED, JOINS), else_=LEAVES).label("moved"),
            before.label("before"),
        )
        .where(events.c.at >= since)
        .subquery()
    )
    was_on = steps.c.before == CONFIRMED
    columns = (steps.c.region, steps.c.step, steps.c.source, steps.c.day, steps.c.moved)
    statement = (
        select(*columns, func.count()).where(was_on == (steps.c.moved == LEAVES)).group_by(*columns)
    )
    counted: Counter[Key] = Counter()
    for region, step, source, on, moved, count in connection.execute(statement):
        found = date.fromisoformat(on) if isinstance(on, str) else on
        counted[moved, f"{region}/{channel_of(step, source)}", found] += count
    return counted


def _standing(connection: Connection) -> Counter[str]:
    links = schema.subscriptions
    rows = connection.execute(
        select(links.c.region, func.count())
        .where(links.c.state == CONFIRMED)
        .group_by(links.c.region)
    )
    return Counter({row[0]: row[1] for row in rows})
