"""The selection: filters, routing, quotas and caps, and what holds whatever the input."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.articles.article import MONTH_ONLY, Article, Flag, Kind, Picture
from mailer.errors import InvalidInput
from mailer.policies import SelectionPolicy
from mailer.publication import Section
from mailer.selection.ranking import SelectionContext, propose
from mailer.selection.reasons import Decision, Proposal

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
DUE = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
SECTIONS = (
    Section(slug="lead", title="Lead", quota=1, takes_any=True, needs_picture=True),
    Section(slug="news", title="News", quota=3, minimum=1, takes_any=True),
    Section(slug="culture", title="Culture", quota=2),
    Section(slug="talk", title="Talk", quota=1, kinds=("interview",)),
)
LADDERS = {
    "national": ("national",),
    "north": ("north", "national"),
    "leeds": ("leeds", "north", "national"),
    "wales": ("wales", "national"),
}
CONTEXT = SelectionContext(
    issue_id="2026-11-30",
    now=NOW,
    window_from=NOW - timedelta(days=7),
    window_until=NOW,
    due_at=DUE,
)
PICTURE = Picture(src="images/mill.jpg", alt="A mill")


def article(id_: str, **changes: Any) -> Article:
    values: dict[str, Any] = {
        "title": f"About {id_}",
        "body_html": "",
        "body_text": "",
        "content_hash": "",
        "first_seen_at": NOW - timedelta(days=1),
        "published_at": NOW - timedelta(days=1),
    }
    return Article(id=id_, **(values | changes))


def choose(
    *articles: Article,
    context: SelectionContext = CONTEXT,
    sections: tuple[Section, ...] = SECTIONS,
    ladders: dict[str, tuple[str, ...]] = LADDERS,
    **policy: Any,
) -> Proposal:
    return propose(
        articles,
        sections=sections,
        policy=SelectionPolicy(**policy),
        ladders=ladders,
        context=context,
    )


def of(proposal: Proposal, article_id: str) -> list[Decision]:
    return [d for d in proposal.decisions if d.article_id == article_id]


EARLY = NOW - timedelta(days=7, seconds=1)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"is_draft": True}, "draft"),
        ({"embargo_until": DUE + timedelta(minutes=1)}, "embargo"),
        ({"published_at": DUE + timedelta(minutes=1)}, "dated-later"),
        ({"expires_at": DUE}, "expired"),
        ({"deadline": date(2026, 11, 29)}, "deadline-past"),
        ({"first_seen_at": NOW}, "too-new"),
        ({"first_seen_at": EARLY, "published_at": EARLY}, "window"),
        ({"id": "had"}, "already-sent"),
        ({"id": "no"}, "blocked"),
    ],
)
def test_each_filter_keeps_out_and_names_its_rule(changes: dict[str, Any], rule: str) -> None:
    context = replace(CONTEXT, exposures=frozenset({("wales", "had")}), blocked=frozenset({"no"}))
    sample = replace(article("a"), **changes)
    proposal = choose(sample, context=context)
    assert not any(proposal.sections.values())
    [decision] = proposal.decisions
    assert (decision.rule, decision.block, decision.is_chosen) == (rule, "", False)
    assert decision.reasons[0].startswith("left out: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"embargo_until": DUE},
        {"published_at": DUE},
        {"published_at": DUE + timedelta(days=1), "flags": (Flag(MONTH_ONLY, "December."),)},
        {"expires_at": DUE + timedelta(minutes=1)},
        {"deadline": date(2026, 11, 30)},
        {"first_seen_at": NOW - timedelta(days=7)},
        {"first_seen_at": NOW - timedelta(seconds=1)},
    ],
)
def test_the_edges_that_still_pass(changes: dict[str, Any]) -> None:
    assert choose(article("a", **changes)).sections["news"] == ("a",)


def test_a_papers_month_that_is_still_to_come_counts_from_when_it_was_read() -> None:
    read = {"first_seen_at": EARLY, "flags": (Flag(MONTH_ONLY, "December."),)}
    early = article("a", published_at=DUE + timedelta(days=1), **read)
    assert early.dated_at == EARLY
    [decision] = choose(early).decisions
    assert decision.rule == "window"
    past = EARLY - timedelta(days=20)
    assert article("a", published_at=past, **read).dated_at == past


CAUTION = "its deadline looks past; the year was inferred, check it"


@pytest.mark.parametrize(
    ("codes", "is_chosen"),
    [
        (("deadline-from-text", "year-inferred"), True),
        (("deadline-from-text",), False),
        # The year that was inferred is another date's: the deadline was written in full.
        (("year-inferred",), False),
    ],
)
def test_a_deadline_in_a_year_that_nobody_wrote_is_for_the_editor(
    codes: tuple[str, ...], is_chosen: bool
) -> None:
    flags = tuple(Flag(code, "") for code in codes)
    proposal = choose(article("call", deadline=date(2026, 11, 1), flags=flags))
    assert ("call" in proposal.sections["news"]) is is_chosen
    assert all((CAUTION in decision.reasons) is is_chosen for decision in of(proposal, "call"))
    coming = choose(article("call", deadline=date(2026, 12, 1), flags=flags))
    assert all(CAUTION not in decision.reasons for decision in of(coming, "call"))


def test_the_first_filter_names_the_rule_and_every_one_speaks() -> None:
    sample = article("a", is_draft=True, deadline=date(2026, 11, 1))
    [decision] = choose(sample).decisions
    assert decision.rule == "draft"
    assert [r for r in decision.reasons if r.startswith("left out")] == [
        "left out: it is marked as a draft",
        (
            "left out: its deadline 1 November 2026 is past when the issue goes out "
            "on 30 November 2026"
        ),
    ]


def test_the_lead_is_the_best_story_with_a_picture_whatever_section_it_names() -> None:
    proposal = choose(
        article("bare", priority=50, section="news"),
        article("seen", priority=20, section="culture", picture=PICTURE, standfirst="It turns."),
        article("mute", priority=40, section="culture", picture=PICTURE),
    )
    assert proposal.sections == {
        "lead": ("seen",),
        "news": ("bare",),
        "culture": ("mute",),
        "talk": (),
    }


def test_a_lead_that_nobody_can_fill_says_why() -> None:
    caption_only = article("a", picture=Picture(caption="The mill"), standfirst="It turns.")
    proposal = choose(caption_only, article("b", picture=PICTURE, standfirst=" "))
    assert proposal.sections["lead"] == ()
    rules = {(d.article_id, d.block): d.rule for d in proposal.decisions}
    assert rules["a", "lead"] == "no-picture"
    assert rules["b", "lead"] == "no-standfirst"
    assert rules["a", "news"] == rules["b", "news"] == ""


def test_a_named_section_is_the_only_one_and_an_unknown_one_is_as_none() -> None:
    proposal = choose(
        *(article(f"c{n}", section="culture", priority=n) for n in range(4)),
        article("u", section="gardening"),
    )
    assert proposal.sections["culture"] == ("c3", "c2")
    assert proposal.sections["news"] == ("u",)


def test_kinds_narrow_a_section() -> None:
    proposal = choose(
        article("a", section="talk", kind=Kind.NEWS),
        article("b", section="talk", kind=Kind.INTERVIEW),
    )
    assert proposal.sections["talk"] == ("b",)
    assert "kind" in {d.rule for d in of(proposal, "a")}


def test_without_a_section_that_takes_any_an_unnamed_story_has_no_place() -> None:
    proposal = choose(article("a"), sections=(Section(slug="culture", title="Culture", quota=2),))
    [decision] = proposal.decisions
    assert decision.rule == "no-section"


def test_the_author_cap_holds_over_sections_and_names_who_used_it() -> None:
    proposal = choose(
        article("a", authors=("Ada Finch",), priority=9),
        article("b", authors=("ada  finch", "Bo Reed"), section="culture", priority=8),
        article("c", authors=("Ada Finch",), priority=7),
    )
    assert proposal.sections["news"] == ("a",)
    assert proposal.sections["culture"] == ("b",)
    by_rule = {d.rule: d for d in of(proposal, "c")}
    assert by_rule["author"].reasons[0] == (
        "left out: the author quota of 2 for Ada Finch is used by a, b"
    )


def test_the_source_cap_holds_and_no_source_is_no_source() -> None:
    proposal = choose(
        article("a", source="The Lamp", priority=2),
        article("b", source="The Lamp", priority=1),
        article("c"),
        article("d"),
        per_source=1,
    )
    assert proposal.sections["news"] == ("a", "c", "d")
    assert "source" in {d.rule for d in of(proposal, "b")}


def test_a_full_section_says_by_whom_and_by_how_much() -> None:
    proposal = choose(*(article(f"c{n}", section="culture", priority=10 * n) for n in range(3)))
    [decision] = [d for d in of(proposal, "c0") if d.block == "culture"]
    assert decision.rule == "quota"
    assert decision.reasons[0] == (
        "left out: the 2 places of Culture are taken by c2, c1; the last scores 1.14, this one 1.04"
    )


def test_ties_go_to_the_newer_then_to_the_smaller_id() -> None:
    flat = {"weights": {"recency": 0}}
    proposal = choose(
        article("b"), article("c", published_at=NOW), article("a"), article("d"), **flat
    )
    assert proposal.sections["news"] == ("c", "a", "b")


def test_regions_get_their_own_and_their_parents_stories() -> None:
    proposal = choose(
        article("up", regions=("north",), priority=-5),
        article("own", regions=("leeds",)),
        article("both", regions=("wales", "leeds"), priority=-10),
        article("all", regions=("national",)),
        article("lost", regions=("atlantis",)),
    )
    assert proposal.sections["news"] == ("all",)
    assert proposal.regions == {
        "north": ("up",),
        "leeds": ("own", "both", "up"),
        "wales": ("both",),
    }
    [lost] = of(proposal, "lost")
    assert lost.rule == "no-region"
    [choice] = [d for d in of(proposal, "up") if d.block == "region:leeds"]
    assert choice.terms["region"] == 0.25


def test_a_list_is_not_shown_a_story_twice_but_another_list_is() -> None:
    context = replace(CONTEXT, exposures=frozenset({("leeds", "a")}))
    proposal = choose(article("a", regions=("leeds", "wales")), context=context)
    assert proposal.regions == {"wales": ("a",)}
    assert {d.block: d.rule for d in of(proposal, "a")} == {
        "region:leeds": "already-sent",
        "region:wales": "",
    }


def test_the_author_cap_of_a_region_is_its_own() -> None:
    ada = ("Ada Finch",)
    proposal = choose(
        article("a", authors=ada),
        article("w", authors=ada, regions=("wales",), priority=5),
        article("x", authors=ada, regions=("wales",)),
        article("l", authors=ada, regions=("leeds",)),
        per_author=1,
    )
    assert proposal.sections["news"] == ("a",)
    assert proposal.regions == {"leeds": ("l",), "wales": ("w",)}


def test_a_twin_names_the_better_one() -> None:
    proposal = choose(
        article("a", title="Mill turns"), article("b", title="MILL TURNS!", priority=10)
    )
    assert proposal.sections["news"] == ("b",)
    [decision] = of(proposal, "a")
    assert decision.rule == "twin"
    assert decision.reasons[0] == (
        "left out: a twin of b, which stays: the title is the same, and its priority is higher"
    )


def test_a_twin_of_a_refused_story_is_free_to_go() -> None:
    proposal = choose(
        article("a", title="Mill turns"), article("b", title="Mill turns", is_draft=True)
    )
    assert proposal.sections["news"] == ("a",)


def test_a_story_that_repeats_one_sent_before_is_a_twin() -> None:
    text = " ".join(f"word{n}" for n in range(100))
    old = article("old", first_seen_at=NOW - timedelta(days=9), body_text=text)
    context = replace(CONTEXT, exposures=frozenset({("wales", "old")}))
    proposal = choose(old, article("new", body_text=text, title="Anew"), context=context)
    [decision] = of(proposal, "new")
    assert decision.rule == "twin"
    assert "old, which was sent before" in decision.reasons[0]


def test_pins_stand_first_and_pass_the_window_but_no_quota_and_no_draft() -> None:
    pins = {"culture": ("old", "b", "c", "sketch"), "lead": ("a",)}
    proposal = choose(
        article("a"),
        article("b", regions=("wales",)),
        article("c"),
        article("old", first_seen_at=NOW - timedelta(days=90)),
        article("sketch", is_draft=True),
        article("best", section="culture", priority=100),
        context=replace(CONTEXT, pins=pins),
        region_minimum=0,
    )
    assert proposal.sections["lead"] == ("a",)
    assert proposal.sections["culture"] == ("old", "b")
    assert proposal.sections["news"] == ("c",)
    assert proposal.regions == {}
    assert {d.rule for d in of(proposal, "best")} >= {"quota"}
    assert {d.rule for d in of(proposal, "sketch")} == {"draft"}


def test_a_pin_that_names_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        choose(article("a"), context=replace(CONTEXT, pins={"sport": ("a",), "news": ("b",)}))
    assert [fault.field for fault in caught.value.faults] == ["pins", "pins.news"]


def test_the_same_id_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="stand twice: a"):
        choose(article("a"), article("a"))


NAMES = st.sampled_from(["Ada Finch", "Bo Reed", "Cy Marsh"])
TEXTS = [" ".join(f"{seed}{n}" for n in range(60)) for seed in "xyz"]


@st.composite
def articles(draw: st.DrawFn) -> list[Article]:
    ids = draw(st.lists(st.integers(0, 99), unique=True, max_size=14))
    found = []
    for number in ids:
        days = draw(st.integers(-1, 9))
        found.append(
            article(
                f"a{number:02}",
                title=draw(
                    st.sampled_from(["The old mill turns", f"Story {number}", f"Tale {number}"])
                ),
                body_text=draw(st.sampled_from(["", *TEXTS])),
                authors=tuple(draw(st.lists(NAMES, max_size=2, unique=True))),
                source=draw(st.sampled_from(["", "The Lamp"])),
                section=draw(st.sampled_from(["", "lead", "news", "culture", "talk", "odd"])),
                regions=tuple(
                    draw(st.lists(st.sampled_from([*LADDERS, "atlantis"]), max_size=2, unique=True))
                ),
                kind=draw(st.sampled_from([Kind.NEWS, Kind.INTERVIEW])),
                priority=draw(st.sampled_from([0, 0, 30, -30])),
                picture=draw(st.sampled_from([None, PICTURE])),
                standfirst=draw(st.sampled_from(["", "It turns."])),
                first_seen_at=NOW - timedelta(days=days),
                published_at=draw(st.sampled_from([None, NOW - timedelta(days=days)])),
                is_draft=draw(st.integers(0, 5)) == 0,
                deadline=draw(st.sampled_from([None, None, date(2026, 11, 2)])),
            )
        )
    return found


@settings(max_examples=120, deadline=None)
@given(
    articles(),
    st.integers(0, 3),
    st.integers(1, 2),
    st.integers(1, 4),
    st.sets(st.tuples(st.sampled_from(list(LADDERS)), st.integers(0, 99)), max_size=5),
    st.randoms(use_true_random=False),
)
def test_what_holds_for_every_selection(
    given_articles: list[Article],
    region_quota: int,
    per_author: int,
    per_source: int,
    sent: set[tuple[str, int]],
    shuffler: random.Random,
) -> None:
    exposures = frozenset((region, f"a{number:02}") for region, number in sent)
    context = replace(CONTEXT, exposures=exposures, blocked=frozenset({"a07"}))
    policy = {"region_quota": region_quota, "per_author": per_author, "per_source": per_source}
    proposal = choose(*given_articles, context=context, **policy)
    by_id = {item.id: item for item in given_articles}

    shuffled = list(given_articles)
    shuffler.shuffle(shuffled)
    assert choose(*shuffled, context=context, **policy) == proposal

    assert {d.article_id for d in proposal.decisions} == set(by_id)
    assert all(d.reasons and (d.rule or d.is_chosen) for d in proposal.decisions)
    places = [(d.article_id, d.block) for d in proposal.decisions]
    assert len(places) == len(set(places))

    for section in SECTIONS:
        assert len(proposal.sections[section.slug]) <= section.quota
    assert all(len(ids) <= region_quota for ids in proposal.regions.values())
    shown = [i for ids in proposal.sections.values() for i in ids]
    for region in LADDERS:
        edition = [*shown, *proposal.regions.get(region, ())]
        assert len(edition) == len(set(edition))
        for part in (shown, proposal.regions.get(region, ())):
            for name in ("Ada Finch", "Bo Reed", "Cy Marsh"):
                assert sum(name in by_id[i].authors for i in part) <= per_author
            assert sum(bool(by_id[i].source) for i in part) <= per_source
        assert not {(region, i) for i in edition} & exposures
        titles = [by_id[i].title for i in edition]
        assert len(titles) == len(set(titles))
    for chosen in {
        i for ids in [*proposal.sections.values(), *proposal.regions.values()] for i in ids
    }:
        item = by_id[chosen]
        assert not item.is_draft
        assert item.deadline is None
        assert context.window_from <= item.first_seen_at < context.window_until
        assert chosen != "a07"
    for slug in proposal.sections["lead"]:
        assert by_id[slug].picture
        assert by_id[slug].standfirst
    said = {(d.block, d.article_id) for d in proposal.decisions if d.is_chosen}
    assert said == {(slug, i) for slug, ids in proposal.sections.items() for i in ids} | {
        (f"region:{slug}", i) for slug, ids in proposal.regions.items() for i in ids
    }
