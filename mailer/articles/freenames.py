"""Names that nobody has: the ids of articles and diary entries.

What has a wanted name already is asked of the database by that name alone, so that a library of a
hundred thousand is no slower than a small one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Column, Connection, select

LONGEST_ID = 80
_AT_ONCE = 900


class FreeNames:
    """Free names in a column of unique ones: the wanted name, or it with a number."""

    def __init__(self, connection: Connection, column: Column[str], wanted: Iterable[str]) -> None:
        self._taken: set[str] = set()
        names = sorted({name[:LONGEST_ID] for name in wanted})
        for start in range(0, len(names), _AT_ONCE):
            here = select(column).where(column.in_(names[start : start + _AT_ONCE]))
            found = set(connection.execute(here).scalars())
            for name in found:
                begun = select(column).where(column.like(f"{name[:75]}-%"))
                self._taken.update(connection.execute(begun).scalars())
            self._taken |= found

    def take(self, names: Iterable[str]) -> None:
        """Hold names back, although the column does not have them."""
        self._taken.update(names)

    def free(self, wanted: str) -> str:
        """Return a name that is free, and take it."""
        name = free_id(wanted, self._taken)
        self._taken.add(name)
        return name


def free_id(wanted: str, taken: Collection[str], limit: int = LONGEST_ID) -> str:
    """Return a name that is not taken: the wanted one, or it with a number."""
    wanted = wanted[:limit]
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[: limit - 5]}-{number}"
    return name
