"""Who wrote it: bylines in bold, after "By", in a heading, in a standfirst, at the foot.

A name is accepted only where a byline can stand; when the text offers none the piece is flagged,
never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailer.articles.lettering import (
    Vocabulary,
    is_caps,
    looks_like_name,
    split_names,
    title_case,
)

_BY = re.compile(
    r"^(?:by|words(?: by)?|text(?: by)?|written by|report(?:ed)? by|author:?|from our reporter)"
    r"\s*:?\s+(?P<names>.+)$",
    re.IGNORECASE,
)
_VERBS = (
    "answers|answer|argues|argue|asks|ask|celebrates|considers|describes|discusses|examines|"
    "examine|explains|explain|explores|explore|finds|follows|in conversation|interviews|"
    "introduces|introduce|investigates|investigate|joins|looks|look|meets|recalls|recommends|"
    "recommend|reflects|reflect|remembers|remember|reports|report|responds|reviews|review|"
    "says|speaks|speak|suggest|suggests|surveys|takes|takes|talks|talk|tells|traces|visits|"
    "visit|walks|writes|write"
)
_LONGEST = 400
_NAME = r"[A-Z][\w'’.-]+(?:\s(?:(?:de|van|von|der|la|al|bin|da|di)\s)?[A-Z][\w'’.-]+){1,3}"
_SPEAKING = re.compile(
    rf"(?<![\w’'])(?P<names>{_NAME}(?:(?:, | and | & ){_NAME})*),?\s+(?:{_VERBS})\b"
)


def names_in_byline(text: str, vocabulary: Vocabulary | None = None) -> tuple[str, ...]:
    """Return the people a short line names as authors: "By A and B", or bare names."""
    line = " ".join(text.split()).strip("*_|–— .:")
    if len(line) > _LONGEST:
        return ()
    match = _BY.match(line)
    if match:
        line = match["names"]
    # "Name, our correspondent" keeps the name; a list of names keeps them all.
    names = [title_case(part.strip("*_ "), vocabulary) for part in split_names(line)]
    known = [name for name in names if looks_like_name(name, vocabulary if not match else None)]
    if not known:
        return ()
    if len(known) == len(names) or match:
        return tuple(known)
    is_role = len(names) == 2 and known == names[:1] and len(names[1].split()) <= 6
    return tuple(known) if is_role else ()


def speakers_in(text: str) -> tuple[str, ...]:
    """Return who a heading or a standfirst says is writing: "A and B recommend …"."""
    match = _SPEAKING.search(text[:_LONGEST])
    if match is None:
        return ()
    names = split_names(match["names"])
    return tuple(name for name in names if looks_like_name(name))


def heading_is_name(
    text: str, siblings: Sequence[str], vocabulary: Vocabulary | None = None
) -> bool:
    """True for a heading in capitals that reads like a name among headings that are not.

    A paper's text sets the byline of a feature as a heading wherever the column broke.
    """
    if not is_caps(text) or not looks_like_name(title_case(text), vocabulary):
        return False
    others = [other for other in siblings if other != text]
    return bool(others) and sum(is_caps(other) for other in others) * 2 < len(others)


def foot_byline(blocks: Sequence[str]) -> tuple[tuple[str, ...], str, int]:
    """Find a byline at the end of a text.

    Returns:
        The authors, the note about them, and how many blocks at the end these are; no author
        and 0 when there is none.
    """
    for back in (1, 2, 3):
        if len(blocks) <= back:
            break
        line = blocks[-back]
        if len(line.split()) > 12 or line.rstrip().endswith((".", "?", "!")):
            continue
        names = names_in_byline(line.lstrip("—–- "))
        rest = blocks[len(blocks) - back + 1 :]
        if names and all(len(note.split()) <= 80 for note in rest):
            note = " ".join(" ".join(block.split()) for block in rest)
            if not rest or any(name.split()[-1] in note for name in names):
                return names, note, back
    last = blocks[-1] if len(blocks) > 1 else ""
    match = re.match(
        rf"[*_]*(?P<name>{_NAME})[*_]*\s+(?:is|was|works|teaches|writes|lives)\b", last
    )
    if match and len(last.split()) <= 60 and looks_like_name(match["name"]):
        return (match["name"],), " ".join(last.split()).strip("*_"), 1
    return (), "", 0
