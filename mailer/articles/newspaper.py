"""A newspaper's text, as a PDF gives it, split into its pieces.

The text has Markdown headings and a masthead line with month and year. From it come the separate
articles, the directory of groups, the diary and the house adverts. The steps: masthead; units (a
heading and what stands below it); directory; photo credits moved to the piece they stand above;
adverts; what the page tore apart (a text behind a box, a piece continued on another page); pull
quotes; pieces (a kicker, a headline broken over lines, a byline set as a heading, a feature of
several parts, an interview of several questions); sentences mended; dates.

Nothing is dropped in silence: what fits nowhere becomes a flag of the document or of the piece
beside it. Known limits: a text without headings is one article; the order of columns is trusted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from mailer.articles.adverts import mend_capitals, without_dates
from mailer.articles.article import (
    MONTH_ONLY,
    Advert,
    Article,
    DirectoryEntry,
    Document,
    Flag,
)
from mailer.articles.blocks import Block, parse_blocks
from mailer.articles.boxes import take_adverts
from mailer.articles.dating import MONTHS
from mailer.articles.diary import happenings_in_advert, happenings_in_text
from mailer.articles.directory import contact_in, entries_in_lines, match_region
from mailer.articles.entries import diary_of
from mailer.articles.gathering import gather
from mailer.articles.intake import IngestPolicy
from mailer.articles.lettering import recase, shorten, title_case, vocabulary_of
from mailer.articles.piece import finish
from mailer.articles.pullquotes import take_pull_quotes
from mailer.articles.rejoining import join_continued, join_drop_caps, return_tails
from mailer.articles.units import Unit, join_display, move_captions, move_credits, move_labels
from mailer.errors import Fault, InvalidInput

_MASTHEAD = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?P<nth>st|nd|rd|th)?\s+)?(?P<month>{'|'.join(MONTHS)})\s+"
    r"(?P<year>(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_MASTHEAD_MARK = re.compile(
    r"\b(?:issue|no\.?\s?\d+|number|vol(?:ume)?\b|free|price|every (?:month|week|fortnight)|"
    r"monthly|weekly|www\.)|£|€|\$",
    re.IGNORECASE,
)
_COUNTS = re.compile(
    r"(?:(?:^|[^\w\s])[ \t]*issue|\b(?:number|no|nr|vol(?:ume)?)\.?|#)[ \t]*\Z",
    re.IGNORECASE | re.MULTILINE,
)
"""What makes the figure after it the paper's number: "Issue 9 December 2026" is a month's. A
"Special Issue 12 December 2026" has a day."""
_MASTHEAD_WITHIN = 12
_MOST_HEADINGS = 2_000


@dataclass(frozen=True, slots=True)
class Masthead:
    """A paper's name and date; ``is_month`` when it gives no day."""

    name: str
    on: date
    is_month: bool
    blocks: tuple[Block, ...]


def find_masthead(blocks: Sequence[Block]) -> Masthead | None:
    """Return the masthead when a text opens with one: it is a newspaper then."""
    for place, block in enumerate(blocks[:_MASTHEAD_WITHIN]):
        match = _MASTHEAD.search(block.plain)
        if not match or len(block.plain.split()) > 25 or not _MASTHEAD_MARK.search(block.plain):
            continue
        if sum(1 for other in blocks if other.level) < 3:
            return None
        above = [other for other in blocks[:place] if other.level]
        title = above[-1] if above else None
        used = (block, title) if title else (block,)
        month = MONTHS.index(match["month"].lower()) + 1
        is_counted = not match["nth"] and _COUNTS.search(block.plain[: match.start()])
        day = 0 if is_counted else int(match["day"] or 0)
        try:
            on = date(int(match["year"]), month, day or 1)
        except ValueError:
            continue
        return Masthead(title.plain if title else "", on, not day, used)
    return None


def _is_page_furniture(block: Block, masthead: Masthead) -> bool:
    """True for a page number, alone or beside the paper's name or date."""
    if block.level or len(block.plain.split()) > 12:
        return False
    left = _MASTHEAD.sub(" ", block.plain)
    if masthead.name:
        left = re.sub(re.escape(masthead.name), " ", left, flags=re.IGNORECASE)
    return not re.search(r"[^\W\d_]", re.sub(r"\bpage\b", " ", left, flags=re.IGNORECASE))


def split_newspaper(text: str, masthead: Masthead, *, origin: str, desk: IngestPolicy) -> Document:
    """Split a paper's text.

    Args:
        text: the whole text.
        masthead: of ``find_masthead``.
        origin: what the articles say they come from.
        desk: the publication's policy.
    Raises:
        InvalidInput: the paper or a piece passes a cap.
    """
    blocks = [
        block
        for block in parse_blocks(text)
        if block not in masthead.blocks and not _is_page_furniture(block, masthead)
    ]
    headings = sum(1 for block in blocks if block.level)
    if headings > _MOST_HEADINGS:
        raise InvalidInput(
            Fault(
                f"has {headings:,} headings",
                remedy=f"split it; a paper may have {_MOST_HEADINGS:,}",
            )
        )
    vocabulary = vocabulary_of(block.plain for block in blocks if block.is_prose)
    blocks = join_drop_caps(blocks, vocabulary)
    flags: list[Flag] = []
    units = _units(blocks)
    directory, appeals, units = _take_directory(units, desk)
    for unit in units:
        unit.joined = mend_capitals(unit.title, vocabulary)
    move_credits(units)
    units = join_display(units, masthead.name, vocabulary)
    return_tails(units)
    units, adverts = take_adverts(units, vocabulary)
    adverts.extend(appeals)
    move_captions(units, vocabulary)
    move_labels(units, vocabulary)
    units = take_pull_quotes(join_continued(units))
    pieces, left = gather(units, masthead.name, vocabulary)
    flags.extend(
        Flag("left-over", f"Line {block.line} fits no piece: “{shorten(block.plain, 100)}”")
        for block in left
    )
    published = desk.instant(masthead.on)
    articles: list[Article] = []
    for piece in pieces:
        piece.published_at = published
        piece.source = title_case(masthead.name, vocabulary)
        if masthead.is_month:
            piece.flag(MONTH_ONLY, "Only the month is known, from the paper's masthead.")
        # The piece's own words weigh more than the paper's for the capitals of its headline.
        own = vocabulary_of(block.plain for block in piece.blocks if block.is_prose)
        articles.append(finish(piece, origin=origin, desk=desk, vocabulary={**vocabulary, **own}))
    articles = _own_ids(articles)
    happenings = [
        happening
        for advert in adverts
        for happening in happenings_in_advert(
            advert.title,
            advert.text.split("\n"),
            reference=masthead.on,
            today=desk.today,
            vocabulary=vocabulary,
        )
    ]
    for place, article in enumerate(articles):
        happenings += happenings_in_text(
            article.body_text, reference=masthead.on, today=desk.today, piece=place
        )
    return Document(
        origin=origin,
        articles=tuple(articles),
        diary=diary_of(happenings, articles),
        directory=tuple(directory),
        adverts=tuple(Advert(recase(without_dates(a.title), vocabulary), a.text) for a in adverts),
        flags=tuple(flags),
    )


def _own_ids(articles: Sequence[Article]) -> list[Article]:
    seen: dict[str, int] = {}
    out = []
    for article in articles:
        seen[article.id] = seen.get(article.id, 0) + 1
        times = seen[article.id]
        out.append(replace(article, id=f"{article.id}-{times}") if times > 1 else article)
    return out


def _units(blocks: Sequence[Block]) -> list[Unit]:
    units = [Unit(None)]
    for block in blocks:
        if block.level:
            units.append(Unit(block))
        else:
            units[-1].body.append(block)
    return [unit for unit in units if unit.heading or unit.body]


def _take_directory(
    units: list[Unit], desk: IngestPolicy
) -> tuple[list[DirectoryEntry], list[Advert], list[Unit]]:
    entries: list[DirectoryEntry] = []
    adverts: list[Advert] = []
    rest: list[Unit] = []
    run: list[tuple[Unit, DirectoryEntry]] = []

    def close() -> None:
        if len(run) < 3:
            rest.extend(unit for unit, _ in run)
        else:
            # The heading above the groups, with its few words to readers, belongs to them.
            head = rest[-1] if rest else None
            if head and head.heading and head.level < run[0][0].level and head.is_small:
                rest.pop()
                if rest:
                    # A picture above the directory belongs to the piece before it.
                    rest[-1].keeps_credits = True
                text = "\n".join(block.plain for block in head.body)
                if text:
                    adverts.append(Advert(head.title, text))
            entries.extend(entry for _, entry in run)
        run.clear()

    for unit in units:
        entry = contact_in(unit.title, unit.body) if unit.heading else None
        if entry:
            run.append((unit, entry))
            continue
        close()
        lines = entries_in_lines(unit.body)
        if lines:
            entries.extend(lines)
        else:
            rest.append(unit)
    close()
    placed = [
        DirectoryEntry(e.name, e.address, e.phone, match_region(e.name, desk.regions))
        for e in entries
    ]
    return placed, adverts, rest
