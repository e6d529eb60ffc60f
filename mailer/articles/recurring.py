"""Happenings that repeat: "every Tuesday", "the first Thursday of the month".

A rule is kept in the form that calendars read (RFC 5545, section 3.3.10), restricted to what is
found here: a weekday every week, or one weekday of every month counted from its start or its end.
``next_on`` says when it is held next, so that a repeating entry moves along by itself.

Known limits: English; no exceptions ("except in August"), no "every other week".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from mailer.articles.dating import WEEKDAYS

_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4,
    "last": -1,
}  # fmt: skip
_DAY = rf"(?P<day>{'|'.join(WEEKDAYS)})"
_MONTHLY = re.compile(
    rf"\b(?:(?:every|each)\s+(?P<every>{'|'.join(_ORDINALS)})\s+{_DAY}s?"
    r"(?:\s+(?:of|in)\s+(?:the|every|each)\s+month)?"
    rf"|(?:the\s+)?(?P<which>{'|'.join(_ORDINALS)})\s+{_DAY.replace('day', 'day2', 1)}s?"
    r"\s+(?:of|in)\s+(?:the|every|each)\s+month)\b",
    re.IGNORECASE,
)
_WEEKLY = re.compile(
    rf"\b(?:(?:every|each)\s+(?:week\s+on\s+)?{_DAY}"
    rf"|weekly\s+on\s+{_DAY.replace('day', 'day2', 1)}s?"
    rf"|on\s+{_DAY.replace('day', 'day3', 1)}s\b)",
    re.IGNORECASE,
)
_RULE = re.compile(r"FREQ=(WEEKLY|MONTHLY);BYDAY=(-1|[1-4])?(MO|TU|WE|TH|FR|SA|SU)")
BELIEVED = timedelta(days=183)
"""So long after it was announced a repeating entry is shown; then somebody has to say it again."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A repetition as it stands in a text, from ``start`` to ``end``."""

    start: int
    end: int
    rule: str


def find_recurrence(text: str) -> Recurrence | None:
    """Return the first repetition a text names."""
    match = _MONTHLY.search(text)
    if match:
        number = _ORDINALS[(match["every"] or match["which"]).lower()]
        code = _CODES[WEEKDAYS.index((match["day"] or match["day2"]).lower())]
        return Recurrence(match.start(), match.end(), f"FREQ=MONTHLY;BYDAY={number}{code}")
    match = _WEEKLY.search(text)
    if match:
        day = match["day"] or match["day2"] or match["day3"]
        code = _CODES[WEEKDAYS.index(day.lower())]
        return Recurrence(match.start(), match.end(), f"FREQ=WEEKLY;BYDAY={code}")
    return None


def is_rule(text: str) -> bool:
    """True for a rule that ``next_on`` understands."""
    match = _RULE.fullmatch(text)
    return match is not None and (match[1] == "MONTHLY") == (match[2] is not None)


def place_in_month(rule: str) -> int:
    """Return which of its weekdays a month's rule means: 1 to 4, or -1 for the last one.

    Raises:
        ValueError: the rule names none.
    """
    match = _RULE.fullmatch(rule)
    if match is None or match[2] is None:
        raise ValueError(f"not a rule of a month: {rule!r}")
    return int(match[2])


def next_on(rule: str, since: date) -> date:
    """Return the first day on or after ``since`` that a rule names."""
    match = _RULE.fullmatch(rule)
    if match is None:
        raise ValueError(f"not a rule of ours: {rule!r}")
    weekday = _CODES.index(match[3])
    if match[2] is None:
        return since + timedelta(days=(weekday - since.weekday()) % 7)
    month = since.replace(day=1)
    while (on := _in_month(month, weekday, int(match[2]))) < since:
        month = (month + timedelta(days=32)).replace(day=1)
    return on


def _in_month(month: date, weekday: int, number: int) -> date:
    if number > 0:
        return month + timedelta(days=(weekday - month.weekday()) % 7 + 7 * (number - 1))
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def rule_in_words(rule: str) -> str:
    """Return a rule as a person says it: "every Tuesday", "every first Tuesday of the month"."""
    match = _RULE.fullmatch(rule)
    if match is None:
        return ""
    day = WEEKDAYS[_CODES.index(match[3])].capitalize()
    if match[2] is None:
        return f"every {day}"
    number = next(word for word, value in _ORDINALS.items() if value == int(match[2]))
    return f"every {number} {day} of the month"
