"""Twelve labelled weeks are chosen as their labels say, whatever the order articles came in."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.articles.article import Article, Document
from mailer.articles.library import Library
from mailer.articles.traits import Traits
from mailer.clock import FixedClock
from mailer.selection.reasons import Proposal
from mailer.storage.database import open_database
from tests.weeks import PLACER, Week, broken_labels, choose_all, traits, weeks


def in_order(shuffler: random.Random | None) -> list[Proposal]:
    def stocked(week: Week, had: set[str]) -> tuple[Iterable[Article], dict[str, Traits]]:
        articles = list(week.articles)
        articles += [each for other in weeks() for each in other.articles if each.id in had]
        if shuffler is not None:
            shuffler.shuffle(articles)
        return articles, {each.id: traits(each) for each in articles}

    return choose_all(stocked)


@cache
def chosen() -> list[Proposal]:
    return in_order(None)


@pytest.mark.parametrize("number", range(12))
def test_a_week_is_chosen_as_its_labels_say(number: int) -> None:
    assert broken_labels(weeks()[number], chosen()[number]) == []


def test_no_list_gets_a_story_twice_in_twelve_weeks() -> None:
    had: set[tuple[str, str]] = set()
    for proposal in chosen():
        everywhere = [i for ids in proposal.sections.values() for i in ids]
        for region in ("national", "north", "hull", "west", "wales", "thames", "kent"):
            edition = {(region, i) for i in (*everywhere, *proposal.regions.get(region, ()))}
            assert not edition & had
            had |= edition


def test_every_label_names_an_article_of_its_week() -> None:
    for week in weeks():
        known = {article.id for article in week.articles}
        labels = week.labels
        named = {
            name
            for block, ids in labels.get("must_pick", {}).items()
            if block != "lent"
            for name in ids
        }
        named |= set(labels.get("must_not", {}).get("rule", {}))
        named |= {n for story in labels.get("one_story", ()) for n in story["others"]}
        assert named <= known, week.number


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_articles_plays_no_part(shuffler: random.Random) -> None:
    assert in_order(shuffler) == chosen()


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_nor_does_the_order_of_taking_them_in(
    tmp_path_factory: pytest.TempPathFactory, shuffler: random.Random
) -> None:
    root: Path = tmp_path_factory.mktemp("weeks")
    clock = FixedClock(weeks()[0].cut_off - timedelta(days=14))
    database = open_database("sqlite:///weeks.db", root=root)
    library = Library(database, clock, PLACER)

    def stocked(week: Week, had: set[str]) -> tuple[Iterable[Article], dict[str, Traits]]:
        late = timedelta(days=7)
        old = [a for a in week.articles if a.first_seen_at < week.cut_off - late]
        fresh = [a for a in week.articles if a not in old]
        shuffler.shuffle(fresh)
        for start, articles in (
            (week.window_from - timedelta(hours=1), old),
            (week.cut_off - late, fresh),
        ):
            clock.set(start)
            for article in articles:
                library.keep(Document(f"articles/{article.id}.md", articles=(article,)))
                clock.sleep(60)
        found, known = library.considered(since=week.window_from, until=week.cut_off, had=had)
        # What is too old is not even looked at; its label wants to hear so.
        return [*found, *old], known | {each.id: traits(each) for each in old}

    try:
        proposals = choose_all(stocked)
    finally:
        database.close()
    for week, proposal in zip(weeks(), proposals, strict=True):
        assert broken_labels(week, proposal) == []
