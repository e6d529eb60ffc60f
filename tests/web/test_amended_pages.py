"""An amended issue on the web: its note, dated, above what is right now; and in the feeds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import feedparser
import pytest
from starlette.testclient import TestClient

from mailer.app import App
from mailer.clock import FixedClock
from mailer.issues.amending import Amendments
from tests.web.publishing import ISSUE, frozen

WALES = f"/issues/{ISSUE}/wales"
CORRECTED = datetime(2026, 12, 1, 9, tzinfo=UTC)
NOTE = "The march is on the 12th, not the 11th <script>alert(1)</script>."


@pytest.fixture
def amended(opened: App) -> None:
    clock = FixedClock(CORRECTED)
    kept = frozen(opened)
    edition = replace(kept.edition, subject="Ten towns, one invoice")
    Amendments(opened.database, opened.archive, clock).amend(
        ISSUE,
        by="nora",
        note=NOTE,
        contents={"wales": replace(kept, edition=edition).to_json()},
    )


def test_the_page_says_what_was_wrong_before_everything_else(
    client: TestClient, amended: None
) -> None:
    page = client.get(WALES).text
    assert "<script>alert" not in page
    words = unescape(page)
    assert "Corrected on 1 December 2026:" in words
    assert NOTE in words
    assert page.index("site-note") < page.index("<h1")
    in_german = unescape(client.get(f"{WALES}?lang=de").text)
    assert "Berichtigt am 1. Dezember 2026:" in in_german
    # The note is about the issue; a region whose edition did not change has it too.
    assert "Corrected on 1 December 2026:" in client.get(f"/issues/{ISSUE}/bristol").text


def test_a_page_that_was_never_corrected_has_no_note(client: TestClient) -> None:
    assert 'class="site-note"' not in client.get(WALES).text


def test_the_text_begins_with_the_note(client: TestClient, amended: None) -> None:
    assert client.get(f"{WALES}.txt").text.startswith(
        "Corrected on 1 December 2026: The march is on the 12th"
    )


def test_a_note_that_was_taken_back_stands_on_no_page(
    client: TestClient, opened: App, amended: None
) -> None:
    before = client.get(WALES)
    clock = FixedClock(CORRECTED)
    Amendments(opened.database, opened.archive, clock).withdraw(ISSUE, 1, by="nora", note=NOTE)
    for path in (WALES, f"{WALES}.txt", f"/issues/{ISSUE}/bristol"):
        assert "Corrected on" not in client.get(path).text
    after = client.get(WALES, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert "Ten towns, one invoice" not in after.text


def test_feeds_say_when_it_was_corrected(client: TestClient, amended: None) -> None:
    feed = feedparser.parse(client.get("/archive/wales/feed.xml").content)
    (entry,) = feed.entries
    assert entry.title == "Ten towns, one invoice"
    assert entry.updated == "2026-12-01T09:00:00+00:00"
    assert entry.published.startswith("Fri, 27 Nov 2026")
    items = json.loads(client.get("/archive/wales/feed.json").content)["items"]
    assert items[0]["date_modified"] == "2026-12-01T09:00:00+00:00"
    assert items[0]["date_published"] == "2026-11-27T12:00:00+00:00"


def test_a_feed_without_corrections_has_no_such_word(client: TestClient) -> None:
    items = json.loads(client.get("/archive/wales/feed.json").content)["items"]
    assert "date_modified" not in items[0]
    assert b"updated" not in client.get("/archive/wales/feed.xml").content
