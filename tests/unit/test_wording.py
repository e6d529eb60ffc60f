"""What a mail says by itself: in English as the house writes it, elsewhere as CLDR does."""

from __future__ import annotations

from datetime import date, time

import pytest

from mailer.articles.article import Kind
from mailer.editions.edition import GREETINGS, greeting
from mailer.editions.wording import Wording
from mailer.languages import Languages, load_languages

FRIDAY = date(2026, 12, 4)


@pytest.fixture(scope="module")
def languages() -> Languages:
    return load_languages(of_mail=True)


@pytest.fixture(scope="module")
def english(languages: Languages) -> Wording:
    return Wording(languages.spoken("en-GB"))


def test_hours_as_the_house_writes_them(english: Wording) -> None:
    hours = [time(0, 0), time(9, 5), time(12, 0), time(12, 30), time(19, 0)]
    said = [english.clock_time(at) for at in hours]
    assert said == ["midnight", "9.05am", "noon", "12.30pm", "7pm"]


def test_bylines(english: Wording) -> None:
    assert english.by(english.names([])) == ""
    assert english.names(["A"]) == "A"
    assert english.names(["A", " ", "B"]) == "A and B"
    assert english.by(english.names(["A", "B", "C"])) == "By A, B and C"


def test_a_word_is_said_only_where_it_says_something(english: Wording) -> None:
    assert (english.minutes(1), english.minutes(4)) == ("", "4 min read")
    assert (english.label(Kind.NEWS), english.label(Kind.CALL)) == ("", "Call")
    assert [english.both(*two) for two in (("a", "b"), ("a", ""), ("", "b"))] == ["a, b", "a", "b"]


@pytest.mark.parametrize(
    ("tag", "day", "month", "hour", "names", "keep"),
    [
        ("en-GB", "Friday 4 December", "Dec", "7.30pm", "A and B", "Add 4 December at 7.30pm to"),
        ("en-US", "Friday, December 4", "Dec", "7:30 PM", "A and B", "Add December 4 at 7:30"),
        ("de", "Freitag, 4. Dezember", "Dez", "19:30", "A und B", "In den Kalender: 4. Dezember"),
        ("ar", "الجمعة، 4 ديسمبر", "ديسمبر", "7:30 م", "A وB", "أضف إلى تقويمك: 4 ديسمبر"),
        # No catalogue: its own dates, English sentences.
        ("fr", "vendredi 4 décembre", "déc", "19:30", "A et B", "Add 4 décembre at 19:30 to"),
    ],
)
def test_days_hours_and_names_are_the_languages_own(
    languages: Languages, tag: str, day: str, month: str, hour: str, names: str, keep: str
) -> None:
    wording = Wording(languages.spoken(tag))
    assert wording.words.tag == tag
    assert wording.day_and_month(FRIDAY) == day
    assert wording.month(FRIDAY) == month
    assert " ".join(wording.clock_time(time(19, 30)).split()) == hour
    assert wording.names(["A", "B"]) == names
    assert wording.keep(wording.moment(FRIDAY, hour)).startswith(keep)


def test_a_rule_is_said_in_every_language(languages: Languages) -> None:
    said = [
        [Wording(languages.spoken(tag)).repeats(rule, FRIDAY) for tag in ("en", "de", "ar")]
        for rule in ("FREQ=WEEKLY;BYDAY=FR", "FREQ=MONTHLY;BYDAY=1FR", "")
    ]
    assert said == [
        ["every Friday", "jeden Freitag", "كل الجمعة"],
        [
            "every first Friday of the month",
            "jeden ersten Freitag im Monat",
            "يوم الجمعة الأول من كل شهر",
        ],
        ["", "", ""],
    ]


@pytest.mark.parametrize("tag", ["en", "en-US", "de", "ar"])
def test_the_weeks_of_a_month_are_told_apart(languages: Languages, tag: str) -> None:
    wording = Wording(languages.spoken(tag))
    said = {wording.repeats(f"FREQ=MONTHLY;BYDAY={n}FR", FRIDAY) for n in (1, 2, 3, 4, -1)}
    assert len(said) == 5
    assert all(wording.weekday(FRIDAY) in each for each in said)


def test_greetings_take_a_name_whatever_stands_in_it(languages: Languages) -> None:
    german = Wording(languages.spoken("de")).greetings
    assert greeting("Ada", german) == "Guten Tag Ada,"
    assert greeting(" ", german) == "Guten Tag,"
    assert greeting("100 %(x)s", GREETINGS) == "Dear 100 %(x)s,"


def test_pages_do_not_offer_a_language_of_the_mail_alone(languages: Languages) -> None:
    assert "ar" in languages.tags
    assert load_languages().tags == ("en", "de")
    assert languages.spoken("ar").direction == "rtl"
