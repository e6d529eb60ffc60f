"""Names in two near forms: found across bylines, credits and texts; neighbours are left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailer.editions.checks.check_names import check_names
from tests.browser.sampling import make_articles, make_issue, make_picture

ISSUE = make_issue()
ARTICLES = make_articles()


def near(**changes: dict) -> list[str]:
    articles = dict(ARTICLES)
    for name, change in changes.items():
        articles[name] = replace(articles[name], **change)
    return [hit.message for hit in check_names(ISSUE, articles)]


def test_the_sample_has_no_name_in_two_forms() -> None:
    assert near() == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mary Tolland", "Mary Tollund"),
        ("Ruth Okafor", "Ruth Okafro"),
        ("Ruth Okafor", "Ruth Okaffor"),
        ("Nora Whitfield", "Norah Whitfield"),
        ("Alice Thorne", "Alice Thome"),
        ("Clara Burns", "Dara Burns"),
    ],
)
def test_two_bylines_a_letter_apart_are_found_with_both_places(one: str, other: str) -> None:
    (said,) = near(ferry={"authors": (one,)}, pier={"authors": (other,)}, light={"authors": ()})
    assert one in said
    assert other in said
    assert "author of ferry" in said
    assert "author of pier" in said


def test_a_text_or_a_credit_that_spells_an_author_otherwise_is_found() -> None:
    (said,) = near(pier={"body_text": "It was Mayor Cass Rowann who said so."})
    assert "'Cass Rowann' (text of pier)" in said
    (said,) = near(
        pier={"picture": make_picture("quay", credit="Photograph: Cas Rowan/Cass Rowam")}
    )
    assert "credit in pier" in said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cass Rowan", "Cass Rowan"),
        ("Cass Rowan", "Cass Rowan's"),
        ("Ann Lee", "Anne Lee"),
        ("Ruth Okafor", "John Okafor"),
        ("Ivo Penn", "Ivor Pennant"),
    ],
)
def test_neighbours_are_left_alone(one: str, other: str) -> None:
    text = f"There stood {one}. There stood {other}."
    assert near(ferry={"authors": (), "body_text": text}, pier={"authors": ()}) == []


def test_places_in_texts_are_no_people() -> None:
    text = "From North Quayside to South Quayside, and Harbour Street to Harbour Streets."
    assert near(ferry={"body_text": text}) == []
