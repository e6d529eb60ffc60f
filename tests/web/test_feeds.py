"""The archive as feeds, read back by other programs' parsers."""

from __future__ import annotations

import calendar
import json
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import feedparser
import pytest
from starlette.testclient import TestClient

from mailer.app import App
from tests.web.publishing import ISSUE, WEB_URL, add_issue

RSS = "/archive/wales/feed.xml"
JSON = "/archive/wales/feed.json"
HOSTILE = ']]> & <script>\x0b\u0007é𝄞 "q"'


def test_rss_is_read_by_a_feed_parser(client: TestClient, opened: App) -> None:
    add_issue(opened, "2026-11-23", subject=HOSTILE)
    answer = client.get(RSS)
    assert answer.headers["content-type"] == "application/rss+xml; charset=utf-8"
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    assert feed.version == "rss20"
    assert feed.feed.title == "The Lantern, Wales"
    assert feed.feed.link == f"{WEB_URL}/archive/wales"
    assert feed.feed.language == "en-gb"
    [newest, older] = feed.entries
    assert newest.title == "Nine towns, one invoice"
    assert newest.link == f"{WEB_URL}/issues/{ISSUE}/wales"
    assert newest.id == f"{ISSUE}@wales.briefing.lantern.example"
    assert newest.summary.startswith("A lift that eleven blocks never had")
    assert calendar.timegm(newest.published_parsed) == 1795780800
    assert client.get(newest.link.removeprefix(WEB_URL)).status_code == 200
    assert older.title.startswith("]]> & ")
    plain = ET.fromstring(answer.content).findall("channel/item/title")[1].text
    assert plain == ']]> & <script>é𝄞 "q"'


class Tags(HTMLParser):
    """What a reader would take for markup in an entry's HTML, and the words it would show."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_hostile_words_are_no_markup_to_a_feed_reader(client: TestClient, opened: App) -> None:
    words = "5 < 6 & <script>alert(1)</script> <img src=x onerror=alert(1)> &lt;b&gt;"
    add_issue(opened, "2026-11-23", subject=words)
    content = client.get(RSS).content
    # Nothing is sanitised away: whatever the parser hands on is what would be drawn.
    for is_sanitised in (False, True):
        older = feedparser.parse(content, sanitize_html=is_sanitised).entries[1]
        assert older.summary_detail.type == "text/html"
        seen = Tags(older.summary)
        assert seen.tags == []
        assert seen.words == f"About {words}"


def test_it_says_where_it_is_itself(client: TestClient) -> None:
    link = ET.fromstring(client.get(RSS).content).find("channel/{http://www.w3.org/2005/Atom}link")
    assert link is not None
    assert link.attrib == {
        "href": f"{WEB_URL}{RSS}",
        "rel": "self",
        "type": "application/rss+xml",
    }


def test_json_feed_has_what_version_1_1_asks_for(client: TestClient, opened: App) -> None:
    add_issue(opened, "2026-11-23", subject=HOSTILE)
    answer = client.get(JSON)
    assert answer.headers["content-type"] == "application/feed+json; charset=utf-8"
    feed = json.loads(answer.content)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == f"{WEB_URL}{JSON}"
    assert feed["home_page_url"] == f"{WEB_URL}/archive/wales"
    assert feed["authors"] == [{"name": "Lantern Press Co-operative"}]
    [newest, older] = feed["items"]
    assert newest["id"] == f"{ISSUE}@wales.briefing.lantern.example"
    assert newest["url"] == f"{WEB_URL}/issues/{ISSUE}/wales"
    assert newest["date_published"] == "2026-11-27T12:00:00+00:00"
    assert "Dear reader," in newest["content_text"]
    assert "/unsubscribe/" not in newest["content_text"]
    assert older["title"] == HOSTILE


def test_pages_tell_programs_of_the_feeds(client: TestClient) -> None:
    page = client.get("/archive/wales").text
    assert f'type="application/rss+xml" title="The Lantern, Wales" href="{WEB_URL}{RSS}"' in page
    assert f'type="application/feed+json" title="The Lantern, Wales" href="{WEB_URL}{JSON}"' in page
    assert client.get("/").text.count('type="application/rss+xml"') == 14


@pytest.mark.parametrize("path", [RSS, JSON])
def test_who_has_it_is_not_sent_it_again(client: TestClient, opened: App, path: str) -> None:
    first = client.get(path)
    tag, changed = first.headers["etag"], first.headers["last-modified"]
    assert changed == "Fri, 27 Nov 2026 12:00:00 GMT"
    for known in (
        {"if-none-match": tag},
        {"if-none-match": f'"other", W/{tag}'},
        {"if-none-match": "*"},
        {"if-modified-since": changed},
        {"if-none-match": tag, "if-modified-since": "Mon, 01 Jan 2024 00:00:00 GMT"},
    ):
        again = client.get(path, headers=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    for unknown in (
        {"if-none-match": '"other"', "if-modified-since": changed},
        {"if-modified-since": "Mon, 01 Jan 2024 00:00:00 GMT"},
        {"if-modified-since": "yesterday"},
    ):
        assert client.get(path, headers=unknown).status_code == 200
    add_issue(opened, "2026-12-07", subject="Another week")
    later = client.get(path, headers={"if-none-match": tag})
    assert later.status_code == 200
    assert later.headers["etag"] != tag
    assert later.headers["last-modified"] == "Mon, 07 Dec 2026 07:00:00 GMT"


@pytest.mark.parametrize("path", [RSS, JSON])
def test_a_region_without_issues_has_an_empty_feed(
    client: TestClient, opened: App, path: str
) -> None:
    opened.archive.freeze(ISSUE, {})
    answer = client.get(path)
    assert answer.status_code == 200
    assert "last-modified" not in answer.headers
    assert not feedparser.parse(answer.content).entries
