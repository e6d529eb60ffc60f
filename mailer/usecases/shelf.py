"""The shelf: every region's past issues, to list, to search and to read as anybody may.

A past issue is shown as it was frozen, for no reader in particular: the greeting is the general
one, and where a mail has a reader's own links the page has the public ones. Editions never change
once they are public, so what listing and searching need of one is kept by its checksum, up to
``KEPT`` of them, and read from the database once.

A search takes every word anywhere in subject, preheader and text, whatever its case and accents;
the words of one query are few and short, so that none costs more than reading the texts once.

Known limit: the first search of a region after a start reads all of its editions.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from mailer.delivery.frozen import FrozenEdition
from mailer.editions.edition import merge_html, merge_text
from mailer.errors import Fault, NotFound
from mailer.issues.issue import is_correction, issue_day
from mailer.issues.published import Note, PastIssue, PastIssues

KEPT = 4000
KEPT_OPEN = 64
"""Whole editions; on the day of sending every reader who follows the link wants the same few."""

ANNOUNCED_BY = 26
"""Issues, half a year of a weekly: so long a happening stays public that none repeats."""

LONGEST_QUERY = 100
MOST_WORDS = 8
AROUND = 90
"""Characters shown on either side of what was found."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Where a word was found: the text before it, the word, the text after it."""

    before: str
    word: str
    after: str


@dataclass(frozen=True, slots=True)
class Card:
    """A past issue in a list.

    ``changed_at`` is when it was sent or last corrected; ``picture`` is the name of its first
    photograph, "" for none; ``diary`` are the ids of diary entries that it links to; ``excerpt``
    shows where a search found it.
    """

    issue_id: str
    number: int
    region: str
    day: date
    sent_at: datetime
    changed_at: datetime
    checksum: str
    language: str
    subject: str
    preheader: str
    text: str
    picture: str = ""
    diary: tuple[str, ...] = ()
    excerpt: Excerpt | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, and how many there are in all."""

    cards: tuple[Card, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Links:
    """The public links that stand in the place of a reader's own."""

    view_online_url: str
    preferences_url: str
    unsubscribe_url: str


class Shelf:
    """Lists, searches and opens past issues; safe to use from several threads."""

    def __init__(self, past: PastIssues) -> None:
        self._past = past
        self._known: OrderedDict[str, tuple[Card, str]] = OrderedDict()
        self._opened: OrderedDict[str, FrozenEdition] = OrderedDict()
        self._lock = threading.Lock()

    def listing(self, region: str, *, query: str = "", page: int = 1, size: int = 20) -> Listing:
        """Return a page of a region's past issues, newest first; those a query finds, if any."""
        rows = self._past.of_region(region)
        if words := _words(query):
            found = [
                _with_excerpt(card, words)
                for card, folded in self._cards(region, rows)
                if all(word in folded for word in words)
            ]
            total, pages, page, part = _part(len(found), page, size)
            return Listing(tuple(found[part]), total, page, pages)
        total, pages, page, part = _part(len(rows), page, size)
        cards = tuple(card for card, _ in self._cards(region, rows[part]))
        return Listing(cards, total, page, pages)

    def newest(self) -> dict[str, Card]:
        """Return each region's newest past issue, where there is one."""
        return {
            region: card
            for region, row in self._past.newest().items()
            for card, _ in self._cards(region, [row])
        }

    def announced(self, region: str) -> frozenset[str]:
        """Return the ids of the diary entries that a region's recent issues told readers of."""
        rows = self._past.of_region(region)[:ANNOUNCED_BY]
        return frozenset(name for card, _ in self._cards(region, rows) for name in card.diary)

    def open(self, issue_id: str, region: str) -> tuple[PastIssue, FrozenEdition]:
        """Return a past issue as it was frozen.

        Raises:
            NotFound: there is none, or it has not gone out.
        """
        row = self._past.find(issue_id, region)
        if row is not None:
            with self._lock:
                known = self._opened.get(_key(row))
            if known is not None:
                return row, known
        content = self._past.contents(region, [issue_id]).get(issue_id) if row else None
        if row is None or content is None:
            raise NotFound(
                Fault(f"issue {issue_id} has not gone out to {region}", remedy="see the archive")
            )
        frozen = FrozenEdition.from_json(content)
        with self._lock:
            self._opened[_key(row)] = frozen
            while len(self._opened) > KEPT_OPEN:
                self._opened.popitem(last=False)
        return row, frozen

    def notes(self, issue_id: str) -> list[Note]:
        """Return what was corrected in a past issue since it was sent, oldest first."""
        return self._past.notes(issue_id)

    def _cards(self, region: str, rows: Sequence[PastIssue]) -> list[tuple[Card, str]]:
        with self._lock:
            known = {row.checksum: self._known.get(_key(row)) for row in rows}
        missing = [row for row in rows if known[row.checksum] is None]
        contents: dict[str, str] = {}
        if missing:
            contents = self._past.contents(region, [row.issue_id for row in missing])
        for row in missing:
            # An issue that was cancelled since is missed here and in the next list.
            if row.issue_id in contents:
                card = _card(row, FrozenEdition.from_json(contents[row.issue_id]))
                known[row.checksum] = (card, fold(f"{card.subject} {card.preheader} {card.text}"))
        with self._lock:
            for row in rows:
                entry = known[row.checksum]
                if entry is not None:
                    self._known[_key(row)] = entry
                    self._known.move_to_end(_key(row))
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return [entry for row in rows if (entry := known[row.checksum]) is not None]


def as_html(frozen: FrozenEdition, links: Links, *, address: str, images: str) -> str:
    """Return an edition's page for nobody in particular; its pictures are this site's own.

    Args:
        links: what its personal links lead to instead.
        address: what stands for the reader's address, such as "our readers".
        images: where this site has its pictures, with a slash at the end.
    """
    html = merge_html(frozen.edition.html, _fields(frozen, links, address))
    return html.replace(f"{frozen.web_url}/images/", images)


def as_text(frozen: FrozenEdition, links: Links, *, address: str) -> str:
    """Return an edition's text for nobody in particular."""
    return merge_text(frozen.edition.text, _fields(frozen, links, address))


def fold(text: str) -> str:
    """Return a text as searching compares it: no case, no accents."""
    # Twice, because taking a sign apart can bring capitals to light.
    once = unicodedata.normalize("NFKD", text.casefold())
    apart = unicodedata.normalize("NFKD", once.casefold())
    return "".join(ch for ch in apart if not unicodedata.combining(ch))


def _fields(frozen: FrozenEdition, links: Links, address: str) -> dict[str, str]:
    return {
        "name": "",
        "greeting": frozen.edition.greeting(""),
        "address": address,
        "view_online_url": links.view_online_url,
        "preferences_url": links.preferences_url,
        "unsubscribe_url": links.unsubscribe_url,
    }


def _card(row: PastIssue, frozen: FrozenEdition) -> Card:
    edition = frozen.edition
    text = "".join(part if isinstance(part, str) else " " for part in edition.text)
    html = "".join(part for part in edition.html if isinstance(part, str))
    # A photograph is a JPEG, a logo a PNG.
    picture = re.search(rf"{re.escape(frozen.web_url)}/images/([0-9a-f]{{32}}\.jpg)", html)
    return Card(
        issue_id=row.issue_id,
        number=row.number,
        region=row.region,
        day=row.sent_at.date() if is_correction(row.issue_id) else issue_day(row.issue_id),
        sent_at=row.sent_at,
        changed_at=row.changed_at,
        checksum=row.checksum,
        language=edition.language,
        subject=edition.subject,
        preheader=edition.preheader,
        # Addresses of pages are no words that anybody looks for.
        text=" ".join(re.sub(r"https?://\S+", " ", text).split()),
        picture=picture[1] if picture else "",
        diary=tuple(re.findall(rf"{re.escape(frozen.web_url)}/diary/([a-z0-9-]+)\.ics", html)),
    )


def _key(row: PastIssue) -> str:
    return f"{row.region} {row.issue_id} {row.checksum} {row.changed_at.timestamp()}"


def _words(query: str) -> list[str]:
    return fold(query[:LONGEST_QUERY]).split()[:MOST_WORDS]


def _part(total: int, page: int, size: int) -> tuple[int, int, int, slice]:
    pages = max(1, -(-total // size))
    page = min(max(1, page), pages)
    return total, pages, page, slice((page - 1) * size, page * size)


def _with_excerpt(card: Card, words: Iterable[str]) -> Card:
    for word in words:
        # The folded text cannot say where it stands in the real one; most words are spelt alike.
        found = re.search(re.escape(word), card.text, re.IGNORECASE)
        if found:
            start, end = found.span()
            before = card.text[max(0, start - AROUND) : start]
            after = card.text[end : end + AROUND]
            excerpt = Excerpt(
                before=f"…{before.partition(' ')[2]}" if start > AROUND else before,
                word=found[0],
                after=f"{after.rpartition(' ')[0]}…" if end + AROUND < len(card.text) else after,
            )
            return replace(card, excerpt=excerpt)
    return card
