"""The first schema.

Until the first release this revision creates whatever ``schema.metadata`` says; from the
release on it is frozen and every change is a revision of its own.
"""

from __future__ import annotations

from alembic import op

from mailer.storage.schema import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
