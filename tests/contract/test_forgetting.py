"""Anonymity and scrubbing on both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from mailer.audience.erasure import Pepper, erase_person
from mailer.audience.register import Register
from mailer.audience.remains import Trace
from mailer.clock import FixedClock
from mailer.delivery.anonymity import anonymise
from mailer.delivery.ledger import Ledger
from mailer.delivery.planning import plan
from mailer.errors import IllegalTransition, StorageFailed
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database, open_database
from mailer.storage.scrubbing import replace_everywhere, scrub

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ISSUES = ("2026-11-16", "2026-11-23")
KEY = bytes(32)
ADA = "zoë.o'hara+ada@x.example"


@pytest.fixture
def ledger(database: Database) -> Ledger:
    clock = FixedClock(NOW)
    regions = {
        "wales": Region(
            slug="wales",
            name="Wales",
            list_id="wales.lantern.example",
            reply_to="wales@lantern.example",
            time_zone="Europe/London",
        )
    }
    register = Register(database, clock, regions)
    register.add(ADA, "wales", "Ada")
    register.add("bob@x.example", "wales", "Bob")
    ledger = Ledger(database, clock)
    with database.write() as connection:
        for number, issue_id in enumerate(ISSUES, 1):
            connection.execute(
                insert(schema.issues).values(
                    id=issue_id,
                    number=number,
                    state="sending",
                    checksum="c",
                    drafted_checksum="",
                    approved_by="",
                )
            )
    for issue_id in ISSUES:
        plan(ledger, issue_id=issue_id, recipients=register.audience(), due_at={"wales": NOW})
    return ledger


def set_state(database: Database, issue_id: str, state: str) -> None:
    with database.write() as connection:
        connection.execute(
            update(schema.deliveries)
            .where(schema.deliveries.c.issue_id == issue_id)
            .values(state=state)
        )


def veil(database: Database) -> int:
    with database.write() as connection:
        return anonymise(connection, ADA, KEY, now=NOW)


def test_rows_stay_for_the_totals_and_cannot_be_joined(database: Database, ledger: Ledger) -> None:
    set_state(database, ISSUES[0], "accepted")
    tokens = {item.token for issue_id in ISSUES for item in ledger.deliveries(issue_id)}
    assert veil(database) == 2
    assert veil(database) == 0
    rows = [item for issue_id in ISSUES for item in ledger.deliveries(issue_id)]
    veiled = [item for item in rows if item.address.endswith("@erased.invalid")]
    assert len({item.address for item in veiled}) == 2
    assert {(item.subscriber_id, item.name) for item in veiled} == {(0, "")}
    assert {(item.issue_id, item.state.value) for item in veiled} == {
        (ISSUES[0], "accepted"),
        (ISSUES[1], "skipped"),
    }
    assert not {item.token for item in veiled} & tokens
    assert {item.address for item in rows} - {item.address for item in veiled} == {"bob@x.example"}


@pytest.mark.parametrize(
    ("state", "after"), [("planned", "skipped"), ("deferred", "skipped"), ("in_doubt", "cancelled")]
)
def test_what_is_open_ends(database: Database, ledger: Ledger, state: str, after: str) -> None:
    set_state(database, ISSUES[0], state)
    veil(database)
    states = {item.address[-7:]: item.state.value for item in ledger.deliveries(ISSUES[0])}
    assert states == {"invalid": after, "example": state}


def test_a_claimed_row_is_refused_and_nothing_changes(database: Database, ledger: Ledger) -> None:
    set_state(database, ISSUES[1], "claimed")
    with pytest.raises(IllegalTransition, match=f"{ISSUES[1]} is being sent"):
        veil(database)
    assert {item.address for item in ledger.deliveries(ISSUES[0])} == {ADA, "bob@x.example"}


def test_texts_that_quote_the_address_lose_it_and_longer_addresses_stay(
    database: Database, ledger: Ledger
) -> None:
    trace = Trace(ADA)
    with database.write() as connection:
        connection.execute(
            insert(schema.events).values(
                at=NOW,
                kind="suppressed",
                issue_id="",
                region="",
                by="",
                detail={"address": ADA, "list": [ADA.upper(), f"x{ADA}", 5, None]},
            )
        )
        connection.execute(
            insert(schema.orders).values(
                issue_id=ISSUES[0], word="pause", reason=f"<{ADA}>: no", by="x", at=NOW
            )
        )
        changed = replace_everywhere(
            connection, trace.pattern, spellings=trace.spellings, except_in=["issues"]
        )
        assert changed == 1 + 1 + 1 + len(ISSUES)
        event = connection.execute(select(schema.events)).one()
        order = connection.execute(select(schema.orders)).one()
    assert event.detail == {
        "address": "[erased]",
        "list": ["[erased]", f"x{ADA}", 5, None],
    }
    assert order.reason == "<[erased]>: no"


def raw_bytes_of(database: Database) -> Callable[[], bytes]:
    """Return what reads everything the database keeps of its rows."""
    path = database.engine.url.database or ""

    def of_sqlite() -> bytes:
        folder = Path(path).parent
        return b"".join(each.read_bytes() for each in folder.glob(f"{Path(path).name}*"))

    def of_postgresql() -> bytes:
        with database.read() as connection:
            tables = connection.execute(
                text("SELECT oid::regclass::text, pg_relation_filepath(oid) FROM pg_class"
                     " WHERE relkind IN ('r', 't') AND relname IN ('subscribers', 'deliveries')")
            ).all()  # fmt: skip
            return b"".join(
                connection.execute(
                    text("SELECT pg_read_binary_file(:path)"), {"path": path}
                ).scalar_one()
                for _name, path in tables
            )

    return of_sqlite if database.is_sqlite else of_postgresql


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN"])
def test_a_busy_database_is_said_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: str
) -> None:
    monkeypatch.setattr("mailer.storage.database.BUSY_TIMEOUT_S", 0.05)
    database = open_database("", root=tmp_path)
    other = sqlite3.connect(tmp_path / "var" / "mailer.db", isolation_level=None)
    try:
        other.execute(begin)
        other.execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(StorageFailed, match="run the command again"):
            scrub(database)
        other.execute("ROLLBACK")
        scrub(database)
    finally:
        other.close()
        database.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_old_transaction_is_waited_for_or_said(
    database: Database, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's rewrite carries over what anybody still sees, and says nothing of it."""
    monkeypatch.setattr("mailer.storage.scrubbing.PATIENCE_S", 0.2)
    read = raw_bytes_of(database)
    looking = database.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with looking:
        looking.execute(text("SELECT count(*) FROM events")).all()
        with database.write() as connection:
            erase_person(connection, "bob@x.example", Pepper(["s" * 40]), reason="asked", now=NOW)
            anonymise(connection, "bob@x.example", KEY, now=NOW)
        with pytest.raises(StorageFailed, match="before the deletion is still open"):
            scrub(database)
    scrub(database)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as raw:
        raw.execute(text("CHECKPOINT"))
    assert b"bob@x.example" not in read()


def test_the_files_hold_it_no_more(database: Database, ledger: Ledger) -> None:
    read = raw_bytes_of(database)
    if not database.is_sqlite:
        with database.write() as connection:
            connection.execute(text("SELECT 1"))
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as raw:
            raw.execute(text("CHECKPOINT"))
    assert b"bob@x.example" in read()
    with database.write() as connection:
        erase_person(connection, "bob@x.example", Pepper(["s" * 40]), reason="asked", now=NOW)
        anonymise(connection, "bob@x.example", KEY, now=NOW)
    scrub(database)
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as raw:
            raw.execute(text("CHECKPOINT"))
    assert b"bob@x.example" not in read()
