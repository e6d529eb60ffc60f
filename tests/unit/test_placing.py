"""Places are found in articles, ambiguous names are settled by context, and regions follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.gazetteer import gazetteer, nation_of
from mailer.articles.placing import Placer

REGIONS = {
    "yorkshire": ("Yorkshire",),
    "wales": ("Wales", "Cymru gyfan"),
    "thames": ("Berkshire",),
    "west": ("Somerset", "Bristol"),
    "south-east": ("Kent", "Sussex", "Little Haddock"),
    "manchester": ("Greater Manchester",),
    "hull": ("Hull", "Kingston upon Hull"),
}
PLACER = Placer(REGIONS)


def regions(text: str, *, title: str = "", filed_under: tuple[str, ...] = ()) -> set[str]:
    return set(PLACER.find(title, "", text, filed_under=filed_under).regions)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # Reading, the town and the pastime.
        ("Tenants in Reading marched on Tuesday.", {"thames"}),
        ("The Reading Council vote was close.", {"thames"}),
        ("Reading is good for you, and the Reading list is long.", set()),
        ("She teaches reading in a shed.", set()),
        # Bath.
        ("The strike at Bath goes on.", {"west"}),
        ("An hour in the bath; then Bath Road was shut.", set()),
        # Sale.
        ("Buses in Sale and Altrincham stop at nine.", {"manchester"}),
        ("Sale of the century! The Sale ends on Friday.", set()),
        # Deal.
        ("A deal was struck in Deal, Kent.", {"south-east"}),
        ("The Deal is off. Green Deal or no deal.", set()),
        ("Dover and Deal share one ambulance.", {"south-east"}),
        # Rye, Battle.
        ("Rye bread is dear.", set()),
        ("The baker of Rye near Hastings sells none.", {"south-east"}),
        ("Battle begins. The Battle of the bins goes on.", set()),
        ("From Hastings to Battle the line is closed.", {"south-east"}),
        # Wells, as a surname.
        ("Orla Wells said so. Ms Wells added nothing. Wells left.", set()),
        ("The bishop came to Wells, Somerset, by bus.", {"west"}),
        # Hull.
        ("The hull was painted red.", set()),
        ("Dockers in Hull walked out.", {"hull"}),
        ("Dockers in Goole walked out.", {"yorkshire"}),
        # The namesakes of Newport.
        ("Newport, Gwent has a new library.", {"wales"}),
        ("Trains between Newport and Cardiff are late.", {"wales"}),
        # March, the month.
        ("It rained in March and in April.", set()),
        # Elsewhere.
        ("Miners in Perth, Australia and dockers in Boston, Massachusetts", set()),
        # A person and the town of that name.
        ("Tom Bolton spoke. Bolton was applauded.", set()),
        ("Nurses in Bolton and Bury spoke.", {"manchester"}),
        # The villages called like a nation, and a place no gazetteer knows.
        ("I like Wales.", {"wales"}),
        ("The well at Little Haddock is dry.", {"south-east"}),
        # A list of towns is no town with its county.
        ("Leeds, Bradford and York have one each.", {"yorkshire"}),
    ],
)
def test_context_settles_what_a_name_means(text: str, found: set[str]) -> None:
    assert regions(text) == found


def test_where_an_article_was_filed_settles_a_namesake() -> None:
    text = "The library of Whitchurch opens again."
    assert regions(text) == set()
    assert regions(text, filed_under=("west",)) == {"west"}


def test_the_smaller_area_wins_and_a_headline_weighs_more() -> None:
    found = PLACER.find("Hull votes", "", "Dockers in Hull and Goole, in Goole and in Selby.")
    assert found.regions["hull"] == (4, ("Hull",))
    assert found.regions["yorkshire"] == (3, ("Goole", "Selby"))
    assert found.total == 7
    assert found.nations == {"England": 7}


def test_a_headline_in_capitals_for_style_says_nothing_of_a_word() -> None:
    assert regions("", title="Strong Deal For Rail Workers Holds") == set()
    assert regions("", title="Strike Closes The Harbour In Goole") == {"yorkshire"}


def test_a_region_that_changes_its_places_has_another_version() -> None:
    assert Placer(REGIONS).version == PLACER.version
    assert Placer(REGIONS | {"hull": ("Hull",)}).version != PLACER.version


def test_the_gazetteer_knows_its_source_and_its_places() -> None:
    data = gazetteer()
    assert len(data.spots) > 5000
    assert {s.nation for s in data.spots["reading"]} == {"England"}
    assert len(data.spots["newport"]) >= 5
    assert data.counties["greater manchester"] >= data.counties["salford"]
    assert nation_of(("Cardiff", "Swansea", "Nowhere at All")) == "Wales"
    assert nation_of(("Cardiff", "Leeds")) == ""


@given(st.text(max_size=200), st.sampled_from(["in Hull", "Wells", "Newport, Gwent", "Sale"]))
def test_nothing_that_is_written_breaks_it(text: str, name: str) -> None:
    found = PLACER.find(text, name, f"{text} {name} {text}")
    assert found.total >= sum(weight for weight, _ in found.regions.values())
