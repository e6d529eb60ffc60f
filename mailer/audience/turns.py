"""Writers of the audience take turns, so that two at once cannot trip over each other.

On SQLite a write begins IMMEDIATE, which is a turn already; on PostgreSQL an advisory lock is held
for the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from mailer.storage.database import Database

_WRITERS_LOCK = 0x6D61_696C
"""Any constant of our own; it only has to differ from other programs' locks in the database."""


@contextmanager
def in_turn(database: Database, *, using: Connection | None = None) -> Iterator[Connection]:
    """Give a connection in one transaction that no other writer of the audience runs beside.

    Args:
        database: whose writers.
        using: the connection of a ``Database.own``, instead of another.
    """
    with database.write(using=using) as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS_LOCK})
        yield connection
