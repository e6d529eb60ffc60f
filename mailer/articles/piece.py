"""A piece while it is being put together, and the article it becomes.

Every way in fills a ``Piece`` and calls ``finish``: the title is recased, the sentences mended,
the body rendered and sanitised, and what nobody wrote is flagged. Ids here are proposals; the
library makes them unique and keeps them stable.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from mailer.articles.article import Article, Flag, Kind, Picture
from mailer.articles.blocks import Block, bullet_text, mend
from mailer.articles.cleaning import html_to_text, markdown_to_html, sanitise
from mailer.articles.dating import find_deadline, sentences_of
from mailer.articles.intake import IngestPolicy, hash_of
from mailer.articles.lettering import Vocabulary, is_caps, recase, shorten, slug_of
from mailer.articles.plainwords import Words

_GUIDE = re.compile(
    r"\b(?:reading guide|reading list|(?:a|your|our) guide to|guide to|introduction to|further "
    r"reading|where to (?:start|begin)|finding (?:your|a) way in(?:to)?|"
    r"getting to grips|what to read|books? (?:to|for|on)|ways in(?:to)?)\b",
    re.IGNORECASE,
)
_WE = re.compile(r"\b(?:we|us|our|ours)\b", re.IGNORECASE)
_WORDS = Words(r"\w+", inner="_")
_OFTEN = 8
LONGEST_TITLE = 300
"""Longer than any headline; a line without an end is not one."""

_SHORT = 40


@dataclass(slots=True)
class Piece:
    """What has been gathered of one piece; ``blocks`` are its body in order."""

    title: str
    blocks: list[Block] = field(default_factory=list)
    line: int = 1
    authors: tuple[str, ...] = ()
    author_note: str = ""
    standfirst: str = ""
    kind: Kind | None = None
    parts: list[str] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    label: str = ""
    pictures: list[Picture] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    published_at: datetime | None = None
    source: str = ""
    url: str = ""
    is_markdown: bool = True

    def flag(self, code: str, note: str) -> None:
        """Remember something for the editor to look at, once."""
        if all(flag.code != code or flag.note != note for flag in self.flags):
            self.flags.append(Flag(code, note))


def render_blocks(blocks: list[Block], *, is_markdown: bool) -> str:
    """Return the sanitised HTML of a body."""
    if is_markdown:
        return markdown_to_html("\n\n".join(f"### {b.text}" if b.level else b.text for b in blocks))
    out: list[str] = []
    for block in blocks:
        if block.level:
            out.append(f"<h3>{html.escape(block.text)}</h3>")
            continue
        bullets = [bullet_text(line) for line in block.lines or block.text.split("\n")]
        if bullets and all(item is not None for item in bullets):
            items = "".join(f"<li>{html.escape(item)}</li>" for item in bullets if item)
            if out and out[-1].endswith("</ul>"):
                out[-1] = out[-1].removesuffix("</ul>") + items + "</ul>"
            else:
                out.append(f"<ul>{items}</ul>")
            continue
        out.append(f"<p>{html.escape(block.text).replace(chr(10), '<br>')}</p>")
    return sanitise("".join(out))


def finish(
    piece: Piece,
    *,
    origin: str,
    desk: IngestPolicy,
    vocabulary: Vocabulary,
    mends: bool = True,
) -> Article:
    """Turn a gathered piece into an article.

    Raises:
        InvalidInput: its HTML passes a cap.
    """
    blocks = piece.blocks
    if mends:
        mended = mend(blocks, vocabulary)
        blocks = mended.blocks
        piece.flags.extend(mended.flags)
        piece.joins.extend(mended.joins)
    body_html = render_blocks(blocks, is_markdown=piece.is_markdown)
    body_text = html_to_text(body_html)
    title = recase(" ".join(piece.title.split()), vocabulary)
    if is_caps(piece.title) and title != piece.title:
        piece.flag("title-recased", "The headline stood in capitals; check the names in it.")
    section = slug_of(piece.label)
    if piece.label and section not in desk.sections:
        piece.flag("kicker", f"“{piece.label}” stood above the headline; it is no section here.")
    if not piece.authors:
        piece.flag("no-byline", "No author was found in the text.")
    if piece.published_at is None:
        piece.flag("no-date", "The text does not say when it was published.")
    reference = desk.local_date(piece.published_at) if piece.published_at else None
    deadline, late_flags = _deadline(body_text, reference, desk)
    if re.search(r"\b(?:on|see|to) pages? \d", body_text, re.IGNORECASE):
        piece.flag("page-reference", "The text sends readers to a page of the printed paper.")
    if len(body_text.split()) < _SHORT:
        piece.flag("very-short", "There is hardly any text; it may be part of another piece.")
    return Article(
        id=slug_of(title) or "article",
        title=shorten(title, LONGEST_TITLE),
        body_html=body_html,
        body_text=body_text,
        content_hash=hash_of(title, body_text),
        first_seen_at=desk.now,
        kind=piece.kind or kind_of(piece, title, body_text, deadline),
        standfirst=piece.standfirst,
        authors=piece.authors,
        author_note=piece.author_note,
        picture=piece.pictures[0] if piece.pictures else None,
        credits=tuple(piece.pictures[1:]),
        parts=tuple(piece.parts),
        quotes=tuple(dict.fromkeys(piece.quotes)),
        joins=tuple(piece.joins),
        section=section if section in desk.sections else "",
        url=piece.url,
        source=piece.source,
        origin=origin,
        published_at=piece.published_at,
        deadline=deadline,
        flags=(*piece.flags, *late_flags, *region_flags(title, body_text, desk.regions)),
    )


def _deadline(
    text: str, reference: date | None, desk: IngestPolicy
) -> tuple[date | None, tuple[Flag, ...]]:
    found = find_deadline(sentences_of(text), reference=reference, today=desk.today)
    if found is None:
        return None, ()
    on, flags = found
    note = f"The deadline {on.isoformat()} was found in the text; check it."
    return on, (Flag("deadline-from-text", note), *flags)


def kind_of(piece: Piece, title: str, text: str, deadline: date | None) -> Kind:
    """Return what sort of piece it seems to be."""
    questions = [part for part in piece.parts if part.endswith("?")]
    if len(questions) >= 3 and len(questions) * 2 > len(piece.parts):
        return Kind.INTERVIEW
    if _GUIDE.search(title) or _GUIDE.search(piece.standfirst):
        return Kind.GUIDE
    if re.search(r"\breview(?:ed)?\b", title, re.IGNORECASE):
        return Kind.REVIEW
    if deadline is not None:
        return Kind.CALL
    folded = text.casefold()
    if sum(map(folded.count, ("we", "us", "our"))) < _OFTEN:
        # Most texts do not even have so many of these letters, within words or without.
        return Kind.NEWS
    words = max(1, len(text.split()))
    said_we = len(_WE.findall(re.sub(r"[“\"][^“”\"]*[”\"]", "", text)))
    return Kind.ANALYSIS if said_we >= _OFTEN and said_we / words > 0.01 else Kind.NEWS


@lru_cache(maxsize=2)
def _places_by_word(
    regions: tuple[tuple[str, tuple[str, ...]], ...],
) -> dict[str, list[tuple[str, str]]]:
    """Return regions with the places that mean them, by the first word of a place's name."""
    found: dict[str, list[tuple[str, str]]] = {}
    for slug, places in regions:
        for place in places:
            for word in _WORDS.find(place)[:1]:
                found.setdefault(word, []).append((slug, place))
    return found


def region_flags(title: str, text: str, regions: Mapping[str, tuple[str, ...]]) -> tuple[Flag, ...]:
    """Suggest a region when the headline or the first lines name exactly one's place."""
    head = f"{title}\n{text[:400]}"
    places = _places_by_word(tuple(regions.items()))
    named = {
        slug
        for word in places.keys() & set(_WORDS.find(head))
        for slug, place in places[word]
        if re.search(rf"(?<!\w){re.escape(place)}(?!\w)", head)
    }
    if len(named) != 1:
        return ()
    return (Flag("region-suggested", f"The text names a place of {named.pop()}; set the region."),)
