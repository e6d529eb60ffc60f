"""Hostile words on the public pages and in the feeds: shown, searched for, and nothing more."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from lxml import html as lxml_html
from starlette.testclient import TestClient

from mailer.app import App
from mailer.issues.issue import IssueRecord, IssueState
from mailer.usecases.shelf import Card
from mailer.web.feeds import Channel, Entry, json_feed, rss
from tests.hostile import PAYLOADS, PLAIN, PLAIN_ONES, edition_of, shown, squeezed
from tests.web.conftest import visit
from tests.web.publishing import frozen

DAYS = {"hostile": "2026-12-07", "plain": "2026-12-14"}
PARSER = lxml_html.HTMLParser(encoding="utf-8")
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def put(app: App, day: str, word: str, words: tuple[str, ...]) -> None:
    """Put an issue that went out into the archive."""
    model = frozen(app)
    edition = replace(edition_of(word, words), issue_id=day)
    app.archive.adopt(IssueRecord(day, 2, IssueState.DRAFT))
    app.archive.approve(
        day,
        by="nora",
        number=2,
        checksum="c" * 64,
        audience_rule="",
        text="",
        contents={"wales": replace(model, edition=edition).to_json()},
    )
    for step in ("send", "finish"):
        app.archive.transition(day, step)


@pytest.fixture
def site(publication: Path, opened: App) -> TestClient:
    return visit(opened)


def page(site: TestClient, path: str, **query: str) -> Any:
    answer = site.get(path, params=query)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    return lxml_html.document_fromstring(answer.content, parser=PARSER)


def shape(document: Any) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (each.tag, tuple(sorted(each.attrib)))
        for each in document.iter()
        if isinstance(each.tag, str)
    ]


def acts(document: Any) -> list[str]:
    """Return what could run or leave the site."""
    found = []
    for each in document.iter():
        if not isinstance(each.tag, str):
            continue
        if each.tag in {"script", "iframe", "object", "embed", "base"}:
            found.append(each.tag)
        found += [name for name in each.attrib if name.startswith("on") or name == "srcdoc"]
        found += [
            value
            for name, value in each.attrib.items()
            if name in {"href", "src", "action"} and not re.match(r"[/#?]|https?://|mailto:", value)
        ]
    return found


def test_an_issues_page_shows_payloads_as_words(site: TestClient, opened: App) -> None:
    put(opened, DAYS["hostile"], PLAIN, PAYLOADS)
    put(opened, DAYS["plain"], PLAIN, PLAIN_ONES)
    hostile = page(site, f"/issues/{DAYS['hostile']}/wales")
    assert shape(hostile) == shape(page(site, f"/issues/{DAYS['plain']}/wales"))
    assert acts(hostile) == []
    words = squeezed(hostile.text_content())
    assert [each for each in PAYLOADS if squeezed(shown(each)) not in words] == []

    plain = site.get(f"/issues/{DAYS['hostile']}/wales.txt")
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    words = squeezed(plain.text)
    assert [each for each in PAYLOADS if squeezed(shown(each)) not in words] == []


def test_lists_searches_and_feeds_take_any_subject(site: TestClient, opened: App) -> None:
    """Every payload is the subject of an issue once: all of them are in one list."""
    days = [f"2027-{1 + number // 28:02}-{1 + number % 28:02}" for number in range(len(PAYLOADS))]
    for day, payload in zip(days, PAYLOADS, strict=True):
        put(opened, day, payload, (PLAIN,))
    seen = ""
    for number in range(1, 6):
        listed = page(site, "/archive/wales", page=str(number))
        assert acts(listed) == []
        seen += squeezed(listed.text_content())
    assert [each for each in PAYLOADS if squeezed(shown(each)) not in seen] == []
    assert acts(page(site, "/")) == []

    feed = ET.fromstring(site.get("/archive/wales/feed.xml").content)
    titles = [item.findtext("title") for item in feed.iter("item")]
    newest = [shown(payload) for payload in reversed(PAYLOADS)][: len(titles)]
    assert titles == [NO_XML.sub("", each) for each in newest]
    assert {each.tag for each in feed.iter("item").__next__()} == {
        "title",
        "link",
        "guid",
        "pubDate",
        "description",
    }
    entries = json.loads(site.get("/archive/wales/feed.json").content)["items"]
    assert [entry["title"] for entry in entries] == newest
    assert all("content_html" not in entry for entry in entries)


def test_a_feed_of_payloads_is_read_as_it_was_written() -> None:
    """The site's own feeds are short; these have every payload in every field of an entry."""
    at = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
    channel = Channel(*[PAYLOADS[2]] * 8)
    entries = [
        Entry(
            Card("2026-11-30", 1, "wales", at.date(), at, at, "c", "en", each, each, each),
            url="https://mail.lantern.example/x",
            text=each,
        )
        for each in PAYLOADS
    ]
    wanted = [NO_XML.sub("", each) for each in PAYLOADS]
    # A parser of XML reads each of the three line ends as one.
    read = [re.sub("\r\n?", "\n", each) for each in wanted]
    items = list(ET.fromstring(rss(channel, entries)).iter("item"))
    for field in ("title", "description"):
        found = [item.findtext(field) or "" for item in items]
        if field == "description":
            # It is HTML: words that are written so that nothing in them is markup.
            assert not any("<" in each for each in found)
            found = [unescape(each) for each in found]
        assert [re.sub("\r\n?", "\n", each) for each in found] == read
    data = json.loads(json_feed(channel, entries))
    for field in ("title", "summary", "content_text"):
        assert [item[field] for item in data["items"]] == list(PAYLOADS)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_query_is_repeated_as_words(reader: TestClient, payload: str) -> None:
    found = page(reader, "/archive/wales", q=payload)
    assert shape(found) == shape(page(reader, "/archive/wales", q="zeppelin"))
    assert acts(found) == []


@pytest.mark.parametrize("payload", PAYLOADS[::4])
def test_a_language_and_a_path_are_never_repeated(reader: TestClient, payload: str) -> None:
    assert acts(page(reader, "/", lang=payload)) == []
    missing = reader.get(f"/archive/{payload.encode().hex()}/{'x' * 9}", params={"x": payload})
    assert missing.status_code == 404
    assert "foreign" not in missing.text
