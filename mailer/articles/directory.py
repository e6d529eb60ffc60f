"""A paper's directory of local groups: names with an address or a number, and nothing else.

Two forms are known: a heading for each group with its contacts below, and lines of the form
"Name: address". Fewer than three in a row are no directory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mailer.articles.article import DirectoryEntry
from mailer.articles.blocks import Block, plain_of
from mailer.articles.lettering import slug_of, title_case

EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
PHONE = re.compile(r"(?:\+\d{2}|\b0)[\d ()-]{8,20}\d")
_LINE = re.compile(r"(?P<name>[^:@]{3,60}?)\s*(?:[:–—|]|\s-\s)\s*(?P<rest>.*@.*)")
FEWEST = 3


def contact_in(name: str, body: Sequence[Block]) -> DirectoryEntry | None:
    """Return a group's entry when everything below its name is how to reach it."""
    text = " ".join(block.plain for block in body)
    if len(text) > 400 or len(text.split()) > 25:
        return None
    email, phone = EMAIL.search(text), PHONE.search(text)
    if not (email or phone):
        return None
    left = PHONE.sub(" ", EMAIL.sub(" ", text))
    if re.search(r"[.?!]\s", left) or len(re.findall(r"[^\W\d_]+", left)) > 15:
        return None
    return DirectoryEntry(
        name=title_case(" ".join(plain_of(name).split())),
        address=email.group() if email else "",
        phone=" ".join(phone.group().split()) if phone else "",
    )


def entries_in_lines(body: Sequence[Block]) -> list[DirectoryEntry]:
    """Return the entries of a block of "Name: address" lines, or nothing when they are few."""
    entries = []
    lines = [plain_of(line) for block in body for line in block.lines]
    for line in lines:
        match = _LINE.fullmatch(line.lstrip("•-* "))
        if match:
            entry = contact_in(match["name"], [Block(match["rest"])])
            if entry:
                entries.append(entry)
    is_list = len(entries) >= FEWEST and len(entries) * 2 > len(lines)
    return entries if is_list else []


def match_region(name: str, regions: Mapping[str, tuple[str, ...]]) -> str:
    """Return the slug of the region a group's name means, or ""."""
    wanted = slug_of(name)
    for slug, names in regions.items():
        if wanted == slug or wanted in {slug_of(other) for other in names}:
            return slug
    words = set(wanted.split("-"))
    inside = [slug for slug in regions if set(slug.split("-")) <= words]
    return max(inside, key=len, default="")
