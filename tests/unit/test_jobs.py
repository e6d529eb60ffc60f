"""What is due, what is given up, and weeks of ticks with restarts on a virtual clock."""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from mailer.clock import FixedClock
from mailer.errors import ConfigurationError, IllegalTransition, NotFound, StorageFailed
from mailer.publication import Publication, Region, Section
from mailer.schedule.calendar import slots_of
from mailer.schedule.jobs import JobReport, Jobs, Runner
from mailer.schedule.runs import Runs, RunState
from mailer.storage.database import Database, open_database
from mailer.timetable import Schedule

ISSUE = "2026-11-30"
FRIDAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
MONDAY_7 = datetime(2026, 11, 30, 7, tzinfo=UTC)
ZONES = {"national": "Europe/London", "wales": "Europe/London", "far": "America/New_York"}


def publication(**schedule: Any) -> Publication:
    return Publication(
        root=Path(),
        title="The Lantern",
        time_zone="Europe/London",
        regions=tuple(ZONES),
        sections=(Section(slug="news", title="News", quota=5),),
        schedule=Schedule.model_validate({"remind": "", "ingest_hours": 0} | schedule),
        region_map={
            slug: Region(
                slug=slug,
                name=slug,
                list_id=f"{slug}.lantern.example",
                reply_to="post@lantern.example",
                time_zone=zone,
            )
            for slug, zone in ZONES.items()
        },
    )


class Killed(BaseException):
    """The process dies here; nothing may catch it."""


class Office:
    """The work behind a runner: an approved set of issues and a ledger that repeats nothing."""

    def __init__(self) -> None:
        self.drafted: list[str] = []
        self.approved: set[str] = set()
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.ledger: Counter[tuple[str, str]] = Counter()
        self.before_send: Callable[[str], None] = lambda region: None
        self.is_complete = True
        self.retries = 0

    def draft(self, on: date) -> JobReport:
        self.drafted.append(on.isoformat())
        return JobReport("drafted")

    def send(self, issue_id: str, regions: Sequence[str]) -> JobReport:
        if issue_id not in self.approved:
            raise IllegalTransition("it is not approved; run `mailer issue approve` first")
        self.calls.append((issue_id, tuple(regions)))
        for region in regions:
            self.before_send(region)
            if not self.ledger[issue_id, region]:
                self.ledger[issue_id, region] += 1
        return JobReport("sent", is_complete=self.is_complete)

    def retry(self) -> str:
        self.retries += 1
        return ""

    @property
    def jobs(self) -> Jobs:
        return Jobs(draft=self.draft, send=self.send, retry=self.retry)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def runner(database: Database, clock: FixedClock, office: Office) -> Runner:
    return Runner(publication=publication(), database=database, clock=clock, jobs=office.jobs)


def at(runner: Runner, clock: FixedClock, instant: datetime):
    clock.set(instant)
    return runner.tick()


def test_a_week_goes_by_itself(runner: Runner, clock: FixedClock, office: Office) -> None:
    assert [result.note for result in at(runner, clock, FRIDAY).results] == ["drafted"]
    assert at(runner, clock, FRIDAY + timedelta(minutes=1)).results == ()
    office.approved.add(ISSUE)
    at(runner, clock, MONDAY_7)
    at(runner, clock, MONDAY_7 + timedelta(minutes=1))
    at(runner, clock, MONDAY_7 + timedelta(hours=5))
    at(runner, clock, MONDAY_7 + timedelta(hours=6))
    assert office.drafted == [ISSUE]
    assert office.calls == [(ISSUE, ("national", "wales")), (ISSUE, ("far",))]
    assert office.retries == 6


def test_an_issue_approved_at_nine_goes_at_nine(
    runner: Runner, clock: FixedClock, office: Office, database: Database
) -> None:
    at(runner, clock, FRIDAY)
    with capture_logs() as logs:
        for minute in range(3):
            report = at(runner, clock, MONDAY_7 + timedelta(minutes=minute))
            assert [result.state for result in report.results] == [RunState.HELD]
    # It is loud once, not once a minute.
    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [entry["event"] for entry in warnings] == ["schedule.held"]
    assert "mailer issue approve" in warnings[0]["why"]
    held = {run.region: run.state for run in Runs(database, clock).latest(5)}
    assert held == {"": RunState.DONE, "national": RunState.HELD, "wales": RunState.HELD}
    office.approved.add(ISSUE)
    report = at(runner, clock, MONDAY_7 + timedelta(hours=2))
    assert [result.state for result in report.results] == [RunState.DONE]
    assert office.calls == [(ISSUE, ("national", "wales"))]


def test_an_issue_nobody_approves_is_given_up_loudly_and_once(
    runner: Runner, clock: FixedClock, office: Office, database: Database
) -> None:
    at(runner, clock, MONDAY_7)
    with capture_logs() as logs:
        report = at(runner, clock, MONDAY_7 + timedelta(hours=12, minutes=1))
        again = at(runner, clock, MONDAY_7 + timedelta(hours=12, minutes=2))
    assert [each.region for each in report.missed] == ["national", "wales"]
    assert again.missed == ()
    [error] = [entry for entry in logs if entry["log_level"] == "error"]
    assert error["regions"] == ["national", "wales"]
    assert "not approved" in error["why"]
    assert f"mailer send {ISSUE}" in error["remedy"]
    office.approved.add(ISSUE)
    at(runner, clock, MONDAY_7 + timedelta(hours=13))
    # New York's own twelve hours are not over: it is sent; the others are given up.
    assert office.calls == [(ISSUE, ("far",))]
    states = {run.region: run for run in Runs(database, clock).latest(5)}
    assert states["wales"].state is RunState.MISSED
    assert states["wales"].note.startswith("missed: ")
    assert states["far"].state is RunState.DONE


def test_a_machine_that_slept_through_monday_says_so(
    runner: Runner, clock: FixedClock, office: Office
) -> None:
    office.approved.add(ISSUE)
    at(runner, clock, FRIDAY)
    with capture_logs() as logs:
        report = at(runner, clock, MONDAY_7 + timedelta(days=2))
    assert [each.region for each in report.missed] == ["national", "wales", "far"]
    assert office.calls == []
    assert [entry["why"] for entry in logs if entry["log_level"] == "error"] == [
        "nothing was running"
    ]


def test_a_clock_that_jumped_ahead_and_back_sends_on_the_day(
    runner: Runner, clock: FixedClock, office: Office
) -> None:
    office.approved.add(ISSUE)
    at(runner, clock, FRIDAY)
    at(runner, clock, MONDAY_7 + timedelta(days=5))
    for minutes in (-10, 0, -10, 0):
        at(runner, clock, MONDAY_7 + timedelta(minutes=minutes))
    assert office.calls == [(ISSUE, ("national", "wales"))]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (IllegalTransition("it is a draft"), RunState.HELD),
        (NotFound("no such issue"), RunState.HELD),
        (ConfigurationError("no postal address"), RunState.HELD),
        (StorageFailed("the disk is full"), RunState.FAILED),
        (ZeroDivisionError("a bug"), RunState.FAILED),
    ],
)
def test_one_job_that_fails_does_not_stop_the_next(
    database: Database, clock: FixedClock, office: Office, error: Exception, state: RunState
) -> None:
    failing = [error]

    def draft(on: date) -> JobReport:
        if failing:
            raise failing.pop()
        return office.draft(on)

    # Friday's draft still fails on Monday, to the minute when an older hand-made issue leaves.
    office.approved.add(ISSUE)
    jobs = Jobs(draft=draft, send=office.send, retry=office.retry)
    runner = Runner(publication=publication(), database=database, clock=clock, jobs=jobs)
    report = at(runner, clock, MONDAY_7)
    assert [result.state for result in report.results] == [state, RunState.DONE]
    assert str(error) in report.results[0].note
    assert office.retries == 1
    report = runner.tick()
    assert [result.state for result in report.results] == [RunState.DONE]
    assert office.drafted == [ISSUE]


def test_a_job_stopped_half_way_is_taken_up_by_the_next_start(
    database: Database, clock: FixedClock, office: Office
) -> None:
    stop = threading.Event()
    office.approved.add(ISSUE)
    office.is_complete = False
    office.before_send = lambda region: stop.set()
    first = Runner(
        publication=publication(), database=database, clock=clock, jobs=office.jobs, stop=stop
    )
    at(first, clock, FRIDAY)
    report = at(first, clock, MONDAY_7)
    assert [result.state for result in report.results] == [RunState.STARTED]
    assert office.retries == 1
    office.is_complete = True
    second = Runner(publication=publication(), database=database, clock=clock, jobs=office.jobs)
    Runs(database, clock).beat(MONDAY_7 + timedelta(days=39))
    # Weeks later everything else would be too late; what was begun is finished.
    report = at(second, clock, MONDAY_7 + timedelta(days=40))
    begun = report.results[0]
    assert begun.state is RunState.DONE
    assert {slot.issue_id for slot in begun.slots} == {ISSUE}
    assert [slot.region for slot in begun.slots] == ["national", "wales"]


def test_nothing_new_is_begun_once_it_should_stop(
    database: Database, clock: FixedClock, office: Office
) -> None:
    stop = threading.Event()

    def draft(on: date) -> JobReport:
        stop.set()
        return office.draft(on)

    office.approved.add(ISSUE)
    jobs = Jobs(draft=draft, send=office.send, retry=office.retry)
    runner = Runner(publication=publication(), database=database, clock=clock, jobs=jobs, stop=stop)
    report = at(runner, clock, MONDAY_7)
    assert [result.slots[0].job for result in report.results] == ["draft"]
    assert (office.calls, office.retries) == ([], 0)


def test_a_slot_another_machine_took_meanwhile_is_left_to_it(
    database: Database, clock: FixedClock, office: Office
) -> None:
    def draft(on: date) -> JobReport:
        # A machine that does not see our lock: the rows themselves must decide.
        sends = [each for each in slots_of(publication(), on) if each.utc == MONDAY_7]
        assert Runs(database, clock).claim(sends, seen={}) == sends
        return office.draft(on)

    office.approved.add(ISSUE)
    jobs = Jobs(draft=draft, send=office.send, retry=office.retry)
    runner = Runner(publication=publication(), database=database, clock=clock, jobs=jobs)
    report = at(runner, clock, MONDAY_7)
    assert [result.slots[0].job for result in report.results] == ["draft"]
    assert office.calls == []


def test_a_relay_that_is_down_is_tried_every_minute_and_told_once(
    runner: Runner, clock: FixedClock, office: Office, database: Database
) -> None:
    office.approved.add(ISSUE)
    office.is_complete = False
    at(runner, clock, FRIDAY)
    with capture_logs() as logs:
        for minute in range(3):
            at(runner, clock, MONDAY_7 + timedelta(minutes=minute))
    assert len(office.calls) == 3
    assert [entry["log_level"] for entry in logs if entry["event"] == "schedule.stopped"] == [
        "warning",
        "debug",
        "debug",
    ]
    assert {run.note for run in Runs(database, clock).unfinished()} == {"sent"}


def test_a_second_runner_does_nothing_while_the_first_is_at_work(
    database: Database, clock: FixedClock, office: Office
) -> None:
    office.approved.add(ISSUE)
    other = Runner(publication=publication(), database=database, clock=clock, jobs=office.jobs)
    reports = []
    office.before_send = lambda region: reports.append(other.tick())
    runner = Runner(publication=publication(), database=database, clock=clock, jobs=office.jobs)
    at(runner, clock, MONDAY_7)
    assert [report.is_leader for report in reports] == [False, False]
    assert office.calls == [(ISSUE, ("national", "wales"))]


def test_a_failing_retry_is_reported_and_the_schedule_goes_on(
    database: Database, clock: FixedClock, office: Office
) -> None:
    def retry() -> str:
        raise StorageFailed("the disk is full")

    jobs = Jobs(draft=office.draft, send=office.send, retry=retry)
    runner = Runner(publication=publication(), database=database, clock=clock, jobs=jobs)
    report = at(runner, clock, FRIDAY)
    assert report.retried == "failed: the disk is full"
    assert office.drafted == [ISSUE]


# Weeks


WEEKS = 4


def weeks_of_ticks(
    root: Path,
    *,
    gap_minutes: Callable[[], int],
    kill: Callable[[], bool],
) -> Office:
    """Run two runners over one database for weeks; each tick may kill its runner."""
    office = Office()
    end = FRIDAY + timedelta(weeks=WEEKS - 1, days=5)
    office.approved = {
        (date.fromisoformat(ISSUE) + timedelta(weeks=week)).isoformat() for week in range(WEEKS)
    }

    def maybe_die(region: str) -> None:
        if kill():
            raise Killed

    office.before_send = maybe_die
    now, turn = FRIDAY - timedelta(minutes=1), 0
    clock, database = FixedClock(now), open_database("", root=root)
    while now < end:
        clock.set(now)
        if turn % 7 == 0:
            database.close()
            database = open_database("", root=root)
        # Nothing is kept in memory between looks: every look is a restart.
        pair = [
            Runner(publication=publication(), database=database, clock=clock, jobs=office.jobs)
            for _ in range(2)
        ]
        for runner in pair[turn % 2 :] + pair[: turn % 2]:
            with contextlib.suppress(Killed):
                runner.tick()
        now += timedelta(minutes=gap_minutes())
        turn += 1
    database.close()
    return office


def test_weeks_with_two_runners_send_each_region_each_issue_exactly_once(tmp_path: Path) -> None:
    office = weeks_of_ticks(tmp_path, gap_minutes=lambda: 97, kill=lambda: False)
    sent = Counter((issue, region) for issue, regions in office.calls for region in regions)
    assert sent == {(issue, region): 1 for issue in office.approved for region in ZONES}
    assert sorted(office.drafted) == sorted(office.approved)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_kills_and_outages_forget_nobody_and_repeat_nothing(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    dice = random.Random(seed)
    office = weeks_of_ticks(
        tmp_path_factory.mktemp("weeks"),
        # An outage is always shorter than late_hours.
        gap_minutes=lambda: dice.randint(30, 11 * 60),
        kill=lambda: dice.random() < 0.2,
    )
    assert office.ledger == {(issue, region): 1 for issue in office.approved for region in ZONES}
    assert sorted(set(office.drafted)) == sorted(office.approved)
