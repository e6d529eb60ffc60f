"""Where an article is about: names of places in it, settled by context, and their regions.

A name is looked up in the gazetteer and among the places that the regions' files name. What it
means is settled in this order: the county written behind it ("Newport, Gwent"); places of the same
council or county elsewhere in the article, or of the region it was filed under; the nation those
are in; at last the one that is far larger than its namesakes. What nothing settles is left out.

Some names are also words or surnames (Reading, Bath, Sale, Deal, Rye, Wells, Battle, Hull). They
count only with a sign beside them: a preposition of place ("in Reading"), a body that is there
("Bath Hospital"), or a neighbour in the article; never for a capital that a sentence's start or a
headline's style explains, after a title or a first name ("Ms Wells"), or before a road ("Bath
Road"). Pure.

Known limits: English sentences; a person called by a bare surname that is also an ordinary town is
known as one only if their full name stands in the article.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from mailer.articles.gazetteer import Gazetteer, Spot, first_word, gazetteer
from mailer.articles.placewords import (
    BODIES,
    DETERMINERS,
    FOREIGN,
    GIVEN,
    HESITANT,
    LOCATIVE,
    QUARTERS,
    ROADS,
    TITLES,
    WARY,
)

VERSION = "1"
"""Changes with the rules here: what was found by older rules is found anew."""

IN_TITLE, IN_STANDFIRST = 3, 2
"""What a name is worth there; in the text a mention is worth 1, up to three."""

FAR_LARGER = 5
"""How many times larger a town must be to be meant without another sign: Perth, not Perth."""

_CAPITAL = re.compile(r"[A-Z][^\W_]*(?:['’][^\W_]+)*")
_BEFORE = re.compile(r"([^\W_][\w'’.-]*)?([^\w]*)\Z")
_AFTER = re.compile(r"(?:['’]s)?([,(]? ?)([^\W\d_][\w'’-]*)")


@dataclass(frozen=True, slots=True)
class Located:
    """The regions and nations an article's places are in, with their weight and their names."""

    regions: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    nations: Mapping[str, int] = field(default_factory=dict)
    total: int = 0


@dataclass(slots=True)
class _Named:
    """Everything the article says with one name."""

    name: str
    written: str
    spots: tuple[Spot, ...]
    weight: int = 0
    in_body: int = 0
    best: int = -1
    is_person: bool = False
    within: frozenset[int] = frozenset()
    spot: Spot | None = None


_NONE, _PLAIN, _STRONG = 0, 1, 2


class Placer:
    """Finds places, and knows which region each is in.

    Args:
        regions: for each region its name and the places its file names: towns, or councils,
            counties and nations of the gazetteer, which stand for every place in them. Where two
            regions name an area, the one that names the smaller is meant.
    """

    def __init__(self, regions: Mapping[str, Sequence[str]]) -> None:
        data = repr((VERSION, sorted((slug, list(names)) for slug, names in regions.items())))
        self.version = hashlib.sha256(data.encode()).hexdigest()[:16]
        self._regions = regions
        self._known: _Known | None = None

    def find(
        self, title: str, standfirst: str, text: str, *, filed_under: Sequence[str] = ()
    ) -> Located:
        """Return where an article is about.

        Args:
            title: the headline.
            standfirst: what stands under it.
            text: the body.
            filed_under: regions known otherwise, from the editor or the source.
        """
        if self._known is None:
            # The gazetteer takes a moment to read; whoever finds nothing never waits for it.
            self._known = _Known(self._regions)
        named: dict[str, _Named] = {}
        for part, worth in ((title, IN_TITLE), (standfirst, IN_STANDFIRST), (text, 0)):
            is_styled = worth == IN_TITLE and _is_styled(part)
            for found in self._known.mentions(part, is_styled=is_styled):
                known = named.setdefault(found.name, found)
                known.in_body += not worth
                known.weight = max(known.weight, worth)
                known.best = max(known.best, found.best)
                known.is_person |= found.is_person
                known.within |= found.within
        return self._known.located(_settled(list(named.values()), self._known, filed_under))


@lru_cache(maxsize=2)
def placer_of(regions: tuple[tuple[str, tuple[str, ...]], ...]) -> Placer:
    """Return the placer for regions and their names; a process has one for all it reads."""
    return Placer(dict(regions))


class _Known:
    """The gazetteer with a publication's regions in it."""

    def __init__(self, regions: Mapping[str, Sequence[str]]) -> None:
        self.gazetteer: Gazetteer = gazetteer()
        self.region_of: dict[int, str] = {}
        self.areas_of: dict[str, frozenset[int]] = {}
        sizes: dict[int, int] = {}
        owners: dict[str, set[str]] = {}
        for slug, names in regions.items():
            mine: set[int] = set()
            for name in names:
                owners.setdefault(name.casefold(), set()).add(slug)
                areas = self.gazetteer.counties.get(name.casefold(), frozenset())
                mine |= areas
                for area in areas:
                    if area not in sizes or len(areas) < sizes[area]:
                        sizes[area], self.region_of[area] = len(areas), slug
            self.areas_of[slug] = frozenset(mine)
        self.own = {name: slugs.pop() for name, slugs in owners.items() if len(slugs) == 1}
        self.starts = dict(self.gazetteer.starts)
        for name in self.own:
            if name not in self.gazetteer.spots:
                word = first_word(name)
                longer = {*self.starts.get(word, ()), name}
                self.starts[word] = tuple(sorted(longer, key=len, reverse=True))

    def mentions(self, text: str, *, is_styled: bool) -> Iterator[_Named]:
        end = 0
        for capital in _CAPITAL.finditer(text):
            start = capital.start()
            word = capital[0].casefold().removesuffix("'s").removesuffix("’s")
            if start < end or word not in self.starts:
                continue
            if start and (text[start - 1].isalnum() or text[start - 1] in "-’'"):
                continue
            for name in self.starts[word]:
                stop = start + len(name)
                if text[start:stop].casefold() == name and not text[stop : stop + 1].isalnum():
                    spots = self.gazetteer.spots.get(name, ())
                    found = _Named(name, text[start:stop], spots)
                    self._judge(found, text, start, stop, is_styled=is_styled)
                    yield found
                    end = stop
                    break

    def _judge(self, found: _Named, text: str, start: int, stop: int, *, is_styled: bool) -> None:
        """Say how much a single mention tells."""
        around = _around(text, start, stop)
        if around.joint.startswith((",", "(")):
            county = self._county_at(text, stop + len(around.joint))
            if any(spot.areas & county for spot in found.spots):
                found.within, found.best = county, _STRONG
                return
            found.is_person = around.follower in FOREIGN
        if not is_styled:
            found.is_person |= around.is_name
        is_hesitant = found.name in HESITANT
        follows = around.follower if around.joint == " " else ""
        if found.is_person or follows in ROADS:
            found.best = _NONE
        elif around.prior in LOCATIVE:
            found.best = _PLAIN if is_styled and is_hesitant else _STRONG
        elif follows in BODIES:
            found.best = _STRONG
        elif is_hesitant and (around.is_first or is_styled or around.is_part_of_name):
            found.best = _NONE
        else:
            found.best = _PLAIN

    def _county_at(self, text: str, start: int) -> frozenset[int]:
        """Return the areas of the county that is written there, if one is."""
        word = _CAPITAL.match(text, start)
        if word is None:
            return frozenset()
        for name in self.starts.get(word[0].casefold(), ()):
            is_whole = not text[start + len(name) : start + len(name) + 1].isalnum()
            if is_whole and text[start : start + len(name)].casefold() == name:
                return self.gazetteer.counties.get(name, frozenset())
        return frozenset()

    def located(self, settled: Sequence[_Named]) -> Located:
        """Add up what was settled."""
        weights: Counter[str] = Counter()
        nations: Counter[str] = Counter()
        names: dict[str, list[tuple[int, str]]] = {}
        total = 0
        for each in settled:
            weight = each.weight + min(each.in_body, 3)
            total += weight
            if each.spot is not None:
                nations[each.spot.nation] += weight
            region = self.own.get(each.name) or self._region(each.spot)
            if region:
                weights[region] += weight
                names.setdefault(region, []).append((-weight, each.written))
        return Located(
            regions={
                slug: (weight, tuple(name for _, name in sorted(names[slug])))
                for slug, weight in sorted(weights.items())
            },
            nations=dict(sorted(nations.items())),
            total=total,
        )

    def _region(self, spot: Spot | None) -> str:
        regions = {self.region_of.get(area, "") for area in spot.areas} if spot else set()
        return regions.pop() if len(regions) == 1 else ""


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """The areas of the places that are sure, the counties around them, and their nations."""

    areas: frozenset[int]
    kin: frozenset[int]
    countries: frozenset[int]


def _neighbours(areas: frozenset[int], known: _Known) -> _Neighbours:
    data, none = known.gazetteer, frozenset[int]()
    return _Neighbours(
        areas,
        none.union(*(data.kin[area] for area in areas)),
        none.union(*(data.countries[area] for area in areas)),
    )


def _settled(named: list[_Named], known: _Known, filed_under: Sequence[str]) -> list[_Named]:
    """Return the names that are places, each with the spot that is meant."""
    none = frozenset[int]()
    near = none.union(*(known.areas_of.get(slug, none) for slug in filed_under))
    settled: list[_Named] = []
    waiting = named
    # A place that is sure settles its neighbours, and those theirs; three rounds reach them all.
    for _ in range(3):
        around = _neighbours(near, known)
        left = []
        for each in waiting:
            each.spot = _meant(each, around)
            if _is_place(each, around, known):
                settled.append(each)
            else:
                left.append(each)
        if not left or len(left) == len(waiting):
            break
        near = near.union(
            *(s.spot.areas for s in settled if s.spot is not None and len(s.spot.areas) == 1)
        )
        waiting = left
    return settled


def _meant(each: _Named, around: _Neighbours) -> Spot | None:
    spots = [s for s in each.spots if s.areas & each.within] if each.within else list(each.spots)
    if len(spots) < 2:
        return spots[0] if spots else None
    spots.sort(key=lambda spot: -spot.population)
    for wanted in (around.areas, around.kin, around.countries, None):
        beside = [s for s in spots if s.areas & wanted] if wanted is not None else spots
        if len(beside) == 1:
            return beside[0]
        if beside and beside[0].population >= FAR_LARGER * beside[1].population:
            return beside[0]
    return None


def _is_place(each: _Named, around: _Neighbours, known: _Known) -> bool:
    if each.spot is None and each.name not in known.own:
        return False
    if each.is_person and each.best < _STRONG:
        return False
    if each.name not in HESITANT:
        return each.best >= _PLAIN
    if each.within:
        return True
    areas = each.spot.areas if each.spot else frozenset[int]()
    # England is too large for its towns to be neighbours.
    is_small = each.spot is not None and each.spot.nation != "England"
    has_neighbour = bool(areas & (around.countries if is_small else around.kin))
    if each.name in WARY:
        return each.best == _STRONG and has_neighbour
    return each.best == _STRONG or has_neighbour


@dataclass(frozen=True, slots=True)
class _Around:
    """The words on both sides of a name: ``prior`` and ``follower`` folded."""

    prior: str
    joint: str
    follower: str
    is_first: bool
    is_name: bool
    is_part_of_name: bool


def _around(text: str, start: int, stop: int) -> _Around:
    before = _BEFORE.search(text[max(0, start - 30) : start])
    word, gap = (before[1] or "", before[2]) if before else ("", "")
    after = _AFTER.match(text, stop)
    joint, follower = (after[1], after[2]) if after else (".", "")
    prior = word.casefold().rstrip(".") if gap == " " else ""
    opening = start - len(word) - 1
    ahead = text[max(0, opening - 4) : max(0, opening)].rstrip(' “"‘')[-1:]
    is_capital = prior != "" and word[0].isupper() and bool(ahead) and ahead not in ".!?:\n"
    return _Around(
        prior,
        joint,
        follower.casefold(),
        is_first=not word or any(ch in '.!?:\n“"‘•' for ch in gap),
        is_name=prior in TITLES
        or (prior in GIVEN and word[0].isupper())
        or (is_capital and prior not in QUARTERS and prior not in LOCATIVE),
        is_part_of_name=prior in DETERMINERS or (joint == " " and follower[:1].isupper()),
    )


def _is_styled(title: str) -> bool:
    """Say whether a headline has capitals for style: then a capital tells nothing."""
    words = [word for word in title.split() if word[:1].isalpha() and len(word) > 3]
    return len(words) > 2 and sum(word[0].isupper() for word in words) > 0.6 * len(words)
