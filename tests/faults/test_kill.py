"""SIGKILL at random moments: nobody is forgotten, a kill repeats one message a connection at most.

The sender is a process that a test kills; the inbox is another that lives on. Afterwards the
inbox's folder is joined with the ledger.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import insert

from mailer.audience.register import Register
from mailer.clock import SystemClock
from mailer.delivery.delivery import DeliveryState, Verdict
from mailer.delivery.ledger import Ledger
from mailer.inbox.store import Store
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database, open_database

HERE = Path(__file__).parent
ISSUE = "2026-11-30"
READERS = 2500
KILLS = 20
CONNECTIONS = 4
"""As many as the runner opens: a kill repeats one message of each at most."""


@dataclass
class World:
    """The folder with the database, the inbox's port and folder."""

    root: Path
    port: int
    store: Store
    database: Database
    register: Register
    ledger: Ledger

    def send(self) -> subprocess.Popen[str]:
        """Start the sender; it says "sending" when the first message is done."""
        command = [sys.executable, str(HERE / "send_runner.py"), str(self.root), str(self.port)]
        return subprocess.Popen([*command, ISSUE], stdout=subprocess.PIPE, text=True)

    def copies(self) -> dict[str, list[bytes]]:
        """What each recipient found in the inbox."""
        found: dict[str, list[bytes]] = {}
        for name in self.store.ids():
            (recipient,) = self.store.message(name).recipients
            found.setdefault(recipient, []).append(self.store.content(name))
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = SystemClock()
    database = open_database("", root=tmp_path)
    region = Region(
        slug="wales",
        name="Wales",
        list_id="wales.lantern.example",
        reply_to="wales@lantern.example",
        time_zone="Europe/London",
    )
    with database.write() as connection:
        connection.execute(
            insert(schema.issues).values(
                id=ISSUE,
                number=1,
                state="sending",
                checksum="x",
                drafted_checksum="x",
                approved_by="nora",
            )
        )
        at = clock.now()
        people = [
            {"address": f"r{n:04}@reader.example", "name": f"Reader {n}", "fields": {},
             "created_at": at}
            for n in range(READERS)
        ]  # fmt: skip
        connection.execute(insert(schema.subscribers), people)
        links = [
            {"subscriber_id": n + 1, "region": "wales", "state": "confirmed", "source": "test",
             "changed_at": at}
            for n in range(READERS)
        ]  # fmt: skip
        connection.execute(insert(schema.subscriptions), links)
    folder = tmp_path / "inbox"
    inbox = subprocess.Popen(
        [sys.executable, str(HERE / "inbox_runner.py"), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert inbox.stdin is not None
    assert inbox.stdout is not None
    try:
        yield World(
            tmp_path,
            int(inbox.stdout.readline()),
            Store(folder, clock),
            database,
            Register(database, clock, {"wales": region}),
            Ledger(database, clock),
        )
    finally:
        inbox.stdin.close()
        inbox.wait(10)
        inbox.stdout.close()
        database.close()


def finish(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said


def kill_once(world: World, chance: random.Random, *, is_early: bool) -> bool:
    """Kill one sender at a random moment; return whether it had begun to send."""
    process = world.send()
    assert process.stdout is not None
    begun = False
    if is_early:
        # Somewhere in starting up, planning, recovering or claiming.
        time.sleep(chance.uniform(0.05, 0.9))
    else:
        begun = process.stdout.readline() == "sending\n"
        time.sleep(chance.uniform(0, 0.06))
    process.kill()
    process.wait(10)
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL, "it was done before it could be killed"
    return begun


def test_killed_twenty_times_everybody_has_one_message(world: World) -> None:
    chance = random.Random()
    hits = 0
    gone: dict[str, int] = {}
    for number in range(KILLS):
        hits += kill_once(world, chance, is_early=number % 5 == 0)
        if number == KILLS // 2:
            waiting = list(world.ledger.deliveries(ISSUE, state=DeliveryState.PLANNED))
            had = world.copies()
            for address in [item.address for item in waiting[::7][:10]]:
                world.register.suppress(address, "manual", "asked by letter")
                # Two kills may leave one planned whose message went before the first of them.
                gone[address] = len(had.get(address, ()))
    assert hits >= KILLS // 2
    assert len(gone) >= 3

    assert "every delivery is settled" in finish(world.send())

    copies = world.copies()
    rows = {item.address: item for item in world.ledger.deliveries(ISSUE)}
    assert len(rows) == READERS
    assert {address for address, row in rows.items() if row.state is DeliveryState.SKIPPED} == set(
        gone
    )
    assert {address: len(copies.pop(address, ())) for address in gone} == gone
    wanted = set(rows) - set(gone)
    assert {rows[address].state for address in wanted} == {DeliveryState.ACCEPTED}
    assert set(copies) == wanted
    repeats = {address: found for address, found in copies.items() if len(found) > 1}
    assert sum(len(found) - 1 for found in repeats.values()) <= KILLS * CONNECTIONS
    for address, found in copies.items():
        assert len(set(found)) == 1, f"{address}: a repeat differs"
        message = message_from_bytes(found[0])
        assert f"<{address}>" in message["To"]
        # Every copy beyond the first is a doubt that the ledger knows of.
        ((_, tries),) = world.ledger.history(address)
        doubts = [item for item in tries if item.verdict is Verdict.DOUBT]
        assert len(found) - 1 <= len(doubts)
    ids = {message_from_bytes(found[0])["Message-ID"] for found in copies.values()}
    assert len(ids) == len(wanted)


def test_asked_politely_to_stop_nothing_is_repeated(world: World) -> None:
    for _ in range(3):
        process = world.send()
        assert process.stdout is not None
        assert process.stdout.readline() == "sending\n"
        process.send_signal(signal.SIGTERM)
        assert "stopped as asked" in finish(process)
        states = {item.state for item in world.ledger.deliveries(ISSUE)}
        assert states == {DeliveryState.ACCEPTED, DeliveryState.PLANNED}
    assert "every delivery is settled" in finish(world.send())
    copies = world.copies()
    assert len(copies) == READERS
    assert {len(found) for found in copies.values()} == {1}
