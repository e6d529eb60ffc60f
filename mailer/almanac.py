"""The names of days and months, written out.

``strftime`` would follow the machine's language; what is read in articles and written to readers
and editors must not.
"""

from __future__ import annotations

from datetime import date

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)


def short_date(day: date) -> str:
    """Return ``30 November 2026``."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def long_date(day: date) -> str:
    """Return ``Monday 30 November 2026``."""
    return f"{day_and_month(day)} {day.year}"


def day_and_month(day: date) -> str:
    """Return ``Friday 4 December``."""
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
