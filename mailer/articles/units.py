"""A paper's units: a heading and what stands below it, before they are put together.

Here are the steps that look at neighbours only: captions moved to the piece they stand above,
display lettering joined, and the questions that a unit can answer alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mailer.articles.article import Flag, Kind, Picture
from mailer.articles.blocks import Block, is_address
from mailer.articles.bylines import names_in_byline, speakers_in
from mailer.articles.captions import bare_caption, read_credit
from mailer.articles.dating import find_dates
from mailer.articles.lettering import (
    Vocabulary,
    is_caps,
    looks_like_name,
    recase,
    title_case,
)

KICKERS: dict[str, Kind | None] = {
    "editorial": Kind.EDITORIAL,
    "leader": Kind.EDITORIAL,
    "comment": Kind.ANALYSIS,
    "opinion": Kind.ANALYSIS,
    "analysis": Kind.ANALYSIS,
    "review": Kind.REVIEW,
    "reviews": Kind.REVIEW,
    "feature": Kind.FEATURE,
    "features": Kind.FEATURE,
    "interview": Kind.INTERVIEW,
    "news": Kind.NEWS,
    "reading guide": Kind.GUIDE,
    "letters": None,
    "international": None,
    "culture": None,
    "sport": None,
    "back page": None,
}
"""Names of parts of a paper, which stand above a headline, and the kind they tell."""

_ORGANISATION = re.compile(
    r"(?:staff|our) (?:reporters?|writers?|correspondents?)|(?:the )?editorial (?:team|board)|"
    r"the editors?",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Unit:
    """A heading, or None before the first, and the paragraphs up to the next heading.

    ``label`` is the kicker that stood above it, where it is no heading; ``flags`` and ``quotes``
    go to the piece it becomes.
    """

    heading: Block | None
    body: list[Block] = field(default_factory=list)
    joined: str = ""
    is_joined: bool = False
    keeps_credits: bool = False
    label: str = ""
    flags: list[Flag] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The heading's words, joined and mended where display lettering broke them."""
        return self.joined or (self.heading.plain if self.heading else "")

    @property
    def level(self) -> int:
        """The heading's level, 0 without one."""
        return self.heading.level if self.heading else 0

    @property
    def line(self) -> int:
        """The line it starts on."""
        return self.heading.line if self.heading else (self.body[0].line if self.body else 1)

    @property
    def has_prose(self) -> bool:
        """True when there is running text below the heading."""
        return any(block.is_prose for block in self.body)

    @property
    def is_small(self) -> bool:
        """True for a few words only."""
        return sum(len(block.plain.split()) for block in self.body) <= 60

    @property
    def kicker(self) -> bool:
        """True when the heading is the name of a part of the paper."""
        return self.title.casefold() in KICKERS


def is_quotation(block: Block) -> bool:
    """True for a line in quotation marks, or the name of who said it after a dash."""
    text = block.plain
    is_quoted = text[:1] in "\"“‘'" and text.rstrip(".")[-1:] in "\"”’'"
    is_source = re.fullmatch(r"[-–—]\s*[^.?!]{3,60}", text) is not None
    return is_quoted or is_source


def read_caption(block: Block, vocabulary: Vocabulary) -> Picture | None:
    """Return the picture a block describes: a credit line, or a caption in capitals."""
    credit = read_credit(block.text, vocabulary)
    if credit:
        return credit
    if block.is_bold or is_quotation(block) or is_address(block.plain) or find_dates(block.plain):
        return None
    if looks_like_name(title_case(block.plain)):
        return None
    return bare_caption(block.text, vocabulary)


def move_credits(units: Sequence[Unit]) -> None:
    """Move photo credits that close a unit to the next one: a picture stands above its headline."""
    _move(units, lambda block: read_credit(block.text) is not None)


def move_captions(units: Sequence[Unit], vocabulary: Vocabulary) -> None:
    """Move captions without a credit in the same way, once the adverts are out."""
    _move(units, lambda block: read_caption(block, vocabulary) is not None)


def _move(units: Sequence[Unit], is_caption: Callable[[Block], bool]) -> None:
    for unit, following in pairwise(units):
        if unit.keeps_credits:
            continue
        moved: list[Block] = []
        while unit.body and is_caption(unit.body[-1]):
            moved.insert(0, unit.body.pop())
        following.body[:0] = moved


def move_labels(units: Sequence[Unit], vocabulary: Vocabulary) -> None:
    """Move a kicker, one or two words in capitals above a headline, to the unit it stands above."""
    for unit, following in pairwise(units):
        last = unit.body[-1] if unit.body else None
        if last is None or following.heading is None or not is_caps(last.plain):
            continue
        is_short = len(last.plain.split()) <= 2 or last.plain.casefold() in KICKERS
        is_other = re.search(r"\d", last.plain) or looks_like_name(
            title_case(last.plain), vocabulary
        )
        if is_short and not is_other and not is_address(last.plain):
            following.label = unit.body.pop().plain


def join_display(units: Sequence[Unit], masthead: str, vocabulary: Vocabulary) -> list[Unit]:
    """Join a headline set as several headings of one level in capitals."""
    out: list[Unit] = []
    for unit in units:
        last = out[-1] if out else None
        if (
            last is not None
            and last.heading
            and unit.heading
            and last.level == unit.level
            and not last.body
            and is_caps(last.title)
            and is_caps(unit.title)
            and not (last.kicker or unit.kicker)
            and not is_organisation(unit.title, masthead)
            and not looks_like_name(title_case(unit.title), vocabulary)
        ):
            last.joined = f"{last.title} {unit.title}"
            last.is_joined = True
            last.body = unit.body
            continue
        out.append(unit)
    return out


def is_organisation(text: str, masthead: str) -> bool:
    """True when a byline is the paper itself or its staff."""
    flat = re.sub(r"^by\s+", "", " ".join(text.split()).strip("*_ ."), flags=re.IGNORECASE)
    is_paper = bool(masthead) and flat.casefold() in {
        masthead.casefold(),
        masthead.casefold().removeprefix("the "),
        f"{masthead.casefold()} staff",
    }
    return is_paper or _ORGANISATION.fullmatch(flat) is not None


def has_own_byline(unit: Unit, vocabulary: Vocabulary) -> bool:
    """True when a bold line near the top, or the headline, names an author."""
    return bool(speakers_in(recase(unit.title, vocabulary))) or any(
        block.is_bold and names_in_byline(block.plain, vocabulary) for block in unit.body[:3]
    )
