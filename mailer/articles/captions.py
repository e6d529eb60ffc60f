"""Photo credits and captions, wherever a text keeps them.

"STRIKERS AT THE GATE PHOTO: A. NAME / CC BY-NC 2.0" becomes a caption, a credit and a licence.
Licences of Creative Commons are written one way; anything unknown after the slash stays as it is.
"""

from __future__ import annotations

import re

from mailer.articles.article import Picture
from mailer.articles.blocks import plain_of
from mailer.articles.lettering import Vocabulary, is_caps, recase, title_case

_CREDIT = re.compile(
    r"^(?P<caption>.*?)[\s(|/,–—-]*\b(?:photo(?:s|graph|graphs|graphy)?|pictures?|pics?|images?"
    r"|credits?|illustration)(?:\s+credits?)?\s*(?:by\s*:?|:|©)\s*(?P<rest>.+?)\)?$",
    re.IGNORECASE | re.DOTALL,
)
_LICENCE = re.compile(
    r"\(?\b(?P<text>CC[ -]?(?P<zero>0|ZERO)\b.*"
    r"|CC[ -]BY(?P<terms>(?:[ -](?:NC|ND|SA))*)(?:[ -](?P<version>\d(?:\.\d)?))?"
    r"|public domain|all rights reserved)\)?\s*$",
    re.IGNORECASE,
)
_MARKED = re.compile(r"!\[([^\]]{3,400})\]\([^()\s]*\)")
_LONGEST = 260


def read_credit(text: str, vocabulary: Vocabulary | None = None) -> Picture | None:
    """Return the picture a credit line describes, or None when the text is no credit line."""
    line = " ".join(text.split()).strip("*_ ")
    marked = _MARKED.fullmatch(line)
    if marked:
        # An editor's Markdown and a PDF's small print mark a caption as one.
        return read_credit(marked[1], vocabulary) or Picture(caption=plain_of(marked[1]))
    if len(line) > _LONGEST:
        return None
    match = _CREDIT.match(line)
    if not match or match["caption"].count(". ") > 2:
        return None
    rest, licence = split_licence(match["rest"])
    known = vocabulary or {}
    return Picture(
        caption=recase(match["caption"].strip(" .,;:"), known, unknown_capital=True),
        credit=title_case(rest, known),
        licence=licence,
    )


def split_licence(text: str) -> tuple[str, str]:
    """Split "Name / CC BY 2.0" into the name and the licence in its usual spelling."""
    match = _LICENCE.search(text)
    if not match:
        return text.strip(" /|,;–-."), ""
    name = text[: match.start()].strip(" /|,;–-.")
    if match["zero"]:
        return name, "CC0"
    if match["terms"] is None:
        return name, match["text"].capitalize()
    terms = re.findall(r"NC|ND|SA", match["terms"].upper())
    licence = "-".join(["CC BY", *terms])
    return name, f"{licence} {match['version']}" if match["version"] else licence


def bare_caption(text: str, vocabulary: Vocabulary) -> Picture | None:
    """Return a picture for a short line in capitals that can be a caption without a credit."""
    line = " ".join(text.split()).strip("*_ ")
    if not is_caps(line) or len(line) > 160 or not 3 <= len(line.split()) <= 25:
        return None
    return Picture(caption=recase(line, vocabulary, unknown_capital=True))
