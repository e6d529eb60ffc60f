"""House adverts and a paper's display lettering: short, in capitals, and telling readers to act.

An advert is recognised by what it is made of, not by whose it is: a few words below a heading, no
byline, and a call ("book", "subscribe", "in your inbox", a page to turn to, an address on a line
of its own) or a date and a place set as display lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailer.articles.blocks import Block, is_address
from mailer.articles.dating import find_dates
from mailer.articles.directory import EMAIL, PHONE
from mailer.articles.lettering import Vocabulary, is_caps

_CALL = re.compile(
    r"\b(?:subscribe|sign up|book (?:now|your|on|at|online|tickets?|a place)|join (?:us|now|our)|"
    r"donate|become a (?:member|supporter|friend)|(?:to|in|into) your inbox|on pages? \d|"
    r"see pages? \d|tickets?|find out more|order (?:now|from|your)|available (?:from|at)|"
    r"advertise|call us|follow us|entry free|free entry|all welcome|doors open|standing order|"
    r"support (?:us|our|the paper)|buy (?:now|your|a copy)|save the date)\b",
    re.IGNORECASE,
)
_LONGEST_WORDS = 60
FEWEST_LETTERS = 3
"""Single letters in a row; "A I" may be two words."""


def is_advert(title: str, body: Sequence[Block]) -> bool:
    """True when a heading with this body is a house advert."""
    words = sum(len(block.plain.split()) for block in body)
    if not body or words > _LONGEST_WORDS:
        return False
    text = "\n".join(block.plain for block in body)
    if _CALL.search(text) or any(is_address(block.plain) for block in body):
        return True
    display = [block for block in body if is_caps(block.plain) or block.is_bold]
    has_date = any(find_dates(block.plain) for block in display) or bool(find_dates(title))
    return has_date and len(display) * 2 >= len(body)


_LABEL = re.compile(
    r"[\[(*_]*(?:(?:paid(?:-for)? )?advert(?:isement|orial)?s?|advertisement feature|sponsored"
    r"(?: (?:content|feature))?|promotion)[\])*_.:]*",
    re.IGNORECASE,
)


def is_label(text: str) -> bool:
    """True for a line that says that what follows is an advert."""
    return _LABEL.fullmatch(text.strip()) is not None


def is_box(block: Block) -> bool:
    """True for several display lines that say how to reach or pay somebody."""
    if len(block.lines) < 2 or len(block.plain.split()) > _LONGEST_WORDS:
        return False
    if not all(is_caps(line) or line.strip("*_ ") != line.strip() for line in block.lines):
        return False
    text = block.plain
    return bool(
        _CALL.search(text)
        or EMAIL.search(text)
        or PHONE.search(text)
        or any(is_address(line.strip("*_ ")) for line in block.lines)
    )


def without_dates(title: str) -> str:
    """Return a display line without the dates in it."""
    for written in reversed(find_dates(title)):
        title = f"{title[: written.start]} {title[written.end :]}"
    return " ".join(title.split()).strip(" ,–-")


def mend_capitals(text: str, vocabulary: Vocabulary) -> str:
    """Join letters that spaced display lettering tore apart, as in "HARB OUR".

    Two neighbours become one word when the paper's prose knows the joined word and not both
    parts, or when a part is a single consonant.
    """
    if not is_caps(text):
        return text
    words = _spelled_out(text.split(), vocabulary)
    out: list[str] = []
    for word in words:
        if out and _is_torn(out[-1], word, vocabulary):
            out[-1] += word
        else:
            out.append(word)
    return " ".join(out)


def _spelled_out(words: list[str], vocabulary: Vocabulary) -> list[str]:
    """Join letters set one by one, "H A R B O U R", cut where the paper knows two words in them."""
    out: list[str] = []
    run = ""
    for word in [*words, ""]:
        if len(word) == 1 and word.isalpha():
            run += word
            continue
        if len(run) >= FEWEST_LETTERS:
            out += _cut(run, vocabulary)
        else:
            out += list(run)
        run = ""
        if word:
            out.append(word)
    return out


def _cut(run: str, vocabulary: Vocabulary) -> list[str]:
    low = run.lower()
    if low not in vocabulary:
        for place in range(len(low) - 2, 1, -1):
            if low[:place] in vocabulary and low[place:] in vocabulary:
                return [run[:place], run[place:]]
    return [run]


def _is_torn(first: str, second: str, vocabulary: Vocabulary) -> bool:
    if not (first.isalpha() and second.isalpha()):
        return False
    if (first + second).lower() in vocabulary:
        return not (first.lower() in vocabulary and second.lower() in vocabulary)
    is_stray = len(second) == 1 and second not in "AIO"
    return is_stray and first.lower() not in vocabulary and len(first) > 1
