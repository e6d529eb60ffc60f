"""Names that nobody has: the ids of articles and diary entries.

What has a wanted name already is asked of the database by that name alone, so that a library of a
hundred thousand is no slower than a small one, and of all names at once: a statement costs more
than what it asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Column, Connection, bindparam, select

LONGEST_ID = 80
_AT_ONCE = 900
_FEW = 8
_DOUBLED = 20


class FreeNames:
    """Free names in a column of unique ones: the wanted name, or it with a number.

    Args:
        connection: of the transaction that will use them.
        column: where names are unique.
        wanted: the names that will be asked for, as far as they are known.
    """

    def __init__(self, connection: Connection, column: Column[str], wanted: Iterable[str]) -> None:
        self._connection = connection
        self._here = select(column).where(column.in_(bindparam("some", expanding=True)))
        self._taken: set[str] = set()
        self._absent: set[str] = set()
        self._numbers: dict[str, int] = {}
        names = sorted(set(wanted))
        self._look_up([name[:LONGEST_ID] for name in names])
        self._number([_stem(name) for name in names if name[:LONGEST_ID] in self._taken])

    def take(self, names: Iterable[str]) -> None:
        """Hold names back, although the column does not have them."""
        self._taken.update(names)

    def free(self, wanted: str) -> str:
        """Return a name that is free, and take it."""
        name = wanted[:LONGEST_ID]
        if self._has(name):
            stem = _stem(wanted)
            if stem not in self._numbers:
                self._number([stem])
            number = self._numbers[stem]
            while self._has(name := f"{stem}-{number}"):
                number += 1
            self._numbers[stem] = number + 1
        self._taken.add(name)
        return name

    def _number(self, stems: Sequence[str]) -> None:
        """Find a number for each stem from which on names are free, or nearly so.

        Few have a number at all, and are counted from 2. Where a thousand do ("Weather"), the end
        is looked for among numbers that double, and then among ever fewer between two of them.
        """
        start: Sequence[int] = range(2, 2 + _FEW)
        self._look_up([f"{stem}-{number}" for stem in stems for number in start])
        spans: dict[str, tuple[int, Sequence[int]]] = {}
        for stem in stems:
            number = self._first(stem, start)
            if number:
                self._numbers[stem] = number
            else:
                spans[stem] = start[-1], [(start[-1] + 1) << power for power in range(_DOUBLED)]
        while spans:
            self._look_up([f"{stem}-{n}" for stem, (_, some) in spans.items() for n in some])
            for stem, (taken, some) in list(spans.items()):
                high = self._first(stem, some) or self._numbers.get(stem, some[-1])
                self._numbers[stem] = high
                low = max((number for number in some if number < high), default=taken)
                between = range(low + 1, high, (high - low) // _FEW + 1)
                if between:
                    spans[stem] = low, between
                else:
                    del spans[stem]

    def _first(self, stem: str, numbers: Sequence[int]) -> int:
        """Return the first of some numbers that is free with a stem; 0 when none is."""
        return next((n for n in numbers if f"{stem}-{n}" not in self._taken), 0)

    def _has(self, name: str) -> bool:
        """Say whether a name is taken."""
        if name not in self._taken and name not in self._absent:
            self._look_up([name])
        return name in self._taken

    def _look_up(self, names: Sequence[str]) -> None:
        """Find out which of some names the column has, and remember it."""
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            self._taken.update(self._connection.execute(self._here, {"some": some}).scalars())
            self._absent.update(some)


def _stem(name: str) -> str:
    """Return what a number is put behind."""
    return name[: LONGEST_ID - 5]


def free_id(wanted: str, taken: Collection[str], limit: int = LONGEST_ID) -> str:
    """Return a name that is not taken: the wanted one, or it with a number."""
    wanted = wanted[:limit]
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[: limit - 5]}-{number}"
    return name
