"""Alembic's entry: always on the connection the program hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from mailer.storage.columns import tell_postgresql
from mailer.storage.schema import metadata

tell_postgresql()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
