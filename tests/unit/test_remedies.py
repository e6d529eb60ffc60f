"""What is said to have been lacking is what was lacking: done, it gives the place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.articles.article import Article, Picture
from mailer.policies import SelectionPolicy, Weights
from mailer.publication import Section
from mailer.selection.filtering import SelectionContext
from mailer.selection.ranking import propose
from mailer.selection.reasons import Decision, Likeness, Proposal
from mailer.selection.remedies import remedy

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SECTIONS = (
    Section(slug="lead", title="Lead", quota=1, takes_any=True),
    Section(slug="news", title="News", quota=2),
)
LADDERS = {"national": ("national",), "wales": ("wales", "national")}
POLICY = SelectionPolicy(region_quota=1, per_author=9)
CONTEXT = SelectionContext("2026-11-30", NOW, NOW - timedelta(days=7), NOW)
SUBJECTS = ("ferries", "quarries", "orchards", "lanterns", "harbours", "weavers", "trams", "bells")


def article(number: int, hours: int, priority: int, region: str) -> Article:
    subject = SUBJECTS[number % len(SUBJECTS)]
    words = " ".join(f"{subject}{number}-{at}" for at in range(40))
    return Article(
        id=f"a{number}",
        title=f"{subject.title()} number {number}",
        body_html=f"<p>{words}</p>",
        body_text=words,
        content_hash=f"{number:064d}",
        first_seen_at=NOW - timedelta(hours=hours),
        standfirst="A standfirst.",
        authors=(f"Author {number}",),
        section="news",
        priority=priority,
        regions=(region,) if region else (),
        picture=Picture(src="images/x.jpg", alt="x", credit="x"),
    )


def choose(articles: list[Article], weights: Weights = POLICY.weights) -> Proposal:
    policy = POLICY.model_copy(update={"weights": weights})
    return propose(articles, sections=SECTIONS, policy=policy, ladders=LADDERS, context=CONTEXT)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 160), st.integers(-40, 40), st.sampled_from(("", "", "", "wales"))
        ),
        min_size=4,
        max_size=8,
    ),
    st.sampled_from((0.5, 1.0, 2.0)),
)
def test_the_priority_that_is_named_gives_a_place(
    given_: list[tuple[int, int, str]], weight: float
) -> None:
    articles = [article(number, *each) for number, each in enumerate(given_)]
    weights = POLICY.weights.model_copy(update={"priority": weight})
    before = choose(articles, weights)
    placed = {decision.article_id for decision in before.decisions if decision.is_chosen}
    for decision in before.decisions:
        piece = next(each for each in articles if each.id == decision.article_id)
        said = remedy(decision, priority=piece.priority, weight=weight)
        assert bool(said) is not decision.is_chosen
        if piece.id in placed or "a priority of " not in said:
            continue
        wanted = int(said.partition("a priority of ")[2].split()[0])
        assert piece.priority < wanted <= 100
        raised = [
            each if each.id != piece.id else replace(piece, priority=wanted) for each in articles
        ]
        after = choose(raised, weights)
        assert piece.id in {each.article_id for each in after.decisions if each.is_chosen}


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (Decision("a", "news", True, rank=1), ""),
        (Decision("a", "", False, rule="draft"), "being finished"),
        (Decision("a", "", False, rule="window"), "by itself it does not come up again"),
        (Decision("a", "", False, rule="too-new"), "the next issue looks at it by itself"),
        (Decision("a", "", False, rule="already-sent"), "follow_up: true"),
        (
            Decision("a", "", False, rule="twin", nearest=Likeness("b", "title", 1.0)),
            "ranking above b",
        ),
        (Decision("a", "lead", False, rule="no-picture"), "a picture"),
        (Decision("a", "news", False, rule="something-new"), "a pin"),
        (
            Decision("a", "news", False, score=0.5, rule="quota", needed=0.75),
            "0.25 more: a priority of 36 instead of 10",
        ),
        (
            Decision("a", "news", False, score=0.5, rule="quota", needed=1.75),
            "no priority gives; a pin",
        ),
    ],
)
def test_what_is_said(decision: Decision, said: str) -> None:
    found = remedy(decision, priority=10, weight=1.0)
    assert said in found
    assert bool(found) is bool(said)


def test_where_priority_counts_for_nothing_a_pin_is_all() -> None:
    decision = Decision("a", "news", False, score=0.5, rule="quota", needed=0.75)
    assert "priority counts for nothing" in remedy(decision, priority=0, weight=0)
