"""Scores: figures that add up and sentences that show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.article import Article
from mailer.selection.scoring import (
    Fit,
    priority_term,
    recency_term,
    region_term,
    section_term,
    sentences,
    total,
)

CUT_OFF = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def article(**changes: object) -> Article:
    values: dict[str, object] = {
        "id": "tide-mill",
        "title": "The tide mill turns again",
        "body_html": "",
        "body_text": "",
        "content_hash": "",
        "first_seen_at": CUT_OFF - timedelta(days=2),
        "published_at": CUT_OFF - timedelta(days=1),
    }
    return Article(**(values | changes))  # type: ignore[arg-type]


def test_recency_shows_its_figures() -> None:
    term = recency_term(article(), until=CUT_OFF, half_life_days=3, weight=1)
    assert term.value == pytest.approx(0.793701)
    assert term.reason == ("recency 0.79: published 1.0 days before the cut-off, half-life 3 days")


def test_recency_is_half_after_one_half_life_and_says_when_undated() -> None:
    term = recency_term(article(published_at=None), until=CUT_OFF, half_life_days=2, weight=0.5)
    assert term.value == 0.25
    assert term.reason == (
        "recency 0.25: undated, first seen 2.0 days before the cut-off, half-life 2 days, "
        "weight 0.5"
    )


def test_a_date_after_the_cut_off_counts_as_new_and_no_more() -> None:
    term = recency_term(
        article(published_at=CUT_OFF + timedelta(days=4)), until=CUT_OFF, half_life_days=3, weight=1
    )
    assert term.value == 1
    assert "4.0 days after the cut-off" in term.reason


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_newer_is_never_worth_less(first: float, second: float) -> None:
    older, newer = max(first, second), min(first, second)
    seen = datetime(2600, 1, 1, tzinfo=UTC)

    def value(days: float) -> float:
        sample = article(published_at=seen - timedelta(days=min(days, 200_000)))
        return recency_term(sample, until=seen, half_life_days=3, weight=1).value

    assert 0 <= value(older) <= value(newer) <= 1


def test_priority_speaks_only_when_somebody_gave_one() -> None:
    assert priority_term(article(), weight=1).reason == ""
    low = priority_term(article(priority=-40), weight=2)
    assert low.value == -0.8
    assert low.reason == "priority -0.80: the editor gave -40 of 100, weight 2"


def test_region_falls_with_every_step_up_the_ladder() -> None:
    own = region_term(Fit("wales", 0), region="wales", names={}, weight=0.5)
    parent = region_term(Fit("west", 1), region="wales", names={}, weight=0.5)
    assert (own.value, parent.value) == (0.5, 0.25)
    assert parent.reason == "region 0.25: it is for west, 1 above wales, weight 0.5"


@pytest.mark.parametrize(
    ("is_named", "filled", "minimum", "value"),
    [
        (True, 0, 0, 0.5),
        (False, 0, 0, 0.0),
        (False, 1, 2, 0.25),
        (True, 0, 2, 1.0),
        (True, 5, 2, 0.5),
    ],
)
def test_section_weighs_the_name_and_the_need(
    is_named: bool, filled: int, minimum: int, value: float
) -> None:
    term = section_term(section="News", is_named=is_named, filled=filled, minimum=minimum, weight=1)
    assert term.value == value
    assert bool(term.reason) == bool(value)


def test_the_weightiest_sentence_comes_first_and_the_sum_is_the_score() -> None:
    terms = (
        priority_term(article(priority=-90), weight=1),
        recency_term(article(), until=CUT_OFF, half_life_days=3, weight=1),
    )
    assert [sentence.split()[0] for sentence in sentences(terms)] == ["priority", "recency"]
    assert total(terms) == pytest.approx(-0.9 + 0.793701)
