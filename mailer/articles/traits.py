"""What choosing needs to know of a text, worked out once when the article comes in.

An issue is chosen from thousands of articles in a second; reading and cutting up their texts would
take longer than that. So what is compared is kept beside the article: the hashes of its five-word
runs, of its telling words, and where it is about. Pure.

A word's hash is its CRC-32; a run's is what Python makes of five of those, since nothing else is
as quick. That is no secret of a process as it is for strings, but a matter of the Python, so
``version`` names it: after an upgrade the traits are made anew. Two runs meet by chance once in
four thousand million.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

from mailer.articles.article import Article
from mailer.articles.placewords import word_set
from mailer.articles.placing import VERSION, Located, Placer
from mailer.articles.plainwords import Words, WordTable

RUN_WORDS = 5
MOST_WORDS = 48
"""So many of a text's most frequent words are kept; the rest hardly move a cosine."""

EXCERPT_WORDS = 60
"""A text with fewer is the beginning of one, or a notice."""

_TITLE_COUNTS = 3
_PYTHON = f"{sys.implementation.cache_tag}-{sys.hash_info.width}"
_MASK = 0xFFFFFFFF
_WORDS = Words(r"\w+", inner="_")
_HASHES = WordTable(lambda word: crc32(word.encode()))
_CUT_SHORT = re.compile(r"(?:…|\.\.\.|\[…\]|\[\.\.\.\]|read (?:more|on)\W*)\s*\Z", re.IGNORECASE)
_STOP = word_set(
    """
    about after again all also and any are because been before being but can could did does
    down each even every few for from had has have her here him his how into its just like
    made make many may more most much must new not now off one only other our out over own
    said same say says she should since some still such than that the their them then there
    these they this those through too two under until upon very was way were what when where
    which while who whose why will with would year years you your
    """
)


@dataclass(frozen=True, slots=True)
class Traits:
    """What is compared of one article.

    ``runs`` are the sorted hashes of its five-word runs, ``words`` those of its telling words, the
    most frequent first, and ``counts`` how often each stands there, a headline's words thrice.
    ``version`` says by which rules and regions it was made.
    """

    article_id: str
    version: str
    word_count: int = 0
    is_excerpt: bool = False
    places: Located = field(default_factory=Located)
    runs: array[int] = field(default_factory=lambda: array("I"))
    words: array[int] = field(default_factory=lambda: array("I"))
    counts: bytes = b""


def traits_of(article: Article, placer: Placer | None = None) -> Traits:
    """Work out an article's traits.

    Args:
        article: with its text.
        placer: finds its places; none are found without one.
    """
    body = article.body_text
    found = words_of(body)
    heading = words_of(f"{article.title} {article.standfirst}")
    words, counts = _telling(heading, found)
    count = len(body.split())
    return Traits(
        article.id,
        version_of(placer),
        word_count=count,
        is_excerpt=count < EXCERPT_WORDS or _CUT_SHORT.search(body[-20:]) is not None,
        places=placer.find(article.title, article.standfirst, body, filed_under=article.regions)
        if placer
        else Located(),
        runs=_runs(list(map(_HASHES.__getitem__, found))),
        words=words,
        counts=counts,
    )


def version_of(placer: Placer | None) -> str:
    """Return what traits that are made now carry: the rules, the regions and the Python."""
    return f"{placer.version if placer else VERSION}-{_PYTHON}"


def words_of(text: str) -> list[str]:
    """Return a text's words, folded, without punctuation."""
    return _WORDS.find(unicodedata.normalize("NFKC", text).casefold())


def packed(hashes: array[int]) -> bytes:
    """Return hashes as bytes, little-endian on every machine."""
    if sys.byteorder == "big":
        hashes = array("I", hashes)
        hashes.byteswap()
    return hashes.tobytes()


def unpacked(data: bytes) -> array[int]:
    """Return the hashes that ``packed`` wrote."""
    hashes = array("I")
    hashes.frombytes(data)
    if sys.byteorder == "big":
        hashes.byteswap()
    return hashes


def _runs(hashes: Sequence[int]) -> array[int]:
    runs = zip(*(hashes[start:] for start in range(RUN_WORDS)), strict=False)
    return array("I", sorted({hashed & _MASK for hashed in map(hash, runs)}))


def _telling(heading: Sequence[str], body: Sequence[str]) -> tuple[array[int], bytes]:
    counted = Counter(body)
    for word in heading:
        counted[word] += _TITLE_COUNTS
    # By count and then by hash, as one number: pairs of them take twice as long to sort.
    best = sorted(
        [
            _HASHES[word] - (count << 32)
            for word, count in counted.items()
            if len(word) > 2 and word not in _STOP
        ]
    )[:MOST_WORDS]
    words = array("I", [number & _MASK for number in best])
    return words, bytes([min(-(number >> 32), 255) for number in best])
