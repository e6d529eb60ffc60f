"""An HTML page's own words about itself, and its main text as simple blocks.

Reads the title, author, date, description, canonical address and picture from the head (Pelican's
and Open Graph's names), and takes the body from ``article`` or ``main`` where there is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from mailer.articles.cleaning import check_size, sanitise

_TITLES = ("og:title", "twitter:title", "dc.title", "title")
_AUTHORS = ("author", "article:author", "authors", "dc.creator", "byl")
_DATES = ("date", "article:published_time", "pubdate", "dc.date", "datepublished")
_OPEN_GRAPH = ("og:title", "og:image", "og:image:alt", "og:site_name")
_SUMMARIES = ("summary", "description", "og:description")


@dataclass(slots=True)
class Page:
    """What an HTML page says about itself; ``html`` is its sanitised main text."""

    data: dict[str, str] = field(default_factory=dict)
    html: str = ""


class _Head(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.metas: dict[str, str] = {}
        self._held: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "meta":
            name = (given.get("name") or given.get("property") or given.get("itemprop", "")).lower()
            if name and given.get("content", "").strip():
                self.metas.setdefault(name, given["content"].strip())
        elif tag == "link" and given.get("rel", "").lower() == "canonical":
            self.metas.setdefault("canonical", given.get("href", ""))
        elif tag == "time" and given.get("datetime"):
            self.metas.setdefault("date", given["datetime"])
        elif tag in {"title", "h1"}:
            self._held = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._held:
            self._held = ""

    def handle_data(self, data: str) -> None:
        if self._held:
            said = f"{self.metas.get(self._held, '')} {data}"
            self.metas[self._held] = " ".join(said.split())


def read_page(text: str) -> Page:
    """Read an HTML page or fragment.

    Raises:
        InvalidInput: too large or too deep.
    """
    check_size(text)
    head = _Head()
    head.feed(text)
    head.close()
    metas = head.metas
    found = {
        # The visible headline outranks the title bar, which carries the site's name too.
        "title": metas.get("h1") or _first(metas, _TITLES),
        "author": _first(metas, _AUTHORS),
        "date": _first(metas, _DATES),
        "summary": _first(metas, _SUMMARIES),
        "canonicalurl": metas.get("canonical") or metas.get("og:url", ""),
        **{name: metas.get(name, "") for name in _OPEN_GRAPH},
    }
    data = {key: value for key, value in found.items() if value}
    return Page(data, sanitise(_main(text)))


def _first(metas: dict[str, str], names: tuple[str, ...]) -> str:
    return next((metas[name] for name in names if metas.get(name)), "")


def _main(text: str) -> str:
    for tag in ("article", "main", "body"):
        opened = re.search(rf"<{tag}\b[^>]*>", text, re.IGNORECASE)
        closed = [m.start() for m in re.finditer(rf"</{tag}\s*>", text, re.IGNORECASE)]
        if opened and closed and closed[-1] > opened.end():
            inner = text[opened.end() : closed[-1]]
            # Several articles on a page are teasers; then the whole body is the text.
            if tag == "article" and re.search(r"<article\b", inner, re.IGNORECASE):
                continue
            return inner
    return re.sub(r"<head\b.*?</head>", "", text, flags=re.IGNORECASE | re.DOTALL)


_BLOCK = re.compile("<(p|h3|h4|ul|ol|blockquote)>")
_NESTED = frozenset({"ul", "ol", "blockquote"})
"""Blocks that may hold their like; no paragraph holds another."""


def html_blocks(text: str) -> list[str]:
    """Split sanitised HTML into its top-level blocks, in order."""
    blocks: list[str] = []
    start = 0
    while match := _BLOCK.search(text, start):
        closing = f"</{match[1]}>"
        end = text.find(closing, match.end())
        if end < 0:
            start = match.end()
            continue
        is_nested = match[1] in _NESTED
        end = _end(text, match.start(), match[1]) if is_nested else end + len(closing)
        blocks.append(text[match.start() : end])
        start = end
    return blocks


def _end(text: str, start: int, tag: str) -> int:
    depth = 0
    for match in re.compile(rf"<(/?){tag}>").finditer(text, start):
        depth += -1 if match[1] else 1
        if not depth:
            return match.end()
    return len(text)
