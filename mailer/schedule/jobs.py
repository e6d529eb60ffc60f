"""The process that asks every minute "what is due?", and does it.

The answer is a pure function (``due``) of the instant, the publication and the rows of past
runs, so a restart, a second start or a clock that jumps changes nothing. APScheduler only
provides the minute; its job store is memory and may be lost at any time. Each look also retries
what the ledger has due, and takes articles in when their hour has come. An issue that nobody
approved is *held*: the row says so, the log warns and the editors are alarmed once, and every
minute it is tried again until it is too late; then it is *missed*, with an error in the log and
another alarm. What was left out by decision is *skipped*.

One process at a time does the work: the one with the lease (see ``lease``), and under a lock the
operating system drops with its holder. Jobs run one after the other: while a big list is being
sent the next region waits.

Failures: what a person must mend (not approved, not found, not configured) holds a slot, anything
else fails it; both are tried again and neither stops another slot. SIGTERM and SIGINT set
``stop``; the jobs look at it and return, and what they leave is taken up by the next start. A
second signal ends the process at once, which the ledger survives as it survives a crash. Whoever
loses the lease half-way writes nothing more and leaves the rest to its successor.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
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
from mailer.schedule.lease import Lease, LeaseLost
from mailer.schedule.runs import Key, Run, Runs, RunState, key_of
from mailer.schedule.work import Alarm, AlarmKind, JobReport, Jobs, Result, TickReport
from mailer.storage.database import Database

__all__ = ["Alarm", "JobReport", "Jobs", "Result", "Runner", "TickReport"]

log = structlog.get_logger()

POLL_S = 0.2
"""How soon a ``stop`` set by another thread is noticed; a signal is noticed at once."""

LOUD = frozenset({"draft", "send"})
"""Jobs whose failing or missing is an alarm; a reminder that came too late is none."""

NEEDS_A_PERSON = (ConfigurationError, IllegalTransition, NotFound)


class Runner:
    """Looks at the schedule, once by ``tick`` or every minute by ``run_forever``.

    ``stop`` is set when the process should end; long jobs ask ``should_stop``.

    Args:
        publication: whose schedule.
        database: the rows' and the lease's.
        clock: what is now.
        jobs: the work.
        stop: set from elsewhere to end; one of its own unless given.
        lease: this process's claim to the schedule; one of its own unless given.
        reread: asked at each look for the publication as its files say now; keeps the old one,
            and says so, where they are at fault.
    """

    def __init__(
        self,
        *,
        publication: Publication,
        database: Database,
        clock: Clock,
        jobs: Jobs,
        stop: threading.Event | None = None,
        lease: Lease | None = None,
        reread: Callable[[], Publication] | None = None,
    ) -> None:
        self._publication = publication
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self.lease = lease or Lease(database, clock)
        self._runs = Runs(database, clock, self.lease.guard)
        self._reread = reread
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.stop = stop or threading.Event()

    def should_stop(self) -> bool:
        """Say whether a long job should end: the process should, or another one took over."""
        return self.stop.is_set() or self.lease.is_lost

    def close(self) -> None:
        """Give the lease back, so that another machine need not wait until it is over."""
        self.lease.release()

    def tick(self, now: datetime | None = None) -> TickReport:
        """Do everything that is due at ``now`` (the clock's, unless given) and report it."""
        now = (now or self._clock.now()).astimezone(UTC)
        # Asked before the lock: who only looks must not hold it while the lease's holder looks, or
        # neither works in this minute.
        if not self.lease.is_free():
            return self._busy(now)
        with self._database.exclusive("scheduler") as is_leader:
            if not is_leader or not self.lease.take():
                return self._busy(now)
            try:
                with self.lease.kept():
                    return self._tick(now)
            except LeaseLost as error:
                log.warning("schedule.lost", why=str(error))
                return TickReport(now, is_leader=False)

    def _busy(self, now: datetime) -> TickReport:
        log.debug("schedule.busy", why="another process is at work")
        return TickReport(now, is_leader=False)

    def _tick(self, now: datetime) -> TickReport:
        if self._reread is not None:
            self._publication = self._reread()
        since = self._runs.last_beat()
        seen = self._runs.of(candidates(now, self._publication, since=since))
        seen |= {run.key: run for run in self._runs.unfinished()}

        lost = missed(now, self._publication, seen, since=since)
        whys = [self._give_up(slots, seen) for slots in _grouped(lost)]
        # Before the jobs: a job that kills the process must not make the next look give up twice.
        self._runs.beat(now)
        self._alarm_missed(lost, [why for group in whys for why in group])
        results = []
        for slots in _grouped(due(now, self._publication, seen)):
            if self.should_stop():
                break
            claimed = self._runs.claim(slots, seen=seen)
            if claimed:
                results.append(self._run(tuple(claimed), seen))
        retried = "" if self.should_stop() else self._retry()
        ingested, is_taken = ("", True) if self.should_stop() else self._ingest(now)
        return TickReport(
            now,
            results=tuple(results),
            missed=tuple(lost),
            retried=retried,
            ingested=ingested,
            is_ingest_failed=not is_taken,
        )

    def _give_up(self, slots: Sequence[Slot], seen: Mapping[Key, Run]) -> list[str]:
        """Note that it is too late for the slots of one job; return why it came to that, each."""
        whys = []
        for slot in slots:
            run = seen.get(key_of(slot))
            whys.append(run.note if run and run.note else "nothing was running")
            self._runs.miss([slot], f"missed: {whys[-1]}")
        first, why = slots[0], whys[0]
        remedy = "mailer issue draft" if first.job == "draft" else "mailer send"
        is_loud = first.job in LOUD
        (log.error if is_loud else log.info)(
            "schedule.missed",
            job=first.job,
            issue=first.issue_id,
            regions=[slot.region for slot in slots if slot.region],
            due=first.utc.isoformat(),
            why=why,
            remedy=f"run `{remedy} {first.issue_id}` if it should still happen" if is_loud else "",
        )
        return whys

    def _alarm_missed(self, slots: Sequence[Slot], whys: Sequence[str]) -> None:
        # One alarm a look, however many there are: a clock that jumps a year must not flood.
        loud = [(slot, why) for slot, why in zip(slots, whys, strict=True) if slot.job in LOUD]
        if loud:
            self._alarm("missed", [slot for slot, _why in loud], [why for _slot, why in loud])

    def _alarm(
        self,
        kind: AlarmKind,
        slots: Sequence[Slot],
        whys: Sequence[str],
    ) -> None:
        """Tell people, unless they were told the same of that issue; never stops the schedule."""
        if kind in {"held", "failed"} and not self._runs.once(f"alarm-{kind}", slots[0].issue_id):
            return
        try:
            self._jobs.alarm(Alarm(kind, tuple(slots), tuple(whys)))
        except Exception as error:
            log.exception("schedule.alarm_failed", why=f"{type(error).__name__}: {error}")

    def _ingest(self, now: datetime) -> tuple[str, bool]:
        """Take articles in, once in so many hours, whichever process looks; say if it went well."""
        hours = self._publication.schedule.ingest_hours
        if not hours:
            return "", True
        past = int(now.timestamp()) // (hours * 3600)
        hour = datetime.fromtimestamp(past * hours * 3600, UTC)
        if not self._runs.once("ingest", f"{hour:%Y-%m-%dT%H:%M}", forgets=True):
            return "", True
        try:
            note = self._jobs.ingest()
        except (ConfigurationError, MailerError) as error:
            log.warning("schedule.ingest_failed", why=str(error))
            return f"failed: {error}", False
        except Exception as error:  # a fault among the sources must not stop the schedule
            log.exception("schedule.ingest_failed", why=f"{type(error).__name__}: {error}")
            return f"failed: {error}", False
        if note:
            log.info("schedule.ingested", what=note)
        return note, True

    def _run(self, slots: tuple[Slot, ...], seen: Mapping[Key, Run]) -> Result:
        """Run one job for its claimed slots; never raises for the job's own failure."""
        job, issue_id = slots[0].job, slots[0].issue_id
        regions = [slot.region for slot in slots if slot.region]
        told = log.bind(job=job, issue=issue_id, regions=regions)
        # The same note every minute would drown the log: it speaks up when something changed.
        said = {run.note for slot in slots if (run := seen.get(key_of(slot)))}
        try:
            report = self._do(slots)
        except (ConfigurationError, MailerError) as error:
            note = str(error)
            is_held = isinstance(error, NEEDS_A_PERSON)
            (self._runs.hold if is_held else self._runs.fail)(slots, note)
            event = "schedule.held" if is_held else "schedule.failed"
            (told.debug if note in said else told.warning)(event, why=note)
            if job in LOUD:
                self._alarm("held" if is_held else "failed", slots, [note] * len(slots))
            return Result(slots, RunState.HELD if is_held else RunState.FAILED, note)
        except Exception as error:  # noqa: BLE001  a fault in one job must not stop the others
            note = f"{type(error).__name__}: {error}"
            self._runs.fail(slots, note)
            told.exception("schedule.failed", why=note)
            if job in LOUD:
                self._alarm("failed", slots, [note] * len(slots))
            return Result(slots, RunState.FAILED, note)
        if not report.is_complete:
            # The row stays started: the next tick or the next start takes it up.
            is_news = not {report.note_on(slot.region) for slot in slots} <= said
            for slot in slots:
                self._runs.stop([slot], report.note_on(slot.region))
            (told.warning if is_news else told.debug)("schedule.stopped", what=report.note)
            return Result(slots, RunState.STARTED, report.note)
        return self._end(slots, report)

    def _do(self, slots: tuple[Slot, ...]) -> JobReport:
        job, issue_id = slots[0].job, slots[0].issue_id
        if job == "draft":
            return self._jobs.draft(date.fromisoformat(issue_id))
        if job == "send":
            return self._jobs.send(issue_id, [slot.region for slot in slots])
        if job == "holiday":
            return JobReport("", left_out={"": slots[0].note})
        return self._jobs.before(job, issue_id)

    def _end(self, slots: tuple[Slot, ...], report: JobReport) -> Result:
        """Write down that a job is done, and who was left out by decision."""
        first = slots[0]
        told = log.bind(job=first.job, issue=first.issue_id)
        skipped = [slot for slot in slots if slot.region in report.left_out]
        whys = [report.left_out[slot.region] for slot in skipped]
        for slot, why in zip(skipped, whys, strict=True):
            self._runs.skip([slot], why)
        if skipped:
            regions = [slot.region for slot in skipped if slot.region]
            told.warning("schedule.skipped", regions=regions, why=whys[0])
            if first.job in LOUD:
                self._alarm("skipped", skipped, whys)
        done = [slot for slot in slots if slot not in skipped]
        if not done:
            return Result(slots, RunState.SKIPPED, whys[0])
        for slot in done:
            self._runs.finish([slot], report.note_on(slot.region))
        regions = [slot.region for slot in done if slot.region]
        told.info("schedule.done", regions=regions, what=report.note)
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
            self.close()
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
