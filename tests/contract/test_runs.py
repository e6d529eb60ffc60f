"""The table of slots keeps its promises on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from mailer.clock import FixedClock
from mailer.errors import IllegalTransition
from mailer.schedule.calendar import Slot
from mailer.schedule.runs import FORBIDDEN, TRANSITIONS, Run, Runs, RunState, key_of, next_state
from mailer.storage import schema
from mailer.storage.database import Database

AT = datetime(2026, 11, 30, 7, tzinfo=UTC)


def slot(region: str = "wales", *, job: str = "send", at: datetime = AT) -> Slot:
    return Slot(job, region, f"{at:%Y-%m-%d}", at, at)


@pytest.fixture
def runs(database: Database, clock: FixedClock) -> Runs:
    return Runs(database, clock)


def row(runs: Runs, wanted: Slot) -> Run:
    return runs.of([wanted])[key_of(wanted)]


def test_a_slot_is_claimed_once(runs: Runs) -> None:
    assert runs.of([slot()]) == {}
    assert runs.claim([slot(), slot("bristol")], seen={}) == [slot(), slot("bristol")]
    # Somebody else who saw no row either comes too late, and only for the slots that are taken.
    assert runs.claim([slot(), slot("essex")], seen={}) == [slot("essex")]
    assert row(runs, slot()).state is RunState.STARTED


def test_the_same_region_has_a_slot_every_week_and_a_job_of_its_own(runs: Runs) -> None:
    slots = [slot(), slot(at=AT + timedelta(weeks=1)), slot("", job="draft")]
    assert runs.claim(slots, seen={}) == slots
    assert set(runs.of(slots)) == {key_of(each) for each in slots}


def test_done_is_done(runs: Runs) -> None:
    runs.claim([slot()], seen={})
    runs.finish([slot()], "sent 40")
    done = row(runs, slot())
    assert (done.state, done.note, done.issue_id) == (RunState.DONE, "sent 40", "2026-11-30")
    with pytest.raises(IllegalTransition, match="a slot runs once"):
        runs.claim([slot()], seen={done.key: done})
    with pytest.raises(IllegalTransition, match="nothing to miss"):
        runs.miss([slot()], "late")
    assert row(runs, slot()) == done


@pytest.mark.parametrize("ending", ["hold", "fail"])
def test_what_did_not_succeed_is_claimed_again_by_one_of_two(
    runs: Runs, clock: FixedClock, ending: str
) -> None:
    runs.claim([slot()], seen={})
    getattr(runs, ending)([slot()], "not approved")
    seen = runs.of([slot()])
    assert seen[key_of(slot())].note == "not approved"
    clock.sleep(60)
    assert runs.claim([slot()], seen=seen) == [slot()]
    assert runs.claim([slot()], seen=seen) == []


def test_a_dead_process_slot_is_taken_up_by_one_of_two(runs: Runs, clock: FixedClock) -> None:
    runs.claim([slot()], seen={})
    clock.sleep(3600)
    assert [run.key for run in runs.unfinished()] == [key_of(slot())]
    seen = runs.of([slot()])
    assert runs.claim([slot()], seen=seen) == [slot()]
    assert runs.claim([slot()], seen=seen) == []


def test_many_claim_at_once_and_one_gets_it(database: Database, clock: FixedClock) -> None:
    start = threading.Barrier(6)
    won: list[Slot] = []

    def claim() -> None:
        start.wait()
        won.extend(Runs(database, clock).claim([slot()], seen={}))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [slot()]


def test_an_hour_that_was_changed_is_no_second_slot(runs: Runs) -> None:
    runs.claim([slot()], seen={})
    runs.finish([slot()], "sent 40")
    later = Slot("send", "wales", "2026-11-30", AT + timedelta(hours=1), AT)
    assert row(runs, later).state is RunState.DONE
    assert runs.claim([later], seen={}) == []


def test_what_was_left_out_by_decision_stays_so(runs: Runs) -> None:
    runs.claim([slot()], seen={})
    runs.skip([slot()], "no issue: the winter break")
    seen = runs.of([slot()])
    with pytest.raises(IllegalTransition, match="decided to leave it out"):
        runs.claim([slot()], seen=seen)


def test_something_is_noted_once_and_its_predecessors_are_forgotten(
    runs: Runs, database: Database
) -> None:
    assert runs.once("alarm-held", "2026-11-30")
    assert not runs.once("alarm-held", "2026-11-30")
    assert runs.once("alarm-held", "2026-12-07")
    for hour in ("2026-11-30T07:00", "2026-11-30T08:00"):
        assert runs.once("ingest", hour, forgets=True)
        assert not runs.once("ingest", hour, forgets=True)
    with database.read() as connection:
        kept = connection.execute(select(schema.runs.c.job, schema.runs.c.issue_id)).all()
    assert sorted(map(tuple, kept)) == [
        ("alarm-held", "2026-11-30"),
        ("alarm-held", "2026-12-07"),
        ("ingest", "2026-11-30T08:00"),
    ]
    # They are no slots, and not what people look for.
    assert runs.latest(10) == []


def test_a_missed_slot_needs_no_claim_and_cannot_be_finished(runs: Runs) -> None:
    runs.miss([slot()], "missed: nothing was running")
    assert row(runs, slot()).state is RunState.MISSED
    with pytest.raises(IllegalTransition):
        runs.finish([slot()], "sent")
    with pytest.raises(IllegalTransition):
        runs.finish([slot("essex")], "sent")


def test_the_heartbeat_is_remembered_and_is_no_slot(runs: Runs) -> None:
    assert runs.last_beat() is None
    runs.beat(AT)
    runs.beat(AT + timedelta(minutes=1))
    assert runs.last_beat() == AT + timedelta(minutes=1)
    assert runs.latest(10) == []
    assert runs.unfinished() == []


def test_the_newest_rows_come_first(runs: Runs) -> None:
    later = slot("far", at=AT + timedelta(hours=5))
    runs.claim([slot("wales"), slot("bristol"), later], seen={})
    assert [run.region for run in runs.latest(2)] == ["far", "bristol"]
    assert runs.latest(1)[0].slot_at == later.utc


def test_every_forbidden_step_is_refused_with_its_reason() -> None:
    assert not set(FORBIDDEN) & set(TRANSITIONS)
    for (state, step), why in FORBIDDEN.items():
        with pytest.raises(IllegalTransition, match=why):
            next_state(state, step)
