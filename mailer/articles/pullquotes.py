"""Pull quotes: a sentence of the text that a page repeats large, to catch the eye.

A block that is set apart (a heading, bold, in capitals, in italics, in quotation marks) and whose
words stand in the running text around it is one. It is kept as a quotation of the piece and taken
out of its text, and a heading that was one no longer cuts the piece in two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailer.articles.article import Flag
from mailer.articles.blocks import Block
from mailer.articles.lettering import is_caps, recase, vocabulary_of
from mailer.articles.units import Unit

FEWEST_WORDS = 5
MOST_WORDS = 45
_MOST_CANDIDATES = 400
"""A paper has a few dozen; a file of nothing else must not take minutes."""


def take_pull_quotes(units: Sequence[Unit]) -> list[Unit]:
    """Move pull quotes from the bodies and headings of units to ``quotes``."""
    out: list[Unit] = []
    spent = 0
    prose = [_prose_of(unit) for unit in units]
    for place, unit in enumerate(units):
        around = " ".join(prose[max(0, place - 1) : place + 2])
        if unit.heading is not None and spent < _MOST_CANDIDATES and _may_be(unit.heading):
            spent += 1
            if _stands_in(unit.title, around):
                target = out[-1] if out else None
                _keep(target or unit, unit.title)
                if target is not None:
                    target.body.extend(unit.body)
                    target.flags.extend(unit.flags)
                    # The next unit's neighbourhood must still hold what was moved.
                    continue
                unit.heading = None
                unit.joined = ""
        for number, block in reversed(list(enumerate(unit.body))):
            if spent >= _MOST_CANDIDATES or not _is_set_apart(block, number):
                continue
            spent += 1
            if _stands_in(block.plain, around):
                del unit.body[number]
                _keep(unit, block.plain)
        out.append(unit)
    return out


def _keep(unit: Unit, text: str) -> None:
    plain = text.strip().strip("\"“”‘’'>* ").strip()
    words = vocabulary_of(block.plain for block in unit.body if block.is_prose)
    unit.quotes.append(recase(plain, words))
    note = "A sentence that the page repeats large was kept as a quotation, out of the text."
    unit.flags.append(Flag("pull-quote-taken", note))


def _may_be(block: Block) -> bool:
    return FEWEST_WORDS <= len(block.plain.split()) <= MOST_WORDS


def _is_set_apart(block: Block, number: int) -> bool:
    if not _may_be(block):
        return False
    if block.is_italic and number < 2:
        # Italics under a headline are its standfirst, whatever the text repeats.
        return False
    is_quoted = block.text.lstrip()[:1] in {'"', "“", "‘", ">"}
    return block.is_bold or block.is_italic or is_caps(block.plain) or is_quoted


def _prose_of(unit: Unit) -> str:
    """Return the words of a unit's running text, without what is set apart in it."""
    return " ".join(
        _flat(block.plain)
        for number, block in enumerate(unit.body)
        if not is_caps(block.plain) and not _is_set_apart(block, number)
    )


def _stands_in(text: str, prose: str) -> bool:
    wanted = _flat(text)
    return len(wanted.split()) >= FEWEST_WORDS and f" {wanted} " in f" {prose} "


def _flat(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))
