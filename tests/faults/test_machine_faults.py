"""The machine's own faults: a full disk, a locked database, a clock that jumps, a late refusal.

Promised each time: what was not settled is found again, nobody is forgotten, at most one message
a connection is repeated, byte for byte. Counted: what the server took.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text

from mailer.clock import FixedClock
from mailer.delivery.delivery import DeliveryState
from mailer.errors import StorageFailed
from mailer.storage import database as storage
from mailer.storage.database import Database, open_database
from tests.faults.accounts import Account, take_account
from tests.faults.chaos import ChaosServer
from tests.faults.world import AT, CONNECTIONS, ISSUE, RETRY, World, make_world

S = DeliveryState
YEAR, HOUR = dt.timedelta(days=365), dt.timedelta(hours=1)
READERS = [f"r{number:04}@reader.example" for number in range(1500)]
"""More than an engine may send before it has to hear from the ledger."""


class WallClock(FixedClock):
    """A wall clock that can jump; its monotonic twin never does, as the kernel promises."""

    def __init__(self, now: dt.datetime) -> None:
        super().__init__(now)
        self._slept_s = 0.0

    def monotonic(self) -> float:
        return self._slept_s

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._slept_s += max(0.0, seconds)


@pytest.fixture
def clock() -> WallClock:
    return WallClock(AT)


@pytest.fixture
def world(database: Database, clock: WallClock) -> World:
    return make_world(database, clock, READERS)


def after(messages: int, do: Callable[[], None]) -> Callable[[str, str], None]:
    """Return a watcher that does something once, when so many messages have come."""
    left = [messages]

    def watch(stage: str, _recipient: str) -> None:
        if stage == "dot":
            left[0] -= 1
            if left[0] == 0:
                do()

    return watch


def finish(world: World, server: ChaosServer) -> Account:
    """Run again when the fault is over, and hold the ledger against the server."""
    for _ in range(3):
        if world.sender(server.port).run(ISSUE).is_finished:
            break
        world.clock.sleep(3600)
    assert set(world.states().values()) == {S.ACCEPTED}
    account = take_account(world, server)
    assert (account.readers, account.lost, account.strange, account.mismatched) == (
        len(READERS),
        0,
        0,
        0,
    ), account
    assert account.repeated <= CONNECTIONS, account
    return account


@contextmanager
def full_disk(database: Database, *, pages_left: int) -> Iterator[None]:
    """Let the database grow by a few pages and no more, as on a full disk."""
    with database.read() as connection:
        pages = int(connection.execute(text("PRAGMA page_count")).scalar_one())

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + pages_left}")

    database.close()
    event.listen(database.engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(database.engine, "connect", limit)
        database.close()


def test_a_full_disk_stops_the_sending_and_forgets_nobody(world: World, faulty, counted) -> None:
    server = faulty()
    with full_disk(world.database, pages_left=1), pytest.raises(StorageFailed) as caught:
        world.sender(server.port).run(ISSUE)
    assert "full" in str(caught.value)
    assert "free some disk space" in str(caught.value)
    assert len(server.taken) < len(READERS)
    counted(finish(world, server))


@contextmanager
def locked(path: Path) -> Iterator[Callable[[], None]]:
    """Give a function that takes the database's write lock; it is given back at the end."""
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    yield lambda: connection.execute("BEGIN IMMEDIATE") and None
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.close()


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: WallClock) -> Iterator[World]:
    """A world whose database gives up after 0.3 s instead of 30."""
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_S", 0.3)
    database = open_database("", root=tmp_path)
    yield make_world(database, clock, READERS)
    database.close()


def test_a_database_locked_too_long_stops_the_sending_and_forgets_nobody(
    impatient: World, tmp_path: Path, faulty, counted
) -> None:
    server = faulty()
    with locked(tmp_path / "var" / "mailer.db") as lock:
        server.watch = after(50, lock)
        with pytest.raises(StorageFailed, match="locked"):
            impatient.sender(server.port).run(ISSUE)
    assert len(server.taken) < len(READERS)
    counted(finish(impatient, server))


def test_a_database_locked_for_a_while_is_waited_for(
    world: World, tmp_path: Path, faulty, counted
) -> None:
    server = faulty()
    connection = sqlite3.connect(
        tmp_path / "var" / "mailer.db", timeout=10, isolation_level=None, check_same_thread=False
    )
    timer = threading.Timer(0.5, lambda: connection.execute("ROLLBACK"))

    def lock() -> None:
        connection.execute("BEGIN IMMEDIATE")
        timer.start()

    server.watch = after(50, lock)
    assert world.sender(server.port).run(ISSUE).is_finished
    timer.join()
    connection.close()
    counted(finish(world, server))
    assert len(server.taken) == len(READERS)


@pytest.mark.parametrize("jump", [dt.timedelta(days=400), dt.timedelta(days=-3)])
def test_a_clock_that_jumps_loses_and_repeats_nothing(
    world: World, clock: WallClock, faulty, counted, jump: dt.timedelta
) -> None:
    script = {("rcpt", READERS[7]): ["450 4.2.0 later"], ("dot", READERS[8]): ["drop"]}
    server = faulty(script=script)
    server.watch = after(50, lambda: clock.set(clock.now() + jump))
    world.sender(server.port).run(ISSUE)
    # Somebody sets it right again, and an hour passes.
    server.watch = None
    clock.set(AT + dt.timedelta(hours=1))
    counted(finish(world, server))
    copies = server.copies()
    assert copies[READERS[8]] == 2
    assert {who for who, count in copies.items() if count > 1} == {READERS[8]}


def test_a_clock_that_jumps_ahead_for_good_still_gives_everybody_a_try(
    world: World, clock: WallClock, faulty, counted
) -> None:
    server = faulty(script={("rcpt", READERS[7]): ["450 4.2.0 later"]})
    world.sender(server.port).run(ISSUE)
    clock.set(clock.now() + dt.timedelta(days=400))
    counted(finish(world, server))


@pytest.fixture
def few(database: Database, clock: WallClock) -> World:
    return make_world(database, clock, READERS[:30])


def test_what_a_wrong_clock_put_off_for_a_year_is_due_when_it_is_right_again(
    few: World, clock: WallClock, faulty, counted
) -> None:
    late, doubtful = READERS[7], READERS[8]
    script = {("rcpt", late): ["450 4.2.0 later"] * 2, ("dot", doubtful): ["drop"]}
    server = faulty(script=script)
    server.watch = after(1, lambda: clock.set(AT + YEAR))
    few.sender(server.port).run(ISSUE)
    assert few.delivery(late).due_at > AT + YEAR
    clock.set(AT + HOUR)
    assert few.ledger.misdated(RETRY, issue_id=ISSUE) == few.ledger.misdated(RETRY) == 2
    server.watch = None
    few.sender(server.port).run(ISSUE)
    # Put off once more, by the right clock this time, and not given up for its first try's date.
    row = few.delivery(late)
    assert row.state is S.DEFERRED
    assert clock.now() < row.due_at < clock.now() + HOUR
    assert few.ledger.misdated(RETRY) == 0
    clock.sleep(3600)
    assert few.sender(server.port).run(ISSUE).is_finished
    assert set(few.states().values()) == {S.ACCEPTED}
    assert {who for who, count in server.copies().items() if count > 1} == {doubtful}
    contents = {content for who, content in server.accepted if who == doubtful}
    assert len(contents) == 1


def test_what_a_wrong_clock_planned_is_sent_with_the_right_date(
    database: Database, clock: WallClock, faulty
) -> None:
    clock.set(AT + YEAR)
    world = make_world(database, clock, READERS[:5], due_at=AT + YEAR)
    clock.set(AT)
    server = faulty()
    assert world.ledger.misdated(RETRY) == 5
    assert world.sender(server.port).run(ISSUE).is_finished
    assert len(server.taken) == 5
    assert all(b"Date: Mon, 30 Nov 2026" in content for _who, content in server.accepted)


def test_what_is_rightly_put_off_stays_put_off(few: World, clock: WallClock, faulty) -> None:
    server = faulty(script={("rcpt", READERS[7]): ["450 4.2.0 later"]})
    few.sender(server.port).run(ISSUE)
    before = few.delivery(READERS[7])
    assert few.ledger.misdated(RETRY) == few.ledger.redate(ISSUE, RETRY) == 0
    assert few.delivery(READERS[7]) == before


def test_what_a_wrong_clock_sent_does_not_eat_the_days_ceiling(
    few: World, clock: WallClock, faulty
) -> None:
    server = faulty()
    server.watch = after(1, lambda: clock.set(AT + YEAR))
    few.sender(server.port).run(ISSUE)
    assert few.ledger.tried_since(AT + YEAR) >= 20
    assert few.ledger.tried_since(AT) <= 10


def test_who_is_suppressed_while_it_is_being_sent_is_not_mailed(
    database: Database, clock: WallClock, faulty
) -> None:
    # The last one's turn comes three seconds after the first's, on however fast a machine.
    readers = READERS[:300]
    world = make_world(database, clock, readers)
    server = faulty(pace_s=0.01 * CONNECTIONS)
    late = readers[-1]
    server.watch = after(1, lambda: world.register.suppress(late, "complaint", "pressed it"))
    assert world.sender(server.port).run(ISSUE).is_finished
    assert world.states()[late] is S.SKIPPED
    assert server.copies()[late] == 0
    assert len(server.taken) == len(readers) - 1
