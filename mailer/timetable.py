"""The timetable: on which days issues come, and by when the work on one is to be done.

``[schedule]`` of ``publication.toml`` and the pure questions about days that it answers; hours
become instants in ``localtime``. An issue's name is the day it goes out, so a day has one issue at
most: rhythm, further dates and moved issues that meet on a day are one.

Invariants: a day is an issue's day or it is not, whichever stretch of days it is asked in; no
issue goes out on a holiday.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from mailer.almanac import DAYS, short_date
from mailer.checked import ClockTime, Line, MailAddress
from mailer.policies import PolicyModel

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKS = ("first", "second", "third", "fourth", "last")

HORIZON = timedelta(days=3660)
"""How far ahead a next issue is looked for: a rhythm has one long before, named dates may not."""

LONGEST_MOVE = timedelta(days=31)
"""An issue that finds no free day within a month is left out."""


def _listed(value: object) -> object:
    """Take one word for a list of one."""
    return (value,) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of day, on one weekday or (None) on any."""

    weekday: int | None
    at: time

    def __str__(self) -> str:
        day = "" if self.weekday is None else f"{WEEKDAYS[self.weekday]} "
        return f"{day}{self.at:%H:%M}"


def _moments(value: object) -> object:
    if value == "":
        return ()
    found = []
    for text in value if isinstance(value, list | tuple) else [value]:
        if isinstance(text, Moment):
            found.append(text)
            continue
        matched = isinstance(text, str) and re.fullmatch(
            rf"(?:({'|'.join(WEEKDAYS)}) )?([01]\d|2[0-3]):([0-5]\d)", text
        )
        if not matched:
            raise ValueError('is not a day and an hour; write "fri 12:00", or "12:00" for any day')
        day, hour, minute = matched.groups()
        found.append(Moment(WEEKDAYS.index(day) if day else None, time(int(hour), int(minute))))
    return tuple(found)


Moments = Annotated[
    tuple[Moment, ...],
    BeforeValidator(_moments),
    PlainSerializer(lambda moments: [str(moment) for moment in moments]),
]
"""``"fri 12:00"``, or several; the last of them before an issue goes out is meant. "" is none."""


class Holiday(PolicyModel):
    """A day, or the days up to ``until``, on which no issue goes out, and what becomes of one."""

    date: dt.date
    until: dt.date | None = None
    then: Literal["skip", "next_day", "previous_day"] = "skip"
    name: Line = ""

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Self:
        if self.until is not None and self.until < self.date:
            raise ValueError(f"until {self.until} is before {self.date}; make it the later day")
        return self

    def covers(self, day: dt.date) -> bool:
        """Say whether a day falls into it."""
        return self.date <= day <= (self.until or self.date)


class Schedule(PolicyModel):
    """When issues go out and what comes before, in the publication's own time zone.

    A region may have its own hour and zone. The moments before an issue (``draft``, ``freeze``,
    ``remind``, ``approve_by``) are each the last one named before its first region's hour; those
    of a moved issue move with it, and none comes before the draft.
    """

    repeats: Literal["weekly", "fortnightly", "monthly", "dates"] = "weekly"
    send_day: Annotated[tuple[Weekday, ...], BeforeValidator(_listed), Field(min_length=1)] = (
        "mon",
    )
    week: Annotated[
        tuple[Literal["first", "second", "third", "fourth", "last"], ...],
        BeforeValidator(_listed),
        Field(min_length=1),
    ] = ("first",)
    starts_on: date | None = None
    dates: tuple[date, ...] = ()
    send_time: ClockTime = time(7, 0)
    late_hours: int = Field(default=12, ge=0, le=144)
    ingest_hours: int = Field(default=1, ge=0, le=24)
    draft: Moments = (Moment(4, time(12, 0)),)
    freeze: Moments = ()
    remind: Moments = (Moment(6, time(18, 0)),)
    approve_by: Moments = ()
    when_unapproved: Literal["hold", "last_approved", "national"] = "hold"
    holidays: tuple[Holiday, ...] = ()

    @model_validator(mode="after")
    def _has_issues(self) -> Self:
        if not self.draft:
            raise ValueError('draft is empty; say when an issue is drafted, such as "fri 12:00"')
        if self.repeats == "fortnightly" and self.starts_on is None:
            raise ValueError(
                "repeats is fortnightly and starts_on is missing; name a day of a week with one"
            )
        if self.repeats == "dates" and not self.dates:
            raise ValueError('repeats is "dates" and dates is empty; name the days of the issues')
        return self

    @property
    def words(self) -> str:
        """The rhythm in words: ``every Monday``, ``the first Monday of a month``."""
        days = " and ".join(DAYS[WEEKDAYS.index(day)] for day in self.send_day)
        further = " and on named dates" if self.dates else ""
        if self.repeats == "dates":
            return "on named dates"
        if self.repeats == "monthly":
            return f"the {' and '.join(self.week)} {days} of a month{further}"
        return f"every {'second ' if self.repeats == 'fortnightly' else ''}{days}{further}"


class Column(PolicyModel):
    """The columnist's slot: by when the text is wanted, and what becomes of an issue without it.

    ``alarm``: people are told and the issue's check warns. ``substitute``: the text of that file
    (Markdown, under the publication's folder) stands in, under a heading and name of its own.
    ``without``: the issue goes out without a column and nobody is disturbed. ``address`` is the
    columnist's, who is told beside the editors.
    """

    by: Moments = (Moment(6, time(12, 0)),)
    when_missing: Literal["alarm", "substitute", "without"] = "alarm"
    address: MailAddress = ""
    substitute: str = ""
    substitute_title: Line = ""
    substitute_by: Line = ""

    @model_validator(mode="after")
    def _has_its_substitute(self) -> Self:
        if self.when_missing == "substitute" and not self.substitute:
            raise ValueError(
                "when_missing is substitute and there is none; name its file in substitute"
            )
        return self


@dataclass(frozen=True, slots=True)
class IssueDay:
    """A day on which an issue goes out; ``instead_of`` where a holiday moved it there."""

    date: dt.date
    instead_of: dt.date | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A day whose issue a holiday takes away, and why in a sentence."""

    date: dt.date
    why: str


def issue_days(schedule: Schedule, first: date, last: date) -> list[IssueDay]:
    """Return the days from ``first`` to ``last``, both included, on which an issue goes out."""
    found = {
        day: IssueDay(day)
        for day in _days(first, last)
        if _is_regular(schedule, day) and holiday_on(schedule, day) is None
    }
    for day in _days(first - LONGEST_MOVE, last + LONGEST_MOVE):
        if not _is_regular(schedule, day):
            continue
        target = _moved(schedule, day)
        if target is not None and first <= target <= last:
            found.setdefault(target, IssueDay(target, instead_of=day))
    return [found[day] for day in sorted(found)]


def is_issue_day(schedule: Schedule, day: date) -> bool:
    """Say whether an issue goes out on a day by itself."""
    return bool(issue_days(schedule, day, day))


def moved_from(schedule: Schedule, day: date) -> date | None:
    """Return the day from which a holiday moved a day's issue; None for one that was not moved."""
    if not schedule.holidays or (_is_regular(schedule, day) and not holiday_on(schedule, day)):
        return None
    return next((found.instead_of for found in issue_days(schedule, day, day)), None)


def left_out(schedule: Schedule, first: date, last: date) -> list[LeftOut]:
    """Return the days in that stretch that have no issue because of a holiday, moved ones aside."""
    found = []
    for day in _days(first, last):
        holiday = holiday_on(schedule, day) if _is_regular(schedule, day) else None
        if holiday is not None and _moved(schedule, day) is None:
            found.append(LeftOut(day, f"no issue: {holiday.name or 'a holiday'}"))
    return found


def next_issue_day(schedule: Schedule, day: date) -> date | None:
    """Return the first issue's day from ``day`` on, or None when the schedule has no more."""
    end = day + HORIZON
    while day <= end:
        found = issue_days(schedule, day, day + LONGEST_MOVE)
        if found:
            return found[0].date
        day += LONGEST_MOVE + timedelta(days=1)
    return None


def holiday_on(schedule: Schedule, day: date) -> Holiday | None:
    """Return the holiday a day falls into; the first one named wins."""
    return next((holiday for holiday in schedule.holidays if holiday.covers(day)), None)


def _is_regular(schedule: Schedule, day: date) -> bool:
    """Say whether the rhythm, or a named date, has an issue on that day, holidays aside."""
    if day in schedule.dates:
        return True
    if schedule.starts_on is not None and day < schedule.starts_on:
        return False
    if schedule.repeats == "dates" or WEEKDAYS[day.weekday()] not in schedule.send_day:
        return False
    if schedule.repeats == "fortnightly" and schedule.starts_on is not None:
        return (_monday(day) - _monday(schedule.starts_on)).days % 14 == 0
    if schedule.repeats == "monthly":
        # The fifth one of a month is the last one as well.
        is_last = day.day + 7 > calendar.monthrange(day.year, day.month)[1]
        return WEEKS[(day.day - 1) // 7] in schedule.week or (is_last and "last" in schedule.week)
    return True


def _moved(schedule: Schedule, day: date) -> date | None:
    """Return where a holiday moves that day's issue; None where it is no holiday, or skips it."""
    holiday = holiday_on(schedule, day)
    if holiday is None or holiday.then == "skip":
        return None
    step = timedelta(days=1 if holiday.then == "next_day" else -1)
    target = day + step
    while abs(target - day) <= LONGEST_MOVE:
        if holiday_on(schedule, target) is None:
            return target
        target += step
    return None


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def told(day: IssueDay) -> str:
    """Return a sentence about a moved issue; "" for one that was not moved."""
    return f"instead of {short_date(day.instead_of)}" if day.instead_of else ""
