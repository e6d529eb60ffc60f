"""Dates in texts: found, given their year, and told apart from what is past."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.dating import (
    find_dates,
    find_deadline,
    find_time,
    find_times,
    resolve,
    sentences_of,
)
from mailer.articles.diary import happenings_in_advert, happenings_in_text, merge

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on Saturday 10 June", (10, 6, None, 5)),
        ("23rd October 2026", (23, 10, 2026, None)),
        ("the 1st of May", (1, 5, None, None)),
        ("Dec 12, 2026", (12, 12, 2026, None)),
        ("2026-12-12", (12, 12, 2026, None)),
        ("SATURDAY 10 JUNE", (10, 6, None, 5)),
    ],
)
def test_dates_are_found(text: str, expected: tuple[int, int, int | None, int | None]) -> None:
    (found,) = find_dates(text)
    assert (found.day, found.month, found.year, found.weekday) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5–7 December", [(5, 7, 12)]),
        ("5 to 7 December 2026", [(5, 7, 12)]),
        ("Friday 4 to Sunday 6 December", [(4, 6, 12)]),
        ("from 28 November until 2 December", [(28, 2, 12)]),
        ("5 and 6 December", [(5, 6, 12)]),
        ("5 and 12 December", [(5, 0, 0), (12, 0, 0)]),
        ("12 December and 3 January", [(12, 0, 0), (3, 0, 0)]),
        ("7-5 December", [(5, 0, 0)]),
    ],
)
def test_days_in_a_row_are_one_date(text: str, expected: list[tuple[int, int, int]]) -> None:
    assert [(d.day, d.last_day, d.last_month) for d in find_dates(text)] == expected


def test_a_range_over_the_new_year_ends_in_the_next() -> None:
    (written,) = find_dates("28 December to 3 January")
    answer = resolve(written, reference=TODAY, today=TODAY)
    assert answer is not None
    assert (answer[0], written.last_after(answer[0])) == (date(2026, 12, 28), date(2027, 1, 3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7.30–9pm", (time(19, 30), time(21))),
        ("7pm to 9.15 p.m.", (time(19), time(21, 15))),
        ("11–3pm", (time(11), time(15))),
        ("from 18:00 until 20:00", (time(18), time(20))),
        ("noon to 2pm", (time(12), time(14))),
        ("at 19.30 sharp", (time(19, 30), None)),
        ("it cost 19.30", (None, None)),
        ("5–7 December", (None, None)),
        ("doors 7pm, music 8pm", (time(19), None)),
    ],
)
def test_hours_have_an_end_where_one_is_written(
    text: str, expected: tuple[time | None, time | None]
) -> None:
    assert find_times(text) == expected


@pytest.mark.parametrize(
    "text", ["May I", "10 may come", "3 march on", "45 June", "by 2015", "1 in 2"]
)
def test_what_is_no_date(text: str) -> None:
    assert find_dates(text) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at 12pm", time(12)),
        ("7.30pm", time(19, 30)),
        ("12am", time(0)),
        ("19:05", time(19, 5)),
        ("noon", time(12)),
        ("25:00", None),
        ("13pm", None),
    ],
)
def test_times(text: str, expected: time | None) -> None:
    assert find_time(text) == expected


@pytest.mark.parametrize(
    ("text", "reference", "expected"),
    [
        ("13 May", date(2023, 3, 1), date(2023, 5, 13)),
        ("9 January", date(2026, 11, 20), date(2027, 1, 9)),
        ("1 February", date(2023, 3, 1), date(2023, 2, 1)),
        ("12 December", None, date(2026, 12, 12)),
        ("1 February", None, date(2027, 2, 1)),
        ("Friday 16 October", None, date(2026, 10, 16)),
        ("Saturday 5 December", None, date(2026, 12, 5)),
    ],
)
def test_the_year_is_inferred_and_said(text: str, reference: date | None, expected: date) -> None:
    answer = resolve(find_dates(text)[0], reference=reference, today=TODAY)
    assert answer is not None
    assert answer[0] == expected
    assert [flag.code for flag in answer[1]] == ["year-inferred"]


def test_a_wrong_weekday_is_flagged_and_a_wrong_day_is_no_date() -> None:
    wrong = resolve(find_dates("Monday 12 December 2026")[0], reference=None, today=TODAY)
    assert wrong is not None
    assert [flag.code for flag in wrong[1]] == ["weekday-mismatch"]
    assert resolve(find_dates("30 February 2026")[0], reference=None, today=TODAY) is None


@given(st.dates(date(1990, 1, 1), date(2080, 1, 1)), st.integers(-44, 300))
def test_a_day_near_its_piece_gets_the_right_year(reference: date, ahead: int) -> None:
    day = date.fromordinal(reference.toordinal() + ahead)
    written = find_dates(f"{day:%A} {day.day} {day:%B}")[0]
    answer = resolve(written, reference=reference, today=TODAY)
    # 29 February exists in few years; every other day near by is found again.
    assert answer is not None
    assert answer[0] == day


@given(st.text(max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    for written in find_dates(text):
        resolve(written, reference=None, today=TODAY)
    find_time(text)
    happenings_in_text(text, reference=None, today=TODAY)
    find_deadline(sentences_of(text), reference=TODAY, today=TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "Thousands were out on 1 December and again on 15 December.",
        "The meeting on 3 December was full.",
        "By 12 December the strike had ended.",
        "The school was built on 4 December 1911.",
        "She was born on 5 December, on a boat.",
        "Book before 9 December for the concert.",
        "The mood on 1 and 28 October was incredible.",
        "The rally on 20 November drew hundreds.",
    ],
)
def test_what_is_not_announced_is_no_happening(text: str) -> None:
    assert happenings_in_text(text, reference=date(2026, 11, 27), today=TODAY) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            "A public meeting will be at the Corn Exchange, Ely on Saturday 12 December at 7pm.",
            "the Corn Exchange, Ely",
        ),
        (
            "At the Corn Exchange, Ely, on Saturday 12 December there will be a public meeting.",
            "the Corn Exchange, Ely",
        ),
        (
            "A public meeting will be held in the Parish Hall, March on 12 December at 7pm.",
            "the Parish Hall, March",
        ),
        ("Public meeting, Parish Hall, March, Saturday 12 December, 7pm.", "Parish Hall, March"),
        ("There will be a fair on 12 December, as in March and April.", ""),
        ("There will be a fair on Saturday 12 December, Ada Marsh said.", ""),
        ("Readers in Ely will hold a fair on 12 December.", ""),
    ],
)
def test_where_it_is(text: str, place: str) -> None:
    (found,) = happenings_in_text(text, reference=TODAY, today=TODAY)
    assert found.place == place


@pytest.mark.parametrize("line", ["Parish Hall, March", "PARISH HALL, MARCH"])
def test_an_advert_is_held_in_a_town_called_like_a_month(line: str) -> None:
    for title, noun in (("COFFEE MORNING", ""), ("MARCH FOR THE BUS", "march")):
        (found,) = happenings_in_advert(
            title, [line, "Saturday 12 December"], reference=TODAY, today=TODAY, vocabulary={}
        )
        assert (found.title, found.noun) == (title.capitalize(), noun)
        assert found.place == "Parish Hall, March"


@pytest.mark.parametrize(
    ("text", "title", "at", "place"),
    [
        (
            "There will be a public meeting on 3 December at 7pm in Chapel Hall.",
            "Public meeting",
            time(19),
            "Chapel Hall",
        ),
        (
            "The union calls a march against the cuts on Saturday 5 December, 11am, Quay Gate.",
            "March against the cuts",
            time(11),
            "Quay Gate",
        ),
        ("Save the date: the 12 December winter fair.", "Winter fair", None, ""),
    ],
)
def test_what_is_announced(text: str, title: str, at: time | None, place: str) -> None:
    (found,) = happenings_in_text(text, reference=date(2026, 11, 27), today=TODAY)
    assert (found.title, found.at, found.place) == (title, at, place)
    assert "found-in-text" in [flag.code for flag in found.flags]


def test_what_lasts_several_days_counts_until_the_last() -> None:
    text = "The winter fair takes place from 24 November to 3 December in Chapel Hall, 10am to 4pm."
    (found,) = happenings_in_text(text, reference=date(2026, 11, 27), today=TODAY)
    assert (found.on, found.until) == (date(2026, 11, 24), date(2026, 12, 3))
    assert (found.at, found.ends_at) == (time(10), time(16))


def test_what_repeats_is_announced_with_its_hour() -> None:
    text = (
        "Everybody is welcome at the chapel choir workshop, every first Tuesday at 7pm in Net Loft."
    )
    (found,) = happenings_in_text(text, reference=date(2026, 11, 27), today=TODAY)
    assert (found.title, found.on, found.at) == (
        "Chapel choir workshop",
        date(2026, 12, 1),
        time(19),
    )
    assert found.repeats == "FREQ=MONTHLY;BYDAY=1TU"
    assert "repeats" in [flag.code for flag in found.flags]


@pytest.mark.parametrize(
    "text",
    [
        "The market is closed every Monday.",
        "She was at the workshop every Tuesday at 7pm.",
        "We are open every Tuesday at 7pm.",
    ],
)
def test_habits_are_no_happenings(text: str) -> None:
    assert happenings_in_text(text, reference=TODAY, today=TODAY) == []


def test_an_undated_text_needs_a_clear_announcement() -> None:
    vague = "The 12 December demonstration matters."
    assert happenings_in_text(vague, reference=None, today=TODAY) == []
    assert happenings_in_text(f"{vague[:-8]} will matter.", reference=None, today=TODAY) != []


def test_one_occasion_announced_thrice_is_one_entry() -> None:
    text = (
        "The harbour assembly on 12 December will be long. Book for the 12 December assembly. "
        "There will be a quiz on 12 December too."
    )
    advert = happenings_in_advert(
        "COME TO THE HARBOUR ASSEMBLY",
        ["SATURDAY 12 DECEMBER", "NET LOFT, QUAY STREET", "Book: https://a.example/b"],
        reference=TODAY,
        today=TODAY,
        vocabulary={},
    )
    assembly, quiz = merge(
        [*happenings_in_text(text, reference=TODAY, today=TODAY, piece=3), *advert]
    )
    assert (assembly.title, assembly.place, assembly.url, assembly.piece) == (
        "Harbour assembly",
        "Net Loft, Quay Street",
        "https://a.example/b",
        3,
    )
    assert quiz.title == "Quiz"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Join the club by Friday 4 December.", date(2026, 12, 4)),
        ("Please send your entries no later than 7 December.", date(2026, 12, 7)),
        ("The deadline for applications is 9 December 2026.", date(2026, 12, 9)),
        ("Nominations must reach us by noon on 8 December.", date(2026, 12, 8)),
        ("By 4 December the harbour was frozen.", None),
        ("You can see it on 4 December.", None),
        ("Join us by the sea.", None),
    ],
)
def test_deadlines(text: str, expected: date | None) -> None:
    found = find_deadline(sentences_of(text), reference=TODAY, today=TODAY)
    assert (found[0] if found else None) == expected


def test_a_second_deadline_is_flagged() -> None:
    found = find_deadline(
        ["Join by 4 December.", "Send your form by 9 December."], reference=TODAY, today=TODAY
    )
    assert found is not None
    assert "deadline-unclear" in [flag.code for flag in found[1]]


@pytest.mark.parametrize(
    ("text", "day", "month"),
    [
        ("5 \u017feptember", 5, 9),
        ("5 Augu\u017ft", 5, 8),
        ("Fr\u0131day 5 June", 5, 6),
        ("FR\u0130DAY 5 JUNE", 5, 6),
        ("\u017funday 7 June", 7, 6),
    ],
)
def test_old_and_foreign_letters_are_no_fault(text: str, day: int, month: int) -> None:
    (written,) = find_dates(text)
    assert (written.day, written.month) == (day, month)
