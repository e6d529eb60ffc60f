"""What changed between two versions of an issue, in an editor's words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.issues.difference import Change, Version, compare, word_pieces
from mailer.issues.issue import Issue, Pick, RegionBlock
from tests.browser.sampling import make_articles, make_issue

ARTICLES = make_articles()
ISSUE = make_issue()


def changes(before: Issue, after: Issue, **articles) -> list[Change]:
    return compare(Version(before, ARTICLES), Version(after, ARTICLES | articles))


def kinds(found: list[Change]) -> list[str]:
    return [change.kind for change in found]


def news(*ids: str) -> Issue:
    return replace(ISSUE, sections={"news": tuple(Pick(name) for name in ids)}, regions={})


def test_the_same_issue_has_not_changed() -> None:
    assert changes(ISSUE, ISSUE) == []


def test_a_story_at_the_top_moves_none_of_the_rest() -> None:
    found = changes(news("a", "b", "c"), news("x", "a", "b", "c"))
    assert [(c.kind, c.what, c.detail) for c in found] == [("added", "x", "as number 1")]


def test_of_a_swap_only_what_changed_its_number_moved() -> None:
    found = changes(news("a", "b", "c"), news("c", "b", "a"))
    assert kinds(found) == ["moved", "moved"]
    assert {c.what for c in found} == {"a", "c"}


def test_a_story_that_leaves_is_dropped_and_one_that_changes_blocks_is_moved() -> None:
    after = replace(news("a"), regions={"wales": RegionBlock(picks=(Pick("b"),))})
    (moved, dropped) = changes(news("a", "b", "c"), after)
    assert (moved.kind, moved.what) == ("moved", "b")
    assert moved.detail == "from news, number 2, to region:wales, number 1"
    assert (dropped.kind, dropped.what) == ("dropped", "c")


def test_the_words_of_a_story_headline_and_standfirst() -> None:
    name = next(iter(ISSUE.sections["lead"])).article_id
    article = ARTICLES[name]
    after = replace(
        article,
        title="Another title",
        standfirst="Another standfirst.",
        body_text=article.body_text.replace("Tuesday", "Wednesday"),
        url="https://tidewater.example/elsewhere",
        authors=("Cass Rowan",),
    )
    found = changes(ISSUE, ISSUE, **{name: after})
    assert kinds(found) == ["headline", "standfirst", "reworded", "link", "byline"]
    reworded = found[2]
    assert ("-", "Tuesday.") in reworded.words
    assert ("+", "Wednesday.") in reworded.words


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"subject": "Another"}, "subject"),
        ({"preheader": ""}, "preheader"),
        ({"opening": "Another opening altogether."}, "opening"),
        ({"quote": "Other words."}, "quote"),
        ({"quote_source": "Somebody"}, "quote"),
        ({"number": 99}, "number"),
        ({"audience": 'name = "Ada"'}, "audience"),
        ({"diary": ("walk", "supper")}, "diary"),
        ({"regions": {"wales": RegionBlock(note="A new note.")}}, "region note"),
    ],
)
def test_every_other_part_has_a_name(change: dict, kind: str) -> None:
    assert any(found.kind.startswith(kind) for found in changes(ISSUE, replace(ISSUE, **change)))


def test_white_space_is_no_change_of_a_text() -> None:
    after = replace(ISSUE, opening=ISSUE.opening.replace(" ", "\n"))
    assert changes(ISSUE, after) == []


def test_sections_come_and_go() -> None:
    before = news("a")
    after = replace(before, sections={"news": (), "culture": (Pick("a"),)})
    assert kinds(changes(before, after)) == ["section added", "section dropped", "moved"]


ORDERS = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(ORDERS, ORDERS)
def test_every_story_is_accounted_for_once(before: list[str], after: list[str]) -> None:
    found = [c for c in changes(news(*before), news(*after)) if "section" not in c.kind]
    assert {c.what for c in found if c.kind == "added"} == set(after) - set(before)
    assert {c.what for c in found if c.kind == "dropped"} == set(before) - set(after)
    moved = {c.what for c in found if c.kind == "moved"}
    left = [name for name in before if name in after and name not in moved]
    assert left == [name for name in after if name in before and name not in moved]


WORDS = st.lists(st.sampled_from(["the", "tide", "came", "in", "late"])).map(" ".join)


@given(WORDS, WORDS)
def test_pieces_make_both_texts(was: str, now: str) -> None:
    pieces = word_pieces(was, now)
    assert " ".join(t for sign, t in pieces if sign != "+").split() == was.split()
    assert " ".join(t for sign, t in pieces if sign != "-").split() == now.split()
