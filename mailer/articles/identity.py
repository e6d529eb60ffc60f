"""When two sightings are one article: identity is several things at once.

A feed changes an item's GUID, an editor its title, a site its address; feeds also use a GUID again
for something else. So nothing alone decides but the same address with words that do not contradict
it. Everything here is pure: the library looks up who shares a *mark* and asks ``kinship``.

Within one source: the same GUID, unless address *and* words are others; the same address, unless
GUID *and* words are others; the same words; nearly the same words. Between sources only the same
address counts, but for one case: a paper and a site. There the same text under a like headline,
or one text within the other, is one article. Two sites that print the same agency's text stay two
articles, which selection shows as twins.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cached_property
from heapq import nsmallest
from zlib import crc32

from rapidfuzz import fuzz

from mailer.articles.article import Article, Standing
from mailer.articles.plainwords import Words, WordTable
from mailer.articles.webaddress import url_key

LIKE_TITLES = 85
"""Headlines this alike, in per cent, may be one that was edited."""
SAME_WORDS = 0.8
SHARED_WORDS = 0.4
FEWEST_WORDS = 25
"""Shorter texts are too much alike to say anything: a weather line, "Read more"."""
_FAR_APART = timedelta(days=21)
_WORDS = Words(r"[^\W_]+(?:'[^\W_]+)?", joints="'")
_SHINGLE_WORDS = 4
_SKETCH_SIZE = 4
_63_BITS = 2**63 - 1


OWN_MARKS = frozenset({"guid", "url"})
"""Marks that kin of any two origins share; other marks tell of kin only where words may."""


class Kinship(IntEnum):
    """How sure it is that two sightings are one article; 0 is not at all."""

    NONE = 0
    WORDS = 1
    TITLE = 2
    URL = 3
    GUID = 4
    WHOLE = 5


@dataclass(frozen=True)
class Sighting:
    """An article as one source shows it.

    ``origin`` is the document (a path, a feed's address); ``guid`` is only unique within it.
    """

    origin: str
    guid: str
    url: str
    title: str
    text: str
    content_hash: str
    standing: Standing
    published_at: datetime | None = None

    @cached_property
    def url_key(self) -> str:
        """The address's key."""
        return url_key(self.url)

    @cached_property
    def title_key(self) -> str:
        """The title in plain small words."""
        return " ".join(words_of(self.title))

    @cached_property
    def words(self) -> list[str]:
        """The text in plain small words."""
        return words_of(self.text)

    @cached_property
    def shingles(self) -> frozenset[int]:
        """Runs of four words, as numbers."""
        return shingles_of(self.words)


def sighting_of(article: Article, standing: Standing, *, origin: str | None = None) -> Sighting:
    """Return how an article is seen, at its own origin unless another is given."""
    return Sighting(
        article.origin if origin is None else origin,
        article.guid,
        article.url,
        article.title,
        article.body_text,
        article.content_hash,
        standing,
        article.published_at,
    )


def words_of(text: str) -> list[str]:
    """Return the words without case, accents of typing, or marks."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _WORDS.find(plain)


def shingles_of(words: list[str]) -> frozenset[int]:
    """Return the runs of four words as numbers that are the same on every machine."""
    if len(words) < _SHINGLE_WORDS:
        return frozenset({_number(" ".join(words))}) if words else frozenset()
    # A sum of products instead of one digest a run: this is done for every word that comes in.
    first, second, third, fourth = zip(*map(_PRODUCTS.__getitem__, words), strict=True)
    runs = zip(first, second[1:], third[2:], fourth[3:], strict=False)
    return frozenset([(a + b + c + d) & _63_BITS for a, b, c, d in runs])


def _products_of(word: str) -> tuple[int, int, int, int]:
    """Return a word's products for each of the four places that it may have in a run."""
    one = crc32(word.encode("utf-8", "replace"))
    return one * 0x9E3779B1, one * 0x85EBCA6B, one * 0xC2B2AE35, one * 3


_PRODUCTS = WordTable(_products_of)


def _number(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") & _63_BITS


def marks_of(seen: Sighting) -> dict[str, int]:
    """Return the marks by which another sighting of the article would be found.

    Numbers of 64 bits, by kind: what has none in common is not one article.
    """
    marks = {"hash": _number(f"hash {seen.content_hash}")}
    if seen.guid:
        marks["guid"] = _number(f"guid {seen.origin} {seen.guid}")
    if seen.url_key:
        marks["url"] = _number(f"url {seen.url_key}")
    if seen.title_key:
        marks["title"] = _number(f"title {seen.title_key}")
    if len(seen.words) >= FEWEST_WORDS:
        # The smallest numbers of two sets that share most of their members are mostly the same.
        for place, number in enumerate(nsmallest(_SKETCH_SIZE, seen.shingles)):
            marks[f"words-{place}"] = number
    return marks


def kinship(one: Sighting, other: Sighting) -> Kinship:
    """Say how surely two sightings are one article; the order does not matter."""
    if one.origin == other.origin:
        return _within(one, other)
    if one.url_key and one.url_key == other.url_key and _may_agree(one, other):
        return Kinship.URL
    return _copies(one, other) if other.standing in copying(one.standing) else Kinship.NONE


def copying(standing: Standing) -> frozenset[Standing]:
    """Return whose words may be these without a GUID or an address in common: paper and site."""
    return _OF_PAPER if standing.is_of_the_web else _OF_WEB


_OF_WEB = frozenset(standing for standing in Standing if standing.is_of_the_web)
_OF_PAPER = frozenset(Standing) - _OF_WEB


def _within(one: Sighting, other: Sighting) -> Kinship:
    has_guid = bool(one.guid and one.guid == other.guid)
    has_url = bool(one.url_key and one.url_key == other.url_key)
    if has_guid and has_url:
        return Kinship.WHOLE
    if has_guid:
        is_reused = bool(one.url_key and other.url_key) and not _may_agree(one, other)
        return Kinship.NONE if is_reused else Kinship.GUID
    has_other_guid = bool(one.guid and other.guid)
    if has_url:
        return Kinship.URL if not has_other_guid or _may_agree(one, other) else Kinship.NONE
    is_elsewhere = has_other_guid and bool(one.url_key and other.url_key)
    is_long = min(len(one.words), len(other.words)) >= FEWEST_WORDS
    if one.content_hash == other.content_hash:
        # A short line that comes every day is not one article because it never changes.
        return Kinship.TITLE if is_long or not is_elsewhere else Kinship.NONE
    if one.title_key and one.title_key == other.title_key and not is_elsewhere:
        return Kinship.TITLE if not is_long or shared(one, other) >= SHARED_WORDS else Kinship.NONE
    is_copy = is_long and not is_elsewhere and shared(one, other) >= SAME_WORDS
    return Kinship.WORDS if is_copy else Kinship.NONE


def _may_agree(one: Sighting, other: Sighting) -> bool:
    """Say whether headline or text leave it possible that both are one article."""
    return (
        one.content_hash == other.content_hash
        or fuzz.token_sort_ratio(one.title_key, other.title_key) >= LIKE_TITLES
        or shared(one, other) >= SHARED_WORDS
    )


def _copies(one: Sighting, other: Sighting) -> Kinship:
    """Judge a paper's piece and a site's, which have neither GUID nor address in common."""
    if one.url_key and other.url_key:
        # Two pages of the web: one of them is a reprint.
        return Kinship.NONE
    dates = [seen.published_at for seen in (one, other) if seen.published_at]
    if max(dates, default=None) and max(dates) - min(dates) > _FAR_APART:
        return Kinship.NONE
    part = shared(one, other)
    is_long = min(len(one.words), len(other.words)) >= FEWEST_WORDS
    if is_long and part >= SAME_WORDS:
        return Kinship.WORDS
    is_titled = len(one.title_key.split()) >= 3 and (
        fuzz.token_sort_ratio(one.title_key, other.title_key) >= LIKE_TITLES
    )
    return Kinship.TITLE if is_titled and part >= SHARED_WORDS else Kinship.NONE


def shared(one: Sighting, other: Sighting) -> float:
    """Return how much of the shorter text stands in the longer, from 0 to 1."""
    few, many = sorted((one.shingles, other.shingles), key=len)
    return len(few & many) / len(few) if few else 0.0
