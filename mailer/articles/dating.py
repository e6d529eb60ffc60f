"""Dates as people write them, and the year they leave out.

Finds "Saturday 10 June", "23rd October 2026", "May 13", ISO dates, ranges ("5–7 December", "Friday
4 to Sunday 6 December"), and times such as "12pm", "7.30–9pm", "19:00", "noon". A missing year is
inferred: from a reference date when there is one, otherwise from the weekday, otherwise it is the
next such day. Every inference says so in a flag. What repeats is ``recurring``'s.

Known limits: English month names; no relative dates ("next Tuesday").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from functools import lru_cache

from mailer import almanac
from mailer.articles.article import Flag

MONTHS = [name.lower() for name in almanac.MONTHS]
WEEKDAYS = [name.lower() for name in almanac.DAYS]
_MONTH_NUMBERS = {name[:3]: number for number, name in enumerate(MONTHS, 1)}
_WEEKDAY_NUMBERS = {name[:3]: number for number, name in enumerate(WEEKDAYS)}
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_FIGURE = re.compile(r"\d")
_LONGEST_SENTENCE = 2_000
_DAY_NAME = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_DATE = re.compile(
    rf"(?:\b(?P<weekday>{_DAY_NAME}),?\s+(?:the\s+)?)?"
    rf"(?:\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH})\b\.?"
    rf"|\b(?P<month2>{_MONTH})\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.]\d))"
    r"(?:,?\s+(?P<year>(?:19|20)\d\d)\b)?"
    r"|\b(?P<iso>(?:19|20)\d\d-\d\d-\d\d)\b",
    re.IGNORECASE,
)
_TO = r"\s?(?:–|—|-|/|to|until|till)\s?"
_BEFORE_DAY = re.compile(
    rf"(?:\b(?P<weekday>{_DAY_NAME}),?\s+(?:the\s+)?)?\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?"
    rf"(?P<joint>{_TO}|,?\s(?:and|&)\s)$",
    re.IGNORECASE,
)
"""What may stand before a date's day: the first day of a range, or the other one of two."""

_BETWEEN_DATES = re.compile(rf"{_TO}|\s(?:to|until|till)\s", re.IGNORECASE)
_HALF = r"[ap]\.?m\b\.?"
_TIME = re.compile(
    rf"\b(?P<hour>\d{{1,2}})(?:[:.](?P<minute>\d\d))?\s?(?P<half>{_HALF})?"
    rf"(?:{_TO}(?P<hour2>\d{{1,2}})(?:[:.](?P<minute2>\d\d))?\s?(?P<half2>{_HALF}))"
    rf"|\b(?P<only>\d{{1,2}})(?:[:.](?P<only_minute>\d\d))?\s?(?P<only_half>{_HALF})"
    rf"|\b(?P<hour24>[01]?\d|2[0-3]):(?P<minute24>[0-5]\d)\b"
    rf"(?:{_TO}(?P<end24>[01]?\d|2[0-3]):(?P<end_minute24>[0-5]\d)\b)?"
    r"|\b(?:at|from)\s(?P<dotted>1[3-9]|2[0-3])\.(?P<dotted_minute>[0-5]\d)\b"
    rf"|\b(?P<noon>(?:12\s)?noon|midday)\b(?:{_TO}(?P<noon_end>\d{{1,2}})\s?(?P<noon_half>{_HALF}))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date as it stands in a text, from ``start`` to ``end``; ``year`` None when left out.

    ``last_day`` and ``last_month`` are of a range's last day, 0 for a single day.
    """

    start: int
    end: int
    day: int
    month: int
    year: int | None = None
    weekday: int | None = None
    last_day: int = 0
    last_month: int = 0

    def last_after(self, on: date) -> date | None:
        """Return the last day of a range that begins on ``on``; None for a single day."""
        if not self.last_day:
            return None
        later = WrittenDate(0, 0, self.last_day, self.last_month)
        days = [_date(year, later) for year in (on.year, on.year + 1)]
        return next((day for day in days if day is not None and day > on), None)


@lru_cache(maxsize=8)
def find_dates(text: str) -> tuple[WrittenDate, ...]:
    """Return every date written in a text, in order; a range is one.

    A sentence is asked for them several times, by what looks for days, places and deadlines.
    """
    joined: list[WrittenDate] = []
    if not has_figure(text):
        return ()
    for written in _single_dates(text):
        first, *others = _with_day_before(text, written)
        last = joined[-1] if joined else None
        if last and not last.last_day and _BETWEEN_DATES.fullmatch(text[last.end : first.start]):
            joined[-1] = replace(
                last,
                end=first.end,
                year=last.year or first.year,
                last_day=first.day,
                last_month=first.month,
            )
            continue
        joined += [first, *others]
    return tuple(joined)


def has_figure(text: str) -> bool:
    """Say whether a text has a figure: without one it has no date, and is not worth searching."""
    if any(figure in text for figure in "0123456789"):
        return True
    return not text.isascii() and _FIGURE.search(text) is not None


def may_tell_time(text: str) -> bool:
    """Say whether a text may have a date or a time of day."""
    if has_figure(text):
        return True
    folded = text.casefold()
    return "noon" in folded or "midday" in folded


def _with_day_before(text: str, written: WrittenDate) -> list[WrittenDate]:
    """Return a date with the day that shares its month: "5–7 December", "5 and 12 December"."""
    before = _BEFORE_DAY.search(text, max(0, written.start - 40), written.start)
    if not before or not 1 <= int(before["day"]) < written.day:
        return [written]
    day = int(before["day"])
    weekday = _weekday(before["weekday"]) if before["weekday"] else None
    first = replace(written, start=before.start(), day=day, weekday=weekday)
    is_pair = before["joint"].strip(" ,").lower() in {"and", "&"}
    if is_pair and day + 1 < written.day:
        return [replace(first, end=written.start), written]
    return [replace(first, last_day=written.day, last_month=written.month)]


def _single_dates(text: str) -> list[WrittenDate]:
    found = []
    for match in _DATE.finditer(text):
        if match["iso"]:
            try:
                on = date.fromisoformat(match["iso"])
            except ValueError:
                continue
            found.append(WrittenDate(match.start(), match.end(), on.day, on.month, on.year))
            continue
        name = match["month"] or match["month2"]
        if name[0].islower() and name.lower() in {"may", "march", "mar"}:
            # "the 3 march routes" and "10 may come" are words, not months.
            continue
        month = _month(name)
        day = int(match["day"] or match["day2"])
        if not 1 <= day <= 31:
            continue
        weekday = _weekday(match["weekday"]) if match["weekday"] else None
        year = int(match["year"]) if match["year"] else None
        found.append(WrittenDate(match.start(), match.end(), day, month, year, weekday))
    return found


def _month(name: str) -> int:
    return _MONTH_NUMBERS[_short(name)]


def _weekday(name: str) -> int:
    return _WEEKDAY_NUMBERS[_short(name)]


def _short(name: str) -> str:
    """Return the three letters by which a month or day is known.

    For a pattern that ignores case, a Turkish i, small or large, is an i, and a long s an s.
    """
    short = name[:3].replace("\u0130", "i").replace("\u0131", "i").replace("\u017f", "s")
    return short.lower()


def find_time(text: str) -> time | None:
    """Return the first time of day written in a text."""
    return find_times(text)[0]


def find_times(text: str) -> tuple[time | None, time | None]:
    """Return the first time of day written in a text, and until when it lasts if that is said."""
    found = find_hours(text)
    return found[2:] if found else (None, None)


def find_hours(text: str) -> tuple[int, int, time, time | None] | None:
    """Return where a text's first time of day starts and ends, and its two times."""
    for match in _TIME.finditer(text):
        start, end = _times_of(match)
        if start:
            return match.start(), match.end(), start, end
    return None


def _times_of(match: re.Match[str]) -> tuple[time | None, time | None]:
    if match["noon"]:
        return time(12), _clock(match["noon_end"], None, match["noon_half"])
    if match["hour24"]:
        return (
            time(int(match["hour24"]), int(match["minute24"])),
            time(int(match["end24"]), int(match["end_minute24"])) if match["end24"] else None,
        )
    if match["dotted"]:
        return time(int(match["dotted"]), int(match["dotted_minute"])), None
    if match["only"]:
        return _clock(match["only"], match["only_minute"], match["only_half"]), None
    end = _clock(match["hour2"], match["minute2"], match["half2"])
    half = match["half"] or match["half2"]
    start = _clock(match["hour"], match["minute"], half)
    if start and end and not match["half"] and start >= end:
        # "11–3pm" begins in the morning.
        start = _clock(match["hour"], match["minute"], "am")
    return start, end


def _clock(hour: str | None, minute: str | None, half: str | None) -> time | None:
    """Return a time of the twelve-hour clock, None where there is none or it is impossible."""
    if hour is None or half is None or not 1 <= int(hour) <= 12 or int(minute or 0) > 59:
        return None
    is_afternoon = half[0].lower() == "p"
    return time(int(hour) % 12 + (12 if is_afternoon else 0), int(minute or 0))


def resolve(
    written: WrittenDate, *, reference: date | None, today: date
) -> tuple[date, tuple[Flag, ...]] | None:
    """Give a written date its year.

    Args:
        written: what stands in the text.
        reference: when the text was published, if that is known.
        today: the day of reading.
    Returns:
        The date and flags for what was inferred; None when no such day exists.
    """
    flags: list[Flag] = []
    if written.year is not None:
        on = _date(written.year, written)
    else:
        on = _infer(written, reference, today)
        if on is not None:
            flags.append(Flag("year-inferred", _why(written, on, reference)))
    if on is None:
        return None
    if written.weekday is not None and on.weekday() != written.weekday:
        said, real = almanac.DAYS[written.weekday], almanac.DAYS[on.weekday()]
        flags.append(
            Flag("weekday-mismatch", f"The text says {said}, but {on.isoformat()} is a {real}.")
        )
    return on, tuple(flags)


def _date(year: int, written: WrittenDate) -> date | None:
    try:
        return date(year, written.month, written.day)
    except ValueError:
        return None


def _infer(written: WrittenDate, reference: date | None, today: date) -> date | None:
    around = reference or today
    reach = 12 if reference is None else 1
    years = range(around.year - reach, around.year + reach + 1)
    days = [on for year in years if (on := _date(year, written)) is not None]
    if reference is not None:
        # A paper announces what comes within the year and may still mention the month behind.
        days = [on for on in days if abs((on - reference).days) <= 366]
        matching = [on for on in days if written.weekday in (None, on.weekday())]
        ahead = [on for on in matching if -45 <= (on - reference).days <= 320]
        choice = ahead or matching or days
        return min(choice, key=lambda on: abs((on - reference).days), default=None)
    if written.weekday is not None:
        matching = [on for on in days if on.weekday() == written.weekday]
        past = [on for on in matching if on <= today]
        soon = [on for on in matching if 0 <= (on - today).days <= 120]
        return next(iter(soon or past[-1:] or matching), None)
    return next((on for on in days if on >= today), None)


def _why(written: WrittenDate, on: date, reference: date | None) -> str:
    year = f"The text leaves out the year; {on.year} was taken"
    if reference is not None:
        return f"{year} because the piece is of {reference.isoformat()}."
    if written.weekday is not None and on.weekday() == written.weekday:
        day = f"{on.day} {almanac.MONTHS[on.month - 1]}"
        return f"{year} because {day} was a {almanac.DAYS[written.weekday]} then."
    return f"{year} because that is the next such day."


_DEADLINE = re.compile(
    r"\b(?:by|before|until|till|no later than|not later than|deadline(?:\s+(?:is|of|for\s[\w\s]+?)"
    r")?:?|closes?(?:\s+on)?|closing date(?:\s+is)?:?|ends(?:\s+on)?)\s+"
    r"(?:(?:noon|midday|midnight|\d{1,2}(?:[:.]\d\d)?\s?[ap]m)\s+on\s+)?(?:the\s+)?$",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"\b(?:you|your|must|need to|please|apply|join|register|book|submit|send|sign|vote|return|"
    r"deadline|closing|closes|entries|applications?|nominations?|reply|respond|order|enter)\b",
    re.IGNORECASE,
)


_BETWEEN_SENTENCES = re.compile(r"(?<=[.?!])[\"”’')]*\s+(?=[\"“‘'(]*[A-Z0-9])")


def find_deadline(
    sentences: Sequence[str], *, reference: date | None, today: date
) -> tuple[date, tuple[Flag, ...]] | None:
    """Return the date a text sets its readers, such as "join by Friday 23rd October".

    A sentence counts only when it speaks to the reader or of applying, so that "by 12 March the
    strike was over" is no deadline. The first one wins; a second, different one is flagged.
    """
    found: list[tuple[date, tuple[Flag, ...]]] = []
    for sentence in sentences:
        if not has_figure(sentence) or not _CUE.search(sentence):
            continue
        for written in find_dates(sentence):
            if _DEADLINE.search(sentence[: written.start]):
                answer = resolve(written, reference=reference, today=today)
                if answer:
                    found.append(answer)
    if not found:
        return None
    on, flags = found[0]
    others = sorted({other.isoformat() for other, _ in found if other != on})
    if others:
        flags = (
            *flags,
            Flag("deadline-unclear", f"The text also names {', '.join(others)} as a deadline."),
        )
    return on, flags


def sentences_of(text: str) -> list[str]:
    """Split plain text into sentences, roughly: at ends of paragraphs and of sentences."""
    return _sentences(text.split("\n"))


@lru_cache(maxsize=1)
def timed_sentences_of(text: str) -> tuple[str, ...]:
    """Return those of its sentences that may have a date or a time of day; most texts have few.

    A text is asked for them twice: what it sets its readers, and then what it announces.
    """
    parts = [paragraph for paragraph in text.split("\n") if may_tell_time(paragraph)]
    return tuple(sentence for sentence in _sentences(parts) if may_tell_time(sentence))


def _sentences(paragraphs: Sequence[str]) -> list[str]:
    found: list[str] = []
    for paragraph in paragraphs:
        parts = map(str.strip, _BETWEEN_SENTENCES.split(paragraph))
        found.extend(part for part in parts if part)
    # Nobody writes such a sentence; searching one for dates would take minutes.
    return [sentence for sentence in found if len(sentence) <= _LONGEST_SENTENCE]
