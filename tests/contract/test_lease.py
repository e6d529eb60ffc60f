"""The lease keeps its promises on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailer.clock import FixedClock
from mailer.publication import Publication, Region, Section
from mailer.schedule.calendar import Slot
from mailer.schedule.jobs import JobReport, Jobs, Runner
from mailer.schedule.lease import LENGTH, Lease, LeaseLost
from mailer.schedule.runs import Runs, RunState
from mailer.storage.database import Database

PUBLICATION = Publication(
    root=Path(),
    title="The Lantern",
    time_zone="Europe/London",
    regions=("wales",),
    sections=(Section(slug="news", title="News", quota=5),),
    region_map={
        "wales": Region(
            slug="wales",
            name="Wales",
            list_id="wales.lantern.example",
            reply_to="post@lantern.example",
            time_zone="Europe/London",
        )
    },
)
A_MOMENT = timedelta(seconds=1)


def lease(database: Database, clock: FixedClock, holder: str) -> Lease:
    return Lease(database, clock, holder=holder)


def slot(clock: FixedClock) -> Slot:
    return Slot("send", "wales", "2026-11-30", clock.now(), clock.now())


def test_one_of_two_has_it_and_keeps_it_while_it_renews(
    database: Database, clock: FixedClock
) -> None:
    first, second = lease(database, clock, "ash:1:a"), lease(database, clock, "oak:1:b")
    assert first.take()
    for _ in range(5):
        clock.sleep(60)
        assert first.take()
        assert not second.take()
    assert not first.is_lost


def test_one_that_is_not_renewed_is_taken_and_its_holder_writes_nothing_more(
    database: Database, clock: FixedClock
) -> None:
    first, second = lease(database, clock, "ash:1:a"), lease(database, clock, "oak:1:b")
    mine, theirs = (Runs(database, clock, each.guard) for each in (first, second))
    assert first.take()
    assert mine.claim([slot(clock)], seen={}) == [slot(clock)]
    begun = slot(clock)
    clock.set(clock.now() + LENGTH - A_MOMENT)
    assert not second.take()
    clock.sleep(1)
    assert second.take()
    # The first was asleep all the while, and wakes up with its work done.
    with pytest.raises(LeaseLost, match="taken over"):
        mine.finish([begun], "sent 40")
    assert first.is_lost
    with pytest.raises(LeaseLost):
        mine.beat(clock.now())
    seen = {run.key: run for run in theirs.unfinished()}
    assert theirs.claim([begun], seen=seen) == [begun]
    theirs.finish([begun], "sent 40")
    assert [run.state for run in theirs.latest(5)] == [RunState.DONE]


def test_whoever_lost_it_may_have_it_again_and_is_a_new_holder(
    database: Database, clock: FixedClock
) -> None:
    first, second = lease(database, clock, "ash:1:a"), lease(database, clock, "oak:1:b")
    assert first.take()
    clock.set(clock.now() + LENGTH)
    assert second.take()
    assert not first.take()
    clock.set(clock.now() + LENGTH)
    assert first.take()
    assert not first.is_lost
    with database.write() as connection:
        first.guard(connection)
        with pytest.raises(LeaseLost):
            second.guard(connection)


def test_one_that_was_given_back_is_free_at_once(database: Database, clock: FixedClock) -> None:
    first, second = lease(database, clock, "ash:1:a"), lease(database, clock, "oak:1:b")
    assert first.take()
    # Whoever has it not gives nothing back.
    second.release()
    assert not second.take()
    first.release()
    assert second.take()
    first.release()
    assert not first.take()


def test_a_dead_process_of_this_machine_is_not_waited_for(
    database: Database, clock: FixedClock
) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    here = Lease(database, clock).holder.partition(":")[0]
    assert lease(database, clock, f"{here}:{dead.stdout.strip()}:a").take()
    mine = Lease(database, clock)
    assert mine.take()
    # The number of a process that has ours by now was given anew; another machine's says nothing.
    again = Lease(database, clock)
    assert again.take()
    assert not lease(database, clock, f"oak:{os.getpid()}:b").take()


def test_a_process_that_its_parent_has_not_asked_after_is_dead(
    database: Database, clock: FixedClock
) -> None:
    here = socket.gethostname()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as killed:
        assert lease(database, clock, f"{here}:{killed.pid}:a").take()
        assert not lease(database, clock, f"{here}:{os.getpid()}:b").take()
        killed.kill()
        # Waits until it has ended, and leaves it unburied.
        os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
        assert lease(database, clock, f"{here}:{os.getpid()}:b").take()


class Interrupted(FixedClock):
    """A clock that lets something happen once, at the moment somebody asks it."""

    meanwhile: Callable[[], object] | None = None

    def now(self) -> datetime:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().now()


def test_one_that_only_looks_keeps_the_holder_from_no_minute(
    database: Database, clock: FixedClock
) -> None:
    done: list[str] = []

    def runner(name: str, own_clock: FixedClock) -> Runner:
        def retry() -> str:
            done.append(name)
            return ""

        return Runner(
            publication=PUBLICATION,
            database=database,
            clock=own_clock,
            jobs=Jobs(
                draft=lambda _on: JobReport("drafted"),
                send=lambda _issue, _regions: JobReport("sent"),
                retry=retry,
            ),
            lease=lease(database, own_clock, f"{name}:1:x"),
        )

    clock.set(datetime(2026, 11, 25, 12, tzinfo=UTC))
    start = clock.now()
    asking = Interrupted(start)
    holder, other = runner("ash", clock), runner("oak", asking)
    assert holder.tick(start).is_leader
    # The second process asks for the lease, and half-way the holder's minute strikes.
    asking.meanwhile = lambda: holder.tick(start)
    assert not other.tick(start).is_leader
    assert done == ["ash", "ash"]
    holder.close()
    assert other.tick(start).is_leader
    assert done == ["ash", "ash", "oak"]


def test_a_living_process_of_this_machine_is_waited_for(
    database: Database, clock: FixedClock
) -> None:
    here = Lease(database, clock).holder.partition(":")[0]
    assert lease(database, clock, f"{here}:{os.getppid()}:a").take()
    assert not Lease(database, clock).take()


def test_one_that_a_clock_ahead_wrote_is_not_believed(
    database: Database, clock: FixedClock
) -> None:
    first, second = lease(database, clock, "ash:1:a"), lease(database, clock, "oak:1:b")
    now = clock.now()
    clock.set(now + timedelta(days=365))
    assert first.take()
    clock.set(now)
    assert second.take()
    assert not first.take()


def test_many_ask_at_once_and_one_gets_it(database: Database, clock: FixedClock) -> None:
    start = threading.Barrier(6)
    won: list[str] = []

    def ask(name: str) -> None:
        start.wait()
        if lease(database, clock, f"{name}:1:x").take():
            won.append(name)

    threads = [threading.Thread(target=ask, args=(f"host{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_two_leases_of_different_names_do_not_meet(database: Database, clock: FixedClock) -> None:
    assert Lease(database, clock, name="scheduler", holder="ash:1:a").take()
    assert Lease(database, clock, name="other", holder="oak:1:b").take()


def test_a_long_job_renews_in_the_background(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.schedule.lease.RENEW_S", 0.01)
    first, second = lease(database, clock, "ash:1:a"), lease(database, clock, "oak:1:b")
    assert first.take()
    with first.kept():
        clock.set(clock.now() + LENGTH - A_MOMENT)
        renewed = threading.Event()
        monkeypatch.setattr(first, "take", lambda: renewed.set() or Lease.take(first))
        assert renewed.wait(10)
        assert renewed.clear() is None
        assert renewed.wait(10)
        clock.sleep(2)
        assert not second.take()


def test_a_long_job_notices_that_another_took_over(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.schedule.lease.RENEW_S", 0.01)
    first, second = lease(database, clock, "ash:1:a"), lease(database, clock, "oak:1:b")
    assert first.take()
    clock.set(clock.now() + LENGTH)
    assert second.take()
    with first.kept():
        for _ in range(1000):
            if first.is_lost:
                break
            threading.Event().wait(0.01)
        assert first.is_lost
