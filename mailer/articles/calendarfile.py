"""The diary as an iCalendar file that a reader adds to their own calendar.

A happening with an hour is in its own time zone, with the rules of that zone in the file, so that
it is right on a phone that travels; one without an hour takes whole days. Nothing is invented: an
occasion whose end nobody announced has none. An entry keeps its UID for ever and counts its
changes, so that a calendar which has it already changes it instead of showing it twice. The same
entries give the same bytes. The rules of a zone are written here, change by change: those of the
library begin the summer an hour late.

Standards: RFC 5545 (VEVENT 3.6.1, UID 3.8.4.7, SEQUENCE 3.8.7.4, TZID 3.2.19), RFC 7986 for the
calendar's name and refresh interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from mailer.articles.article import DiaryEntry

if TYPE_CHECKING:
    from icalendar.cal import Component

_UNKNOWN = datetime(2000, 1, 1, tzinfo=UTC)
_ONE_DAY = timedelta(days=1)


def calendar_file(
    entries: Sequence[DiaryEntry],
    *,
    title: str,
    domain: str,
    language: str,
    zone_of: Callable[[DiaryEntry], str],
) -> bytes:
    """Return entries as one calendar.

    Args:
        entries: what is in it, in any order.
        title: the calendar's name.
        domain: the publication's own, which makes the entries' UIDs the world's only ones.
        language: BCP 47, of the title and of the entries.
        zone_of: gives an entry's time zone.
    """
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//briefing-mailer//diary//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", title, parameters={"LANGUAGE": language})
    # Calendars older than RFC 7986 know its name by this one.
    calendar.add("x-wr-calname", title)
    calendar.add("refresh-interval", timedelta(hours=12), parameters={"VALUE": "DURATION"})
    for entry in sorted(entries, key=lambda e: (e.on, e.id)):
        calendar.add_component(_event(entry, f"{entry.id}@{domain}", zone_of(entry)))
    timed = [entry for entry in entries if entry.at is not None]
    for place, zone in enumerate(sorted({zone_of(entry) for entry in timed})):
        days = [day for e in timed if zone_of(e) == zone for day in (e.on, e.until) if day]
        rules = _zone(zone, min(days) - _ONE_DAY, max(days) + 2 * _ONE_DAY)
        calendar.subcomponents.insert(place, rules)
    return bytes(calendar.to_ical())


def _zone(name: str, first: date, last: date) -> Component:
    """Return what a zone's clocks show from one day to another, each change by itself."""
    from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

    place = ZoneInfo(name)
    zone = Timezone()
    zone.add("tzid", name)
    at = datetime.combine(first, time(0), tzinfo=UTC)
    before = at.astimezone(place).utcoffset() or timedelta(0)
    begins: datetime | None = at
    while begins is not None:
        local = begins.astimezone(place)
        after = local.utcoffset() or timedelta(0)
        rule = TimezoneDaylight() if local.dst() else TimezoneStandard()
        # Source: RFC 5545 section 3.6.5: the onset is a local time by the offset before it.
        rule.add("dtstart", (begins + before).replace(tzinfo=None))
        rule.add("tzoffsetfrom", before)
        rule.add("tzoffsetto", after)
        rule.add("tzname", local.tzname() or name)
        zone.add_component(rule)
        before = after
        begins = _next_change(begins, place, datetime.combine(last, time(0), tzinfo=UTC))
    return zone


def _next_change(after: datetime, place: ZoneInfo, end: datetime) -> datetime | None:
    """Return the first minute after an instant at which a zone's clocks are put on or back."""

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(place).utcoffset()

    low = after
    while low < end:
        high = low + _ONE_DAY
        if offset(high) != offset(low):
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) // timedelta(minutes=2) * timedelta(minutes=1)
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            return high
        low = high
    return None


def _event(entry: DiaryEntry, uid: str, zone: str) -> Component:
    from icalendar import Event
    from icalendar.prop import vRecur

    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", entry.changed_at or _UNKNOWN)
    event.add("sequence", entry.sequence)
    event.add("summary", entry.title)
    start, end = _span(entry, zone)
    event.add("dtstart", start)
    if end is not None:
        event.add("dtend", end)
    if entry.repeats:
        event.add("rrule", vRecur.from_ical(entry.repeats + _until(entry, start)))
    if entry.place:
        event.add("location", entry.place)
    if entry.url:
        event.add("url", entry.url)
    if entry.at is None:
        # A day in the diary does not make its reader busy.
        event.add("transp", "TRANSPARENT")
    return event


def _span(entry: DiaryEntry, zone: str) -> tuple[date | datetime, date | datetime | None]:
    last = entry.on if entry.repeats or entry.until is None else entry.until
    if entry.at is None:
        return entry.on, last + _ONE_DAY

    def local(day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=ZoneInfo(zone))

    start = local(entry.on, entry.at)
    if entry.ends_at is not None:
        is_next_day = last == entry.on and entry.ends_at <= entry.at
        return start, local(last + _ONE_DAY if is_next_day else last, entry.ends_at)
    return start, local(last, time(23, 59)) if last > entry.on else None


def _until(entry: DiaryEntry, start: date | datetime) -> str:
    if entry.until is None:
        return ""
    if not isinstance(start, datetime):
        return f";UNTIL={entry.until:%Y%m%d}"
    # Source: RFC 5545 section 3.3.10: with a time zone the end is written in UTC.
    end = datetime.combine(entry.until, time(23, 59, 59), tzinfo=start.tzinfo).astimezone(UTC)
    return f";UNTIL={end:%Y%m%dT%H%M%SZ}"
