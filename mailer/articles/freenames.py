"""Names that nobody has: the ids of articles and diary entries.

What has a wanted name already is asked of the database by that name alone, so that a library of a
hundred thousand is no slower than a small one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Column, Connection, select

LONGEST_ID = 80
_AT_ONCE = 900
_FEW = 20


class FreeNames:
    """Free names in a column of unique ones: the wanted name, or it with a number."""

    def __init__(self, connection: Connection, column: Column[str], wanted: Iterable[str]) -> None:
        self._connection = connection
        self._column = column
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}
        names = sorted({name[:LONGEST_ID] for name in wanted})
        for start in range(0, len(names), _AT_ONCE):
            self._look_up(names[start : start + _AT_ONCE])

    def take(self, names: Iterable[str]) -> None:
        """Hold names back, although the column does not have them."""
        self._taken.update(names)

    def free(self, wanted: str) -> str:
        """Return a name that is free, and take it."""
        name = wanted[:LONGEST_ID]
        if name in self._taken:
            stem = wanted[: LONGEST_ID - 5]
            number = self._numbers.get(stem) or self._first(stem)
            while (name := f"{stem}-{number}") in self._taken or self._look_up([name]):
                number += 1
            self._numbers[stem] = number + 1
        self._taken.add(name)
        return name

    def _first(self, stem: str) -> int:
        """Return a number from which on names are free, or nearly so.

        Few have a number at all, and are counted from 2. Where a thousand do ("Weather"), the end
        is looked for in steps that double, and then halve: one of them is enough to look up.
        """
        low, high = 2, 2 + _FEW
        if len(self._look_up([f"{stem}-{number}" for number in range(low, high)])) < _FEW:
            return low
        while self._look_up([f"{stem}-{high}"]):
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._look_up([f"{stem}-{middle}"]) else (low, middle)
        return high

    def _look_up(self, names: Sequence[str]) -> set[str]:
        """Return which of some names the column has, and remember them."""
        here = select(self._column).where(self._column.in_(names))
        found = set(self._connection.execute(here).scalars())
        self._taken |= found
        return found


def free_id(wanted: str, taken: Collection[str], limit: int = LONGEST_ID) -> str:
    """Return a name that is not taken: the wanted one, or it with a number."""
    wanted = wanted[:limit]
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[: limit - 5]}-{number}"
    return name
