"""The jobs of the schedule: what the runner calls when a slot's hour has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import structlog

from mailer.app import App
from mailer.delivery.sending import SenderBusy
from mailer.schedule.calendar import Job
from mailer.schedule.work import Alarm, JobReport
from mailer.usecases import deadlines, editing, slots, sourcing

log = structlog.get_logger()


class Scheduled:
    """The work on one publication's issues; ``should_stop`` ends a long job half-way."""

    def __init__(self, app: App, should_stop: Callable[[], bool]) -> None:
        self._app = app
        self._should_stop = should_stop
        self._said: tuple[str, ...] = ()

    def draft(self, day: date) -> JobReport:
        """Draft an issue from everything up to now, unless there is one."""
        record = self._app.archive.find(day.isoformat())
        if record is not None:
            return JobReport(f"issue {record.id} is {record.state} already")
        unread = self.ingest()
        result = editing.draft(self._app, day)
        return JobReport(f"drafted {result.path}{f'; {unread}' if unread else ''}")

    def send(self, issue_id: str, regions: Sequence[str]) -> JobReport:
        """Send an issue to the regions whose hour has come."""
        try:
            return slots.send_slots(self._app, issue_id, regions, should_stop=self._should_stop)
        except SenderBusy:
            return JobReport("waits for the sending that is under way", is_complete=False)

    def before(self, job: Job, issue_id: str) -> JobReport:
        """Do what comes before an issue: freeze, remind, tell."""
        return JobReport(deadlines.before(self._app, job, issue_id))

    def ingest(self) -> str:
        """Take articles in; say what could not be read, and log it when it is news."""
        faults = tuple(str(fault) for fault in sourcing.ingest(self._app, []).faults)
        for fault in faults:
            # The same file is at fault every hour until somebody mends it.
            if fault not in self._said:
                log.warning("ingest.fault", why=fault)
        self._said = faults
        if not faults:
            return ""
        what = "file or source" if len(faults) == 1 else "files or sources"
        return f"{len(faults)} {what} could not be read; `mailer ingest` says why"

    def alarm(self, told: Alarm) -> None:
        """Tell the editors what did not happen."""
        if why := deadlines.alarm(self._app, told):
            log.error("alarm.untold", why=why)
