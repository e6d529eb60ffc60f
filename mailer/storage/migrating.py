"""Bringing a database to the newest schema with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from mailer.errors import Fault, StorageFailed

_LOCK = 0x6D69_6772
"""Any constant of our own; it only has to differ from the register's and the named locks."""


def configuration() -> Config:
    """Return Alembic's configuration for the folder beside this file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def require_known(found: str, *, head: str) -> None:
    """Refuse a database of a newer program.

    Raises:
        StorageFailed: no migration here leads to ``found``.
    """
    known = {
        script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()
    }
    if found and found not in known:
        raise StorageFailed(
            Fault(
                f"the database is at {found}, newer than this program's {head}",
                remedy="install the newer program, or restore the backup made before it",
            )
        )


def migrate(engine: Engine) -> None:
    """Run every migration that is missing, all or nothing; none of them creates the schema."""
    config = configuration()
    with engine.connect() as connection:
        connection.execution_options(mailer_writes=True)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                # SQLite's writers take turns by themselves; here two processes that start
                # together would both create the tables. Whoever waits finds nothing to do.
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
