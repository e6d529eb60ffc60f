"""How often mail comes, as the public pages say it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mailer.languages import load_languages
from mailer.timetable import Schedule
from mailer.web.rhythm import rhythm

DAY = date(2026, 12, 24)


@pytest.mark.parametrize(
    ("schedule", "english", "german"),
    [
        ({}, "once a week", "einmal in der Woche"),
        ({"send_day": ["mon", "thu"]}, "2 times a week", "2-mal in der Woche"),
        (
            {"repeats": "fortnightly", "starts_on": DAY},
            "once every two weeks",
            "alle zwei Wochen",
        ),
        ({"repeats": "monthly"}, "once a month", "einmal im Monat"),
        (
            {"repeats": "monthly", "week": ["first", "third"]},
            "2 times a month",
            "2-mal im Monat",
        ),
        ({"repeats": "dates", "dates": [DAY]}, "on announced days", "an angekündigten Tagen"),
        (
            {"dates": [DAY]},
            "once a week and on some other days",
            "einmal in der Woche und an einigen weiteren Tagen",
        ),
    ],
)
def test_a_page_says_how_often_mail_comes(
    schedule: dict[str, Any], english: str, german: str
) -> None:
    languages = load_languages()
    found = Schedule.model_validate(schedule)
    assert rhythm(found, languages.words("en")) == english
    assert rhythm(found, languages.words("de")) == german
