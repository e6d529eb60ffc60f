"""INSERT with ON CONFLICT, which SQLAlchemy has in a class of its own for each database.

PostgreSQL's dialect is read only where one is used: with every driver it knows it costs a command
on SQLite a fortieth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert_into(table: Table, *, is_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT for one of the two databases that knows ``on_conflict_do_...``."""
    if is_sqlite:
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    return insert(table)
