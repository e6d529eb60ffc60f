"""The week as instants: ordinary weeks, the hours the clocks change, far zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.localtime import first_instant, first_send_at, send_at
from mailer.policies import Schedule
from mailer.publication import Publication, Region, Section
from mailer.schedule.calendar import (
    draft_at,
    send_day_from,
    slots_between,
    slots_of,
    upcoming,
)

ZONES = (
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Asia/Kathmandu",
    "America/St_Johns",
    "UTC",
)
MONDAY = date(2026, 11, 30)


def publication(
    *,
    zone: str = "Europe/London",
    regions: dict[str, dict[str, Any]] | None = None,
    **schedule: Any,
) -> Publication:
    described = regions or {"national": {}}
    return Publication(
        root=Path(),
        title="The Lantern",
        time_zone=zone,
        regions=tuple(described),
        sections=(Section(slug="news", title="News", quota=5),),
        schedule=Schedule(**schedule),
        region_map={
            slug: Region(
                slug=slug,
                **(
                    {
                        "name": slug,
                        "list_id": f"{slug}.lantern.example",
                        "reply_to": "post@lantern.example",
                        "time_zone": zone,
                    }
                    | extra
                ),
            )
            for slug, extra in described.items()
        },
    )


@pytest.mark.parametrize(
    ("on", "at", "zone", "utc"),
    [
        (date(2026, 11, 30), "07:00", "Europe/London", "2026-11-30T07:00"),
        (date(2026, 7, 6), "07:00", "Europe/London", "2026-07-06T06:00"),
        # 29 March 2026, 01:00 to 02:00 does not exist: it goes at 02:00 summer time.
        (date(2026, 3, 29), "01:00", "Europe/London", "2026-03-29T01:00"),
        (date(2026, 3, 29), "01:30", "Europe/London", "2026-03-29T01:00"),
        (date(2026, 3, 29), "00:59", "Europe/London", "2026-03-29T00:59"),
        (date(2026, 3, 29), "02:00", "Europe/London", "2026-03-29T01:00"),
        # 25 October 2026, 01:00 to 02:00 comes twice: the first is summer time.
        (date(2026, 10, 25), "01:30", "Europe/London", "2026-10-25T00:30"),
        (date(2026, 10, 25), "02:00", "Europe/London", "2026-10-25T02:00"),
        # A change of half an hour.
        (date(2026, 10, 4), "02:15", "Australia/Lord_Howe", "2026-10-03T15:30"),
        # A day that Samoa skipped altogether.
        (date(2011, 12, 30), "07:00", "Pacific/Apia", "2011-12-30T10:00"),
    ],
)
def test_local_times_become_instants(on: date, at: str, zone: str, utc: str) -> None:
    found = first_instant(on, time.fromisoformat(at), zone)
    assert found == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@given(
    on=st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    minute=st.integers(0, 24 * 60 - 1),
    zone=st.sampled_from(ZONES),
)
def test_it_is_the_first_moment_the_clock_shows_that_time_or_later(
    on: date, minute: int, zone: str
) -> None:
    at = time(minute // 60, minute % 60)
    wanted = datetime.combine(on, at)
    found = first_instant(on, at, zone)
    place = ZoneInfo(zone)
    assert found.utcoffset() == timedelta(0)
    assert found.astimezone(place).replace(tzinfo=None) >= wanted
    just_before = (found - timedelta(seconds=1)).astimezone(place).replace(tzinfo=None)
    assert just_before < wanted


def test_every_region_leaves_at_its_own_local_time() -> None:
    told = publication(
        regions={
            "national": {},
            "wales": {"send_time": "08:30"},
            "east": {"time_zone": "Pacific/Kiritimati"},
            "west": {"time_zone": "Pacific/Pago_Pago"},
        }
    )
    sends = {slug: send_at(told, region, MONDAY) for slug, region in told.region_map.items()}
    assert sends == {
        "national": datetime(2026, 11, 30, 7, tzinfo=UTC),
        "wales": datetime(2026, 11, 30, 8, 30, tzinfo=UTC),
        "east": datetime(2026, 11, 29, 17, tzinfo=UTC),
        "west": datetime(2026, 11, 30, 18, tzinfo=UTC),
    }
    assert first_send_at(told, MONDAY) == sends["east"]


def test_a_week_keeps_its_local_hour_when_the_clocks_change() -> None:
    told = publication()
    national = told.region("national")
    hours = [send_at(told, national, date(2026, 10, day)).hour for day in (19, 26)]
    assert hours == [6, 7]


@pytest.mark.parametrize(
    ("schedule", "zones", "expected"),
    [
        ({}, {}, datetime(2026, 11, 27, 12, tzinfo=UTC)),
        ({"draft_day": "sun", "draft_time": "22:00"}, {}, datetime(2026, 11, 29, 22, tzinfo=UTC)),
        # On the same day before the sending, and after it: then a week earlier.
        ({"draft_day": "mon", "draft_time": "05:00"}, {}, datetime(2026, 11, 30, 5, tzinfo=UTC)),
        ({"draft_day": "mon", "draft_time": "07:00"}, {}, datetime(2026, 11, 23, 7, tzinfo=UTC)),
        ({"draft_day": "mon", "draft_time": "09:00"}, {}, datetime(2026, 11, 23, 9, tzinfo=UTC)),
        # Sunday 22:00 is too late for a region that leaves at Sunday 17:00 UTC.
        (
            {"draft_day": "sun", "draft_time": "22:00"},
            {"time_zone": "Pacific/Kiritimati"},
            datetime(2026, 11, 22, 22, tzinfo=UTC),
        ),
    ],
)
def test_the_draft_comes_before_the_first_region(
    schedule: dict[str, str], zones: dict[str, str], expected: datetime
) -> None:
    told = publication(regions={"national": {}, "east": zones}, **schedule)
    assert draft_at(told, MONDAY) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-27T12:00+00:00", MONDAY),
        ("2026-11-30T00:00+00:00", MONDAY),
        ("2026-11-30T23:59+00:00", MONDAY),
        ("2026-12-01T00:00+00:00", date(2026, 12, 7)),
    ],
)
def test_the_first_send_day_from_today_on(now: str, expected: date) -> None:
    assert send_day_from(publication(), datetime.fromisoformat(now)) == expected


def test_today_is_a_day_of_the_publications_own_calendar() -> None:
    told = publication(zone="Pacific/Kiritimati")
    assert send_day_from(told, datetime(2026, 11, 30, 9, 59, tzinfo=UTC)) == MONDAY
    assert send_day_from(told, datetime(2026, 11, 30, 10, tzinfo=UTC)) == date(2026, 12, 7)


def test_upcoming_lists_local_and_utc_time_soonest_first() -> None:
    told = publication(regions={"national": {}, "new-york": {"time_zone": "America/New_York"}})
    listed = upcoming(told, datetime(2026, 11, 27, 12, tzinfo=UTC), 4)
    assert [(slot.job, slot.region, slot.issue_id) for slot in listed] == [
        ("send", "national", "2026-11-30"),
        ("send", "new-york", "2026-11-30"),
        ("draft", "", "2026-12-07"),
        ("send", "national", "2026-12-07"),
    ]
    assert listed[1].utc == datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert listed[1].local.isoformat() == "2026-11-30T07:00:00-05:00"
    assert upcoming(told, datetime(2026, 11, 27, 12, tzinfo=UTC), 0) == []


def test_a_region_whose_monday_ends_on_our_tuesday_is_found() -> None:
    told = publication(
        regions={"west": {"time_zone": "Pacific/Pago_Pago", "send_time": "23:00"}},
    )
    tuesday = datetime(2026, 12, 1, tzinfo=UTC)
    [slot] = slots_between(told, tuesday, tuesday + timedelta(hours=10))
    assert (slot.issue_id, slot.utc) == ("2026-11-30", tuesday + timedelta(hours=10))


def test_regions_of_one_instant_keep_the_publications_order() -> None:
    told = publication(regions={"wales": {}, "bristol": {}, "scotland": {}})
    assert [slot.region for slot in slots_of(told, MONDAY)] == ["", "wales", "bristol", "scotland"]


@given(
    minute=st.integers(0, 366 * 24 * 60),
    hours=st.integers(0, 24 * 30),
    send_day=st.sampled_from(["mon", "thu", "sun"]),
    draft_day=st.sampled_from(["mon", "fri", "sun"]),
    zones=st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES)),
    at=st.times(),
)
def test_no_slot_is_lost_or_doubled_between_two_looks(
    minute: int,
    hours: int,
    send_day: str,
    draft_day: str,
    zones: tuple[str, str],
    at: time,
) -> None:
    told = publication(
        zone=zones[0],
        regions={"national": {}, "far": {"time_zone": zones[1], "send_time": f"{at:%H:%M}"}},
        send_day=send_day,
        draft_day=draft_day,
    )
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    until = start + timedelta(hours=hours)
    middle = start + timedelta(hours=hours / 3)
    found = slots_between(told, start, until)
    first = send_day_from(told, start) - timedelta(weeks=4)
    every = [slot for week in range(14) for slot in slots_of(told, first + timedelta(weeks=week))]
    assert set(found) == {slot for slot in every if start < slot.utc <= until}
    assert len(found) == len(set(found))
    assert found == slots_between(told, start, middle) + slots_between(told, middle, until)
