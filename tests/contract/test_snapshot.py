"""A copy of the whole database, from either kind and onto either kind."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from mailer.clock import FixedClock
from mailer.errors import StorageFailed
from mailer.storage.database import Database, open_database
from mailer.storage.schema import events, metadata
from mailer.storage.snapshot import copy_file, copy_tables, is_empty, take_snapshot
from tests.conftest import NOW
from tests.faults.world import ISSUE, make_world, open_world

READERS = [f"reader{n}@reader.example" for n in range(40)]


def quiet(_done: int, _total: int) -> None: ...


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def test_a_copy_is_the_same_row_for_row_and_comes_back(
    database: Database, database_url: str, clock: FixedClock, tmp_path: Path, fresh_url: str
) -> None:
    world = make_world(database, clock, READERS)
    world.ledger.claim(ISSUE, limit=5)
    world.ledger.pause(ISSUE, by="nora", reason="a look")
    steps: list[tuple[int, int]] = []
    copy = tmp_path / "copy" / "copy.sqlite"
    copy.parent.mkdir()
    take_snapshot(database, copy, progress=lambda done, total: steps.append((done, total)))
    assert steps
    assert steps[-1][0] == steps[-1][1]
    assert [path.name for path in copy.parent.iterdir()] == ["copy.sqlite"]
    copied = open_database(f"sqlite:///{copy}", root=tmp_path)
    other = open_database(fresh_url, root=tmp_path / "other")
    try:
        assert contents(copied) == contents(database)
        with other.write() as writing, copied.read() as reading:
            assert is_empty(writing)
            copy_tables(reading, writing, progress=quiet)
            assert not is_empty(writing)
        assert contents(other) == contents(database)
        # What is written next must not collide with what was copied.
        open_world(other, clock).add("new@reader.example")
        with other.write() as connection:
            connection.execute(
                insert(events).values(
                    at=NOW, kind="x", issue_id="", region="", by="nora", detail={}
                )
            )
    finally:
        copied.close()
        other.close()


def test_what_is_written_meanwhile_neither_waits_nor_is_half_in_it(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    """Two rows are always written together; a copy that has one without the other is torn."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with database.write() as connection:
                row = {"at": NOW, "issue_id": "", "region": "", "by": "", "detail": {}}
                connection.execute(insert(events), [{**row, "kind": "a"}, {**row, "kind": "b"}])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            copy = tmp_path / f"copy{number}.sqlite"
            take_snapshot(database, copy, progress=quiet)
            opened = open_database(f"sqlite:///{copy}", root=tmp_path)
            with opened.read() as connection:
                rows = connection.execute(
                    text("SELECT kind, count(*) AS n FROM events GROUP BY kind")
                )
                counts = {row.kind: row.n for row in rows}
            opened.close()
            assert counts.get("a") == counts.get("b")
    finally:
        stop.set()
        writer.join()


def test_a_damaged_database_is_not_copied_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "no.db"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(StorageFailed, match=r"cannot be copied"):
        copy_file(path, tmp_path / "copy.db", progress=quiet)


def test_a_page_that_rotted_is_noticed(tmp_path: Path, clock: FixedClock) -> None:
    database = open_database("", root=tmp_path)
    make_world(database, clock, [f"reader{n}@reader.example" for n in range(2000)])
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        size = connection.execute(text("PRAGMA page_size")).scalar_one()
        root = connection.execute(
            text("SELECT rootpage FROM sqlite_master WHERE name = 'deliveries'")
        ).scalar_one()
    database.close()
    path = tmp_path / "var" / "mailer.db"
    with path.open("r+b") as handle:
        handle.seek((root - 1) * size)
        handle.write(b"\xff" * 200)
    with pytest.raises(StorageFailed, match="damaged"):
        copy_file(path, tmp_path / "copy.db", progress=quiet)


def test_the_live_lock_is_shared_among_services_and_refused_to_an_upgrade(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    other = open_database(database_url, root=tmp_path)
    try:
        with database.shared("live") as first, other.shared("live") as second:
            assert (first, second) == (True, True)
            with other.exclusive("live") as alone:
                assert not alone
        with database.exclusive("live") as alone, other.shared("live") as second:
            assert (alone, second) == (True, False)
    finally:
        other.close()
