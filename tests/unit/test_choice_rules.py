"""Caps and wants, variety and freshness, which twin stays, and the ladder of thin regions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from mailer.articles.article import Article, Kind
from mailer.articles.placing import Placer
from mailer.articles.traits import traits_of
from mailer.policies import KINDS, Limit, SelectionPolicy
from mailer.publication import Section
from mailer.selection.ranking import SelectionContext, propose
from mailer.selection.reasons import Decision, Proposal

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SECTIONS = (
    Section(slug="news", title="News", quota=3, takes_any=True),
    Section(slug="culture", title="Culture", quota=1),
)
LADDERS = {
    "national": ("national",),
    "north": ("north", "national"),
    "leeds": ("leeds", "north", "national"),
    "cardiff": ("cardiff", "national"),
}
PLACER = Placer({"north": ("Yorkshire",), "leeds": ("Leeds",), "cardiff": ("Cardiff",)})
CONTEXT = SelectionContext(
    issue_id="2026-11-30",
    now=NOW,
    window_from=NOW - timedelta(days=7),
    window_until=NOW,
    names={"leeds": "Leeds and Wakefield"},
    nation_of=lambda slug: "Wales" if slug == "cardiff" else "England",
)


def article(id_: str, *, days: float = 1, text: str = "", **changes: Any) -> Article:
    seen = NOW - timedelta(days=days)
    values: dict[str, Any] = {
        "title": f"The tale of {id_}",
        "body_html": "",
        "body_text": text or " ".join(f"{id_}{n}" for n in range(130)),
        "content_hash": "",
        "first_seen_at": seen,
        "published_at": seen,
    }
    return Article(id=id_, **(values | changes))


def choose(*articles: Article, context: SelectionContext = CONTEXT, **policy: Any) -> Proposal:
    return propose(
        articles,
        sections=SECTIONS,
        policy=SelectionPolicy(**policy),
        ladders=LADDERS,
        context=context,
        traits={each.id: traits_of(each, PLACER) for each in articles},
    )


def decision(proposal: Proposal, article_id: str, block: str = "") -> Decision:
    [found] = [
        each
        for each in proposal.decisions
        if each.article_id == article_id and (not block or each.block == block)
    ]
    return found


# Caps and wants


def test_the_kinds_of_a_limit_are_the_kinds_of_articles() -> None:
    assert set(KINDS) == {kind.value for kind in Kind}


def test_a_limit_caps_one_source_and_leaves_the_others_to_the_rule_for_all() -> None:
    wire = [article(f"w{n}", source="The Wire", priority=50) for n in range(3)]
    own = [article(f"o{n}", source="Our Own") for n in range(3)]
    limits = (Limit(source="the  wire", at_most=1),)
    proposal = choose(*wire, *own, limits=limits)
    assert proposal.sections["news"] == ("w0", "o0", "o1")
    left = decision(proposal, "w1", "news")
    assert left.rule == "source"
    assert left.needed == decision(proposal, "w0").score


def test_what_a_limit_wants_has_a_place_kept() -> None:
    news = [article(f"n{n}", priority=50) for n in range(4)]
    talk = [article(f"i{n}", kind=Kind.INTERVIEW, days=6 + n / 10) for n in range(2)]
    assert "i0" not in choose(*news, *talk).sections["news"]
    proposal = choose(*news, *talk, limits=(Limit(kind="interview", at_least=1),))
    assert proposal.sections["news"] == ("n0", "i0", "n1")
    assert "; 1 by kind interview are wanted" in decision(proposal, "i0", "news").reasons[0]


def test_nothing_is_wanted_of_what_there_is_not() -> None:
    limits = (Limit(author="Ada Finch", at_least=2), Limit(kind="review", at_most=0))
    proposal = choose(article("a"), article("r", kind=Kind.REVIEW), limits=limits)
    assert proposal.sections["news"] == ("a",)
    assert "left out: kind review is 0" in decision(proposal, "r", "news").reasons


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"at_most": 1}, "exactly one"),
        ({"kind": "news", "source": "A", "at_most": 1}, "exactly one"),
        ({"kind": "novel", "at_most": 1}, "use one of news"),
        ({"kind": "news"}, "limits nothing"),
        ({"kind": "news", "at_least": 3, "at_most": 2}, "more than at_most"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(limit: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Limit(**limit)


# Source and length


def test_a_source_counts_as_the_publication_says() -> None:
    context = replace(CONTEXT, source_weights={"the wire": 0.5, "the lamp": 2.0})
    proposal = choose(
        article("w", source="The Wire"),
        article("l", source="The  LAMP"),
        article("n", source="Nobody"),
        context=context,
    )
    assert proposal.sections["news"] == ("l", "n", "w")
    assert decision(proposal, "l").terms["source"] == 0.3
    assert "source -0.15: The Wire counts 0.5, 1 is usual, weight 0.3" in (
        decision(proposal, "w").reasons
    )


@pytest.mark.parametrize(("words", "value"), [(0, 0.0), (60, 0.1), (120, 0.2), (3600, 0.1)])
def test_too_short_and_too_long_count_less_in_proportion(words: int, value: float) -> None:
    text = " ".join(f"w{n}" for n in range(words)) or "."
    proposal = choose(article("a", text=text))
    assert decision(proposal, "a").terms["length"] == pytest.approx(value, abs=0.002)


# Variety and freshness

STADIUM = "The club wants the allotments for its stadium, and the plot holders want a lawyer. "


def about(subject: str, id_: str) -> str:
    return f"{subject * 3} {' '.join(f'{id_}{n}' for n in range(80))}"


def test_a_third_story_on_one_subject_gives_way_to_another_subject() -> None:
    stadium = [article(f"s{n}", text=about(STADIUM, f"s{n}"), days=1 + n / 10) for n in range(3)]
    other = [article(f"o{n}", days=2 + n / 10) for n in range(2)]
    other += [article(f"p{n}", days=6.5) for n in range(8)]
    assert choose(*stadium, *other, weights={"variety": 0}).sections["news"] == ("s0", "s1", "s2")
    proposal = choose(*stadium, *other)
    assert proposal.sections["news"] == ("s0", "o0", "o1")
    left = decision(proposal, "s1", "news")
    assert left.terms["variety"] < -0.2
    assert left.nearest is not None
    assert (left.nearest.article_id, left.nearest.measure) == ("s0", "words")


def test_what_a_list_had_lately_makes_the_same_subject_worth_less() -> None:
    old = article("old", text=about(STADIUM, "old"), days=9)
    new = article("new", text=about(STADIUM, "new"))
    filler = [article(f"f{n}", days=6) for n in range(6)]
    context = replace(CONTEXT, exposures=frozenset((region, "old") for region in LADDERS))
    proposal = choose(old, new, *filler, context=context)
    found = decision(proposal, "new", "news")
    assert found.terms["freshness"] < -0.2
    assert any("which the lists had lately" in reason for reason in found.reasons)
    some = replace(CONTEXT, exposures=frozenset({("leeds", "old")}))
    less = decision(choose(old, new, *filler, context=some), "new", "news")
    assert found.terms["freshness"] < less.terms["freshness"] <= 0


# Twins

TEXT = " ".join(f"word{n}" for n in range(100))


@pytest.mark.parametrize(
    ("staying", "leaving", "why"),
    [
        ({"priority": 1}, {"days": 0.1}, "its priority is higher"),
        ({}, {"text": " ".join(TEXT.split()[:50]), "days": 3}, "it is the whole text"),
        ({}, {"source": "The Wire", "days": 3}, "it is our own"),
        ({"source": "The Lamp"}, {"source": "The Wire", "days": 3}, "its source counts more"),
        ({"days": 3}, {"days": 1}, "it came out earlier"),
        ({}, {"text": TEXT.rsplit(" ", 5)[0]}, "it is longer"),
        ({}, {}, "its id comes first"),
    ],
)
def test_which_of_two_twins_stays(
    staying: dict[str, Any], leaving: dict[str, Any], why: str
) -> None:
    context = replace(CONTEXT, source_weights={"the lamp": 2.0}, own_sources=frozenset({"us"}))
    for names in (("a", "b"), ("b", "a")):
        if why == "its id comes first" and names == ("b", "a"):
            continue
        one = article(names[0], **({"text": TEXT} | staying))
        other = article(names[1], **({"text": TEXT} | leaving))
        proposal = choose(other, one, context=context)
        left = decision(proposal, other.id)
        assert left.rule == "twin"
        assert left.nearest is not None
        assert left.nearest.article_id == one.id
        assert left.reasons[0].endswith(why)


@pytest.mark.parametrize(
    ("one", "other", "is_twin"),
    [
        ("https://a.example/x?utm_source=feed#top", "http://www.a.example/x/", True),
        ("https://a.example/x?id=1", "https://a.example/x?id=2", False),
        ("https://a.example/", "https://a.example", False),
    ],
)
def test_one_page_is_one_story(one: str, other: str, is_twin: bool) -> None:
    proposal = choose(article("a", url=one), article("b", url=other))
    assert (decision(proposal, "b").rule == "twin") is is_twin


def test_headlines_decide_where_only_the_beginning_of_a_text_is_there() -> None:
    whole = article("a", title="Nine towns share one invoice for the water")
    short = article("b", title="Nine towns share one invoice for water", text="Nine towns pay …")
    assert decision(choose(whole, short), "b").rule == "twin"
    dated = article("c", title="Nine towns share 2 invoices for the water", text="Nine pay …")
    assert all(each.rule != "twin" for each in choose(whole, dated).decisions)


# Places and ladders


def test_places_send_a_story_to_its_region_and_the_sentence_says_which() -> None:
    best = [article(f"n{n}") for n in range(3)]
    local = article("l", days=5, text="In Leeds and Morley buses stop. " * 2 + "x " * 120)
    proposal = choose(*best, local)
    assert proposal.regions["leeds"] == ("l",)
    told = decision(proposal, "l", "region:leeds")
    assert told.steps == 0
    assert "region 0.50: mentions Leeds and Morley: Leeds and Wakefield, weight 0.5" in (
        told.reasons
    )


def test_a_regions_own_stories_come_before_better_ones_of_its_parent() -> None:
    own = article("own", regions=("leeds",), days=6)
    above = [article(f"up{n}", regions=("north",), priority=90) for n in range(3)]
    proposal = choose(own, *above)
    assert proposal.regions["leeds"] == ("own", "up0", "up1")
    assert "leeds" not in proposal.lent
    assert decision(proposal, "up2", "region:leeds").needed is not None
    # Where the region's own fill the block, no score brings in what is for its parent.
    single = choose(own, *above, region_quota=1)
    assert single.regions["leeds"] == ("own",)
    assert decision(single, "up0", "region:leeds").needed is None


def test_a_thin_region_is_lent_from_its_parent_its_nation_and_then_from_all() -> None:
    best = [article(f"n{n}", priority=50) for n in range(3)]
    welsh = article("welsh", days=6, text="In Swansea and in Bangor it rained. " + "x " * 120)
    left = article("left", days=3)
    north = article("north", regions=("north",), days=6)
    proposal = choose(*best, welsh, left, north)
    assert proposal.regions == {"north": ("north",), "leeds": ("north",), "cardiff": ("welsh",)}
    assert proposal.lent == {"leeds": "north", "cardiff": "national"}
    assert decision(proposal, "north", "region:leeds").steps == 1
    without = choose(*best, left)
    assert without.regions == {"north": ("left",), "leeds": ("left",), "cardiff": ("left",)}
    assert set(without.lent.values()) == {"national"}
    assert choose(*best, left, region_minimum=0).regions == {}


def test_nothing_is_lent_that_a_list_has_had() -> None:
    best = [article(f"n{n}", priority=50) for n in range(3)]
    context = replace(CONTEXT, exposures=frozenset({("leeds", "left")}))
    proposal = choose(*best, article("left", days=3, regions=()), context=context)
    assert "leeds" not in proposal.regions
