"""The process that asks every minute "what is due?", and does it.

The answer is a pure function (``due``) of the instant, the publication and the rows of past
runs, so a restart, a second start or a clock that jumps changes nothing. APScheduler only
provides the minute; its job store is memory and may be lost at any time. Each look also retries
what the ledger has due. An issue that nobody approved is *held*: the row says so, the log warns
once, and every minute it is tried again until it is too late, which the log calls an error.

One process at a time does the work, under a lock the operating system drops with its holder.
Jobs run one after the other: while a big list is being sent the next region waits.

Failures: what a person must mend (not approved, not found, not configured) holds a slot, anything
else fails it; both are tried again and neither stops another slot. SIGTERM and SIGINT set
``stop``; the jobs look at it and return, and what they leave is taken up by the next start. A
second signal ends the process at once, which the ledger survives as it survives a crash.

Known limit: the publication is read once; start the process again after changing the schedule.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import FrameType

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from mailer.clock import Clock
from mailer.errors import ConfigurationError, IllegalTransition, MailerError, NotFound
from mailer.publication import Publication
from mailer.schedule.calendar import Job, Slot
from mailer.schedule.due import candidates, due, missed
from mailer.schedule.runs import Key, Run, Runs, RunState, key_of
from mailer.storage.database import Database

log = structlog.get_logger()

POLL_S = 0.2
"""How soon a ``stop`` set by another thread is noticed; a signal is noticed at once."""

NEEDS_A_PERSON = (ConfigurationError, IllegalTransition, NotFound)


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a job did, in one sentence; ``is_complete`` is False when it stopped half-way."""

    note: str
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Jobs:
    """The work itself, given by the composition root.

    Each must be harmless to repeat. They raise what a person reads: ``IllegalTransition`` or
    ``NotFound`` for an issue that is not approved or not there (the slot is held), anything
    else for a failure. ``send`` gets every region of the issue that is due, in order, and is
    complete when each delivery was tried once; ``retry`` tries what is due again and returns
    "" when there was nothing.
    """

    draft: Callable[[date], JobReport]
    send: Callable[[str, Sequence[str]], JobReport]
    retry: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one job of a tick: its slots, their state now and why."""

    slots: tuple[Slot, ...]
    state: RunState
    note: str


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one look at the schedule did.

    ``is_leader`` is False when another process holds the lock; then nothing was done.
    """

    now: datetime
    is_leader: bool = True
    results: tuple[Result, ...] = ()
    missed: tuple[Slot, ...] = ()
    retried: str = ""


class Runner:
    """Looks at the schedule, once by ``tick`` or every minute by ``run_forever``.

    ``stop`` is set when the process should end; give the same event to long jobs.
    """

    def __init__(
        self,
        *,
        publication: Publication,
        database: Database,
        clock: Clock,
        jobs: Jobs,
        stop: threading.Event | None = None,
    ) -> None:
        self._publication = publication
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._runs = Runs(database, clock)
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.stop = stop or threading.Event()

    def tick(self, now: datetime | None = None) -> TickReport:
        """Do everything that is due at ``now`` (the clock's, unless given) and report it."""
        now = (now or self._clock.now()).astimezone(UTC)
        with self._database.exclusive("scheduler") as is_leader:
            if not is_leader:
                log.debug("schedule.busy", why="another process is at work")
                return TickReport(now, is_leader=False)
            return self._tick(now)

    def _tick(self, now: datetime) -> TickReport:
        since = self._runs.last_beat()
        seen = self._runs.of(candidates(now, self._publication, since=since))
        seen |= {run.key: run for run in self._runs.unfinished()}

        lost = missed(now, self._publication, seen, since=since)
        for slots in _grouped(lost):
            self._give_up(slots, seen)
        # Before the jobs: a job that kills the process must not make the next look give up twice.
        self._runs.beat(now)
        results = []
        for slots in _grouped(due(now, self._publication, seen)):
            if self.stop.is_set():
                break
            claimed = self._runs.claim(slots, seen=seen)
            if claimed:
                results.append(self._run(tuple(claimed), seen))
        retried = "" if self.stop.is_set() else self._retry()
        return TickReport(now, results=tuple(results), missed=tuple(lost), retried=retried)

    def _give_up(self, slots: Sequence[Slot], seen: Mapping[Key, Run]) -> None:
        why = "nothing was running"
        for slot in slots:
            run = seen.get(key_of(slot))
            why = run.note if run and run.note else why
            self._runs.hold([slot], f"missed: {why}")
        first = slots[0]
        remedy = "mailer issue draft" if first.job == "draft" else "mailer send"
        log.error(
            "schedule.missed",
            job=first.job,
            issue=first.issue_id,
            regions=[slot.region for slot in slots if slot.region],
            due=first.utc.isoformat(),
            why=why,
            remedy=f"run `{remedy} {first.issue_id}` if it should still happen",
        )

    def _run(self, slots: tuple[Slot, ...], seen: Mapping[Key, Run]) -> Result:
        """Run one job for its claimed slots; never raises for the job's own failure."""
        job, issue_id = slots[0].job, slots[0].issue_id
        regions = [slot.region for slot in slots if slot.region]
        told = log.bind(job=job, issue=issue_id, regions=regions)
        # The same note every minute would drown the log: it speaks up when something changed.
        said = {run.note for slot in slots if (run := seen.get(key_of(slot)))}
        try:
            if job == "draft":
                report = self._jobs.draft(date.fromisoformat(issue_id))
            else:
                report = self._jobs.send(issue_id, regions)
        except (ConfigurationError, MailerError) as error:
            note = str(error)
            is_held = isinstance(error, NEEDS_A_PERSON)
            (self._runs.hold if is_held else self._runs.fail)(slots, note)
            event = "schedule.held" if is_held else "schedule.failed"
            (told.debug if note in said else told.warning)(event, why=note)
            return Result(slots, RunState.HELD if is_held else RunState.FAILED, note)
        except Exception as error:  # noqa: BLE001  a fault in one job must not stop the others
            note = f"{type(error).__name__}: {error}"
            self._runs.fail(slots, note)
            told.exception("schedule.failed", why=note)
            return Result(slots, RunState.FAILED, note)
        if not report.is_complete:
            # The row stays started: the next tick or the next start takes it up.
            self._runs.stop(slots, report.note)
            (told.debug if report.note in said else told.warning)(
                "schedule.stopped", what=report.note
            )
            return Result(slots, RunState.STARTED, report.note)
        self._runs.finish(slots, report.note)
        told.info("schedule.done", what=report.note)
        return Result(slots, RunState.DONE, report.note)

    def _retry(self) -> str:
        try:
            note = self._jobs.retry()
        except (ConfigurationError, MailerError) as error:
            log.warning("schedule.retry_failed", why=str(error))
            return f"failed: {error}"
        if note:
            log.info("schedule.retried", what=note)
        return note

    def run_forever(self) -> None:
        """Tick every minute until ``stop`` is set or SIGTERM or SIGINT arrives.

        Call it from the main thread. Returns once the tick in hand has ended, which a job that
        looks at ``stop`` makes a matter of seconds.
        """
        # Its own log repeats ours, and warns every minute while a big list is being sent.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60},
        )
        before = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            scheduler.start()
            scheduler.add_job(self._guarded_tick)
            scheduler.add_job(self._guarded_tick, CronTrigger(second=0, timezone=UTC))
            log.info("schedule.started", title=self._publication.title)
            self._wait()
            scheduler.shutdown(wait=True)
            log.info("schedule.ended")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # An Event may not be set here: the interrupted thread could hold its lock. A SimpleQueue
        # is made for this.
        self._signals.put(number)
        signal.signal(number, signal.SIG_DFL)

    def _wait(self) -> None:
        while not self.stop.is_set():
            try:
                number = self._signals.get(timeout=POLL_S)
            except queue.Empty:
                continue
            log.info("schedule.ending", signal=signal.Signals(number).name)
            self.stop.set()

    def _guarded_tick(self) -> None:
        """Tick; a failure outside any job is logged and the next minute tries again."""
        if self.stop.is_set():
            return
        try:
            self.tick()
        except MailerError as error:
            log.warning("schedule.tick_failed", why=str(error))
        except Exception:
            log.exception("schedule.tick_failed")


def _grouped(slots: Sequence[Slot]) -> list[list[Slot]]:
    """Put the due regions of one issue together, keeping the order of what comes first."""
    groups: dict[tuple[Job, str], list[Slot]] = {}
    for slot in slots:
        groups.setdefault((slot.job, slot.issue_id), []).append(slot)
    return list(groups.values())
