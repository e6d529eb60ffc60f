"""Whether two announcements of like words can be of one occasion: their hours, places and regions.

A detail that one of them leaves out tells nothing; one that both give and that differs makes them
two. Two that are taken for one lose a happening without a word, one that is taken for two is seen
and mended, so what is unsure here is two.

Known limit: a hall and the town it stands in share no word; announced once as each, it is two.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import time
from typing import Protocol

_COMMON_WORDS = (
    "a an and at by in near of on outside the to town village city parish church community "
    "memorial hall halls centre center room rooms house street st road rd lane avenue ave square "
    "park green place school library museum chapel pub club main high upper lower north south "
    "east west new old"
)
_COMMON = frozenset(_COMMON_WORDS.split())
"""Words that halls and streets share everywhere: they do not make two places one."""
_LITTLE_WORDS = "a an and at by in near of on outside the to"
_LITTLE = frozenset(_LITTLE_WORDS.split())


class Held(Protocol):
    """What is held at an hour and a place; None and empty where nobody said."""

    @property
    def at(self) -> time | None:
        """When it begins."""

    @property
    def place(self) -> str:
        """Where it is, as it was announced."""


def are_apart(one: Held, other: Held) -> bool:
    """Say whether two happenings of one day differ in an hour or a place that both of them name."""
    if one.at is not None and other.at is not None and one.at != other.at:
        return True
    return bool(one.place and other.place) and not is_one_place(one.place, other.place)


def is_one_place(one: str, other: str) -> bool:
    """Say whether two descriptions can be of one place: most of the shorter one's words agree."""
    words, others = _words(one), _words(other)
    first, second = _words(one.split(",", maxsplit=1)[0]), _words(other.split(",", maxsplit=1)[0])
    if first == second and first - _COMMON:
        # One gives the street and one the town; the name of the house is the same.
        return True
    if words - _COMMON and others - _COMMON:
        words, others = words - _COMMON, others - _COMMON
    fewest = min(len(words), len(others))
    return not fewest or len(words & others) * 2 > fewest


def _words(place: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", re.sub(r"['’]", "", place.casefold()))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return frozenset(re.findall(r"\w+", bare)) - _LITTLE
