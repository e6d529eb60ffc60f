"""Staging: a roster's rows in a temporary table, where the database can decide about all at once.

Rows are streamed in: by COPY on PostgreSQL, in batches on SQLite. The table belongs to one
connection, outlives a transaction of it, and is invisible to everybody else, so a long file is
read without keeping a single writer waiting. Every row is staged, the unusable ones with their
verdict, so that a report of any length comes out in the file's order without being held in memory.

Needs SQLite 3.33 (of 2020) or newer for UPDATE ... FROM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, Text, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from mailer.audience.joining import Verdict
from mailer.audience.roster_form import RosterRow
from mailer.audience.spreadsheet import shown
from mailer.storage.database import Database
from mailer.storage.instant import Instant

Progress = Callable[..., None]
"""Called with done, total and, if it changes, a label."""

Digest = Callable[[str], str]
"""Gives the keyed hash by which an erased address is known again."""

BATCH = 2000

_CACHE_KIB, _USUAL_CACHE_KIB = 40 << 10, 2000
"""What SQLite may hold of the database and of the staging table, during an import and else."""

_temporary = MetaData()

STAGED = Table(
    "staged_roster",
    _temporary,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, nullable=False),
    Column("address", String(254), nullable=False),
    Column("name", Text, nullable=False),
    Column("language", String(20), nullable=False),
    Column("fields", Text, nullable=False),
    Column("stance", Integer, nullable=False),
    Column("said", Text, nullable=False),
    Column("given_at", Instant),
    Column("note", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("raw", Text, nullable=False),
    Column("usable", Integer, nullable=False),
    Column("verdict", String(12)),
    Column("code", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("person", Integer),
    Column("here", String(20)),
    prefixes=["TEMPORARY"],
)
"""``verdict`` is None while nothing is known against doing as the row says, ``person`` the number
of the subscriber it is about and ``here`` the state of their subscription to the list, None for
none yet. ``usable`` never changes, so it stands in the index and the verdict does not."""

TWINS = Table(
    "staged_twins",
    _temporary,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("first_line", Integer, nullable=False),
    Column("first_stance", Integer, nullable=False),
    Column("first_said", Text, nullable=False),
    prefixes=["TEMPORARY"],
)
"""The rows whose address stands in another row that holds against them."""

_NAMES = [column.name for column in STAGED.columns if column.name not in {"person", "here"}]


@contextmanager
def staging_connection(database: Database) -> Iterator[Connection]:
    """Give a connection with the empty tables, which are gone afterwards."""
    with database.own() as connection:
        _drop(connection)
        _set_cache(connection, _CACHE_KIB)
        try:
            with _transaction(connection):
                connection.execute(CreateTable(STAGED))
                connection.execute(CreateTable(TWINS))
            yield connection
        finally:
            # A connection that broke takes its temporary tables with it.
            with suppress(SQLAlchemyError):
                _drop(connection)
                _set_cache(connection, _USUAL_CACHE_KIB)


def stage(
    connection: Connection,
    rows: Iterable[RosterRow],
    *,
    total: int,
    now: datetime,
    digest: Digest | None,
    progress: Progress | None,
) -> None:
    """Write rows into the staging table and make it ready to be asked.

    Args:
        connection: of ``staging_connection``.
        rows: the roster's.
        total: how many there will be, roughly; for the progress.
        now: aware UTC; a consent from after that is no evidence.
        digest: None when nobody was ever erased.
        progress: called with rows done and in all.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    values = _values(rows, is_sqlite=is_sqlite, now=now, digest=digest)
    with _transaction(connection):
        done = 0
        for count in (_insert if is_sqlite else _copy)(connection, values):
            done += count
            if progress is not None:
                progress(done, max(done, total), "Reading")
        connection.execute(
            text("CREATE INDEX staged_roster_address ON staged_roster (address, usable)")
        )
        if not is_sqlite:
            # Temporary tables are not looked at by themselves, and the plans depend on it.
            connection.execute(text("ANALYZE staged_roster"))


def _values(
    rows: Iterable[RosterRow], *, is_sqlite: bool, now: datetime, digest: Digest | None
) -> Iterator[tuple[Any, ...]]:
    for n, row in enumerate(rows, 1):
        verdict = None
        reason = remedy = ""
        if row.fault is not None:
            verdict = Verdict.REJECTED.value
            fault = row.fault
            reason = f"{fault.field}: {fault.problem}" if fault.field else fault.problem
            reason, remedy = shown(reason), fault.remedy
        given: datetime | str | None = row.given_at
        if row.given_at is not None:
            if row.given_at > now:
                given = None
            elif is_sqlite:
                # As SQLAlchemy writes it, because the database compares it as text.
                given = row.given_at.astimezone(UTC).isoformat(" ", "microseconds")[:26]
        yield (
            n,
            row.line,
            row.address,
            row.name,
            row.language,
            row.fields,
            int(row.stance),
            row.said,
            given,
            row.note,
            digest(row.address) if digest is not None and row.address else "",
            shown(row.raw),
            int(verdict is None),
            verdict,
            row.code,
            reason,
            remedy,
        )


def _insert(connection: Connection, values: Iterator[tuple[Any, ...]]) -> Iterator[int]:
    places = ", ".join("?" * len(_NAMES))
    statement = f"INSERT INTO staged_roster ({', '.join(_NAMES)}) VALUES ({places})"  # noqa: S608
    while batch := list(islice(values, BATCH)):
        connection.exec_driver_sql(statement, batch)
        yield len(batch)


def _copy(connection: Connection, values: Iterator[tuple[Any, ...]]) -> Iterator[int]:
    driver: Any = connection.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY staged_roster ({', '.join(_NAMES)}) FROM STDIN") as copy,
    ):
        while batch := list(islice(values, BATCH)):
            for row in batch:
                copy.write_row(row)
            yield len(batch)


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    if connection.in_transaction():
        yield
        return
    with connection.begin():
        yield


def _set_cache(connection: Connection, size_kib: int) -> None:
    if connection.dialect.name == "sqlite":
        with _transaction(connection):
            for schema in ("main", "temp"):
                connection.exec_driver_sql(f"PRAGMA {schema}.cache_size = -{size_kib}")


def _drop(connection: Connection) -> None:
    with _transaction(connection):
        for table in (TWINS, STAGED):
            connection.execute(text(f"DROP TABLE IF EXISTS {table.name}"))
