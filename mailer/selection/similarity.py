"""How alike two articles are: twins, which are one story to a reader, and neighbours in subject.

Two are twins when they are the same page; when their titles are the same once case, accents'
composition, punctuation and spaces are set aside; or when their texts share most of their
five-word runs: Jaccard for two versions of a piece, containment for a piece printed inside a longer
one. Where the titles are nearly the same, a smaller share is enough: an agency's copy, cut and with
a line of its own. Where one of the two is only the beginning of a text, titles of some length
decide alone, unless they differ in a figure, a day or a month. Two pieces with a short standing
title ("Letters") and different texts are two. Short notices are never compared by text: two dance
classes look alike.

``TwinIndex`` holds what was kept so far and finds twins by shared runs and title words, so that the
cost grows with the texts and not with the pairs. A long text is looked up by a quarter of its runs
and then compared by all of them. Known limits: a rewrite in other words is not noticed; a short
notice inside a long text can slip through when hardly more than the least share is the same, about
once in a hundred times.

``Subjects`` says what articles are about: their telling words, weighted by how rare those are among
the articles considered (TF-IDF). A ``Shelf`` finds the articles nearest in subject by the cosine.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from rapidfuzz import fuzz

from mailer.almanac import DAYS, MONTHS
from mailer.articles.article import Article
from mailer.articles.traits import Traits, words_of
from mailer.articles.webaddress import url_key
from mailer.selection.reasons import Likeness

FEWEST_RUNS = 20
SAME_VERSION = 0.6
"""Jaccard of two edits of one piece; unrelated pieces of one paper stay below 0.05."""
PRINTED_INSIDE = 0.8
"""Share of the shorter text that stands in the longer one."""
ALIKE_TITLES = 80
"""Of 100, rapidfuzz's ratio; titles of different stories in one paper stay below 65."""
PARTLY_THE_SAME = 0.2
"""Share of the shorter text that is enough under alike titles; unrelated pieces have 0.01."""
STRANGERS = 0.05
"""Two texts with less in common are two, under whatever short title."""
SAME_HEADLINE = 90
"""Of 100: headlines so alike that one's text need not be compared."""
TELLING_TITLE_WORDS = 5
STANDING_TITLE_WORDS = 3

WORTH_COMPARING = 0.05
RARE_TITLE_WORDS = 4
TELLING_WORDS = 16
"""So many words say what a text is about; more only make everything a little like everything."""
FAINTLY_ALIKE = 0.1
"""A smaller cosine is chance."""
_TIMES = [0.0] + [1 + math.log(count) for count in range(1, 256)]

_ALL_RUNS = 120
"""A text of up to so many runs is looked up by all of them."""
_SAMPLE = 1 << 30
"""Of a longer one, runs with a hash below this: a quarter."""
_MOST_HOLDERS = 200
"""A run or a title's word in more stories than this is nobody's own: a footer, a formula."""
_DATES = frozenset(word.casefold() for word in (*DAYS, *MONTHS))


def normalise_title(title: str) -> str:
    """Return the title's words, case-folded, with single spaces; "" when it has none."""
    return " ".join(words_of(title))


@dataclass(frozen=True)
class Print:
    """An article as twins are told by: its page, its title's words, its runs."""

    id: str
    page: str
    words: tuple[str, ...]
    traits: Traits

    @cached_property
    def sample(self) -> dict[int, tuple[str, ...]]:
        """The runs it is looked up by, each with the article's id."""
        runs = self.traits.runs
        some = runs if len(runs) <= _ALL_RUNS else runs[: bisect_left(runs, _SAMPLE)]
        return dict.fromkeys(some, (self.id,))

    @cached_property
    def runs(self) -> frozenset[int]:
        return frozenset(self.traits.runs)

    @cached_property
    def title(self) -> str:
        return " ".join(self.words)

    @property
    def has_text(self) -> bool:
        return len(self.traits.runs) >= FEWEST_RUNS

    def shared(self, other: Print) -> tuple[float, float]:
        """Return containment and Jaccard; nothing is said of texts that are too short."""
        if not (self.has_text and other.has_text):
            return 0.0, 0.0
        both = len(self.runs & other.runs)
        return both / min(len(self.runs), len(other.runs)), both / len(self.runs | other.runs)


class TwinIndex:
    """The articles kept so far, asked whether the next one is a twin of one of them.

    Args:
        by_title: titles count. Regular columns keep one title for ever, so against past issues
            only text and address do.
    """

    def __init__(self, *, by_title: bool = True) -> None:
        self._by_title = by_title
        self._kept: dict[str, Print] = {}
        self._pages: dict[str, str] = {}
        self._titles: dict[str, list[str]] = {}
        self._title_words: dict[str, list[str]] = {}
        self._brief_words: dict[str, list[str]] = {}
        self._by_words = (self._title_words, self._brief_words)
        self._holders: dict[int, tuple[str, ...]] = {}

    def add(self, kept: Print) -> None:
        """Keep an article; the first of a title or a page stands for it."""
        self._kept[kept.id] = kept
        if kept.page:
            self._pages.setdefault(kept.page, kept.id)
        if self._by_title and kept.words:
            self._titles.setdefault(kept.title, []).append(kept.id)
            for word in set(kept.words):
                for titles in (self._title_words,) if kept.has_text else self._by_words:
                    titled = titles.setdefault(word, [])
                    if len(titled) < _MOST_HOLDERS:
                        titled.append(kept.id)
        if kept.has_text:
            holders = self._holders
            held = {run: holders[run] for run in holders.keys() & kept.sample.keys()}
            holders.update(kept.sample)
            for run, others in held.items():
                holders[run] = (*others, kept.id) if len(others) < _MOST_HOLDERS else others

    def find(self, new: Print) -> Likeness | None:
        """Return the kept article this one repeats, or None. An article is never its own twin."""
        if new.page and self._pages.get(new.page, new.id) != new.id:
            return Likeness(self._pages[new.page], "url", 1.0)
        if self._by_title and (same := self._same_title(new)):
            return same
        found = [
            likeness
            for near, judge in ((self._near_text, _same_text), (self._near_title, _same_headline))
            for other in sorted(near(new))
            if (likeness := judge(new, self._kept[other]))
        ]
        return max(found, key=lambda likeness: likeness.value) if found else None

    def _same_title(self, new: Print) -> Likeness | None:
        for other in self._titles.get(new.title, ()):
            if other == new.id:
                continue
            known = self._kept[other]
            is_standing = len(new.words) <= STANDING_TITLE_WORDS
            if is_standing and new.has_text and known.has_text and new.shared(known)[0] < STRANGERS:
                continue
            return Likeness(other, "title", 1.0)
        return None

    def _near_text(self, new: Print) -> set[str]:
        """Return the kept articles whose texts are worth comparing."""
        if not new.has_text:
            return set()
        sample, kept = new.sample, self._kept
        shared = self._holders.keys() & sample.keys()
        if not shared:
            return set()
        holders = map(self._holders.__getitem__, shared)
        # A guess from the samples, on the safe side; whoever passes is compared in full.
        least = len(sample) * WORTH_COMPARING
        return {
            other
            for other, count in Counter(chain.from_iterable(holders)).items()
            if count >= least or count >= len(kept[other].sample) * WORTH_COMPARING
        } - {new.id}

    def _near_title(self, new: Print) -> set[str]:
        """Return the kept articles of which only the titles can be compared."""
        titled = self._brief_words if new.has_text else self._title_words
        # Titles that are nearly the same share rare words; the common ones only cost time.
        held = sorted(filter(None, map(titled.get, set(new.words))), key=len) if titled else []
        if not held:
            return set()
        alike = Counter(chain.from_iterable(held[:RARE_TITLE_WORDS]))
        least = min(2, len(held))
        return {other for other, count in alike.items() if count >= least} - {new.id}


class Subjects:
    """What articles are about, to be compared; words count the more the rarer they are.

    Args:
        traits: of every article considered; a word that most of them have tells little.
    """

    def __init__(self, traits: Iterable[Traits]) -> None:
        seen: Counter[int] = Counter()
        size = 1
        for each in traits:
            seen.update(each.words)
            size += 1
        self._rarity = {word: math.log(size / count) for word, count in seen.items()}
        self._vectors: dict[str, dict[int, float]] = {}

    def vector(self, traits: Traits) -> dict[int, float]:
        """Return the words that tell most, with their weights, of length 1; empty without words."""
        found = self._vectors.get(traits.article_id)
        if found is None:
            rarity = self._rarity
            weighed = sorted(
                (-_TIMES[count] * rarity.get(word, 0.0), word)
                for word, count in zip(traits.words, traits.counts, strict=True)
            )[:TELLING_WORDS]
            length = math.sqrt(math.fsum(weight * weight for weight, _ in weighed))
            found = {word: -weight / length for weight, word in weighed} if length else {}
            self._vectors[traits.article_id] = found
        return found


class Shelf:
    """Articles to be compared with, found by their words."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._holders: dict[int, list[tuple[int, float]]] = {}

    def add(self, article_id: str, vector: Mapping[int, float]) -> None:
        """Put an article there."""
        number = len(self.ids)
        self.ids.append(article_id)
        for word, weight in vector.items():
            self._holders.setdefault(word, []).append((number, weight))

    def alike(self, vector: Mapping[int, float]) -> dict[int, float]:
        """Return the cosine of a vector with each article that is alike, by number."""
        found: dict[int, float] = {}
        holders = self._holders
        # In the order of the vector, which is the article's own: the sum is always the same.
        for word, weight in vector.items():
            for number, other in holders.get(word, ()):
                found[number] = found.get(number, 0.0) + weight * other
        return {
            number: round(min(value, 1.0), 4)
            for number, value in found.items()
            if value >= FAINTLY_ALIKE
        }

    def nearest(self, vector: Mapping[int, float]) -> Likeness | None:
        """Return the article that is most like it; None where none is."""
        best = min(
            ((-value, self.ids[number]) for number, value in self.alike(vector).items()),
            default=None,
        )
        return Likeness(best[1], "words", -best[0]) if best else None


def print_of(article: Article, traits: Traits) -> Print:
    """Return an article as twins are told by."""
    return Print(article.id, url_key(article.url), tuple(words_of(article.title)), traits)


def _same_text(new: Print, old: Print) -> Likeness | None:
    inside, jaccard = new.shared(old)
    if jaccard >= SAME_VERSION:
        return Likeness(old.id, "jaccard", round(jaccard, 4))
    is_titled = bool(new.words and old.words)
    if inside >= PRINTED_INSIDE or (
        is_titled and inside >= PARTLY_THE_SAME and fuzz.ratio(new.title, old.title) >= ALIKE_TITLES
    ):
        return Likeness(old.id, "containment", round(inside, 4))
    return None


def _same_headline(new: Print, old: Print) -> Likeness | None:
    if min(len(new.words), len(old.words)) < TELLING_TITLE_WORDS:
        return None
    ratio = fuzz.token_sort_ratio(new.title, old.title)
    if ratio < SAME_HEADLINE or any(map(_is_dated, set(new.words) ^ set(old.words))):
        return None
    return Likeness(old.id, "title", round(ratio / 100, 4))


def _is_dated(word: str) -> bool:
    return word in _DATES or any(ch.isdigit() for ch in word)
