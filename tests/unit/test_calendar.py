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
from mailer.publication import Publication, Region, Section
from mailer.schedule.calendar import slots_between, slots_of, upcoming
from mailer.timetable import (
    WEEKDAYS,
    Column,
    Schedule,
    issue_days,
    left_out,
    moved_from,
    next_issue_day,
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
    columnist: str = "",
    **schedule: Any,
) -> Publication:
    described = regions or {"national": {}}
    return Publication(
        root=Path(),
        title="The Lantern",
        columnist=columnist,
        time_zone=zone,
        regions=tuple(described),
        sections=(Section(slug="news", title="News", quota=5),),
        schedule=Schedule(**{"remind": ""} | schedule),
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
    ("draft", "zones", "expected"),
    [
        ("fri 12:00", {}, datetime(2026, 11, 27, 12, tzinfo=UTC)),
        ("sun 22:00", {}, datetime(2026, 11, 29, 22, tzinfo=UTC)),
        # On the same day before the sending, and after it: then a week earlier.
        ("mon 05:00", {}, datetime(2026, 11, 30, 5, tzinfo=UTC)),
        ("mon 07:00", {}, datetime(2026, 11, 23, 7, tzinfo=UTC)),
        ("mon 09:00", {}, datetime(2026, 11, 23, 9, tzinfo=UTC)),
        # Sunday 22:00 is too late for a region that leaves at Sunday 17:00 UTC.
        (
            "sun 22:00",
            {"time_zone": "Pacific/Kiritimati"},
            datetime(2026, 11, 22, 22, tzinfo=UTC),
        ),
        # Any day's hour, and the later of two.
        ("18:00", {}, datetime(2026, 11, 29, 18, tzinfo=UTC)),
        (["wed 12:00", "fri 12:00"], {}, datetime(2026, 11, 27, 12, tzinfo=UTC)),
    ],
)
def test_the_draft_comes_before_the_first_region(
    draft: object, zones: dict[str, str], expected: datetime
) -> None:
    told = publication(regions={"national": {}, "east": zones}, draft=draft)
    assert [slot.utc for slot in slots_of(told, MONDAY) if slot.job == "draft"] == [expected]


def test_the_work_on_an_issue_comes_in_its_order() -> None:
    told = publication(
        draft="fri 12:00", freeze="sun 12:00", remind="sun 12:00", approve_by="sun 20:00"
    ).model_copy(update={"columnist": "Nora Whitfield", "column": Column(by="sun 12:00")})
    assert [(slot.job, f"{slot.local:%a %H:%M}") for slot in slots_of(told, MONDAY)] == [
        ("draft", "Fri 12:00"),
        ("freeze", "Sun 12:00"),
        ("column", "Sun 12:00"),
        ("remind", "Sun 12:00"),
        ("approve", "Sun 20:00"),
        ("send", "Mon 07:00"),
    ]
    nobody = told.model_copy(update={"columnist": ""})
    assert "column" not in {slot.job for slot in slots_of(nobody, MONDAY)}


def days(schedule: Schedule, first: str, last: str) -> list[str]:
    found = issue_days(schedule, date.fromisoformat(first), date.fromisoformat(last))
    return [f"{day.date:%a %d %b}" for day in found]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({}, ["Mon 07 Dec", "Mon 14 Dec", "Mon 21 Dec", "Mon 28 Dec", "Mon 04 Jan"]),
        (
            {"send_day": ["mon", "thu"], "starts_on": date(2026, 12, 20)},
            ["Mon 21 Dec", "Thu 24 Dec", "Mon 28 Dec", "Thu 31 Dec", "Mon 04 Jan"],
        ),
        # A fortnight counts from the week of its anchor, whatever day of it is named.
        (
            {"repeats": "fortnightly", "starts_on": date(2026, 12, 3)},
            ["Mon 14 Dec", "Mon 28 Dec"],
        ),
        (
            {"repeats": "fortnightly", "starts_on": date(2025, 12, 29), "send_day": ["tue", "fri"]},
            ["Tue 01 Dec", "Fri 04 Dec", "Tue 15 Dec", "Fri 18 Dec", "Tue 29 Dec", "Fri 01 Jan"],
        ),
        ({"repeats": "monthly"}, ["Mon 07 Dec", "Mon 04 Jan"]),
        ({"repeats": "monthly", "week": ["second", "last"]}, ["Mon 14 Dec", "Mon 28 Dec"]),
        # A fifth Thursday is the last one, and no fourth.
        ({"repeats": "monthly", "week": "last", "send_day": "thu"}, ["Thu 31 Dec"]),
        ({"repeats": "monthly", "week": "fourth", "send_day": "thu"}, ["Thu 24 Dec"]),
        (
            {"repeats": "dates", "dates": [date(2026, 12, 24), date(2027, 1, 1)]},
            ["Thu 24 Dec", "Fri 01 Jan"],
        ),
        # Named dates come on top of a rhythm, and one that meets it is one issue.
        (
            {"repeats": "monthly", "dates": [date(2026, 12, 7), date(2026, 12, 24)]},
            ["Mon 07 Dec", "Thu 24 Dec", "Mon 04 Jan"],
        ),
    ],
)
def test_rhythms(schedule: dict[str, Any], expected: list[str]) -> None:
    assert days(Schedule(**schedule), "2026-12-01", "2027-01-05") == expected


@pytest.mark.parametrize(
    ("holidays", "expected", "gone"),
    [
        ([{"date": date(2026, 12, 28)}], ["Mon 21 Dec", "Mon 04 Jan"], ["2026-12-28"]),
        (
            [{"date": date(2026, 12, 28), "then": "next_day"}],
            ["Mon 21 Dec", "Tue 29 Dec", "Mon 04 Jan"],
            [],
        ),
        (
            [{"date": date(2026, 12, 28), "then": "previous_day"}],
            ["Mon 21 Dec", "Sun 27 Dec", "Mon 04 Jan"],
            [],
        ),
        # A moved issue looks for the first day that is no holiday itself.
        (
            [
                {"date": date(2026, 12, 25), "until": date(2026, 12, 28), "then": "previous_day"},
                {"date": date(2026, 12, 24)},
            ],
            ["Mon 21 Dec", "Wed 23 Dec", "Mon 04 Jan"],
            [],
        ),
        # Moved onto a day that has an issue, it is that issue.
        (
            [{"date": date(2026, 12, 28), "until": date(2027, 1, 3), "then": "next_day"}],
            ["Mon 21 Dec", "Mon 04 Jan"],
            [],
        ),
        (
            [{"date": date(2026, 12, 21), "until": date(2027, 1, 31)}],
            [],
            ["2026-12-21", "2026-12-28", "2027-01-04"],
        ),
        # No free day within a month: left out.
        (
            [{"date": date(2026, 12, 21), "until": date(2027, 1, 31), "then": "next_day"}],
            [],
            ["2026-12-21", "2026-12-28"],
        ),
    ],
)
def test_holidays(holidays: list[dict[str, Any]], expected: list[str], gone: list[str]) -> None:
    schedule = Schedule(holidays=holidays)
    first, last = date(2026, 12, 20), date(2027, 1, 5)
    assert days(schedule, first.isoformat(), last.isoformat()) == expected
    assert [day.date.isoformat() for day in left_out(schedule, first, last)] == gone


@given(
    repeats=st.sampled_from(["weekly", "fortnightly", "monthly"]),
    send_day=st.sampled_from(["mon", "sun", ("mon", "thu")]),
    holidays=st.lists(
        st.tuples(
            st.dates(date(2026, 1, 1), date(2026, 12, 31)),
            st.integers(0, 12),
            st.sampled_from(["skip", "next_day", "previous_day"]),
        ),
        max_size=6,
    ),
    cut=st.integers(1, 300),
)
def test_a_day_has_an_issue_or_not_however_it_is_asked(
    repeats: str, send_day: Any, holidays: list[tuple[date, int, str]], cut: int
) -> None:
    schedule = Schedule(
        repeats=repeats,
        send_day=send_day,
        starts_on=date(2026, 1, 5),
        holidays=[
            {"date": day, "until": day + timedelta(days=more), "then": then}
            for day, more, then in holidays
        ],
    )
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    middle = first + timedelta(days=cut)
    whole = issue_days(schedule, first, last)
    assert whole == (
        issue_days(schedule, first, middle) + issue_days(schedule, middle + timedelta(days=1), last)
    )
    for day in whole:
        assert not any(holiday.covers(day.date) for holiday in schedule.holidays)
    assert next_issue_day(schedule, first) == (whole[0].date if whole else None) or not whole


@pytest.mark.parametrize("then", ["previous_day", "next_day"])
@pytest.mark.parametrize("days", [1, 2, 3, 6, 10])
@pytest.mark.parametrize("weekday", range(7))
def test_the_moments_of_a_moved_issue_move_with_it(weekday: int, days: int, then: str) -> None:
    regular = date(2026, 12, 14) + timedelta(days=weekday)
    rhythm: dict[str, Any] = {
        "send_day": WEEKDAYS[weekday],
        "draft": f"{WEEKDAYS[(weekday + 4) % 7]} 12:00",
        "freeze": f"{WEEKDAYS[(weekday + 5) % 7]} 12:00",
        "remind": f"{WEEKDAYS[(weekday + 6) % 7]} 18:00",
        "approve_by": "06:00",
    }
    usual = slots_of(publication(columnist="Nora Whitfield", **rhythm), regular)
    # The holiday ends or begins on the regular day, so that the issue moves by one day or more.
    first = regular - timedelta(days=days - 1 if then == "previous_day" else 0)
    holiday = {"date": first, "until": first + timedelta(days=days - 1), "then": then}
    told = publication(columnist="Nora Whitfield", **rhythm, holidays=[holiday])
    moved = regular + timedelta(days=-days if then == "previous_day" else days)
    found = slots_of(told, moved)
    if days < 7:
        assert moved_from(told.schedule, moved) == regular
        shift = moved - regular
        assert [(s.job, s.utc) for s in found] == [(s.job, s.utc + shift) for s in usual]
    [drafted] = [slot.utc for slot in found if slot.job == "draft"]
    [leaves] = [slot.utc for slot in found if slot.job == "send"]
    assert all(drafted <= slot.utc <= leaves for slot in found)
    assert len(found) == 6


@given(
    day=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    moment=st.sampled_from([f"{name} {at}" for name in WEEKDAYS for at in ("00:00", "11:30")]),
    then=st.sampled_from(["previous_day", "next_day"]),
    is_named=st.booleans(),
)
def test_no_deadline_comes_before_the_draft_or_after_the_send(
    day: date, moment: str, then: str, *, is_named: bool
) -> None:
    holidays = [] if is_named else [{"date": day, "then": then}]
    told = publication(
        regions={"national": {}, "new-york": {"time_zone": "America/New_York"}, "apia": {
            "time_zone": "Pacific/Apia"}},
        dates=[day],
        columnist="Nora Whitfield",
        remind=moment,
        approve_by=moment,
        freeze=moment,
        holidays=holidays,
    )  # fmt: skip
    for issue in issue_days(told.schedule, day - timedelta(days=3), day + timedelta(days=3)):
        slots = slots_of(told, issue.date)
        [drafted] = [slot.utc for slot in slots if slot.job == "draft"]
        leaves = min(slot.utc for slot in slots if slot.job == "send")
        before = [slot.utc for slot in slots if slot.job != "send"]
        assert all(drafted <= at < leaves for at in before)


def test_an_issue_that_is_moved_to_sunday_is_asked_for_after_its_draft() -> None:
    told = publication(
        columnist="Nora Whitfield",
        remind="sun 18:00",
        holidays=[{"date": date(2026, 12, 14), "then": "previous_day"}],
    )
    assert [
        f"{slot.job} {slot.local:%a %d %H:%M}" for slot in slots_of(told, date(2026, 12, 13))
    ] == [
        "draft Thu 10 12:00",
        "column Sat 12 12:00",
        "remind Sat 12 18:00",
        "send Sun 13 07:00",
    ]


def test_a_left_out_day_is_in_the_calendar_with_its_reason() -> None:
    told = publication(holidays=[{"date": date(2026, 12, 28), "name": "the winter break"}])
    eve = datetime(2026, 12, 27, tzinfo=UTC)
    [slot] = slots_between(told, eve, eve + timedelta(days=4))
    assert (slot.job, slot.issue_id) == ("holiday", "2026-12-28")
    assert slot.note == "no issue: the winter break"


def test_a_schedule_may_end() -> None:
    told = publication(repeats="dates", dates=[date(2026, 12, 24)])
    assert [slot.job for slot in upcoming(told, datetime(2026, 11, 1, tzinfo=UTC), 50)] == [
        "draft",
        "send",
    ]
    assert next_issue_day(told.schedule, date(2026, 12, 25)) is None


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"repeats": "fortnightly"}, "starts_on is missing"),
        ({"repeats": "dates"}, "dates is empty"),
        ({"draft": ""}, "draft is empty"),
        ({"draft": "friday noon"}, "is not a day and an hour"),
        ({"remind": ["sun 18:00", "24:00"]}, "is not a day and an hour"),
        ({"send_day": []}, "at least 1"),
        (
            {"holidays": [{"date": date(2026, 12, 28), "until": date(2026, 12, 27)}]},
            "is before 2026-12-28",
        ),
    ],
)
def test_what_a_schedule_may_not_say(schedule: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Schedule(**schedule)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({}, "every Monday"),
        ({"send_day": ["mon", "thu"]}, "every Monday and Thursday"),
        (
            {"repeats": "fortnightly", "starts_on": date(2026, 11, 30)},
            "every second Monday",
        ),
        (
            {"repeats": "monthly", "dates": [date(2026, 12, 24)]},
            "the first Monday of a month and on named dates",
        ),
        ({"repeats": "dates", "dates": [date(2026, 12, 24)]}, "on named dates"),
    ],
)
def test_a_rhythm_in_words(schedule: dict[str, Any], words: str) -> None:
    assert Schedule(**schedule).words == words


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
    draft=st.sampled_from(["mon 06:00", "fri 12:00", "sun 23:00"]),
    zones=st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES)),
    at=st.times(),
)
def test_no_slot_is_lost_or_doubled_between_two_looks(
    minute: int,
    hours: int,
    send_day: str,
    draft: str,
    zones: tuple[str, str],
    at: time,
) -> None:
    told = publication(
        zone=zones[0],
        regions={"national": {}, "far": {"time_zone": zones[1], "send_time": f"{at:%H:%M}"}},
        send_day=send_day,
        draft=draft,
    )
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    until = start + timedelta(hours=hours)
    middle = start + timedelta(hours=hours / 3)
    found = slots_between(told, start, until)
    span = timedelta(weeks=4)
    issues = issue_days(told.schedule, start.date() - span, until.date() + span)
    every = [slot for day in issues for slot in slots_of(told, day.date)]
    assert set(found) == {slot for slot in every if start < slot.utc <= until}
    assert len(found) == len(set(found))
    assert found == slots_between(told, start, middle) + slots_between(told, middle, until)


def test_a_schedule_written_down_reads_back_the_same() -> None:
    schedule = Schedule(
        repeats="fortnightly",
        send_day=["mon", "thu"],
        starts_on=date(2026, 11, 30),
        draft=["fri 12:00", "18:30"],
        holidays=[{"date": date(2026, 12, 28), "then": "next_day"}],
    )
    assert Schedule.model_validate_json(schedule.model_dump_json()) == schedule
