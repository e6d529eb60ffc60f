"""Opening the database and the two ways to use it: read, and write in one short transaction.

SQLite runs in WAL with ``synchronous=FULL`` (what is committed survives power loss), foreign
keys on, a busy timeout, and writes that begin IMMEDIATE, so that two processes wait for each
other instead of failing half-way. PostgreSQL is reached through psycopg 3 by its URL.

A database is created when it is opened; one from a newer or an older program is refused.
``exclusive`` is a lock the operating system (or PostgreSQL) drops when its holder dies: it is
how a new process knows that the sender before it is really dead, without waiting for a lease.

Failures: every driver error leaves here as ``StorageFailed`` with what to do.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from mailer.clock import Clock, SystemClock
from mailer.errors import ConfigurationError, Fault, StorageFailed

HEAD = "0001"
"""The newest migration's revision; a test compares it with the folder."""

BUSY_TIMEOUT_S = 30
USUAL_CACHE_KIB = 2_000
"""What SQLite takes unless it is told otherwise."""
BULK_CACHE_KIB = 65_536


class Database:
    """An opened database; cheap to pass around, safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing: ContextVar[Connection | None] = ContextVar("writing", default=None)

    @property
    def is_sqlite(self) -> bool:
        """True on SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for reading; nothing written on it is kept.

        Within a ``write`` it is that transaction's, which sees its own changes.
        """
        if (joined := self._writing.get()) is not None:
            yield joined
            return
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def own(self) -> Iterator[Connection]:
        """Give a connection outside any transaction, for temporary tables that outlive one.

        It is for ``write(using=...)``; within a ``write`` it is that transaction's.
        """
        if (joined := self._writing.get()) is not None:
            yield joined
            return
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def bulk(self) -> Iterator[Connection]:
        """Give the connection of an ``own`` for many large writes in a row.

        SQLite keeps two megabytes of pages by itself. Rows that belong all over an index touch more
        than that, and each page is then read and written again and again; here it has room.
        """
        with self.own() as connection:
            if not self.is_sqlite or connection.in_transaction():
                yield connection
                return
            self._set_cache(connection, BULK_CACHE_KIB)
            try:
                yield connection
            finally:
                self._set_cache(connection, USUAL_CACHE_KIB)

    def _set_cache(self, connection: Connection, size_kib: int) -> None:
        with connection.begin():
            connection.exec_driver_sql(f"PRAGMA cache_size=-{size_kib}")

    @contextmanager
    def write(self, *, using: Connection | None = None) -> Iterator[Connection]:
        """Give a connection in one transaction: committed at the end, undone on any error.

        A ``write`` within a ``write`` joins it, so that steps of several services are one.

        Args:
            using: the connection of an ``own``, instead of one from the pool.
        """
        if (joined := self._writing.get()) is not None:
            yield joined
            return
        with _translated(), self._taken(using) as connection:
            if self.is_sqlite:
                connection.execution_options(mailer_writes=True)
            with connection.begin():
                token = self._writing.set(connection)
                try:
                    yield connection
                finally:
                    self._writing.reset(token)
                    if self.is_sqlite:
                        connection.execution_options(mailer_writes=False)

    @contextmanager
    def trial(self, connection: Connection) -> Iterator[None]:
        """Run what follows on the connection of an ``own``, and keep nothing of it."""
        if self._writing.get() is connection:
            yield
            return
        with _translated(), connection.begin() as transaction:
            yield
            transaction.rollback()

    def _taken(self, using: Connection | None) -> AbstractContextManager[Connection]:
        return self.engine.connect() if using is None else nullcontext(using)

    @contextmanager
    def exclusive(self, name: str) -> Iterator[bool]:
        """Try to hold the named lock; gives False at once when another process has it."""
        with self._locked(name, fcntl.LOCK_EX, "") as is_held:
            yield is_held

    @contextmanager
    def shared(self, name: str) -> Iterator[bool]:
        """Try to hold the named lock beside others who share it; False when one has it alone."""
        with self._locked(name, fcntl.LOCK_SH, "_shared") as is_held:
            yield is_held

    @contextmanager
    def _locked(self, name: str, operation: int, suffix: str) -> Iterator[bool]:
        if self.is_sqlite:
            path = Path(f"{self.engine.url.database}.{name}.lock")
            with _file_lock(path, operation) as is_held:
                yield is_held
            return
        key = zlib.crc32(f"briefing-mailer:{name}".encode())
        take, drop = f"pg_try_advisory_lock{suffix}", f"pg_advisory_unlock{suffix}"
        with _translated(), self.engine.connect() as connection:
            is_held = bool(connection.execute(text(f"SELECT {take}(:key)"), {"key": key}).scalar())
            # The lock belongs to the session; an open transaction would only hold back vacuum.
            connection.commit()
            try:
                yield is_held
            finally:
                if is_held:
                    connection.execute(text(f"SELECT {drop}(:key)"), {"key": key})
                    connection.commit()

    def revision(self) -> str:
        """Return what its schema is at, "" for a database without tables."""
        with self.read() as connection:
            return _revision(connection)

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def open_database(url: str, *, root: Path, may_migrate: bool = False) -> Database:
    """Open the database at ``url``, and create it where there is none.

    Args:
        url: SQLAlchemy's form; empty means ``var/mailer.db`` under ``root``. A relative SQLite
            path is taken from ``root``.
        root: the publication's folder.
        may_migrate: bring an older one to this program's schema; without it that is refused,
            because whoever upgrades wants a copy first.

    Raises:
        ConfigurationError: the address cannot be used.
        StorageFailed: it cannot be opened, or its schema is not this program's.
    """
    database = reach_database(url, root=root)
    try:
        found = database.revision()
        if found != HEAD:
            # Alembic costs 0.3 s to import; an up-to-date database never pays for it.
            from mailer.storage.migrating import migrate, require_known

            require_known(found, head=HEAD)
            if found and not may_migrate:
                _refuse_old(found)
            with _translated():
                migrate(database.engine)
    except BaseException:
        database.close()
        raise
    return database


def _refuse_old(found: str) -> None:
    raise StorageFailed(
        Fault(
            f"the database is at {found}, this program needs {HEAD}",
            remedy="run `mailer upgrade`, which makes a copy first",
        )
    )


def reach_database(url: str, *, root: Path) -> Database:
    """Return the database at ``url`` as it is, whatever its schema; see ``open_database``."""
    return Database(_engine(_resolve(url, root)))


def _resolve(url: str, root: Path) -> URL:
    try:
        parsed = make_url(url or "sqlite:///var/mailer.db")
    except ArgumentError:
        raise ConfigurationError(
            Fault(
                "is not a database address",
                where="environment or .env",
                field="MAILER_DATABASE_URL",
                remedy="write sqlite:///var/mailer.db or postgresql://user@host/name",
            )
        ) from None
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise ConfigurationError(
            Fault(
                f"names {kind}, which is not supported",
                where="environment or .env",
                field="MAILER_DATABASE_URL",
                remedy="use sqlite or postgresql",
            )
        )
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigurationError(
            Fault(
                "keeps the ledger in memory, where a crash forgets it",
                where="environment or .env",
                field="MAILER_DATABASE_URL",
                remedy="name a file: sqlite:///var/mailer.db",
            )
        )
    path = root / parsed.database
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(
            Fault(f"the folder cannot be made: {error.strerror}", where=str(path.parent))
        ) from None
    return parsed.set(database=str(path))


def _json_of(value: Any) -> str:
    # Most lists of an article are empty.
    return "[]" if value == [] else json.dumps(value)


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() == "postgresql":
            return create_engine(url, pool_pre_ping=True, json_serializer=_json_of)
        engine = create_engine(
            url, connect_args={"timeout": BUSY_TIMEOUT_S}, json_serializer=_json_of
        )
    except ModuleNotFoundError:
        raise ConfigurationError(
            Fault(
                "PostgreSQL needs psycopg",
                field="MAILER_DATABASE_URL",
                remedy="run `pip install 'briefing-mailer[postgresql]'`",
            )
        ) from None

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling would begin DEFERRED and fail on upgrade.
        connection.isolation_level = None
        cursor = connection.cursor()
        _use_wal(cursor, SystemClock())
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_writer = connection.get_execution_options().get("mailer_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


def _use_wal(cursor: sqlite3.Cursor, clock: Clock) -> None:
    # SQLite waits for others here too, but where two switch at the same moment: of several
    # processes that open a new file together, one may be told at once that it is locked.
    deadline_s = clock.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or clock.monotonic() > deadline_s:
                raise
            clock.sleep(0.02)
        else:
            return


def _revision(connection: Connection) -> str:
    names = set(connection.dialect.get_table_names(connection))
    if "alembic_version" not in names:
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "unknown"
        raise StorageFailed(
            Fault(f"the database refused: {reason}", remedy=_remedy(reason))
        ) from error
    except SQLAlchemyError as error:
        raise StorageFailed(Fault(f"the database failed: {error}")) from error


def _remedy(reason: str) -> str:
    lowered = reason.lower()
    if "locked" in lowered:
        return f"another process wrote for over {BUSY_TIMEOUT_S} s; run it again"
    if "full" in lowered:
        return "free some disk space and run it again; nothing was half-written"
    if "readonly" in lowered or "unable to open" in lowered:
        return "check that the file and its folder can be written by this user"
    if "connect" in lowered or "refused" in lowered:
        return "check MAILER_DATABASE_URL and that the server is up"
    return "`--debug` shows the statement"


@contextmanager
def _file_lock(path: Path, operation: int) -> Iterator[bool]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        # The kernel drops the lock when the process ends, however it ends.
        yield True
