"""The shelf over a source of rows that counts what it is asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.frozen import FrozenEdition
from mailer.delivery.message import Letterhead
from mailer.editions.edition import Edition, Slot
from mailer.errors import NotFound
from mailer.issues.published import PastIssue
from mailer.usecases import shelf
from mailer.usecases.shelf import Links, Shelf, as_html, as_text, fold

NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)
WEB = "https://mail.tidewater.example"
PICTURE = f"{'0a' * 16}.jpg"
EDITION = Edition(
    issue_id="2026-11-30",
    region="wales",
    language="en-GB",
    subject="Straße & Öre",
    preheader="Soup on the quay",
    html=(
        f'<body><img src="{WEB}/images/{"1b" * 16}.png"><img src="{WEB}/images/{PICTURE}"><p>',
        Slot("greeting"),
        '</p><a href="',
        Slot("unsubscribe_url"),
        '">Leave</a></body>',
    ),
    text=(Slot("greeting"), f"\n\nThe ferry did not sail.\n{WEB}/secret-word\n", Slot("address")),
    article_ids=("ferry",),
)
HEAD = Letterhead("a", "b", "c", "d", "e", "f", "g", "h", "i")


def content(issue_id: str) -> str:
    edition = replace(EDITION, issue_id=issue_id)
    return FrozenEdition(edition, HEAD, WEB).to_json()


class Rows:
    """Stands for ``PastIssues`` and remembers which contents were read."""

    def __init__(self, count: int) -> None:
        self.days = [f"2026-{1 + n // 28:02}-{1 + n % 28:02}" for n in range(count)][::-1]
        self.read: list[str] = []

    def of_region(self, region: str) -> list[PastIssue]:
        return [PastIssue(day, 1, region, f"sum of {day}", NOW) for day in self.days]

    def find(self, issue_id: str, region: str) -> PastIssue | None:
        return next((row for row in self.of_region(region) if row.issue_id == issue_id), None)

    def contents(self, region: str, issue_ids: Collection[str]) -> dict[str, str]:
        assert issue_ids, "there was nothing to ask for"
        self.read += issue_ids
        return {each: content(each) for each in issue_ids}

    def newest(self) -> dict[str, PastIssue]:
        return {region: self.of_region(region)[0] for region in ("wales", "bristol")}


def make(count: int) -> tuple[Shelf, Rows]:
    rows = Rows(count)
    return Shelf(rows), rows  # type: ignore[arg-type]


def test_a_page_reads_only_what_it_shows_and_only_once() -> None:
    own, rows = make(100)
    own.listing("wales", page=2, size=10)
    assert rows.read == rows.days[10:20]
    own.listing("wales", page=2, size=10)
    own.listing("wales", page=1, size=20)
    assert sorted(rows.read) == sorted(rows.days[:20])
    assert own.listing("wales", query="ferry", size=10).total == 100
    assert own.listing("wales", query="ferry soup", size=10).total == 100
    assert sorted(rows.read) == sorted(rows.days)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "KEPT", 30)
    own, rows = make(100)
    assert own.listing("wales", query="ferry", size=100).total == 100
    assert len(own._known) == 30
    # The least recently used goes: the oldest issues were looked at last.
    rows.read.clear()
    own.listing("wales", page=4, size=25)
    assert rows.read == []


def test_an_issue_that_many_open_is_read_once_and_few_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shelf, "KEPT_OPEN", 2)
    own, rows = make(3)
    for day in (rows.days[0], rows.days[0], rows.days[1], rows.days[0]):
        assert own.open(day, "wales")[1].edition.issue_id == day
    assert rows.read == rows.days[:2]
    own.open(rows.days[2], "wales")
    own.open(rows.days[0], "wales")
    assert rows.read == [*rows.days, rows.days[0]]
    with pytest.raises(NotFound):
        own.open("2026-12-31", "wales")


def test_an_edition_that_was_approved_anew_is_read_anew() -> None:
    own, rows = make(1)
    own.listing("wales")
    rows.of_region = lambda region: [  # type: ignore[method-assign]
        PastIssue(rows.days[0], 1, region, "another sum", NOW + timedelta(days=1))
    ]
    own.listing("wales")
    assert rows.read == [rows.days[0]] * 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("strasse", True),
        ("ore", True),
        ("ÖRE", True),
        ("QUAY sail", True),
        ("secret-word", False),
        ("greeting", False),
        ("quay zeppelin", False),
        ("a b c d e f g h i j", False),
    ],
)
def test_a_search_knows_no_case_and_no_accents_and_no_addresses(query: str, found: bool) -> None:
    own, _ = make(1)
    assert own.listing("wales", query=query).total == found


def test_a_card_shows_the_first_photograph_and_where_a_word_was_found() -> None:
    own, _ = make(1)
    [card] = own.listing("wales", query="SAIL").cards
    assert card.picture == PICTURE
    assert card.excerpt is not None
    assert (card.excerpt.before, card.excerpt.word) == ("The ferry did not ", "sail")
    assert own.listing("wales").cards[0].excerpt is None
    assert {region: each.picture for region, each in own.newest().items()} == {
        "wales": PICTURE,
        "bristol": PICTURE,
    }


def test_an_issue_for_nobody_in_particular_has_public_links_escaped() -> None:
    links = Links("/issues/x", '/join?"><script>', "/join?a=1&b=2")
    frozen = FrozenEdition(EDITION, HEAD, WEB)
    page = as_html(frozen, links, address="our readers", images="/briefing/images/")
    assert '<p>Dear reader,</p><a href="/join?a=1&amp;b=2">' in page
    assert f'src="/briefing/images/{PICTURE}"' in page
    assert WEB not in page
    text = as_text(frozen, links, address="our readers")
    assert text.startswith("Dear reader,\n\nThe ferry")
    assert text.endswith("our readers")


@given(query=st.text(max_size=200), page=st.integers())
def test_any_query_and_page_give_a_list(query: str, page: int) -> None:
    own, _ = make(3)
    listing = own.listing("wales", query=query, page=page, size=2)
    assert 1 <= listing.page <= listing.pages
    assert len(listing.cards) <= 2
    assert listing.total <= 3


@given(st.text())
def test_folding_twice_is_folding_once(words: str) -> None:
    assert fold(fold(words)) == fold(words)
