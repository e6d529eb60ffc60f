"""Daylight saving, stated for every zone there is over twenty years: nothing skipped or doubled.

Only the days around a change of the clocks can go wrong, so only those are asked; zones that are
links to one another are asked once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from mailer.localtime import first_instant
from mailer.publication import Publication, Region, Section
from mailer.schedule.calendar import slots_between
from mailer.timetable import WEEKDAYS, Schedule

FIRST, LAST = date(2010, 1, 1), date(2029, 12, 31)
"""Twenty years, with the day that Samoa skipped and the rules known today for what is to come."""

DAY = timedelta(days=1)

STRIDE_S = 4 * 86400
"""No zone changed its clocks twice within four days (asking every day finds the same changes)."""


def distinct_zones() -> list[str]:
    """Return every zone of the tzdata package, one for those whose rules are the same bytes."""
    found: dict[bytes, str] = {}
    for name in sorted(available_timezones()):
        path = files("tzdata.zoneinfo").joinpath(name)
        if path.is_file():
            found.setdefault(path.read_bytes(), name)
    return list(found.values())


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """Return the instants, to the second, at which a zone's offset changes."""
    place = ZoneInfo(zone)

    def offset(seconds: int) -> timedelta:
        there = datetime.fromtimestamp(seconds, place).utcoffset()
        assert there is not None
        return there

    at = int(datetime.combine(FIRST, time(), UTC).timestamp())
    end = int(datetime.combine(LAST, time(), UTC).timestamp())
    found = []
    before = offset(at)
    while at < end:
        after = offset(at + STRIDE_S)
        if after != before:
            low, high = at, at + STRIDE_S
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            found.append(datetime.fromtimestamp(high, UTC))
        at, before = at + STRIDE_S, after
    return tuple(found)


def around(change: datetime, zone: str) -> Iterator[time]:
    """Yield the times of day that a change touches: its edges, what lies between, and beside."""
    place = ZoneInfo(zone)
    before = (change - timedelta(seconds=1)).astimezone(place).replace(tzinfo=None)
    after = change.astimezone(place).replace(tzinfo=None)
    low, high = sorted((before + timedelta(seconds=1), after))
    span = high - low
    for moment in (low - timedelta(minutes=1), low, low + span / 2, high, high + span):
        yield moment.time().replace(second=0, microsecond=0)


def test_there_are_many_zones_and_many_changes() -> None:
    zones = distinct_zones()
    assert len(zones) > 300
    assert sum(len(changes(zone)) for zone in zones) > 2000
    # Known ones: London's two a year, Samoa's move over the date line, Lord Howe's half hours.
    assert len(changes("Europe/London")) == 40
    assert datetime(2011, 12, 30, 10, tzinfo=UTC) in changes("Pacific/Apia")
    assert datetime(2026, 10, 3, 15, 30, tzinfo=UTC) in changes("Australia/Lord_Howe")


def test_each_local_time_goes_once_at_the_first_moment_the_clocks_show_it_or_later() -> None:
    for zone in distinct_zones():
        place = ZoneInfo(zone)
        for change in changes(zone):
            for at in set(around(change, zone)):
                middle = change.astimezone(place).date()
                days = [middle + DAY * number for number in range(-2, 3)]
                found = [first_instant(day, at, zone) for day in days]
                for day, instant in zip(days, found, strict=True):
                    wanted = datetime.combine(day, at)
                    shown = instant.astimezone(place).replace(tzinfo=None)
                    a_moment_ago = instant - timedelta(seconds=1)
                    just_before = a_moment_ago.astimezone(place).replace(tzinfo=None)
                    # What does not exist goes at the next that does, what comes twice at its first.
                    assert just_before < wanted <= shown, (zone, day, at)
                # A day more is never an earlier moment; a whole skipped day shares the next one's.
                assert found == sorted(found), (zone, at)
                assert len(set(found)) >= len(found) - 1, (zone, at)


def test_a_daily_issue_is_neither_skipped_nor_doubled_in_any_zone() -> None:
    """Look at the schedule now and then around each zone's latest change: each day comes once."""
    for zone in distinct_zones():
        for change in changes(zone)[-1:]:
            told = daily(zone, next(around(change, zone)))
            start = change - 3 * DAY
            looks = [start + timedelta(hours=19) * number for number in range(9)]
            seen = [
                slot.issue_id
                for after, until in pairwise(looks)
                for slot in slots_between(told, after, until)
                if slot.job == "send"
            ]
            assert seen == sorted(set(seen)), zone
            first, last = date.fromisoformat(seen[0]), date.fromisoformat(seen[-1])
            assert len(seen) == (last - first).days + 1, zone
            assert len(seen) in (5, 6, 7), zone


def daily(zone: str, at: time) -> Publication:
    return Publication(
        root=Path(),
        title="The Lantern",
        time_zone=zone,
        regions=("all",),
        sections=(Section(slug="news", title="News", quota=5),),
        schedule=Schedule.model_validate(
            {"send_day": WEEKDAYS, "send_time": at, "draft": "12:00", "remind": ""}
        ),
        region_map={
            "all": Region(
                slug="all",
                name="All",
                list_id="all.lantern.example",
                reply_to="post@lantern.example",
                time_zone=zone,
            )
        },
    )
