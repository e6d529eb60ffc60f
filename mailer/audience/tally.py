"""Tallies: totals that outlive what they counted.

A tally is a name, a key within it, a day and a count. Whoever deletes rows that a report counts
adds their totals here in the same transaction, so that the report says the same afterwards. Keys
hold regions, issues and channels, never anything of a person. The functions work inside the
caller's transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, select

from mailer.storage import schema
from mailer.storage.upsert import insert_into

Key = tuple[str, str, date]
"""Name, key and day."""

JOINS, LEAVES, LAPSES = "joins", "leaves", "lapses"
"""Keys are ``region/channel``; a lapse is a sign-up that nobody confirmed."""

DELIVERIES = "deliveries"
"""Keys are ``issue/region/state``; the day is that of the issue."""


def add_tallies(connection: Connection, counted: Counter[Key]) -> None:
    """Add to totals, making those that are not there yet."""
    table = schema.tallies
    rows = [
        {"name": name, "key": key[:120], "day": day, "count": count}
        for (name, key, day), count in sorted(counted.items())
        if count
    ]
    if not rows:
        return
    statement = insert_into(table, is_sqlite=connection.dialect.name == "sqlite")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.name, table.c.key, table.c.day],
            set_={"count": table.c.count + statement.excluded.count},
        ),
        rows,
    )


def read_tallies(
    connection: Connection, names: Collection[str], *, key_begins: str = ""
) -> Counter[Key]:
    """Return the totals of some names, all or those whose key begins so."""
    table = schema.tallies
    statement = select(table).where(table.c.name.in_(names))
    if key_begins:
        statement = statement.where(table.c.key.startswith(key_begins, autoescape=True))
    return Counter(
        {(row.name, row.key, row.day): row.count for row in connection.execute(statement)}
    )
