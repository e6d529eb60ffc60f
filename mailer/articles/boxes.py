"""Adverts out of a paper's units: house adverts, labelled ones, and boxes inside a piece.

A house advert is a unit of its own (see ``adverts``). "ADVERTISEMENT" over a unit makes it one,
whatever it says. A block of display lines with an address or a number in the middle of a piece is
a box that the page set beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailer.articles.adverts import is_advert, is_box, is_label
from mailer.articles.article import Advert
from mailer.articles.blocks import Block, plain_of
from mailer.articles.captions import read_credit
from mailer.articles.lettering import Vocabulary, is_caps
from mailer.articles.units import Unit, has_own_byline

_MOST_LABELLED_WORDS = 200


def take_adverts(units: Sequence[Unit], vocabulary: Vocabulary) -> tuple[list[Unit], list[Advert]]:
    """Separate house adverts, with the display line above one, from the rest."""
    rest: list[Unit] = []
    adverts: list[Advert] = []
    is_labelled = False
    for place, unit in enumerate(units):
        body = [block for block in unit.body if not read_credit(block.text)]
        if unit.heading and is_labelled and sum(_words(b) for b in body) <= _MOST_LABELLED_WORDS:
            adverts.append(_advert(unit.title, body))
            is_labelled = False
            continue
        is_labelled = _take_label(unit)
        if unit.heading and is_labelled and not unit.body:
            continue
        if not unit.heading or not is_advert(unit.title, body) or has_own_byline(unit, vocabulary):
            adverts.extend(_take_boxes(unit))
            rest.append(unit)
            continue
        title = unit.title
        above = rest[-1] if rest else None
        if above and _is_banner(above, unit) and not _has_parts(units[place + 1 :], above.level):
            title = f"{above.title}: {title}"
            rest.pop()
        if len(body) < len(unit.body) and rest:
            rest[-1].body.extend(block for block in unit.body if block not in body)
        adverts.append(_advert(title, body))
    return rest, adverts


def _advert(title: str, body: Sequence[Block]) -> Advert:
    lines = [line for block in body for line in (block.lines or (block.text,))]
    return Advert(title, "\n".join(plain_of(line) for line in lines))


def _words(block: Block) -> int:
    return len(block.plain.split())


def _take_label(unit: Unit) -> bool:
    """Take "ADVERTISEMENT" off the end of a unit, or off its title; say whether it stood there."""
    if unit.heading and is_label(unit.title) and not unit.body:
        return True
    if unit.body and is_label(unit.body[-1].plain):
        unit.body.pop()
        return True
    return False


def _take_boxes(unit: Unit) -> list[Advert]:
    """Take boxes of display lines out of running text; a byline near the top is none."""
    if not unit.has_prose:
        return []
    boxes = [block for place, block in enumerate(unit.body) if place > 1 and is_box(block)]
    unit.body = [block for block in unit.body if not any(block is box for box in boxes)]
    return [
        _advert(plain_of(box.lines[0]), [Block("\n".join(box.lines[1:]), 0, 0, box.lines[1:])])
        for box in boxes
    ]


def _is_banner(above: Unit, advert: Unit) -> bool:
    return (
        above.heading is not None
        and not above.body
        and not above.kicker
        and is_caps(above.title)
        and above.level <= advert.level
    )


def _has_parts(units: Sequence[Unit], level: int) -> bool:
    """True when text without a byline follows below a heading's level: it is a feature's head."""
    following = next((unit for unit in units if unit.has_prose), None)
    return following is not None and following.level > level and not has_own_byline(following, {})
