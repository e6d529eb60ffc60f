"""What a page tore apart, joined again: drop caps, text behind a box, pieces continued elsewhere.

Each step looks at a paper's blocks or units and moves words without changing them. What is joined
on evidence that could mislead is flagged on the piece it went to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from mailer.articles.article import Flag
from mailer.articles.blocks import Block, ends_sentence, is_address
from mailer.articles.lettering import WORD, Vocabulary, is_caps
from mailer.articles.units import Unit

_DROP = re.compile(r"[*_]*(?P<quote>[\"“‘']?)(?P<letter>[A-Z])[*_]*")
_SPACED = re.compile(r"^(?P<quote>[\"“‘']?)(?P<letter>[A-Z]) (?P<rest>[a-z]+|[A-Z]{2,})\b")
_SENT_ON = re.compile(
    r"[\[(*_►▶→]*\s*\b(?:story\s+|report\s+)?(?:continued|continues|cont(?:['’]?d)?\.?)\s+"
    r"(?:on|to|overleaf)(?:\s+(?:the\s+)?(?:back\s+)?(?:pages?|p\.?)\s*(?P<page>\d+)?)?"
    r"[\])*_.►▶→]*\s*$",
    re.IGNORECASE,
)
_COME_FROM = re.compile(
    r"^[\[(*_◄◀←]*\s*(?:continued|cont(?:['’]?d)?\.?)\s+from\s+(?:the\s+)?"
    r"(?:(?:front|back)\s+)?(?:pages?|p\.?)\s*(?P<page>\d+)?[\])*_.:]*\s*",
    re.IGNORECASE,
)
_BOX_WORDS = 60
"""A box that interrupts a text says no more than an advert does."""
_LONGEST_MARK = 120
_MOST_OPEN = 60
"""Pieces that may wait for their other half at a time; a paper has a handful."""
_BACK = 3
"""So many units back the text that a box interrupted may stand."""


def join_drop_caps(blocks: Sequence[Block], vocabulary: Vocabulary) -> list[Block]:
    """Give a large first letter back to its word, where it stands apart from it."""
    out: list[Block] = []
    place = 0
    while place < len(blocks):
        block = blocks[place]
        following = blocks[place + 1] if place + 1 < len(blocks) else None
        drop = _DROP.fullmatch(block.text)
        if drop and following and not following.level and following.is_prose:
            text = _with_letter(drop["quote"], drop["letter"], following.text, vocabulary)
            out.append(replace(following, text=text, line=block.line, lines=(text,)))
            place += 2
            continue
        spaced = None if block.level else _SPACED.match(block.text)
        if spaced and block.is_prose:
            text = _with_letter(
                spaced["quote"],
                spaced["letter"],
                block.text[spaced.start("rest") :],
                vocabulary,
                is_inline=True,
            )
            block = replace(block, text=text, lines=tuple(text.split("\n")))
        out.append(block)
        place += 1
    return out


def _with_letter(
    quote: str, letter: str, rest: str, vocabulary: Vocabulary, *, is_inline: bool = False
) -> str:
    word = WORD.match(rest)
    first = word.group().lower() if word else ""
    is_word_alone = letter in "AIO" and not _is_half(letter, first, vocabulary, is_inline=is_inline)
    is_inside = bool(first) and not is_word_alone
    return f"{quote}{letter}{'' if is_inside else ' '}{rest}"


def _is_half(letter: str, first: str, vocabulary: Vocabulary, *, is_inline: bool) -> bool:
    """Say whether a letter that may be a word of its own is the beginning of the next one."""
    forms = vocabulary.get(first)
    # The half of a word stands in the paper once, here.
    is_known = forms is not None and forms.total() > 1
    is_whole = f"{letter.lower()}{first}" in vocabulary
    # Within a line "A torchlight walk" is how people write; alone above it, a letter is a cap.
    return not is_known and (is_whole or not is_inline)


def return_tails(units: Sequence[Unit]) -> None:
    """Give text back that a box cut off: a small letter begins what an earlier unit left open."""
    for place, unit in enumerate(units):
        if unit.heading is None:
            continue
        before = _unfinished(units[max(0, place - _BACK) : place])
        if before is None:
            continue
        number = _tail_of(unit)
        if number is None:
            continue
        before.body.extend(unit.body[number:])
        del unit.body[number:]
        note = f"“{unit.title}” stood in the middle of it; check that the text runs on."
        before.flags.append(Flag("text-rejoined", note))


def _tail_of(unit: Unit) -> int | None:
    """Return where text begins that cannot be the unit's own: small, below a few finished words."""
    words = 0
    for number, block in enumerate(unit.body):
        above = unit.body[number - 1] if number else None
        if block.is_prose and block.plain[:1].islower():
            is_begun = above is None or _is_finished(above)
            return number if is_begun else None
        words += len(block.plain.split())
        if words > _BOX_WORDS:
            return None
    return None


def _is_finished(block: Block) -> bool:
    is_display = is_caps(block.plain) or block.is_bold or is_address(block.plain)
    # A box ends with a number or an address more often than with a full stop.
    return is_display or ends_sentence(block.text) or block.plain[-1:].isdigit()


def _unfinished(units: Sequence[Unit]) -> Unit | None:
    """Return the nearest unit with running text, when that breaks off in a sentence."""
    for unit in reversed(units):
        if unit.has_prose:
            last = unit.body[-1]
            is_open = last.is_prose and not ends_sentence(last.text)
            return unit if is_open and _sent_on(last.plain) is None else None
    return None


def join_continued(units: Sequence[Unit]) -> list[Unit]:
    """Join what is "continued on page 4" with what is "continued from page 1"."""
    out = list(units)
    open_units = [unit for unit in out if _take_sent_on(unit)]
    place = 0
    while place < len(out):
        unit = out[place]
        if not _take_come_from(unit):
            place += 1
            continue
        candidates = [other for other in open_units if other is not unit][:_MOST_OPEN]
        source = _best_source(unit, candidates, out)
        if source is None:
            note = "It says that it goes on from another page; no piece was found that ends open."
            unit.flags.append(Flag("continuation-unmatched", note))
            place += 1
            continue
        open_units.remove(source)
        shared = _likeness(unit, source, out)
        end = _subtree_end(out, place)
        tree = out[place:end]
        del out[place:end]
        source.body.extend(unit.body)
        source.flags.extend(unit.flags)
        source.flags.append(Flag("continued", f"What stood under “{unit.title}” was joined on."))
        if not shared and len(candidates) > 1:
            note = f"“{unit.title}” may belong to another piece that goes on elsewhere."
            source.flags.append(Flag("continuation-unsure", note))
        after = _subtree_end(out, out.index(source))
        out[after:after] = tree[1:]
        place = min(place, len(out))
    for unit in open_units:
        note = "It says that it goes on on another page; nothing there says that it comes from it."
        unit.flags.append(Flag("continuation-missing", note))
    return out


def _take_sent_on(unit: Unit) -> bool:
    for number, block in enumerate(unit.body):
        found = _sent_on(block.text)
        if found is not None:
            left = block.text[:found].rstrip(" \n[(*_►▶→")
            unit.body[number : number + 1] = (
                [replace(block, text=left, lines=tuple(left.split("\n")))] if left else []
            )
            return True
    return False


def _sent_on(text: str) -> int | None:
    """Return where the words at a text's end begin that send a reader to another page."""
    end = text[-_LONGEST_MARK:]
    found = _SENT_ON.search(end)
    return None if found is None else len(text) - len(end) + found.start()


def _take_come_from(unit: Unit) -> bool:
    for number, block in enumerate(unit.body[:2]):
        found = _COME_FROM.match(block.text)
        if found:
            left = block.text[found.end() :].strip()
            unit.body[number : number + 1] = (
                [replace(block, text=left, lines=tuple(left.split("\n")))] if left else []
            )
            return True
    return False


def _best_source(unit: Unit, candidates: Sequence[Unit], units: Sequence[Unit]) -> Unit | None:
    return max(candidates, key=lambda other: _likeness(unit, other, units), default=None)


def _likeness(unit: Unit, other: Unit, units: Sequence[Unit]) -> int:
    """Count the longer words that two headlines share; a byline's headline is the one above it."""
    place = next(number for number, each in enumerate(units) if each is other)
    above = units[place - 1].title if place and not units[place - 1].has_prose else ""
    theirs = {word.lower() for word in WORD.findall(f"{above} {other.title}") if len(word) > 3}
    return sum(word.lower() in theirs for word in WORD.findall(unit.title))


def _subtree_end(units: Sequence[Unit], place: int) -> int:
    end = place + 1
    while end < len(units) and units[end].level > units[place].level > 0:
        end += 1
    return end
