"""The places of the United Kingdom: which council, county and nation a name may mean.

Read from ``gazetteer.tsv`` beside this file, whose head says where it comes from and under which
licence. A name may have several spots (there are six Newports); which one a text means is for
``placing`` to settle. Pure once it is loaded.

Known limits: places of at least some hundred people; London's boroughs are one area; streets and
landmarks are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("gazetteer.tsv")


@dataclass(frozen=True, slots=True)
class Spot:
    """One thing a name may mean: ``areas`` are numbers of councils, several for a county."""

    areas: frozenset[int]
    nation: str
    population: int = 0


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Names, folded, and what they may mean.

    ``spots`` has every name; ``starts`` the names by their first word, the longest first;
    ``counties`` the areas by the name of a council, a county or a nation; ``kin`` for each area the
    areas it shares a county with, itself among them; ``countries`` those of its nation.
    """

    spots: dict[str, tuple[Spot, ...]]
    starts: dict[str, tuple[str, ...]]
    counties: dict[str, frozenset[int]]
    kin: dict[int, frozenset[int]]
    countries: dict[int, frozenset[int]]


@cache
def gazetteer() -> Gazetteer:
    """Return the gazetteer; it is read once a process."""
    found: dict[str, list[Spot]] = {}
    councils: dict[str, set[int]] = {}
    nations: dict[str, str] = {}
    groups: dict[int, list[str]] = {}
    within: dict[int, str] = {}
    for area, (nation, names, places) in enumerate(_rows()):
        groups[area], within[area] = names, nation
        for name in (*names, nation):
            councils.setdefault(name.casefold(), set()).add(area)
            nations[name.casefold()] = nation
        for name, population in places:
            found.setdefault(name.casefold(), []).append(
                Spot(frozenset({area}), nation, population)
            )
    counties = {name: frozenset(areas) for name, areas in councils.items()}
    for name, areas in counties.items():
        # A council named after its town is the town. A county has no other name, and a nation is
        # never the village in Yorkshire that is called like it.
        if name not in found or name == nations[name].casefold():
            found[name] = [Spot(areas, nations[name])]
    starts: dict[str, list[str]] = {}
    for name in found:
        starts.setdefault(first_word(name), []).append(name)
    return Gazetteer(
        spots={name: tuple(spots) for name, spots in found.items()},
        starts={
            word: tuple(sorted(names, key=len, reverse=True)) for word, names in starts.items()
        },
        counties=counties,
        kin={
            area: frozenset[int]().union(*(counties[name.casefold()] for name in names))
            for area, names in groups.items()
        },
        countries={area: counties[nation.casefold()] for area, nation in within.items()},
    )


def nation_of(names: Iterable[str]) -> str:
    """Return the nation that all of these places and counties lie in; "" when there is no one."""
    found = {
        nations.pop()
        for name in names
        if len(nations := {s.nation for s in gazetteer().spots.get(name.casefold(), ())}) == 1
    }
    return found.pop() if len(found) == 1 else ""


def first_word(name: str) -> str:
    """Return the first word of a folded name, as far as the first space, hyphen or dot."""
    for place, ch in enumerate(name):
        if not (ch.isalnum() or ch in "'’"):
            return name[:place]
    return name


def _rows() -> Iterator[tuple[str, list[str], list[tuple[str, int]]]]:
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        nation, names, listed = line.split("\t")
        places = []
        for item in listed.split("|"):
            name, _, population = item.rpartition(":")
            places += [(each, int(population)) for each in name.split("=")]
        yield nation, names.split("|"), places
