"""Every decision speaks in sentences with figures, and its terms add up to its score."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailer.articles.article import Article
from mailer.policies import SelectionPolicy
from mailer.publication import Section
from mailer.selection.ranking import SelectionContext, propose

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def _article(number: int) -> Article:
    return Article(
        id=f"piece-{number}",
        title=f"Piece {number}",
        body_html="",
        body_text="",
        content_hash="",
        first_seen_at=NOW - timedelta(days=number),
        published_at=NOW - timedelta(days=number),
        priority=20 * number,
        section="news" if number % 2 else "",
        regions=("wales",) if number == 4 else (),
    )


PROPOSAL = propose(
    [_article(number) for number in range(1, 10)],
    sections=(Section(slug="news", title="News", quota=3, minimum=2, takes_any=True),),
    policy=SelectionPolicy(),
    ladders={"national": ("national",), "wales": ("wales", "national")},
    context=SelectionContext(
        issue_id="2026-11-30", now=NOW, window_from=NOW - timedelta(days=7), window_until=NOW
    ),
)


def test_the_terms_add_up_to_the_score() -> None:
    for decision in PROPOSAL.decisions:
        assert sum(decision.terms.values()) == pytest.approx(decision.score)


def test_a_choice_says_its_place_and_its_figures() -> None:
    first = PROPOSAL.decisions[0]
    assert (first.article_id, first.block, first.rank) == ("piece-7", "news", 1)
    assert first.reasons == (
        "chosen from 6 stories offered to News: place 1 of 3",
        "priority 1.40: the editor gave 140 of 100",
        "section 0.50: it names News, and News still wants 2 of at least 2, weight 0.5",
        "recency 0.20: published 7.0 days before the cut-off, half-life 3 days",
        "length 0.00: 0 words, fewer than 120, weight 0.2",
    )


def test_choices_come_in_reading_order_and_rejections_best_first() -> None:
    chosen = [d for d in PROPOSAL.decisions if d.is_chosen]
    rejected = [d for d in PROPOSAL.decisions if not d.is_chosen]
    assert list(PROPOSAL.decisions) == chosen + rejected
    assert [(d.block, d.rank) for d in chosen] == [
        ("news", 1),
        ("news", 2),
        ("news", 3),
        ("region:wales", 1),
    ]
    assert [d.score for d in rejected] == sorted((d.score for d in rejected), reverse=True)


def test_a_story_seen_too_early_is_told_by_how_much() -> None:
    [decision] = [d for d in PROPOSAL.decisions if d.article_id == "piece-9"]
    assert decision.reasons[0] == (
        "left out: first seen 2026-11-18 12:00 UTC, 2.0 days before the window opened "
        "2026-11-20 12:00 UTC"
    )


def test_only_full_sentences_on_one_line() -> None:
    for decision in PROPOSAL.decisions:
        for reason in decision.reasons:
            assert "\n" not in reason
            assert reason == reason.strip() != ""
