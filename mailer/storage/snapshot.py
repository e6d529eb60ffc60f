"""A copy of the whole database as it is at one instant, while others go on writing to it.

The copy is always a SQLite file, whatever the database is: one form to keep, to check and to
restore, on either kind. From SQLite it is the online backup within one read transaction, so that
writers neither wait nor make it begin again; from PostgreSQL every table is read in one REPEATABLE
READ transaction. ``copy_tables`` goes the other way as well, which is how a publication moves to
PostgreSQL.

Failures: ``StorageFailed`` when the copy is not sound. Known limit: values go through the
schema's types; what a table had that the schema does not know is not copied from PostgreSQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Integer, Table, func, insert, select, text

from mailer.errors import Fault, StorageFailed
from mailer.storage.database import Database, open_database
from mailer.storage.schema import metadata

Progress = Callable[[int, int], None]

PAGES = 2000
"""Copied at a time, some 8 MB: a bar that moves, and a Ctrl-C that is heard."""

ROWS = 2000


def take_snapshot(database: Database, target: Path, *, progress: Progress) -> None:
    """Write a copy of the database to a new SQLite file.

    Raises:
        StorageFailed: the database cannot be read, or its copy is damaged.
    """
    if database.is_sqlite:
        copy_file(Path(str(database.engine.url.database)), target, progress=progress)
        return
    copy = open_database(f"sqlite:///{target}", root=target.parent)
    try:
        with database.engine.connect() as plain:
            source = plain.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True, stream_results=True
            )
            with source.begin(), copy.write() as connection:
                copy_tables(source, connection, progress=progress)
    finally:
        copy.close()
    _settle(target)


def copy_file(source: Path, target: Path, *, progress: Progress) -> None:
    """Copy a SQLite database, whatever its schema, while others use it.

    Raises:
        StorageFailed: it cannot be read, or its copy is damaged.
    """
    try:
        with (
            closing(sqlite3.connect(source, isolation_level=None, timeout=30)) as reading,
            closing(sqlite3.connect(target, isolation_level=None)) as writing,
        ):
            # With a transaction of its own open, the backup sees one instant to the end.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(
                writing,
                pages=PAGES,
                progress=lambda _status, left, total: progress(total - left, total),
                sleep=0,
            )
            reading.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise StorageFailed(
            Fault(f"it cannot be copied: {error}", where=str(source), remedy="see `mailer doctor`")
        ) from error
    _settle(target)


def copy_tables(source: Connection, target: Connection, *, progress: Progress) -> None:
    """Copy every row of every table from one database into an empty one with the same schema.

    Both connections have a transaction open, which is their owner's to end.
    """
    tables = metadata.sorted_tables
    total = sum(_count(source, table) for table in tables)
    done = 0
    for table in tables:
        for rows in _batches(source, table):
            target.execute(insert(table), rows)
            done += len(rows)
            progress(done, total)
        if target.dialect.name == "postgresql":
            _count_on(target, table)


def is_empty(connection: Connection) -> bool:
    """Say whether no table has a row."""
    return not any(
        connection.execute(select(table).limit(1)).first() for table in metadata.sorted_tables
    )


def _batches(source: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    statement = select(table).order_by(*table.primary_key.columns)
    result = source.execution_options(yield_per=ROWS).execute(statement)
    for rows in result.mappings().partitions(ROWS):
        yield [dict(row) for row in rows]


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _count_on(connection: Connection, table: Table) -> None:
    """Let a table's numbers go on after the highest that was copied."""
    for column in table.primary_key.columns:
        if not isinstance(column.type, Integer) or table.autoincrement_column is not column:
            continue
        highest = connection.execute(select(func.max(column))).scalar()
        if highest is not None:
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)"),
                {"table": table.name, "column": column.name, "highest": highest},
            )


def _settle(path: Path) -> None:
    """Make the copy one file, and look whether it is sound."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
            [said] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise StorageFailed(
            Fault(
                f"the copy is damaged: {said}",
                where=str(path),
                remedy="the database is damaged too; `mailer doctor` looks at it",
            )
        )
