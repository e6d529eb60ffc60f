"""The text of one web page without front matter: its headline, byline, caption, date and body.

Text copied or scraped from a page has the site's strapline above the headline, a caption printed
twice, and forms and notices below. What is found is taken out of the body; what is not found, or
was chosen between two readings, is flagged.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from mailer.articles.article import Document, Kind, Picture
from mailer.articles.blocks import Block, bullet_text, ends_sentence, parse_blocks
from mailer.articles.bylines import foot_byline, names_in_byline
from mailer.articles.captions import read_credit
from mailer.articles.dating import find_dates, resolve
from mailer.articles.diary import happenings_in_text
from mailer.articles.entries import diary_of
from mailer.articles.intake import IngestPolicy
from mailer.articles.lettering import is_caps, shorten, vocabulary_of
from mailer.articles.piece import Piece, finish
from mailer.articles.residue import halve, remove_residue
from mailer.errors import Fault, InvalidInput

_LONGEST_HEADLINE = 25
_LONG_HEADLINE = 12
_DATED = re.compile(
    r"^(?:published|posted|updated|date|last updated)?\s*(?:on|at|:)?\s*", re.IGNORECASE
)
_QUOTED = re.compile(r"[“\"][^”\"]{15,}")


def read_web_text(
    text: str, *, origin: str, desk: IngestPolicy, piece: Piece | None = None
) -> Document:
    """Read the text of one page.

    Args:
        text: plain text or simple Markdown.
        origin: what the article says it comes from.
        desk: the publication's policy.
        piece: what is known already (an HTML page's own metadata), or None.
    Raises:
        InvalidInput: nothing but furniture, or the body passes a cap.
    """
    piece = piece or Piece("", is_markdown=False)
    raw = parse_blocks(text)
    cleaned = remove_residue([f"{'#' * b.level} {b.text}" if b.level else b.text for b in raw])
    piece.flags.extend(cleaned.flags)
    lines = {halve(block.text): block.line for block in raw}
    blocks = [
        replace(parsed, line=lines.get(parsed.text, 1))
        for text_block in cleaned.blocks
        for parsed in parse_blocks(text_block)
    ]
    piece.url = piece.url or cleaned.url
    blocks = _take_credits(blocks, piece)
    blocks = _take_doubled(blocks, piece, cleaned.doubled)
    blocks = _take_head(blocks, piece, desk)
    blocks = _take_foot(blocks, piece)
    if not blocks:
        raise InvalidInput(
            Fault("there is no text of an article in it", remedy="write the text, or leave it out")
        )
    if not piece.title:
        _make_title(blocks, piece)
    piece.blocks = blocks
    vocabulary = vocabulary_of(block.plain for block in blocks)
    quotations = sum(len(_QUOTED.findall(block.text)) for block in blocks)
    article = finish(piece, origin=origin, desk=desk, vocabulary=vocabulary)
    if article.kind in {Kind.NEWS, Kind.ANALYSIS} and quotations >= 2:
        article = replace(article, kind=Kind.REPORT)
    reference = desk.local_date(piece.published_at) if piece.published_at else None
    happenings = happenings_in_text(
        article.body_text, reference=reference, today=desk.today, piece=0
    )
    return Document(origin, (article,), diary_of(happenings, [article]))


def _take_credits(blocks: list[Block], piece: Piece) -> list[Block]:
    kept = []
    for block in blocks:
        picture = None if block.level else read_credit(halve(" ".join(block.text.split())))
        if picture is None:
            kept.append(block)
        elif picture not in piece.pictures:
            piece.pictures.append(picture)
    return kept


def _take_doubled(blocks: list[Block], piece: Piece, doubled: frozenset[str]) -> list[Block]:
    """Take a text near the top that stood twice: a page prints its picture's caption so."""
    kept = []
    for place, block in enumerate(blocks):
        if place < 6 and block.text in doubled and len(block.plain.split()) >= 4:
            piece.pictures.append(Picture(caption=block.plain))
            piece.flag("caption-from-repeat", "A text that stood twice was taken as a caption.")
        else:
            kept.append(block)
    return kept


def _is_headline(block: Block) -> bool:
    words = len(block.plain.split())
    if block.level:
        return True
    if len(block.lines) > 1 or bullet_text(block.text) is not None:
        return False
    return words <= _LONGEST_HEADLINE and (
        not ends_sentence(block.text) or (words <= _LONG_HEADLINE and block.plain[-1:] in "!?")
    )


def _take_head(blocks: list[Block], piece: Piece, desk: IngestPolicy) -> list[Block]:
    """Take headline, byline, date and standfirst from the top."""
    heads: list[Block] = []
    used = 0
    for block in blocks[:8]:
        if not _take_line(block, piece, desk, has_title=bool(heads or piece.title)):
            # A heading below the headline belongs to the text.
            if not _is_headline(block) or (block.level and heads) or len(heads) == 3:
                break
            heads.append(block)
        used += 1
    if heads and len(heads) == len(blocks):
        # Nothing but short lines: they are the text, and the first is its headline.
        piece.title = piece.title or heads[0].plain
        return blocks[1:] or list(blocks)
    rest = blocks[used:]
    if piece.title:
        # The page's own metadata named the headline; what repeats it goes, the rest stays.
        return [b for b in heads if not _repeats(b.plain, piece.title)] + rest
    _choose_headline(heads, piece)
    return rest


def _repeats(text: str, title: str) -> bool:
    return " ".join(text.casefold().split()) == " ".join(title.casefold().split())


def _choose_headline(heads: list[Block], piece: Piece) -> None:
    if not heads:
        return
    marked = [block for block in heads if block.level]
    if marked:
        chosen = marked[0]
    elif len(heads) == 1:
        chosen = heads[0]
    else:
        # Two short lines: a long second one is a standfirst, else the first is a strapline.
        second = heads[1]
        is_standfirst = len(second.plain.split()) > max(_LONG_HEADLINE, len(heads[0].plain.split()))
        chosen = heads[0] if is_standfirst else heads[-1]
    piece.title, piece.line = chosen.plain, chosen.line
    where = heads.index(chosen)
    for block in heads[:where]:
        piece.flag("strapline-dropped", f"Left out above the headline: “{shorten(block.plain)}”")
    below = [block.plain for block in heads[where + 1 :]]
    if below:
        piece.standfirst = " ".join(below)
        piece.flag("standfirst-unclear", "The line below the headline was taken as standfirst.")
    if len(chosen.plain.split()) > _LONG_HEADLINE and not chosen.level and not piece.pictures:
        piece.flag(
            "headline-unclear",
            "The first line was taken as headline; it reads like a caption or a sentence.",
        )


def _take_line(block: Block, piece: Piece, desk: IngestPolicy, *, has_title: bool) -> bool:
    """Take a byline or a date that stands alone near the top."""
    if block.level or len(block.plain.split()) > 14 or len(block.lines) > 2:
        return False
    plain = block.plain
    dates = find_dates(plain)
    if dates and dates[0].year:
        around = (plain[: dates[0].start] + plain[dates[0].end :]).strip(" ,|–—-")
        around = _DATED.sub("", around)
        names = names_in_byline(around.strip(" ,|–—-")) if around else ()
        if not around or names:
            published = _instant(plain, desk)
            if published is not None:
                piece.published_at = piece.published_at or published
                piece.authors = piece.authors or names
                return True
    is_marked = re.match(r"(?:by|words|written by|author)\b", plain, re.IGNORECASE)
    if (is_marked or (has_title and not is_caps(plain))) and not piece.authors:
        names = names_in_byline(plain)
        if names:
            piece.authors = names
            return True
    return False


def _instant(text: str, desk: IngestPolicy) -> datetime | None:
    for written in find_dates(text):
        found = resolve(written, reference=None, today=desk.today)
        if written.year and found:
            return desk.instant(found[0])
    return None


def _take_foot(blocks: list[Block], piece: Piece) -> list[Block]:
    names, note, used = foot_byline([block.plain for block in blocks])
    if not used or (piece.authors and piece.authors != names):
        return blocks
    piece.authors, piece.author_note = names, piece.author_note or note
    return blocks[:-used]


def _make_title(blocks: list[Block], piece: Piece) -> None:
    sentence = re.split(r"(?<=[.?!])\s", blocks[0].plain, maxsplit=1)[0]
    if len(sentence) > 100:
        # A clause is a better headline than half a sentence.
        clause = re.split(r"[,;:–—]\s", sentence, maxsplit=1)[0]
        sentence = clause if 30 <= len(clause) <= 100 else sentence
    piece.title = shorten(sentence.rstrip("."), 90)
    piece.flag("headline-made", "No headline was found; it was made from the first sentence.")
