"""The diary's file for calendars, read back by another reader of the format."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.article import DiaryEntry
from mailer.articles.calendarfile import calendar_file
from mailer.articles.entries import upcoming
from mailer.articles.recurring import find_recurrence, is_rule, next_on, rule_in_words

SUPPER = DiaryEntry(
    "2026-12-05-supper",
    "Supper; with soup, and bread",
    date(2026, 12, 5),
    time(19, 30),
    "Net Loft,\nOld Quay",
    "https://supper.example/a",
    ends_at=time(22),
    sequence=3,
    changed_at=datetime(2026, 11, 27, 12, tzinfo=UTC),
)


def written(*entries: DiaryEntry, zone: str = "Europe/London") -> bytes:
    return calendar_file(
        entries,
        title="The Lantern, Wales",
        domain="lantern.example",
        language="en-GB",
        zone_of=lambda _: zone,
    )


def read(*entries: DiaryEntry, zone: str = "Europe/London") -> list[icalendar.Event]:
    calendar = icalendar.Calendar.from_ical(written(*entries, zone=zone))
    assert not calendar.errors
    return [event for event in calendar.walk("VEVENT") if isinstance(event, icalendar.Event)]


def test_a_happening_with_an_hour() -> None:
    (event,) = read(SUPPER)
    assert event["uid"] == "2026-12-05-supper@lantern.example"
    assert event["summary"] == SUPPER.title
    assert event["location"] == SUPPER.place
    assert event["url"] == SUPPER.url
    assert event["sequence"] == 3
    london = ZoneInfo("Europe/London")
    assert event.decoded("dtstart") == datetime(2026, 12, 5, 19, 30, tzinfo=london)
    assert event.decoded("dtend") == datetime(2026, 12, 5, 22, tzinfo=london)
    assert event["dtstart"].params["TZID"] == "Europe/London"


def test_lines_end_and_fold_as_the_standard_says() -> None:
    data = written(SUPPER, DiaryEntry("long", "Ä" * 300, date(2026, 12, 6)))
    assert data.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 75


def test_whole_days_end_on_the_day_after_the_last() -> None:
    fair = DiaryEntry("fair", "Fair", date(2026, 12, 5), until=date(2026, 12, 7))
    (event,) = read(fair)
    assert event.decoded("dtstart") == date(2026, 12, 5)
    assert event.decoded("dtend") == date(2026, 12, 8)
    assert b"VTIMEZONE" not in written(fair)


@pytest.mark.parametrize(
    "zone", ["Europe/London", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
def test_the_file_says_itself_when_the_clocks_change(zone: str) -> None:
    """A calendar that knows no zones must come to the same instant from the rules in the file."""
    data = written(
        DiaryEntry("a", "A", date(2026, 1, 10), time(9), until=date(2027, 1, 10)), zone=zone
    )
    (rules,) = icalendar.Calendar.from_ical(data).walk("VTIMEZONE")
    changes = sorted(
        (
            part.decoded("dtstart") - part["tzoffsetfrom"].td,
            part["tzoffsetto"].td,
        )
        for part in rules.subcomponents
    )
    for day in range(0, 360, 1):
        at = datetime(2026, 1, 10, 1, 30) + timedelta(days=day)  # noqa: DTZ001 - UTC without a zone
        (offset,) = [offset for begins, offset in changes if begins <= at][-1:]
        assert offset == at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()


def test_what_repeats_carries_its_rule_to_the_last_day() -> None:
    choir = DiaryEntry(
        "choir", "Choir", date(2026, 12, 1), time(19),
        repeats="FREQ=MONTHLY;BYDAY=1TU", until=date(2027, 6, 1),
    )  # fmt: skip
    (event,) = read(choir)
    rule = event["rrule"]
    assert rule["FREQ"] == ["MONTHLY"]
    assert rule["BYDAY"] == ["1TU"]
    assert rule["UNTIL"] == [datetime(2027, 6, 1, 22, 59, 59, tzinfo=UTC)]


def test_a_night_ends_on_the_next_day() -> None:
    (event,) = read(DiaryEntry("dance", "Dance", date(2026, 12, 5), time(22), ends_at=time(2)))
    assert event.decoded("dtend").date() == date(2026, 12, 6)


@given(
    title=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=120),
    on=st.dates(date(2020, 1, 1), date(2037, 1, 1)),
    at=st.none() | st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
def test_any_entry_reads_back_and_gives_the_same_bytes(
    title: str, on: date, at: time | None
) -> None:
    entry = DiaryEntry("x", title, on, at)
    assert written(entry) == written(entry)
    (event,) = read(entry)
    assert str(event["summary"]) == title
    start = event.decoded("dtstart")
    assert (start.date() if isinstance(start, datetime) else start) == on


def test_an_entry_is_past_from_the_minute_it_begins() -> None:
    day = datetime(2026, 12, 5, 19, 29)  # noqa: DTZ001 - a wall clock
    assert upcoming(SUPPER, day) == SUPPER
    assert upcoming(SUPPER, day + timedelta(minutes=1)) is None
    whole_day = DiaryEntry("fair", "Fair", date(2026, 12, 5))
    assert upcoming(whole_day, day.replace(hour=23, minute=59)) == whole_day
    assert upcoming(whole_day, day + timedelta(days=1)) is None


def test_what_repeats_moves_on_by_itself() -> None:
    choir = DiaryEntry(
        "choir", "Choir", date(2026, 12, 1), time(19),
        repeats="FREQ=WEEKLY;BYDAY=TU", until=date(2026, 12, 20),
    )  # fmt: skip
    for day, hour, expected in ((1, 18, 1), (1, 19, 8), (2, 0, 8), (15, 18, 15)):
        moved = upcoming(choir, datetime(2026, 12, day, hour))  # noqa: DTZ001 - a wall clock
        assert moved is not None
        assert moved.on == date(2026, 12, expected)
    assert upcoming(choir, datetime(2026, 12, 15, 19)) is None  # noqa: DTZ001 - a wall clock


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("every first Tuesday at 7pm", "MONTHLY;BYDAY=1TU", "every first Tuesday of the month"),
        ("the last Friday of the month", "MONTHLY;BYDAY=-1FR", "every last Friday of the month"),
        ("2nd Saturday of every month", "MONTHLY;BYDAY=2SA", "every second Saturday of the month"),
        ("each Thursday, 6pm", "WEEKLY;BYDAY=TH", "every Thursday"),
        ("on Mondays", "WEEKLY;BYDAY=MO", "every Monday"),
    ],
)  # fmt: skip
def test_repetitions_are_understood(text: str, rule: str, words: str) -> None:
    found = find_recurrence(text)
    assert found is not None
    assert found.rule == f"FREQ={rule}"
    assert is_rule(found.rule)
    assert rule_in_words(found.rule) == words


@pytest.mark.parametrize("text", ["on Monday", "the first Tuesday", "Thursday night", "everyday"])
def test_what_does_not_repeat(text: str) -> None:
    assert find_recurrence(text) is None


@given(
    since=st.dates(date(2000, 1, 1), date(2090, 1, 1)),
    number=st.sampled_from([1, 2, 3, 4, -1]),
    code=st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]),
)
def test_the_next_day_is_the_nearest_that_the_rule_names(
    since: date, number: int, code: str
) -> None:
    on = next_on(f"FREQ=MONTHLY;BYDAY={number}{code}", since)
    assert since <= on < since + timedelta(days=63)
    assert ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][on.weekday()] == code
    in_month = (on - timedelta(days=7 * number)).month if number > 0 else (on + timedelta(7)).month
    assert in_month != on.month
    assert next_on(f"FREQ=MONTHLY;BYDAY={number}{code}", on) == on
