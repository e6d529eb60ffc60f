"""The source book: what is remembered of each source, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, insert, select

from mailer.articles.visiting import SourceState
from mailer.storage import schema
from mailer.storage.database import Database


class SourceBook:
    """States of sources by their place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self) -> dict[str, SourceState]:
        """Return every state by place."""
        with self._database.read() as connection:
            rows = connection.execute(select(schema.source_states))
            return {row.place: SourceState(**row._mapping) for row in rows}  # noqa: SLF001

    def note(self, states: Sequence[SourceState]) -> None:
        """Remember states, each in place of its older one; joins the caller's transaction."""
        if not states:
            return
        table = schema.source_states
        with self._database.write() as connection:
            places = [state.place for state in states]
            connection.execute(delete(table).where(table.c.place.in_(places)))
            connection.execute(insert(table), [asdict(state) for state in states])
