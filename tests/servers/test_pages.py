"""Articles from pages of the web: their words, who made them, and nothing of the site around."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.articles.article import Article, Picture
from mailer.articles.destinations import read_networks
from mailer.articles.fetching import Fetcher, FetchPolicy
from mailer.articles.ingesting import FileReport
from mailer.articles.intake import IngestPolicy
from mailer.articles.library import Library
from mailer.articles.page_intake import take_page
from mailer.articles.stripping import strip_page
from mailer.clock import FixedClock, SystemClock
from mailer.storage.database import Database
from tests.servers.hostile import Hostile, answer, hostile_server
from tests.unit.test_identity import FERRY, MARKET

LINKED = """<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
 {"@type": "WebSite", "name": "Town"},
 {"@type": "Person", "@id": "#ann", "name": "Ann Reed"},
 {"@type": "NewsArticle", "headline": "Ferry stays in port", "author": [{"@id": "#ann"},
  {"@type": "Person", "name": "Bo Lund"}], "datePublished": "2026-11-26T10:00:00+01:00",
  "description": "No lamp, no boat.", "publisher": {"@type": "Organization", "name": "Town"},
  "articleSection": "News", "keywords": "boats, quays",
  "image": {"@type": "ImageObject", "url": "https://town.example/f-800x600.jpg",
   "creditText": "Cam Field", "license": "https://licence.example/by/4.0/"}}]}</script>"""
META = """<meta property="og:title" content="Ferry stays in port – Town">
<meta property="og:site_name" content="Town"><meta name="author" content="Ann Reed">
<meta property="article:published_time" content="2026-11-26T09:00:00Z">
<meta property="og:image" content="https://town.example/f.jpg">
<link rel="license" href="https://licence.example/by/4.0/">"""
BODY = f"""<header><nav><a href="/">Home</a> <a href="/news">News</a></nav></header>
<main><article><h1>Ferry stays in port</h1><p>By Ann Reed</p>
<figure><img src="/f.jpg" alt="An empty quay"><figcaption>The quay at noon. Photo: Cam Field
 / CC BY 4.0</figcaption></figure>
<p>{FERRY} <a href="/fares">Fares</a> are <em>unchanged</em>.</p><p>{MARKET}</p>
<script>track()</script><p>Share this article</p>
<div class="newsletter"><p>Subscribe to our newsletter</p></div></article>
<section class="comments"><h3>Leave a reply</h3><p>Your email address will not be published.</p>
</section></main><aside><p>Related stories: a swan has opinions</p></aside>
<footer><p>© Town 2026</p></footer>"""


def page(head: str, body: str = BODY) -> bytes:
    text = f"<!doctype html><html><head><title>Ferry | Town</title>{head}</head><body>{body}"
    return answer(text.encode(), headers=("Content-Type: text/html; charset=utf-8",))


@pytest.fixture
def server() -> Iterator[Hostile]:
    with hostile_server() as made:
        yield made


class Taker:
    def __init__(self, server: Hostile, database: Database, clock: FixedClock) -> None:
        self.server = server
        self.library = Library(database, clock)
        self._policy = FetchPolicy(allowed=read_networks("127.0.0.0/8"), timeout_s=3)
        self._desk = IngestPolicy(clock.now(), "Europe/London", Path(), {}, ("news",))

    def report(self, served: bytes) -> FileReport:
        self.server.pages["/ferry?utm_source=x"] = served
        fetcher = Fetcher(self._policy, SystemClock())
        try:
            url = self.server.url("/ferry?utm_source=x")
            return take_page(url, fetcher=fetcher, library=self.library, desk=self._desk)
        finally:
            fetcher.close()

    def article(self, served: bytes) -> Article:
        report = self.report(served)
        assert report.kept is not None, report.faults
        return report.kept.document.articles[0]

    def fault(self, served: bytes) -> str:
        report = self.report(served)
        (fault,) = report.faults
        assert self.library.articles() == []
        assert str(fault).startswith("http://127.0.0.1:")
        return fault.problem


@pytest.fixture
def taker(server: Hostile, database: Database, clock: FixedClock) -> Taker:
    return Taker(server, database, clock)


def test_json_ld_is_believed_first(taker: Taker) -> None:
    found = taker.article(page(LINKED))
    assert (found.title, found.authors) == ("Ferry stays in port", ("Ann Reed", "Bo Lund"))
    assert found.published_at == datetime(2026, 11, 26, 9, tzinfo=UTC)
    assert (found.standfirst, found.section) == ("No lamp, no boat.", "news")
    assert (found.source, found.tags) == ("Town", ("boats", "quays"))
    assert found.picture == Picture(
        "https://town.example/f-800x600.jpg",
        "An empty quay",
        "The quay at noon",
        "Cam Field",
        "https://licence.example/by/4.0/",
    )
    assert found.url == taker.server.url("/ferry")


def test_open_graph_and_the_figure_tell_the_rest(taker: Taker) -> None:
    found = taker.article(page(META))
    assert (found.title, found.authors) == ("Ferry stays in port", ("Ann Reed",))
    assert found.published_at == datetime(2026, 11, 26, 9, tzinfo=UTC)
    assert found.picture == Picture(
        "https://town.example/f.jpg", "An empty quay", "The quay at noon", "Cam Field", "CC BY 4.0"
    )


def test_the_text_is_whole_and_nothing_else(taker: Taker) -> None:
    found = taker.article(page(META))
    assert FERRY in found.body_text
    assert MARKET in found.body_text
    assert f'<a href="{taker.server.url("/fares")}">Fares</a>' in found.body_html
    assert "<em>unchanged</em>" in found.body_html
    for residue in (
        "Home",
        "By Ann",
        "Share",
        "newsletter",
        "reply",
        "swan",
        "©",
        "track",
        "Photo",
    ):
        assert residue not in found.body_text
    assert not found.body_text.startswith("Ferry stays in port")


def test_a_page_that_says_nothing_of_itself(taker: Taker) -> None:
    found = taker.article(page(""))
    assert (found.title, found.authors) == ("Ferry stays in port", ("Ann Reed",))
    assert {flag.code for flag in found.flags} == {"no-date"}
    assert found.source == "127.0.0.1"


def test_a_page_whose_text_is_in_its_data_alone(taker: Taker) -> None:
    data = f'{{"@type": "Article", "headline": "Ferry", "articleBody": "{FERRY}\\n\\n{MARKET}"}}'
    found = taker.article(
        page(f"<script type='application/ld+json'>{data}</script>", "<div id=app>")
    )
    assert found.body_text == f"{FERRY}\n\n{MARKET}"


def test_reading_it_again_changes_nothing(taker: Taker) -> None:
    taker.report(page(META))
    report = taker.report(page(META))
    assert report.kept is not None
    assert report.kept.statuses == (("ferry-stays-in-port", "unchanged"),)
    taker.article(page(META.replace("Ferry stays", "Ferry sails")))
    (found,) = taker.library.articles()
    assert found.title == "Ferry sails in port"
    assert len(taker.library.versions(found.id)) == 1


def html(body: str) -> bytes:
    return answer(body.encode("utf-8", "replace"), headers=("Content-Type: text/html",))


@pytest.mark.parametrize(
    ("served", "says"),
    [
        (answer(status="404 Not Found"), "answers that it is not there (404)"),
        (answer(b"%PDF-1.7", headers=("Content-Type: application/pdf",)), "is application/pdf"),
        (html("<rss version='2.0'></rss>"), "is a feed, not a page"),
        (html("<html><body><p>Please enable JavaScript"), "has no article"),
        (html(""), "no markup"),
        (html("<p>" + "x" * 400_000), "characters long"),
        (html("<div>" * 3_000 + FERRY), "nests over 100 levels"),
        (html("<p>" + "<b>x</b>" * 30_000), "has 30,001 tags"),
        (html("<script>" * 50_000 + FERRY), "has no article"),
        (html("<!--" + FERRY), "has no article"),
        (html('<script type="application/ld+json">' + "[" * 90_000 + "</script>"), "no article"),
        (answer(b"\x00\x01" * 99, headers=("Content-Type: text/html",)), "NUL"),
        (answer(status="302 Found", headers=("Location: file:///etc/passwd",)), "file address"),
    ],
    ids=range(13),
)
def test_a_hostile_page_is_one_report_and_nothing_else(
    taker: Taker, served: bytes, says: str
) -> None:
    assert says in taker.fault(served)


def test_what_a_page_says_stays_text(taker: Taker) -> None:
    attack = "<img src=x onerror=alert(1)>{{ 7*7 }}%{x}"
    head = (
        f"<meta property='og:title' content='Ferry {attack}'>"
        "<link rel=canonical href='javascript:alert(1)'>"
        "<meta property='og:image' content='http://inside.example/x.jpg'>"
    )
    body = f"<article><h1>x</h1><p onclick=alert(1)>{FERRY}</p><p>{MARKET} {attack}</p></article>"
    found = taker.article(page(head, body))
    assert "onerror" not in found.title + found.body_html
    assert "onclick" not in found.body_html
    assert found.url.startswith("http://127.0.0.1")
    assert found.picture is None


def test_scripts_that_never_end_cost_no_time() -> None:
    for opened in ("<script>", "<style>", "<!--", "<svg>", "<template>", "<noscript>"):
        rest, scripts = strip_page("a" + opened * 200_000)
        assert rest.startswith("a")
        assert scripts == []
    assert strip_page("a<script>b</script >c<!-- d -->e<svg><p/></svg>f")[0] == "acef"
