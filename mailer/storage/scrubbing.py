"""Scrubbing: making sure that what was deleted is not in the database's files any more.

A deleted row's bytes stay where they stood until something else is written there. On SQLite the
file is rebuilt (VACUUM) and the write-ahead log emptied; on PostgreSQL the tables are rewritten
(VACUUM FULL: a plain one leaves the bytes in their pages) once nobody looks at the time before the
deletion any more, and what the server's own write-ahead log keeps goes when it is recycled.
``replace_everywhere`` takes a text out of every column that merely quotes it.

Known limits: it costs a rewrite and as much free disk, and other processes wait meanwhile; copies
that a file system or a backup keeps are out of reach, and so are transactions that PostgreSQL shows
only to a superuser, those of other users.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import JSON, Connection, String, Table, Text, cast, func, or_, select, update

from mailer.errors import Fault, StorageFailed
from mailer.storage.database import Database
from mailer.storage.schema import metadata

ERASED = "[erased]"
"""What stands where a text was taken out."""

PATIENCE_S = 30.0
"""So long a transaction that still sees what was deleted is waited for."""

_OLDER = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND age(backend_xmin) > age((%s::text::xid8)::xid)
"""
"""Sessions that see rows as they were before a transaction; a rewrite carries those rows over."""


def scrub(database: Database, *, except_in: Collection[str] = ()) -> None:
    """Rewrite the files so that deleted rows are in none of them; outside any transaction.

    Args:
        database: whose files.
        except_in: tables that may be left as they are; SQLite's one file is rewritten whole.

    Raises:
        StorageFailed: another process is reading; nothing is lost, do it again.
    """
    with database.read() as connection:
        raw = connection.connection.driver_connection
        if raw is None:
            raise TypeError("the connection has no driver beneath it")
        connection.rollback()
        try:
            if database.is_sqlite:
                raw.execute("VACUUM")
                is_busy, *_pages = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            else:
                is_busy = False
                raw.autocommit = True
                _await_older(raw)
                for table in metadata.sorted_tables:
                    if table.name not in except_in:
                        raw.execute(f'VACUUM (FULL) "{table.name}"')
        except database.engine.dialect.loaded_dbapi.Error as error:
            raise _unfinished(str(error).strip().partition("\n")[0]) from error
        finally:
            if not database.is_sqlite:
                raw.autocommit = False
        if is_busy:
            raise _unfinished("another process is reading")


def _await_older(raw: Any) -> None:
    (now,) = raw.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
    until = time.monotonic() + PATIENCE_S
    while raw.execute(_OLDER, (now,)).fetchone()[0]:
        if time.monotonic() >= until:
            raise _unfinished("a transaction from before the deletion is still open")
        raw.execute("SELECT pg_sleep(0.05)")


def _unfinished(why: str) -> StorageFailed:
    return StorageFailed(
        Fault(
            f"it is deleted, but the database's files still hold it and cannot be rewritten: {why}",
            remedy="run the command again when the other process is done",
        )
    )


def replace_everywhere(
    connection: Connection,
    wanted: re.Pattern[str],
    *,
    spellings: Collection[str],
    except_in: Collection[str],
) -> int:
    """Put ``[erased]`` where any column of text or JSON quotes something; return how many rows did.

    Args:
        connection: in a transaction for writing.
        wanted: what is taken out.
        spellings: what the database looks for; a row without any of them is not looked at.
        except_in: tables that are left alone. Keys are never changed.
    """
    return sum(
        _replace_in(connection, table, spellings, wanted)
        for table in metadata.sorted_tables
        if table.name not in except_in
    )


def _replace_in(
    connection: Connection, table: Table, spellings: Collection[str], wanted: re.Pattern[str]
) -> int:
    columns = [
        column
        for column in table.columns
        if isinstance(column.type, String | JSON) and not column.primary_key
    ]
    if not columns:
        return 0
    ways = {way.lower() for each in spellings for way in (each, json.dumps(each)[1:-1])}
    quoting = or_(
        *(
            func.lower(cast(column, Text)).contains(spelt, autoescape=True)
            for column in columns
            for spelt in sorted(ways)
        )
    )
    keys = list(table.primary_key.columns)
    rows = connection.execute(select(*keys, *columns).where(quoting)).mappings().all()
    count = 0
    for values in rows:
        changed = {
            column.name: kept
            for column in columns
            if (kept := _without(values[column], wanted)) != values[column]
        }
        if not changed:
            continue
        count += 1
        connection.execute(
            update(table).where(*(key == values[key] for key in keys)).values(changed)
        )
    return count


def _without(value: Any, wanted: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return wanted.sub(ERASED, value)
    if isinstance(value, Mapping):
        return {_without(name, wanted): _without(inner, wanted) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, wanted) for inner in value]
    return value
