"""What a feed, a page and a paper say of one article is one article, and no state of it is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest

from mailer.articles.article import Article, DiaryEntry, Document, Flag, Picture, Standing
from mailer.articles.intake import hash_of
from mailer.articles.library import Library
from mailer.articles.merging import BEGINNING
from mailer.clock import FixedClock
from mailer.storage.database import Database
from tests.unit.test_identity import FERRY, MARKET

FEED = "https://town.example/feed"


@pytest.fixture
def library(database: Database, clock: FixedClock) -> Library:
    return Library(database, clock)


def item(title: str = "Ferry stays in port", text: str = FERRY, **more: object) -> Article:
    made = Article(
        id=title.lower().replace(" ", "-"),
        title=title,
        body_html=f"<p>{text}</p>",
        body_text=text,
        content_hash=hash_of(title, text),
        first_seen_at=datetime(2020, 1, 1, tzinfo=UTC),
        url="https://town.example/ferry",
        source="Town",
        guid="g-1",
    )
    return replace(made, **more)  # type: ignore[arg-type]


def feed(*articles: Article, origin: str = FEED, **more: object) -> Document:
    told = tuple(replace(a, origin=origin) for a in articles)
    made = Document(origin, told, standing=Standing.FEED, is_whole=False)
    return replace(made, **more)  # type: ignore[arg-type]


def paper(*articles: Article) -> Document:
    told = tuple(replace(a, origin="p.txt", url="", guid="", source="") for a in articles)
    return Document("p.txt", told, standing=Standing.PAPER)


def statuses(library: Library, document: Document) -> list[str]:
    return [status for _id, status in library.keep(document).statuses]


def test_an_item_is_new_once(library: Library, clock: FixedClock) -> None:
    document = feed(item(), item("Buttons", MARKET, guid="g-2", url="https://town.example/b"))
    assert statuses(library, document) == ["added", "added"]
    clock.sleep(3_600)
    assert statuses(library, document) == ["unchanged", "unchanged"]
    assert library.article("buttons").first_seen_at < clock.now()
    assert statuses(library, feed(document.articles[1])) == ["unchanged"]
    assert [a.id for a in library.articles()] == ["buttons", "ferry-stays-in-port"]


def test_what_changes_is_kept_as_versions(library: Library, clock: FixedClock) -> None:
    library.keep(feed(item()))
    seen = clock.now()
    clock.sleep(60)
    assert statuses(library, feed(item("Why the ferry stayed"))) == ["updated"]
    clock.sleep(60)
    moved = item("Why the ferry stayed", guid="g-9", url="https://town.example/2026/ferry")
    assert statuses(library, feed(moved)) == ["updated"]
    found = library.article("ferry-stays-in-port")
    assert (found.title, found.url) == ("Why the ferry stayed", "https://town.example/2026/ferry")
    assert found.first_seen_at == seen
    versions = library.versions(found.id)
    assert [(v.number, v.article.title, v.article.guid) for v in versions] == [
        (1, "Ferry stays in port", "g-1"),
        (2, "Why the ferry stayed", "g-1"),
    ]
    assert versions[0].replaced_at < versions[1].replaced_at
    # What no reader would notice is no version.
    assert statuses(library, feed(replace(moved, tags=("x",)))) == ["updated"]
    assert len(library.versions(found.id)) == 2
    (origin,) = library.origins(found.id)
    assert (origin["guid"], origin["standing"]) == ("g-9", "feed")


def test_a_guid_used_again_is_a_new_article(library: Library) -> None:
    library.keep(feed(item()))
    again = item("Buttons", MARKET, url="https://town.example/buttons")
    assert statuses(library, feed(again)) == ["added"]
    assert library.article("ferry-stays-in-port").body_text == FERRY
    assert library.versions("ferry-stays-in-port") == []
    assert statuses(library, feed(again)) == ["unchanged"]


def test_a_feed_that_shows_an_article_twice(library: Library) -> None:
    assert statuses(library, feed(item(), item("Ferry, still"))) == ["added", "unchanged"]
    assert [a.title for a in library.articles()] == ["Ferry stays in port"]
    assert statuses(library, feed(item(), item("Ferry, still"))) == ["unchanged", "unchanged"]


def test_two_feeds_of_a_site(library: Library) -> None:
    library.keep(feed(item()))
    other = "https://town.example/all"
    assert statuses(library, feed(item(guid="77"), origin=other)) == ["joined"]
    assert statuses(library, feed(item(guid="77"), origin=other)) == ["unchanged"]
    assert statuses(library, feed(item())) == ["unchanged"]
    assert len(library.articles()) == 1
    assert len(library.origins("ferry-stays-in-port")) == 2


SHORT = item(
    text="The ferry did not sail on Tuesday …",
    flags=(Flag(BEGINNING, "Only the beginning."),),
    picture=Picture("https://town.example/f.jpg"),
)
PRINTED = item("FERRY STAYS IN PORT", f"{FERRY} The box is oak.", authors=("Ann Reed",))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_paper_the_feed_and_the_page_are_one_in_any_order(
    library: Library, order: tuple[int, ...]
) -> None:
    page = "https://town.example/ferry"
    documents = [
        paper(PRINTED),
        feed(item()),
        feed(item(text=f"{FERRY} Share this", guid=""), origin=page, standing=Standing.PAGE),
    ]
    told = [statuses(library, documents[place]) for place in order]
    assert told == [["added"], ["joined"], ["joined"]]
    (found,) = library.articles()
    assert (found.title, found.body_text) == ("Ferry stays in port", FERRY)
    assert (found.url, found.authors, found.source) == (page, ("Ann Reed",), "Town")
    for document in documents:
        assert statuses(library, document) == ["unchanged"]
    assert len(library.origins(found.id)) == 3
    assert library.versions(found.id) == []


def test_one_origin_changes_and_the_others_still_speak(library: Library) -> None:
    library.keep(paper(PRINTED))
    assert statuses(library, feed(SHORT)) == ["joined"]
    (found,) = library.articles()
    assert found.title == "FERRY STAYS IN PORT"
    assert found.picture == SHORT.picture
    assert statuses(library, feed(item("Ferry sails again"))) == ["updated"]
    (found,) = library.articles()
    assert (found.title, found.authors) == ("Ferry sails again", ("Ann Reed",))
    (version,) = library.versions(found.id)
    assert (version.origin, version.article.body_text) == (FEED, SHORT.body_text)


def test_a_pieces_second_half_is_not_swallowed(library: Library) -> None:
    """Two pieces of a paper that stand in one article of the site stay two."""
    library.keep(feed(item(text=f"{FERRY} {MARKET}")))
    told = statuses(library, paper(item("The ferry"), item("The stalls", MARKET)))
    assert told == ["joined", "added"]


def test_a_feeds_diary_stays_when_its_items_go(library: Library) -> None:
    day = datetime(2026, 12, 12).date()  # noqa: DTZ001
    one = DiaryEntry("fair", "Fair", day, article_id="ferry-stays-in-port")
    library.keep(feed(item(), diary=(one,)))
    other = item("Buttons", MARKET, guid="g-2", url="https://town.example/b")
    library.keep(feed(other, diary=(DiaryEntry("quiz", "Quiz", day, article_id="buttons"),)))
    assert [e.title for e in library.diary(since=day)] == ["Fair", "Quiz"]
    library.keep(feed(item(), diary=(one,)))
    assert [e.title for e in library.diary(since=day)] == ["Fair", "Quiz"]
    library.keep(feed(item(text=f"{FERRY} No fair after all.")))
    assert [e.title for e in library.diary(since=day)] == ["Quiz"]


def test_removing_takes_everything_along(library: Library) -> None:
    library.keep(feed(item()))
    library.keep(feed(item("Ferry!")))
    library.remove("ferry-stays-in-port")
    assert library.origins("ferry-stays-in-port") == []
    assert library.versions("ferry-stays-in-port") == []
    assert statuses(library, feed(item())) == ["added"]


def test_many_of_one_title_get_their_numbers(library: Library) -> None:
    many = [
        item("Weather", f"Rain {n}.", guid=f"w-{n}", url=f"https://town.example/w/{n}")
        for n in range(60)
    ]
    assert set(statuses(library, feed(*many))) == {"added"}
    assert len({a.id for a in library.articles()}) == 60
    assert set(statuses(library, feed(*many))) == {"unchanged"}
