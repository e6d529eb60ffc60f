"""What an editor ruled about a file's pieces, done again whenever the file is read.

A ruling names the file, the words a piece begins with, and what to do: accept it, give it
another title, split it, join it with the piece before, drop it, or call it an advert. Rulings are
done in order, each on what the ones before left, so that the second half of a split can be named in
turn. One that finds no piece any more is flagged on the document and changes nothing.

Pure; ``review_file`` reads and writes them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mailer.articles.article import Advert, Article, Document, Flag
from mailer.articles.cleaning import html_to_text
from mailer.articles.intake import hash_of
from mailer.articles.lettering import shorten, slug_of
from mailer.articles.pages import html_blocks
from mailer.articles.piece import LONGEST_TITLE

WORDS = 8
"""So many words tell a piece or a paragraph from the others of a file."""


class Act(StrEnum):
    """What an editor may do with a piece."""

    ACCEPT = "accept"
    RETITLE = "retitle"
    SPLIT = "split"
    JOIN = "join"
    DROP = "drop"
    ADVERT = "advert"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One ruling; ``title`` is the new one, ``at`` the words that the second half begins with."""

    file: str
    begins: str
    do: Act
    title: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Ruled:
    """A document as ruled; ``settled`` are the ids of pieces that nobody need look at again.

    ``removed`` are pieces that are in it no more: dropped, joined, called adverts.
    """

    document: Document
    settled: frozenset[str] = frozenset()
    removed: tuple[Article, ...] = ()


def first_words(text: str) -> str:
    """Return what a ruling calls a text by."""
    return " ".join(text.split()[:WORDS])


def paragraphs_of(article: Article) -> list[str]:
    """Return the plain text of each block of an article's body, in order."""
    return [" ".join(html_to_text(block).split()) for block in html_blocks(article.body_html)]


def apply(document: Document, rulings: Sequence[Ruling]) -> Ruled:
    """Do what was ruled about a document's file; rulings about other files are passed over."""
    bench = _Bench(document)
    for ruling in rulings:
        if ruling.file == document.origin:
            bench.do(ruling)
    return bench.result()


@dataclass(slots=True)
class _Bench:
    document: Document
    settled: set[str] = field(default_factory=set)
    removed: list[Article] = field(default_factory=list)

    def do(self, ruling: Ruling) -> None:
        articles = list(self.document.articles)
        place = next((n for n, a in enumerate(articles) if _is_meant(a, ruling.begins)), None)
        is_done = place is not None and self._on(articles, place, ruling)
        if not is_done:
            note = f"Nothing begins “{ruling.begins}” to {ruling.do.value}; see review.toml."
            flags = (*self.document.flags, Flag("ruling-unmatched", note))
            self.document = replace(self.document, flags=flags)

    def _on(self, articles: list[Article], place: int, ruling: Ruling) -> bool:
        article = articles[place]
        match ruling.do:
            case Act.ACCEPT:
                self._settle(articles, place, article)
            case Act.RETITLE:
                if not ruling.title:
                    return False
                self._settle(articles, place, _made(article, title=ruling.title))
            case Act.SPLIT:
                halves = _split(article, ruling.at, ruling.title)
                if halves is None:
                    return False
                second = replace(halves[1], id=_free(halves[1].id, articles))
                articles[place : place + 1] = [halves[0], second]
                self.settled -= {article.id}
            case Act.JOIN:
                if place == 0:
                    return False
                before = articles[place - 1]
                articles[place - 1 : place + 1] = [_joined(before, article)]
                self._remove(article, before.id)
                self.settled -= {before.id}
            case Act.DROP | Act.ADVERT:
                del articles[place]
                self._remove(article, "" if ruling.do is Act.ADVERT else None)
                if ruling.do is Act.ADVERT:
                    advert = Advert(article.title, article.body_text)
                    adverts = (*self.document.adverts, advert)
                    self.document = replace(self.document, adverts=adverts)
        self.document = replace(self.document, articles=tuple(articles))
        return True

    def _settle(self, articles: list[Article], place: int, article: Article) -> None:
        # An editor has looked at what the flags say.
        articles[place] = replace(article, flags=())
        self.settled.add(article.id)

    def _remove(self, article: Article, heir: str | None) -> None:
        """Note a piece as gone; its diary goes to another one, to nobody, or with it (None)."""
        self.removed.append(article)
        diary = tuple(
            entry if entry.article_id != article.id else replace(entry, article_id=heir or "")
            for entry in self.document.diary
            if heir is not None or entry.article_id != article.id
        )
        self.document = replace(self.document, diary=diary)

    def result(self) -> Ruled:
        return Ruled(self.document, frozenset(self.settled), tuple(self.removed))


def _flat(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _is_meant(article: Article, begins: str) -> bool:
    return bool(_flat(begins)) and f"{_flat(article.body_text)} ".startswith(f"{_flat(begins)} ")


def _made(article: Article, *, title: str = "", body_html: str | None = None) -> Article:
    """Return an article with another title or body and everything that follows from them."""
    name = shorten(title, LONGEST_TITLE) if title else article.title
    html = article.body_html if body_html is None else body_html
    text = html_to_text(html)
    headings = set(re.findall(r"<h[34]>(.*?)</h[34]>", html))
    plain = {" ".join(html_to_text(heading).split()) for heading in headings}
    return replace(
        article,
        title=name,
        body_html=html,
        body_text=text,
        content_hash=hash_of(name, text),
        parts=tuple(part for part in article.parts if part in plain),
        quotes=tuple(quote for quote in article.quotes if _flat(quote) in _flat(text)),
    )


def _split(article: Article, at: str, title: str) -> tuple[Article, Article] | None:
    blocks = html_blocks(article.body_html)
    plain = paragraphs_of(article)
    wanted = _flat(at)
    place = next((n for n, text in enumerate(plain) if n and _begins(text, wanted)), None)
    if place is None:
        return None
    rest = blocks[place:]
    if not title and rest[0].startswith("<h") and len(rest) > 1:
        title = plain[place]
    if rest[0].startswith("<h") and _flat(title) == _flat(plain[place]) and len(rest) > 1:
        rest = rest[1:]
    made = title or shorten(plain[place])
    first = _made(article, body_html="".join(blocks[:place]))
    second = replace(
        _made(article, title=made, body_html="".join(rest)),
        id=slug_of(made) or "article",
        standfirst="",
        authors=(),
        author_note="",
        picture=None,
        credits=(),
        joins=(),
        flags=(Flag("no-byline", "It was split from another piece; nobody is named."),),
    )
    return first, second


def _begins(text: str, wanted: str) -> bool:
    return bool(wanted) and f"{_flat(text)} ".startswith(f"{wanted} ")


def _free(wanted: str, articles: Sequence[Article]) -> str:
    taken = {article.id for article in articles}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _joined(before: Article, article: Article) -> Article:
    """Join a piece to the one before; its headline stays as a heading, unless it was made up."""
    is_made = any(flag.code == "headline-made" for flag in article.flags)
    heading = "" if is_made else f"<h3>{_escaped(article.title)}</h3>"
    joined = _made(before, body_html=before.body_html + heading + article.body_html)
    pictures = (article.picture,) if article.picture else ()
    parts = () if is_made else (article.title,)
    return replace(
        joined,
        authors=before.authors or article.authors,
        picture=before.picture or article.picture,
        credits=(*before.credits, *(pictures if before.picture else ()), *article.credits),
        parts=(*joined.parts, *parts, *article.parts) if joined.parts or article.parts else (),
        quotes=(*joined.quotes, *article.quotes),
        joins=(*before.joins, f"joined with “{article.title}”", *article.joins),
        flags=tuple(dict.fromkeys((*before.flags, *article.flags))),
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
