"""Sources are visited as they ask for, and one that fails is one report and nothing else."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailer.articles import visit
from mailer.articles.article import Document
from mailer.articles.destinations import read_networks
from mailer.articles.fetching import Fetcher, FetchPolicy
from mailer.articles.intake import IngestPolicy
from mailer.articles.library import KeptReport, Library
from mailer.articles.polling import Polling, SourceReport
from mailer.articles.source_book import SourceBook
from mailer.articles.syndication import Feed
from mailer.clock import FixedClock, SystemClock
from mailer.sources import Source
from mailer.storage.database import Database
from tests.servers.hostile import Hostile, answer, hostile_server
from tests.unit.test_identity import FERRY, MARKET

RSS = (
    "<rss version='2.0'><channel><title>Town</title><item><title>{title}</title>"
    "<link>https://town.example/{guid}</link><guid isPermaLink='false'>{guid}</guid>"
    "<pubDate>Thu, 26 Nov 2026 09:00:00 GMT</pubDate>"
    "<description>&lt;p&gt;{text}&lt;/p&gt;</description></item></channel></rss>"
)


def rss(title: str = "Ferry stays in port", text: str = FERRY, guid: str = "g-1") -> bytes:
    return RSS.format(title=title, text=text, guid=guid).encode()


@pytest.fixture
def server() -> Iterator[Hostile]:
    with hostile_server() as made:
        yield made


class Desk:
    """A publication's sources over a loopback server."""

    def __init__(self, server: Hostile, database: Database, clock: FixedClock, root: Path) -> None:
        self.server = server
        self.clock = clock
        self.root = root
        self.library = Library(database, clock)
        self.book = SourceBook(database)
        policy = FetchPolicy(allowed=read_networks("127.0.0.0/8"), timeout_s=2, most_bytes=200_000)
        self._polling = Polling(
            database,
            self.library,
            lambda: IngestPolicy(clock.now(), "Europe/London", root, {}, ("news",)),
            lambda: Fetcher(policy, SystemClock()),
        )

    def source(self, path: str = "/feed", **more: object) -> Source:
        told = {"name": f"Town {path}", "url": self.server.url(path)} | more
        return Source.model_validate(told)

    def poll(self, *sources: Source, is_now: bool = False) -> list[SourceReport]:
        return self._polling.poll(sources or (self.source(),), is_now=is_now)

    def one(self, *sources: Source, is_now: bool = False) -> tuple[str, dict[str, int]]:
        (report,) = self.poll(*sources, is_now=is_now)
        return report.status, dict(report.counts)

    def later(self, **more: float) -> None:
        self.clock.sleep(timedelta(**more).total_seconds())


@pytest.fixture
def desk(server: Hostile, database: Database, clock: FixedClock, tmp_path: Path) -> Desk:
    return Desk(server, database, clock, tmp_path)


def test_a_source_is_asked_when_due_and_says_when_nothing_is_new(desk: Desk) -> None:
    tags = ('ETag: "one"', "Last-Modified: Thu, 26 Nov 2026 09:00:00 GMT")
    desk.server.pages["/feed"] = answer(rss(), headers=tags)
    assert desk.one() == ("read", {"added": 1})
    assert desk.one() == ("waiting", {})
    assert len(desk.server.heard) == 1
    desk.later(minutes=60)
    desk.server.pages["/feed"] = answer(status="304 Not Modified")
    assert desk.one() == ("unchanged", {})
    assert 'If-None-Match: "one"' in desk.server.heard[1]
    assert "If-Modified-Since: Thu, 26 Nov 2026 09:00:00 GMT" in desk.server.heard[1]
    assert desk.one(is_now=True) == ("unchanged", {})
    (found,) = desk.library.articles()
    assert (found.source, found.url) == ("Town /feed", "https://town.example/g-1")


def test_a_server_without_tags_is_known_by_its_bytes(desk: Desk) -> None:
    desk.server.pages["/feed"] = answer(gzip.compress(rss()), headers=("Content-Encoding: gzip",))
    assert desk.one() == ("read", {"added": 1})
    assert desk.one(is_now=True) == ("unchanged", {})
    desk.server.pages["/feed"] = answer(rss("Ferry sails"))
    assert desk.one(is_now=True) == ("read", {"updated": 1})
    assert len(desk.library.versions("ferry-stays-in-port")) == 1


def test_a_feed_that_meets_a_fault_of_ours_is_its_own_trouble(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = visit.document_of

    def document_of(feed: Feed, source: Source, policy: IngestPolicy) -> Document:
        if feed.items[0].title == "Odd":
            raise KeyError("never thought of")
        return real(feed, source, policy)

    monkeypatch.setattr(visit, "document_of", document_of)
    desk.server.pages["/odd"] = answer(rss("Odd"))
    desk.server.pages["/feed"] = answer(rss())
    odd, good = desk.poll(desk.source("/odd"), desk.source())
    assert (odd.status, good.status) == ("failed", "read")
    assert odd.fault is not None
    assert "KeyError" in str(odd.fault)
    assert desk.one(desk.source("/odd")) == ("waiting", {})


def test_new_defaults_are_for_what_is_there_already_too(desk: Desk) -> None:
    desk.server.pages["/feed"] = answer(rss(), headers=('ETag: "one"',))
    desk.poll()
    again = desk.source(section="news", tags=["boats"])
    assert desk.one(again, is_now=True) == ("read", {"updated": 1})
    assert "If-None-Match" not in desk.server.heard[1]
    (found,) = desk.library.articles()
    assert (found.section, found.tags) == ("news", ("boats",))


def test_an_address_that_moved_for_good_is_remembered(desk: Desk) -> None:
    desk.server.pages["/feed"] = answer(status="301 Moved Permanently", headers=("Location: /new",))
    desk.server.pages["/new"] = answer(rss())
    (report,) = desk.poll()
    assert report.moved_to == desk.server.url("/new")
    desk.later(hours=1)
    desk.poll()
    assert [heard.split(" ")[1] for heard in desk.server.heard] == ["/feed", "/new", "/new"]
    # When the new address fails for long, the one in publication.toml is tried again.
    desk.server.pages["/new"] = answer(status="404 Not Found")
    for _ in range(4):
        desk.poll(is_now=True)
    assert [heard.split(" ")[1] for heard in desk.server.heard][-2:] == ["/feed", "/new"]


def test_a_failing_source_is_left_alone_longer_each_time(desk: Desk) -> None:
    desk.server.pages["/feed"] = answer(status="500 Oops")
    waits = []
    for _ in range(3):
        (report,) = desk.poll(is_now=True)
        assert report.status == "failed"
        assert report.due_at is not None
        waits.append((report.due_at - desk.clock.now()) / timedelta(hours=1))
    assert waits == [1, 2, 4]
    desk.server.pages["/feed"] = answer(status="503 Busy", headers=("Retry-After: 86400",))
    (report,) = desk.poll(is_now=True)
    assert report.due_at == desk.clock.now() + timedelta(days=1)
    desk.server.pages["/feed"] = answer(rss())
    assert desk.one(is_now=True) == ("read", {"added": 1})
    state = desk.book.states()[desk.source().place]
    assert (state.failures, state.trouble, state.articles) == (0, "", 1)


BAD = {
    "/gone": answer(status="410 Gone"),
    "/html": answer(b"<html><body>Not found</body></html>"),
    "/cut": answer(rss()[:-40]),
    "/laughs": answer(b'<!DOCTYPE a [<!ENTITY x "ha">]><rss>&x;</rss>'),
    "/inside": answer(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>'),
    "/bomb": answer(gzip.compress(b"<rss>" * 900_000), headers=("Content-Encoding: gzip",)),
    "/large": answer(b"<rss>" + b" " * 300_000 + b"</rss>"),
    "/empty": answer(b""),
    "/binary": answer(b"\x89PNG\r\n\x1a\n\x00\x00"),
    "/json": answer(b'{"version": "https://jsonfeed.org/version/1", "items": "no"}'),
    "/wordless": answer(b"<rss><channel><item><title>x</title></item></channel></rss>"),
    "/redirected": answer(status="302 Found", headers=("Location: http://169.254.169.254/",)),
    "/local": answer(status="302 Found", headers=("Location: file:///etc/passwd",)),
    "/loop": answer(status="302 Found", headers=("Location: /loop",)),
    "/brotli": answer(b"\x0b\x02", headers=("Content-Encoding: br",)),
}


def test_every_bad_source_is_one_report_and_stops_nobody(desk: Desk) -> None:
    desk.server.pages |= BAD
    desk.server.pages["/feed"] = answer(rss())
    desk.server.pages["/other"] = answer(rss("Buttons", MARKET, "g-2"))
    sources = [desk.source("/feed"), *(desk.source(path) for path in BAD), desk.source("/other")]
    reports = desk.poll(*sources)
    assert [report.name for report in reports] == [source.name for source in sources]
    bad = [report for report in reports if report.status == "failed"]
    assert [report.name for report in bad] == [f"Town {path}" for path in BAD]
    for report in bad:
        assert report.fault is not None
        assert report.name in report.fault.where
        assert 0 < len(report.fault.problem) < 200
        assert (report.articles, report.counts) == ((), ())
    assert {article.title for article in desk.library.articles()} == {
        "Ferry stays in port",
        "Buttons",
    }
    states = desk.book.states()
    assert [states[s.place].failures for s in sources] == [0, *[1] * len(BAD), 0]


def test_a_file_of_the_publication_is_a_source(desk: Desk) -> None:
    source = Source(name="Filed", file="feeds/x.xml")
    assert desk.one(source) == ("failed", {})
    (desk.root / "feeds").mkdir()
    (desk.root / "feeds" / "x.xml").write_bytes(rss())
    assert desk.one(source) == ("read", {"added": 1})
    assert desk.one(source) == ("unchanged", {})
    (desk.root / "feeds" / "y.xml").symlink_to("/etc/passwd")
    (report,) = desk.poll(Source(name="Away", file="feeds/y.xml"))
    assert report.fault is not None
    assert "leads out of the publication's folder" in report.fault.problem


def test_a_source_that_is_off_is_not_asked(desk: Desk) -> None:
    assert desk.one(desk.source(is_enabled=False), is_now=True) == ("off", {})
    assert desk.server.heard == []


def test_many_sources_are_read_side_by_side(desk: Desk) -> None:
    """Enough of them to be read in other processes."""
    sources = []
    for number in range(14):
        words = f"{FERRY} Number {number} of the day."
        desk.server.pages[f"/{number}"] = answer(rss(f"Piece {number}", words, f"g-{number}"))
        sources.append(desk.source(f"/{number}"))
    reports = desk.poll(*sources)
    assert [dict(report.counts) for report in reports] == [{"added": 1}] * 14
    assert len(desk.library.articles()) == 14


def test_visits_go_on_while_what_came_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailer.articles.polling._UNDER_WAY", 2)
    monkeypatch.setattr("mailer.articles.polling._TOGETHER", 1)
    heard = []
    keep = desk.library.keep

    def keep_slowly(document: Document) -> KeptReport:
        until = time.monotonic() + 5
        while len(desk.server.heard) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        heard.append(len(desk.server.heard))
        return keep(document)

    monkeypatch.setattr(desk.library, "keep", keep_slowly)
    sources = []
    for number in range(4):
        desk.server.pages[f"/{number}"] = answer(rss(f"Piece {number}", guid=f"g-{number}"))
        sources.append(desk.source(f"/{number}"))
    assert [dict(report.counts) for report in desk.poll(*sources)] == [{"added": 1}] * 4
    assert heard[0] >= 3
