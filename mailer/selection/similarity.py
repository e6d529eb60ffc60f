"""Finding twins: two articles that are one story to a reader.

Two are twins when their titles are the same once case, accents' composition, punctuation and
spaces are set aside, or when their texts share most of their five-word runs (shingles): Jaccard
for two versions of a piece, containment for a piece printed inside a longer one. Where the titles
are nearly the same, a smaller share is enough: an agency's copy, cut and with a line of its own.
Short texts are compared by title alone, because two notices of the same dance class look alike
and are not.

The index holds what was kept so far and finds twins by shared shingles, so that the cost grows
with the texts and not with the pairs. Known limit: a rewrite in other words is not noticed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from rapidfuzz import fuzz

from mailer.articles.article import Article
from mailer.selection.reasons import Likeness

SHINGLE_WORDS = 5
FEWEST_SHINGLES = 20
SAME_VERSION = 0.6
"""Jaccard of two edits of one piece; unrelated pieces of one paper stay below 0.05."""
PRINTED_INSIDE = 0.8
"""Share of the shorter text that stands in the longer one."""
ALIKE_TITLES = 80
"""Of 100, rapidfuzz's ratio; titles of different stories in one paper stay below 65."""
PARTLY_THE_SAME = 0.2
"""Share of the shorter text that is enough under alike titles; unrelated pieces have 0.01."""


def normalise_title(title: str) -> str:
    """Return the title's words, case-folded, with single spaces; "" when it has none."""
    return " ".join(_words(title))


# A text that is looked for is usually added next; computing its runs is the costly part.
@lru_cache(maxsize=4)
def shingles(text: str) -> frozenset[str]:
    """Return the text's runs of five words; empty for a text shorter than that."""
    words = _words(text)
    return frozenset(
        " ".join(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - SHINGLE_WORDS + 1)
    )


class TwinIndex:
    """The articles kept so far, asked whether the next one is a twin of one of them."""

    def __init__(self, *, by_title: bool = True) -> None:
        self._by_title = by_title
        self._titles: dict[str, str] = {}
        self._title_of: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._holders: dict[str, list[str]] = {}

    def add(self, article: Article) -> None:
        """Keep an article; the first of a title stands for it."""
        title = normalise_title(article.title)
        self._titles.setdefault(title, article.id)
        self._title_of[article.id] = title
        found = shingles(article.body_text)
        self._sizes[article.id] = len(found)
        for shingle in found:
            self._holders.setdefault(shingle, []).append(article.id)

    def find(self, article: Article) -> Likeness | None:
        """Return the kept article this one repeats, or None. An article is never its own twin."""
        title = normalise_title(article.title)
        if self._by_title and title and self._titles.get(title, article.id) != article.id:
            return Likeness(self._titles[title], "title", 1.0)
        found = shingles(article.body_text)
        if len(found) < FEWEST_SHINGLES:
            return None
        shared = Counter(holder for shingle in found for holder in self._holders.get(shingle, ()))
        best: tuple[float, str] | None = None
        for other, count in sorted(shared.items()):
            size = self._sizes[other]
            if other == article.id or size < FEWEST_SHINGLES:
                continue
            inside = count / min(size, len(found))
            is_twin = (
                inside >= PRINTED_INSIDE
                or count / (size + len(found) - count) >= SAME_VERSION
                or (
                    inside >= PARTLY_THE_SAME
                    and fuzz.ratio(title, self._title_of[other]) >= ALIKE_TITLES
                )
            )
            if is_twin and (best is None or inside > best[0]):
                best = (inside, other)
        if best is None:
            return None
        return Likeness(best[1], "containment", best[0])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
