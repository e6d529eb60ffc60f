"""The growth of lists, on both databases: what SQL counts is what plain Python counts."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from mailer.audience.erasure import Pepper, erase_person
from mailer.audience.movement import CHANNELS, channel_of
from mailer.reports.growth import WEEK, Growth, growth_of, mondays_until, together
from mailer.storage import schema
from mailer.storage.database import Database

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
REGIONS = ("national", "wales", "essex")
STEPS = {
    None: [("sign_up", "pending", "pages"), ("import", "confirmed", "wales.csv")],
    "pending": [("confirm", "confirmed", "pages"), ("unsubscribe", "unsubscribed", "pages"),
                ("sign_up", "pending", "pages"), ("import", "confirmed", "command line")],
    "confirmed": [("unsubscribe", "unsubscribed", "pages"), ("confirm", "confirmed", "pages")],
    "unsubscribed": [("sign_up", "pending", "pages"), ("rejoin", "confirmed", "command line")],
}  # fmt: skip
Movement = tuple[str, str, str, date]


def live(database: Database, seed: int, people: int = 60) -> dict[str, Counter[Movement]]:
    """Let readers live for half a year; return each one's movements, by our own count."""
    chance = random.Random(seed)
    moved: dict[str, Counter[Movement]] = {}
    with database.write() as connection:
        for number in range(1, people + 1):
            address = f"r{number}@x.example"
            counted = moved[address] = Counter()
            connection.execute(
                insert(schema.subscribers).values(
                    id=number, address=address, name="", fields={}, created_at=NOW
                )
            )
            for region in REGIONS:
                state = None
                at = NOW - timedelta(days=chance.uniform(1, 180))
                for _ in range(chance.randrange(6)):
                    step, after, source = chance.choice(STEPS[state])
                    connection.execute(
                        insert(schema.consent_events).values(
                            subscriber_id=number,
                            region=region,
                            step=step,
                            state=after,
                            source=source,
                            at=at,
                        )
                    )
                    if (state == "confirmed") != (after == "confirmed"):
                        name = "joins" if after == "confirmed" else "leaves"
                        monday = at.date() - timedelta(days=at.weekday())
                        counted[name, region, channel_of(step, source), monday] += 1
                    state = after
                    at = min(NOW, at + timedelta(days=chance.expovariate(1 / 20)))
                if state is not None:
                    connection.execute(
                        insert(schema.subscriptions).values(
                            subscriber_id=number,
                            region=region,
                            state=state,
                            source="",
                            changed_at=at,
                        )
                    )
    return moved


def counted(growths: list[Growth]) -> Counter[Movement]:
    found: Counter[Movement] = Counter()
    for growth in growths:
        for week in growth.weeks:
            for name, counts in (("joins", week.joins), ("leaves", week.leaves)):
                for channel, count in counts.items():
                    found[name, growth.region, channel, week.monday] += count
    return found


@pytest.mark.parametrize("weeks", [1, 12, 30])
def test_the_database_counts_what_python_counts(database: Database, weeks: int) -> None:
    moved = live(database, weeks)
    mondays = set(mondays_until(NOW, weeks))
    expected: Counter[Movement] = Counter()
    for each in moved.values():
        expected.update({key: count for key, count in each.items() if key[3] in mondays})
    found = growth_of(database, REGIONS, weeks=weeks, now=NOW)
    assert counted(found) == expected
    assert expected
    assert [len(growth.weeks) for growth in found] == [weeks] * len(REGIONS)


def test_who_is_erased_goes_on_counting_and_leaves_today(database: Database) -> None:
    live(database, 7)
    before = growth_of(database, REGIONS, weeks=30, now=NOW)
    with database.write() as connection:
        links = schema.subscriptions
        erased = [f"r{number}@x.example" for number in range(1, 41)]
        on = Counter(
            connection.execute(
                select(links.c.region).where(
                    links.c.state == "confirmed", links.c.subscriber_id <= 40
                )
            ).scalars()
        )
        for address in erased:
            erase_person(connection, address, Pepper(["s" * 40]), reason="asked", now=NOW)
    after = growth_of(database, REGIONS, weeks=30, now=NOW)
    this_monday = mondays_until(NOW, 1)[0]
    assert counted(after) == counted(before) + Counter(
        {("leaves", region, "erased", this_monday): count for region, count in on.items()}
    )
    assert sum(on.values()) > 10
    for old, new in zip(before, after, strict=True):
        assert new.readers == old.readers - on[new.region]
        # The weeks before today had as many readers as they had.
        assert [w.readers for w in new.weeks[:-1]] == [w.readers for w in old.weeks[:-1]]


def test_readers_at_a_weeks_end_follow_from_joins_and_leaves(database: Database) -> None:
    live(database, 3)
    for growth in growth_of(database, REGIONS, weeks=30, now=NOW):
        assert growth.weeks[-1].readers == growth.readers
        for earlier, later in zip(growth.weeks, growth.weeks[1:], strict=False):
            assert later.readers == earlier.readers + later.net
        # Everybody's life began within these weeks.
        assert growth.weeks[0].readers == growth.weeks[0].net


def test_all_lists_together_are_the_sum(database: Database) -> None:
    live(database, 5)
    parts = growth_of(database, REGIONS, weeks=12, now=NOW)
    whole = together(parts)
    assert whole.readers == sum(part.readers for part in parts)
    assert (whole.joined, whole.left) == (
        sum(part.joined for part in parts),
        sum(part.left for part in parts),
    )
    assert set(whole.weeks[-1].joins) <= set(CHANNELS)


def test_weeks_begin_on_monday_in_utc(database: Database) -> None:
    sunday = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    assert mondays_until(sunday, 2) == [date(2026, 11, 9), date(2026, 11, 16)]
    assert mondays_until(sunday + timedelta(seconds=1), 1) == [date(2026, 11, 23)]
    with database.write() as connection:
        connection.execute(
            insert(schema.subscribers).values(
                id=1, address="a@x.example", name="", fields={}, created_at=NOW
            )
        )
        for region, at in (("wales", sunday), ("essex", sunday + timedelta(seconds=1))):
            fact = {"subscriber_id": 1, "region": region, "state": "confirmed", "source": "x.csv"}
            connection.execute(insert(schema.subscriptions).values(**fact, changed_at=at))
            connection.execute(insert(schema.consent_events).values(**fact, step="import", at=at))
    wales, essex = growth_of(database, ["wales", "essex"], weeks=2, now=NOW)
    assert [week.joined for week in wales.weeks] == [1, 0]
    assert [week.joined for week in essex.weeks] == [0, 1]
    assert wales.weeks[0].monday + WEEK == essex.weeks[1].monday
    assert [week.readers for week in essex.weeks] == [0, 1]


def test_nobody_is_a_report_too(database: Database) -> None:
    (empty,) = growth_of(database, ["wales"], weeks=3, now=NOW)
    assert (empty.joined, empty.left, empty.net, empty.readers) == (0, 0, 0, 0)
