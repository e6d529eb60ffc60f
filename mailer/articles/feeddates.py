"""Dates as feeds write them: RFC 822 and ISO 8601, with the mistakes that are common.

Source: RFC 5322 section 3.3 and RFC 3339. A time without a zone is taken as UTC; a date that cannot
be (before the web, or no date at all) is no date.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime

from mailer.articles.fields import moment_of

_FIRST_YEAR = 1990
_LAST_YEAR = 2200
_ZONES = {
    "BST": "+0100",
    "IST": "+0100",
    "WET": "+0000",
    "WEST": "+0100",
    "CET": "+0100",
    "CEST": "+0200",
    "EET": "+0200",
    "EEST": "+0300",
    "MSK": "+0300",
    "Z": "+0000",
}


def moment_in(text: str) -> datetime | None:
    """Return the instant that a feed's date means, aware and in UTC, or None."""
    text = " ".join(text[:80].split())
    if not text:
        return None
    try:
        found = _iso(text) if re.match(r"\d{4}-?\d\d", text) else _mail(text)
        if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _iso(text: str) -> datetime | None:
    if re.fullmatch(r"\d{4}-\d\d", text):
        text += "-01"
    found = moment_of(text.replace("Z", "+00:00"))
    if isinstance(found, date) and not isinstance(found, datetime):
        return datetime.combine(found, time(0), tzinfo=UTC)
    return found


def _mail(text: str) -> datetime | None:
    head, _, zone = text.rpartition(" ")
    if zone.upper() in _ZONES:
        text = f"{head} {_ZONES[zone.upper()]}"
    # "Thursday, 26 November 2026" is not RFC 822, and yet written.
    text = re.sub(r"^([A-Za-z]{3})[a-z]+,", r"\1,", text)
    text = re.sub(r"^(\D{0,6}\d{1,2} [A-Za-z]{3})[a-z]+ ", r"\1 ", text)
    return parsedate_to_datetime(text)
