"""What a finished HTML part is made of, for the checks: headings, links, pictures, runs of text.

Reads our own output (well-formed, styles inline), not the wild web. Colours and sizes are
inherited as a mail client without style sheets would show them; conditional comments for Outlook
are not looked into.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from mailer.editions.components import VOID

_LENGTH = re.compile(r"(-?\d+(?:\.\d+)?)px")
_TEXT_TAGS = frozenset({"p", "li", "em", "strong", "span"})
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")


@dataclass(frozen=True, slots=True)
class Link:
    """An ``a href`` with its text, or its picture's alt.

    ``is_marked`` is false where it stands within text and is not underlined.
    """

    href: str
    text: str
    is_marked: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as it stands in the mail; ``alt`` is None when there is no alt at all."""

    src: str
    alt: str | None
    width: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of visible text with what it looks like; ``line_height`` is a ratio, 0 unknown."""

    text: str
    size_px: float
    colour: str
    ground: str
    line_height: float = 0


@dataclass(slots=True)
class Anatomy:
    """Everything the checks ask for, in reading order."""

    language: str = ""
    direction: str = ""
    title: str = ""
    headings: list[tuple[int, str]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    pictures: list[Shown] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    tables_without_role: int = 0
    style_bytes: int = 0
    styles: str = ""
    metas: dict[str, str] = field(default_factory=dict)
    declared: set[tuple[str, str]] = field(default_factory=set)
    """Properties of inline styles, with their values."""
    tags: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)

    @property
    def words(self) -> str:
        """All visible text, single-spaced."""
        return " ".join(" ".join(run.text for run in self.runs).split())


@dataclass(slots=True)
class _Look:
    tag: str
    size_px: float
    colour: str
    ground: str
    line_height: float
    is_hidden: bool


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = Anatomy()
        self._open: list[_Look] = [_Look("", 16.0, "#000000", "#ffffff", 0, is_hidden=False)]
        self._link: tuple[str, list[str], bool] | None = None
        self._heading: tuple[int, list[str]] | None = None

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.found.tags.add(tag)
        self.found.attributes |= given.keys()
        if "id" in given:
            self.found.ids.add(given["id"])
        if tag == "html":
            self.found.language = given.get("lang", "")
            self.found.direction = given.get("dir", "")
        elif tag == "meta" and "name" in given:
            self.found.metas[given["name"]] = given.get("content", "")
        elif tag == "table" and given.get("role") not in {"presentation", "none"}:
            self.found.tables_without_role += 1
        elif tag == "img":
            self._picture(given)
        elif tag == "a" and "href" in given:
            is_within_text = self._open[-1].tag in _TEXT_TAGS
            is_bare = bool(re.search(r"text-decoration\s*:\s*none", given.get("style", "")))
            self._link = (given["href"], [], not (is_within_text and is_bare))
        elif re.fullmatch(r"h[1-6]", tag):
            self._heading = (int(tag[1]), [])
        if tag not in VOID:
            self._open.append(self._look(tag, given))

    def _picture(self, given: dict[str, str]) -> None:
        width = given.get("width", "")
        self.found.pictures.append(
            Shown(given.get("src", ""), given.get("alt"), int(width) if width.isdigit() else None)
        )
        if self._link:
            self._link[1].append(given.get("alt", ""))

    def _look(self, tag: str, given: dict[str, str]) -> _Look:
        above = self._open[-1]
        styles: dict[str, str] = {}
        for part in given.get("style", "").split(";"):
            name, _, value = part.partition(":")
            if name.strip():
                styles[name.strip().lower()] = value.strip()
        self.found.declared |= styles.items()
        colour = _HEX.search(styles.get("color", ""))
        ground = _HEX.search(
            styles.get("background-color") or styles.get("background") or given.get("bgcolor", "")
        )
        size = _LENGTH.search(styles.get("font-size") or styles.get("font") or "")
        size_px = float(size[1]) if size else above.size_px
        return _Look(
            tag,
            size_px,
            colour[0] if colour else above.colour,
            ground[0] if ground else above.ground,
            _line_height(styles, size_px) or above.line_height,
            is_hidden=above.is_hidden
            or styles.get("display") == "none"
            or tag in {"head", "style", "title", "script"},
        )

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            href, texts, is_marked = self._link
            words = " ".join(" ".join(texts).split())
            self.found.links.append(Link(href, words, is_marked))
            self._link = None
        if self._heading and tag == f"h{self._heading[0]}":
            level, texts = self._heading
            self.found.headings.append((level, " ".join(" ".join(texts).split())))
            self._heading = None
        for position in range(len(self._open) - 1, 0, -1):
            if self._open[position].tag == tag:
                del self._open[position:]
                return

    def handle_data(self, data: str) -> None:
        look = self._open[-1]
        if look.tag == "style":
            self.found.style_bytes += len(data.encode())
            self.found.styles += data
        elif look.tag == "title":
            self.found.title += data.strip()
        if self._link:
            self._link[1].append(data)
        if self._heading:
            self._heading[1].append(data)
        if data.strip() and not look.is_hidden:
            self.found.runs.append(
                Run(data, look.size_px, look.colour, look.ground, look.line_height)
            )


def _line_height(styles: dict[str, str], size_px: float) -> float:
    """Return a line height as a multiple of the type's size, 0 where none is given."""
    text = styles.get("line-height") or styles.get("font", "").partition("/")[2].partition(" ")[0]
    if found := _LENGTH.match(text):
        return float(found[1]) / size_px if size_px else 0
    found = re.match(r"(\d+(?:\.\d+)?)(%?)$", text)
    if not found:
        return 0
    return float(found[1]) / (100 if found[2] else 1)


def dissect(html: str) -> Anatomy:
    """Read a merged HTML part."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found
