"""Days in words: the same whatever the machine's language is."""

from __future__ import annotations

import locale
from collections.abc import Iterator
from datetime import date

import pytest

from mailer.almanac import DAYS, MONTHS, day_and_month, long_date, short_date

DAY = date(2026, 11, 30)


@pytest.fixture
def _another_language() -> Iterator[None]:
    before = locale.setlocale(locale.LC_TIME)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_TIME, name)
            break
        except locale.Error:
            continue
    yield
    locale.setlocale(locale.LC_TIME, before)


@pytest.mark.usefixtures("_another_language")
def test_dates_in_words() -> None:
    assert short_date(DAY) == "30 November 2026"
    assert day_and_month(DAY) == "Monday 30 November"
    assert long_date(DAY) == "Monday 30 November 2026"


def test_every_name_has_its_place() -> None:
    assert [date(2026, month, 1).strftime("%B") for month in range(1, 13)] == list(MONTHS)
    assert [date(2026, 11, 30 - 7 + n).strftime("%A") for n in range(7)] == list(DAYS)
