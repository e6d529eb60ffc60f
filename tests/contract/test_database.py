"""The database keeps what is committed, undoes the rest, and says what to do when it cannot."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import insert, select, text, update

from mailer.clock import FixedClock
from mailer.errors import ConfigurationError, StorageFailed
from mailer.storage import schema
from mailer.storage.database import (
    BULK_CACHE_KIB,
    BUSY_TIMEOUT_S,
    HEAD,
    USUAL_CACHE_KIB,
    Database,
    _use_wal,
    open_database,
)

NOW = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)


def run_row(slot_at: datetime = NOW, state: str = "started") -> dict[str, object]:
    return {
        "job": "send",
        "region": "wales",
        "slot_at": slot_at,
        "state": state,
        "issue_id": "",
        "note": "",
        "updated_at": slot_at,
    }


def slots(database: Database) -> list[datetime]:
    with database.read() as connection:
        return list(connection.execute(select(schema.runs.c.slot_at)).scalars())


def test_a_new_database_is_at_the_newest_schema(database: Database) -> None:
    with database.read() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        names = set(connection.dialect.get_table_names(connection))
    assert version == HEAD
    assert set(schema.metadata.tables) <= names


def test_what_is_settled_is_in_no_index_of_what_waits(database: Database) -> None:
    source = (
        "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'deliveries' AND sql LIKE '%INDEX%'"
        if database.is_sqlite
        else "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'deliveries'"
    )
    with database.read() as connection:
        found = {name: sql for name, sql in connection.execute(text(source)) if "WHERE" in sql}
    assert set(found) == {"ix_deliveries_waiting", "ix_deliveries_claimed"}
    assert "planned" in found["ix_deliveries_waiting"].partition("WHERE")[2]
    assert "claimed" in found["ix_deliveries_claimed"].partition("WHERE")[2]


def test_what_is_written_is_kept_and_opening_again_changes_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with database.write() as connection:
        connection.execute(insert(schema.runs), run_row())
    database.close()
    again = open_database(database_url, root=tmp_path)
    assert slots(again) == [NOW]
    again.close()


def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            connection.execute(insert(schema.runs), run_row())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert slots(database) == []


def test_what_is_written_while_reading_is_not_kept(database: Database) -> None:
    with database.read() as connection:
        connection.execute(insert(schema.runs), run_row())
    assert slots(database) == []


def test_an_instant_comes_back_aware_and_in_utc(database: Database) -> None:
    summer = datetime(2026, 7, 6, 8, 0, tzinfo=timezone(timedelta(hours=1)))
    with database.write() as connection:
        connection.execute(insert(schema.runs), run_row(summer))
    (found,) = slots(database)
    assert found == summer
    assert found.utcoffset() == timedelta(0)


def test_a_naive_instant_never_reaches_the_database(database: Database) -> None:
    with pytest.raises(StorageFailed, match="naive instant"), database.write() as connection:
        connection.execute(insert(schema.runs), run_row(datetime(2026, 11, 30)))  # noqa: DTZ001
    assert slots(database) == []


def test_the_database_itself_refuses_an_unknown_state(database: Database) -> None:
    with pytest.raises(StorageFailed), database.write() as connection:
        connection.execute(insert(schema.runs), run_row(state="maybe"))
    with database.write() as connection:
        connection.execute(insert(schema.runs), run_row())
    with pytest.raises(StorageFailed), database.write() as connection:
        connection.execute(update(schema.runs).values(state="maybe"))


def test_the_database_itself_refuses_a_second_copy_and_an_orphan(database: Database) -> None:
    with database.write() as connection:
        connection.execute(
            insert(schema.issues).values(
                id="2026-11-30",
                number=1,
                state="draft",
                checksum="",
                drafted_checksum="",
                approved_by="",
            )
        )
    row = {
        "issue_id": "2026-11-30",
        "region": "wales",
        "subscriber_id": 1,
        "address": "ada@x.example",
        "name": "",
        "state": "planned",
        "dated_at": NOW,
        "due_at": NOW,
        "updated_at": NOW,
    }
    with database.write() as connection:
        connection.execute(insert(schema.deliveries), row | {"token": "a"})
    with pytest.raises(StorageFailed), database.write() as connection:
        connection.execute(insert(schema.deliveries), row | {"token": "b", "region": "national"})
    with pytest.raises(StorageFailed), database.write() as connection:
        connection.execute(
            insert(schema.deliveries), row | {"token": "c", "issue_id": "2026-12-07"}
        )


def test_an_approved_issue_has_a_checksum(database: Database) -> None:
    with pytest.raises(StorageFailed), database.write() as connection:
        connection.execute(
            insert(schema.issues).values(
                id="2026-11-30",
                number=1,
                state="approved",
                checksum="",
                drafted_checksum="",
                approved_by="nora",
            )
        )


def test_writers_wait_for_each_other(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(schema.subscribers), person(0))

    def add_many() -> None:
        for _ in range(20):
            with database.write() as connection:
                people = schema.subscribers
                name = connection.execute(
                    select(people.c.name).where(people.c.id == 1).with_for_update()
                ).scalar_one()
                connection.execute(
                    update(people).where(people.c.id == 1).values(name=str(int(name) + 1))
                )

    threads = [threading.Thread(target=add_many, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    with database.read() as connection:
        assert connection.execute(select(schema.subscribers.c.name)).scalar_one() == "80"


def person(number: int) -> dict[str, object]:
    return {
        "address": f"r{number}@x.example",
        "name": "0",
        "fields": {},
        "created_at": NOW,
    }


def test_the_lock_has_one_holder_and_is_given_back(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    other = open_database(database_url, root=tmp_path)
    with database.exclusive("sender") as is_held:
        assert is_held
        with other.exclusive("sender") as second, other.exclusive("runner") as different:
            assert (second, different) == (False, True)
    with other.exclusive("sender") as is_held:
        assert is_held
    other.close()


def test_the_lock_of_a_killed_process_is_free(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from mailer.storage.database import open_database\n"
        "database = open_database(sys.argv[1], root=Path(sys.argv[2]))\n"
        "with database.exclusive('sender') as is_held:\n"
        "    print(is_held, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, database_url, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with database.exclusive("sender") as is_held:
            assert not is_held
    finally:
        holder.kill()
        holder.communicate()
    # PostgreSQL notices a dead client when it next reads from it, at once but not instantly.
    deadline = threading.Event()
    for _ in range(100):
        with database.exclusive("sender") as is_held:
            if is_held:
                break
        deadline.wait(0.05)
    assert is_held


def test_the_switch_to_a_log_waits_while_another_opens_the_file() -> None:
    """SQLite tells some of those who open a new file together at once that it is locked."""
    clock, turns = FixedClock(NOW), 0

    class Cursor:
        def execute(self, _statement: str) -> None:
            nonlocal turns
            turns += 1
            if turns == 5:
                raise sqlite3.OperationalError("disk I/O error")
            if turns != 4:
                raise sqlite3.OperationalError("database is locked")

    _use_wal(cast("sqlite3.Cursor", Cursor()), clock)
    assert turns == 4
    with pytest.raises(sqlite3.OperationalError, match="disk"):
        _use_wal(cast("sqlite3.Cursor", Cursor()), clock)
    start = clock.monotonic()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        _use_wal(cast("sqlite3.Cursor", Cursor()), clock)
    assert BUSY_TIMEOUT_S <= clock.monotonic() - start < BUSY_TIMEOUT_S + 1


def test_several_may_make_the_database_together(fresh_url: str, tmp_path: Path) -> None:
    opened: list[Database] = []
    failed: list[BaseException] = []
    start = threading.Barrier(4)

    def open_it() -> None:
        start.wait()
        try:
            opened.append(open_database(fresh_url, root=tmp_path / "shared"))
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=open_it, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    for database in opened:
        database.close()
    assert failed == []
    assert len(opened) == 4


def test_a_database_of_a_newer_program_is_refused(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageFailed, match=r"at 9999, newer than .*install the newer program"):
        open_database(database_url, root=tmp_path)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("not a url", "not a database address"),
        ("mysql://localhost/mail", "names mysql"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_an_address_that_cannot_be_used(tmp_path: Path, url: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_database(url, root=tmp_path)
    (fault,) = caught.value.faults
    assert problem in fault.problem
    assert fault.field == "MAILER_DATABASE_URL"
    assert fault.remedy


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are notes, not tables\n" * 100)
    with pytest.raises(StorageFailed, match="not a database"):
        open_database("sqlite:///notes.txt", root=tmp_path)
    assert (tmp_path / "notes.txt").read_text().startswith("these are notes")


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "var" / "mailer.db").mkdir(parents=True)
    with pytest.raises(StorageFailed, match="can be written"):
        open_database("", root=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="folder cannot be made"):
        open_database("sqlite:///file/mailer.db", root=tmp_path)


def test_a_server_that_is_not_there(tmp_path: Path, nowhere: int) -> None:
    pytest.importorskip("psycopg", reason="run `pip install 'briefing-mailer[postgresql]'`")
    with pytest.raises(StorageFailed, match="MAILER_DATABASE_URL") as caught:
        open_database(f"postgresql://mailer:hush@127.0.0.1:{nowhere}/mailer", root=tmp_path)
    assert "hush" not in str(caught.value)


def test_sqlite_survives_power_loss_by_its_settings(tmp_path: Path) -> None:
    database = open_database("", root=tmp_path)
    with database.read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_many_large_writes_are_writes_as_others(database: Database) -> None:
    with database.bulk() as connection:
        with database.write(using=connection) as writing:
            writing.execute(insert(schema.runs), [run_row()])
        with pytest.raises(StorageFailed), database.write(using=connection) as writing:
            writing.execute(insert(schema.runs), [run_row(NOW + timedelta(hours=1))] * 2)
        with database.write() as outer, database.bulk() as inner:
            assert inner is outer
    assert slots(database) == [NOW]


def test_many_large_writes_have_room_and_give_it_back(database: Database, tmp_path: Path) -> None:
    opened = database if database.is_sqlite else open_database("", root=tmp_path)
    asked = "PRAGMA cache_size"
    with opened.bulk() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        assert driver.cursor().execute(asked).fetchone() == (-BULK_CACHE_KIB,)
    assert driver.cursor().execute(asked).fetchone() == (-USUAL_CACHE_KIB,)
    opened.close()
