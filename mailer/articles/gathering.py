"""A paper's units put together into pieces.

A unit alone says little: a headline may have no text because its byline is the next heading, a
kicker ("Editorial") has only a picture, and a feature's headline is followed by its interviews.
``gather`` reads the units in order and looks ahead where it must; a choice that could be wrong is
flagged on the piece.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from mailer.articles.article import Kind, Picture
from mailer.articles.blocks import Block
from mailer.articles.bylines import foot_byline, heading_is_name, names_in_byline, speakers_in
from mailer.articles.captions import read_credit
from mailer.articles.lettering import (
    Vocabulary,
    is_caps,
    looks_like_name,
    recase,
    shorten,
    title_case,
)
from mailer.articles.piece import Piece
from mailer.articles.questions import read_questions
from mailer.articles.units import KICKERS, Unit, is_organisation, is_quotation, read_caption

_FEWEST_PARTS = 2


@dataclass(slots=True)
class _Pending:
    """What stands above a headline and belongs to the next piece."""

    kind: Kind | None = None
    label: str = ""
    pictures: list[Picture] = field(default_factory=list)
    quotes: list[Block] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


class _Gatherer:
    def __init__(self, units: Sequence[Unit], masthead: str, vocabulary: Vocabulary) -> None:
        self._units = units
        self._masthead = masthead
        self._vocabulary = vocabulary
        self._pending = _Pending()
        self._level = 0
        self.pieces: list[Piece] = []
        self.left: list[Block] = []

    def run(self) -> None:
        place = 0
        while place < len(self._units):
            place += self._take(place)
        for code, note in self._pending.notes:
            if self.pieces:
                self.pieces[-1].flag(code, note)
        if self.pieces and self._pending.label:
            self.pieces[-1].flag(
                "kicker", f"“{self._pending.label}” stood below it, above nothing."
            )
        self.left.extend(self._pending.quotes)
        if self.pieces:
            self.pieces[-1].pictures.extend(self._pending.pictures)
        for piece in self.pieces:
            self._byline_at_foot(piece)

    def _take(self, place: int) -> int:
        """Use the unit at ``place``; return how many units were used."""
        unit = self._units[place]
        self._pictures(unit)
        following = self._units[place + 1] if place + 1 < len(self._units) else None
        if unit.heading is None:
            self._headless(unit)
            return 1
        if unit.label:
            self._label(unit.label)
        if unit.has_prose and not self._heads_a_feature(unit, place):
            if self._is_part(unit):
                self._add_part(self.pieces[-1], unit)
            else:
                self._start(unit, unit.body)
            return 1
        if unit.kicker:
            self._pending.kind = KICKERS[unit.title.casefold()]
            if self._pending.kind is None:
                self._pending.label = unit.title
            self._leave(unit.body)
            return 1
        if unit.body and all(is_quotation(block) for block in unit.body):
            self._quotation(unit)
            return 1
        if following is not None and self._is_byline_heading(following):
            self._pictures(following)
            unit.flags.extend(following.flags)
            unit.quotes.extend(following.quotes)
            self._start(unit, unit.body + following.body, byline=following.title)
            return 2
        parts = self._parts_after(place)
        is_label = following is not None and following.level < unit.level and not unit.body
        if is_label and len(unit.title.split()) <= 3:
            self._label(unit.title)
            return 1
        named = self._named(parts)
        if len(named) >= _FEWEST_PARTS:
            self._feature(unit, parts)
            return 1 + len(parts)
        self._leave(unit.body)
        self._pending.notes.append(
            ("heading-above", f"The heading “{unit.title}” stands above it without a text.")
        )
        return 1

    def _label(self, text: str) -> None:
        self._pending.label = f"{self._pending.label}: {text}" if self._pending.label else text
        self._pending.kind = self._pending.kind or KICKERS.get(text.casefold())

    def _pictures(self, unit: Unit) -> None:
        """Take the captions out of a unit: anywhere with a credit, at its edges without."""
        kept: list[Block] = []
        for place, block in enumerate(unit.body):
            is_edge = place in (0, len(unit.body) - 1) or not kept
            found = (
                read_caption(block, self._vocabulary)
                if is_edge
                else read_credit(block.text, self._vocabulary)
            )
            if found:
                self._pending.pictures.append(found)
            else:
                kept.append(block)
        unit.body = kept

    def _headless(self, unit: Unit) -> None:
        if unit.has_prose:
            first = next(block for block in unit.body if block.is_prose)
            piece = self._piece(Piece(shorten(first.plain), list(unit.body), unit.line))
            _hand_over(unit, piece)
            piece.flag("headline-made", "No headline was found; this is the first sentence.")
        else:
            self._leave(unit.body)

    def _leave(self, blocks: Sequence[Block]) -> None:
        self.left.extend(blocks)

    def _quotation(self, unit: Unit) -> None:
        self._pending.quotes.extend(unit.body)
        note = f"A quotation headed “{unit.title}” stood above it and opens the text now."
        self._pending.notes.append(("pull-quote", note))

    def _is_part(self, unit: Unit) -> bool:
        return (
            bool(self.pieces)
            and 0 < self._level < unit.level
            and not self._has_byline(unit)
            and self._pending.kind is None
            and not self._pending.label
            and not self._pending.notes
        )

    def _has_byline(self, unit: Unit) -> bool:
        title = recase(unit.title, self._vocabulary)
        return bool(speakers_in(title)) or self._read_byline(unit.body)[0] > 0

    def _is_byline_heading(self, unit: Unit) -> bool:
        if not unit.has_prose:
            return False
        if is_organisation(unit.title, self._masthead):
            return True
        if re.match(r"by\s", unit.title, re.IGNORECASE):
            return bool(names_in_byline(unit.title, self._vocabulary))
        return is_caps(unit.title) and looks_like_name(title_case(unit.title), self._vocabulary)

    def _is_name(self, unit: Unit, siblings: Sequence[Unit]) -> bool:
        titles = [other.title for other in siblings]
        return heading_is_name(unit.title, titles, self._vocabulary)

    def _named(self, parts: Sequence[Unit]) -> list[Unit]:
        return [part for part in parts if part.has_prose and not self._is_name(part, parts)]

    def _heads_a_feature(self, unit: Unit, place: int) -> bool:
        """True when a headline has a standfirst and nothing else before its parts."""
        prose = [block for block in unit.body if block.is_prose]
        if not all(block.is_italic for block in prose) or self._is_part(unit):
            return False
        named = self._named(self._parts_after(place))
        asked = sum(part.title.endswith("?") for part in named)
        return len(named) >= _FEWEST_PARTS and asked * 2 < len(named)

    def _parts_after(self, place: int) -> list[Unit]:
        head = self._units[place]
        found: list[Unit] = []
        for unit in self._units[place + 1 :]:
            if unit.level <= head.level or unit.kicker or self._has_byline(unit):
                break
            found.append(unit)
        return found

    def _read_byline(self, body: Sequence[Block]) -> tuple[int, tuple[str, ...], bool]:
        """Return the place after a byline near the top, its names, and whether it is the paper."""
        for place, block in enumerate(body[:3]):
            text = block.plain
            is_set_apart = block.is_bold or is_caps(text) or text.lower().startswith("by ")
            if not is_set_apart or len(text.split()) > 12:
                continue
            if is_organisation(text, self._masthead):
                return place + 1, (title_case(text, self._vocabulary),), True
            names = names_in_byline(text, self._vocabulary)
            if names:
                return place + 1, names, False
        return 0, (), False

    def _piece(self, piece: Piece) -> Piece:
        pending, self._pending = self._pending, _Pending()
        piece.kind = piece.kind or pending.kind
        piece.label = pending.label
        piece.pictures.extend(pending.pictures)
        for code, note in pending.notes:
            piece.flag(code, note)
        if pending.quotes:
            piece.blocks.insert(0, _quoted(pending.quotes, self._vocabulary))
        self.pieces.append(piece)
        return piece

    def _start(self, unit: Unit, body: list[Block], *, byline: str = "") -> None:
        used, names, is_paper = self._read_byline(body)
        rest = [*body[: max(0, used - 1)], *body[used:]]
        piece = Piece(unit.title, rest, unit.line)
        if byline:
            is_paper = is_organisation(byline, self._masthead)
            names = names_in_byline(byline, self._vocabulary)
            names = names or (title_case(byline, self._vocabulary),)
        piece.authors = names
        if is_paper:
            piece.flag("organisation-byline", "It is signed by the paper, not by a person.")
        if unit.is_joined:
            piece.flag("title-joined", "The headline was broken over lines; check how it reads.")
        self._standfirst(piece)
        if not piece.authors:
            self._byline_in_title(piece)
        _hand_over(unit, piece)
        self._questions(piece)
        self._piece(piece)
        self._level = unit.level

    def _questions(self, piece: Piece) -> None:
        piece.blocks, asked = read_questions(piece.blocks)
        piece.parts.extend(asked)

    def _standfirst(self, piece: Piece) -> None:
        first = piece.blocks[0] if piece.blocks else None
        if first is None or len(piece.blocks) < 2 or len(first.plain.split()) > 60:
            return
        if first.is_italic or (first.is_bold and first.is_prose):
            piece.standfirst = first.plain
            del piece.blocks[0]

    def _byline_in_title(self, piece: Piece) -> None:
        for text, where in (
            (recase(piece.title, self._vocabulary), "headline"),
            (piece.standfirst, "standfirst"),
        ):
            names = speakers_in(text)
            if names:
                piece.authors = names
                piece.flag(f"byline-from-{where}", f"The byline was taken from the {where}.")
                return

    def _add_part(self, piece: Piece, unit: Unit) -> None:
        title = recase(unit.title, self._vocabulary)
        piece.blocks.append(Block(title, unit.line, 3))
        piece.blocks.extend(unit.body)
        _hand_over(unit, piece)
        piece.pictures.extend(self._pending.pictures)
        self._pending.pictures.clear()
        if title.endswith("?") or piece.parts:
            piece.parts.append(title)
        if self._level == 1 and unit.level == 2 and not title.endswith("?"):
            piece.flag("part-or-article", f"“{title}” may be a piece of its own; check it.")

    def _feature(self, head: Unit, parts: Sequence[Unit]) -> None:
        piece = self._piece(Piece(head.title, list(head.body), head.line, kind=Kind.FEATURE))
        self._level = head.level
        _hand_over(head, piece)
        opening: list[Block] = []
        for part in parts:
            _hand_over(part, piece)
            self._pictures(part)
            if self._is_name(part, parts) and not piece.authors:
                piece.authors = (title_case(part.title, self._vocabulary),)
                piece.flag("byline-from-heading", "The byline stood as a heading among the parts.")
                opening = part.body
                continue
            title = recase(part.title, self._vocabulary)
            piece.parts.append(title)
            piece.blocks.append(Block(title, part.line, 3))
            piece.blocks.extend(part.body)
        self._standfirst(piece)
        if opening:
            piece.blocks[:0] = opening
            piece.flag("opening-moved", "The author's introduction was moved above the parts.")
        piece.pictures.extend(self._pending.pictures)
        self._pending.pictures.clear()

    def _byline_at_foot(self, piece: Piece) -> None:
        if piece.authors:
            return
        names, note, used = foot_byline([block.plain for block in piece.blocks])
        if names:
            piece.authors, piece.author_note = names, note
            del piece.blocks[-used:]


def _hand_over(unit: Unit, piece: Piece) -> None:
    """Give a piece what was noted about a unit it is made of."""
    for flag in unit.flags:
        piece.flag(flag.code, flag.note)
    piece.quotes.extend(unit.quotes)


def _quoted(blocks: Sequence[Block], vocabulary: Vocabulary) -> Block:
    lines = []
    for block in blocks:
        source = re.fullmatch(r"[-–—]\s*(.+)", block.plain)
        lines.append(
            f"– {title_case(source[1], vocabulary)}" if source else recase(block.plain, vocabulary)
        )
    # Two spaces at the end keep Markdown's line break inside the quotation.
    return Block("\n".join(f"> {line}  " for line in lines))


def gather(
    units: Sequence[Unit], masthead: str, vocabulary: Vocabulary
) -> tuple[list[Piece], list[Block]]:
    """Put units together into pieces.

    Returns:
        The pieces in reading order, and the blocks that fit none.
    """
    gatherer = _Gatherer(units, masthead, vocabulary)
    gatherer.run()
    return gatherer.pieces, gatherer.left
