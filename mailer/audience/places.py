"""Which region somebody means who types a town or a postcode: a proposal, never a decision. Pure.

A postcode counts by its beginning: the letters before the first figure (``CF10 1AA`` is CF), or a
longer beginning that a region names (``N17``). A name counts when it is a region's or one of its
places, in any case and with any accents; failing that, when it is nearly one (a slip of a letter),
unless two regions are as near.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from rapidfuzz.distance import DamerauLevenshtein

from mailer.publication import Region

LONGEST_PLACE = 80
_POSTCODE = re.compile(r"([a-z]{1,2})\d[a-z\d]?(?:\s*\d[a-z]{2})?")


def propose_region(place: str, regions: Iterable[Region]) -> str:
    """Return the slug of the region that a town or a postcode means, "" for none."""
    wanted = _plain(place[:LONGEST_PLACE])
    if not wanted:
        return ""
    known = list(regions)
    if found := _POSTCODE.fullmatch(wanted):
        return _by_postcode(wanted.replace(" ", ""), found[1], known)
    names = {_plain(name): each.slug for each in known for name in (*each.places, each.name)}
    if wanted in names:
        return names[wanted]
    allowed = len(wanted) // 5
    near = {
        slug
        for name, slug in names.items()
        if allowed and DamerauLevenshtein.distance(name, wanted, score_cutoff=allowed) <= allowed
    }
    return near.pop() if len(near) == 1 else ""


def _by_postcode(code: str, letters: str, regions: Iterable[Region]) -> str:
    best = ("", "")
    for region in regions:
        for beginning in map(_plain, region.postcodes):
            fits = code.startswith(beginning) if beginning != letters else True
            # "S" must not take "SE5": a beginning of letters alone has to be all of them.
            if fits and (beginning == letters or not beginning.isalpha()):
                best = max(best, (beginning, region.slug), key=lambda pair: len(pair[0]))
    return best[1]


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(ch for ch in bare if not unicodedata.combining(ch))
    return " ".join(re.sub(r"[^\w]+", " ", letters).split())
