"""When two sightings are one article, and what becomes of what both say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.articles.article import Article, Flag, Picture, Standing
from mailer.articles.identity import OWN_MARKS, Kinship, Sighting, copying, kinship, marks_of
from mailer.articles.intake import hash_of
from mailer.articles.merging import BEGINNING, Voice, merged
from mailer.articles.webaddress import url_key, without_counters

AT = datetime(2026, 11, 26, 9, tzinfo=UTC)
FERRY = (
    "The ferry did not sail on Tuesday because nobody had paid for the lamp, and the council will "
    "not meet until spring. Passengers walked across at low water, as their grandparents did, and "
    "left their fares in the box by the bell. The box has been full since noon."
)
MARKET = (
    "Nine stalls are left of the forty that stood here before the car park, and the oldest of "
    "them sells buttons. Its owner has kept every one that nobody wanted, by colour, in jars, and "
    "can say which coat it came from and who wore it to which dance."
)


def seen(
    title: str = "Ferry stays in port",
    text: str = FERRY,
    *,
    guid: str = "g-1",
    url: str = "https://town.example/ferry",
    origin: str = "https://town.example/feed",
    standing: Standing = Standing.FEED,
    at: datetime | None = AT,
) -> Sighting:
    return Sighting(origin, guid, url, title, text, hash_of(title, text), standing, at)


def are_one(one: Sighting, other: Sighting) -> bool:
    found = kinship(one, other)
    assert found == kinship(other, one)
    ours, theirs = marks_of(one), marks_of(other)
    common = set(ours.values()) & set(theirs.values())
    if found:
        assert common, "it would not be found"
        is_near = one.origin == other.origin or other.standing in copying(one.standing)
        has_own = any(ours[kind] in common for kind in OWN_MARKS & ours.keys())
        assert is_near or has_own, "it would not be read"
    return bool(found)


SAME = {
    "nothing changed": seen(),
    "another guid": seen(guid="g-2"),
    "no guid": seen(guid=""),
    "an edited title": seen("Why the ferry stayed away"),
    "an edited title and guid": seen("Why the ferry stayed away", guid="g-2"),
    "another address": seen(url="https://town.example/2026/ferry"),
    "the address with counters": seen(guid="", url="http://www.town.example/ferry/?utm_source=x#y"),
    "a text written anew": seen(text=MARKET),
    "title and text written anew at the same guid and address": seen("Buttons", MARKET),
    "guid and address, words the same": seen(guid="g-2", url="https://town.example/2026/ferry"),
    "a text that grew": seen(guid="", url="", text=f"{FERRY} {MARKET}"),
    "no guid, no address, another title": seen("Ferry: the fares", guid="", url=""),
}
OTHERS = {
    "a guid used again": seen("Buttons", MARKET, url="https://town.example/buttons"),
    "an address used again": seen("Buttons", MARKET, guid="g-2"),
    "another piece": seen("Buttons", MARKET, guid="g-2", url="https://town.example/buttons"),
    "the same headline on another day": seen(
        text=MARKET, guid="g-2", url="https://town.example/ferry-2"
    ),
    "another site's reprint": seen(
        guid="x", url="https://wire.example/1", origin="https://wire.example/feed"
    ),
    "another site's guid": seen(
        "Buttons", MARKET, url="https://wire.example/1", origin="https://wire.example/feed"
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_it_is_the_same_article(name: str) -> None:
    assert are_one(seen(), SAME[name])


@pytest.mark.parametrize("name", OTHERS)
def test_it_is_another_article(name: str) -> None:
    assert not are_one(seen(), OTHERS[name])


def test_short_lines_that_come_every_day_are_not_one() -> None:
    one = seen("Weather", "Rain.", guid="w-1", url="https://town.example/w/1")
    assert not are_one(one, seen("Weather", "Rain.", guid="w-2", url="https://town.example/w/2"))
    assert are_one(one, replace(one, guid="w-2"))


def test_two_feeds_of_one_site_show_one_article() -> None:
    other = seen(guid="77", origin="https://town.example/harbour/feed")
    assert kinship(seen(), other) is Kinship.URL
    front = seen(url="https://town.example/")
    assert not are_one(
        front, replace(front, origin="https://town.example/all", title="X", text=MARKET)
    )


def paper(title: str = "FERRY STAYS IN PORT", text: str = FERRY, **more: object) -> Sighting:
    found = seen(title, text, guid="", url="", origin="march.txt", standing=Standing.PAPER)
    return replace(found, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "sighting"),
    [
        ("the same words", paper()),
        ("another headline", paper("No lamp, no boat")),
        ("the paper has less", paper(text=FERRY[:190])),
        ("the paper has more", paper(text=f"{FERRY} {MARKET}")),
        ("a word broken", paper(text=FERRY.replace("grandparents", "grand- parents"))),
    ],
)
def test_the_paper_and_the_site_are_one(name: str, sighting: Sighting) -> None:
    assert are_one(sighting, seen())


@pytest.mark.parametrize(
    ("name", "sighting"),
    [
        ("another piece", paper("Buttons", MARKET)),
        ("a like headline over other words", paper(text=MARKET)),
        ("the same words a year before", paper(published_at=AT - timedelta(days=365))),
        ("another file", paper(origin="april.txt")),
    ],
)
def test_the_paper_and_the_site_are_two(name: str, sighting: Sighting) -> None:
    other = paper() if name == "another file" else seen()
    assert not are_one(sighting, other)


@given(st.lists(st.sampled_from(FERRY.split() + MARKET.split()), max_size=80), st.text(max_size=30))
def test_an_article_is_always_its_own_kin(words: list[str], title: str) -> None:
    one = seen(title, " ".join(words))
    assert kinship(one, one) is Kinship.WHOLE
    assert are_one(replace(one, guid="", url=""), replace(one, guid="", url=""))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x", "http://www.a.example:80/x/"),
        ("https://a.example/x?b=2&a=1", "https://a.example/x?a=1&b=2&utm_medium=feed"),
        ("https://a.example/x/index.html", "https://A.example./x"),
        ("https://a.example/caf%C3%A9", "https://a.example/café#top"),
    ],
)
def test_two_addresses_of_one_page(one: str, other: str) -> None:
    assert url_key(one) == url_key(other) != ""


def test_addresses_of_no_article() -> None:
    assert [url_key(u) for u in ("", "https://a.example/", "file:///x", "http://[x", "/x")] == [
        ""
    ] * 5
    assert url_key("https://a.example/?p=7") != url_key("https://a.example/?p=8")
    assert without_counters("https://a.example/x?id=3&fbclid=q#z") == "https://a.example/x?id=3"
    assert without_counters("http://[x") == "http://[x"
    assert url_key("https://a.example/x?id=\ud800") == ""


@pytest.mark.parametrize("part", ["/\u2003", "/%20", "/index.html", "/ ", "index.php/"])
def test_a_key_of_a_hostile_address_is_made_at_once(part: str) -> None:
    # By a pattern that begins anywhere, one of these takes a minute.
    assert url_key(f"https://a.example/{part * 10_000}x").endswith("x")
    assert len(url_key(f"https://a.example/x{part * 10_000}")) < 30


@given(st.text(max_size=60))
@example(" /")
@example("a/index.html/%20/index.php//")
def test_a_key_never_raises_and_is_stable(text: str) -> None:
    for url in (text, f"https://a.example/{text}"):
        key = url_key(url)
        assert not key or url_key(f"https://{key}") == key


def article(**more: object) -> Article:
    found = Article("x", "Ferry stays in port", "<p>…</p>", FERRY, "0" * 64, AT)
    return replace(found, **more)  # type: ignore[arg-type]


VOICES = (
    Voice(
        article(
            origin="march.txt",
            title="Ferry stays in Port",
            authors=("Ann Reed",),
            regions=("wales",),
            credits=(Picture(credit="Cam Field"),),
            flags=(Flag("no-date", "?"), Flag("split-unclear", "?")),
        ),
        Standing.PAPER,
    ),
    Voice(
        article(
            origin="https://town.example/feed",
            url="https://town.example/ferry",
            source="Town",
            published_at=AT,
            tags=("boats",),
            flags=(Flag("no-byline", "The feed names no author."),),
        ),
        Standing.FEED,
    ),
    Voice(
        article(
            origin="https://town.example/ferry",
            url="https://town.example/ferry?page",
            body_text=FERRY + " Share",
            picture=Picture("https://town.example/f.jpg"),
            tags=("quays",),
        ),
        Standing.PAGE,
    ),
)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_best_words_lead_and_nothing_is_lost(order: tuple[int, ...]) -> None:
    found = merged([VOICES[place] for place in order])
    assert (found.title, found.body_text) == ("Ferry stays in port", FERRY)
    assert found.url == "https://town.example/ferry"
    assert (found.source, found.authors, found.regions) == ("Town", ("Ann Reed",), ("wales",))
    assert found.picture == Picture("https://town.example/f.jpg")
    assert found.credits == (Picture(credit="Cam Field"),)
    assert found.tags == ("boats", "quays")
    assert found.flags == ()


def test_who_has_only_the_beginning_leads_nobody() -> None:
    short = replace(VOICES[1].article, body_text="The ferry …", flags=(Flag(BEGINNING, "."),))
    found = merged([Voice(short, Standing.FEED), VOICES[0]])
    assert found.body_text == FERRY
    assert found.url == "https://town.example/ferry"
    assert [flag.code for flag in found.flags] == ["split-unclear"]


def test_an_editors_own_address_stands() -> None:
    own = Voice(article(origin="a.md", url="https://lantern.example/a"), Standing.AUTHOR)
    assert merged([own, VOICES[1]]).url == "https://lantern.example/a"
    assert merged([Voice(replace(own.article, url=""), own.standing), VOICES[1]]).url == (
        "https://town.example/ferry"
    )
