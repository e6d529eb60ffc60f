"""``mailer run`` and ``mailer schedule``: the week on its own."""

from __future__ import annotations

import logging
import sys
import threading
from datetime import date
from typing import Any

import structlog

from mailer.app import App
from mailer.errors import IllegalTransition
from mailer.schedule.calendar import upcoming
from mailer.schedule.jobs import JobReport, Jobs, Runner, TickReport
from mailer.usecases import editing, mailing


def make_runner(app: App) -> Runner:
    """Wire the scheduler to the work."""
    stop = threading.Event()

    def draft(day: date) -> JobReport:
        record = app.archive.find(day.isoformat())
        if record is not None:
            return JobReport(f"issue {record.id} is {record.state} already")
        editing.ingest(app, [])
        result = editing.draft(app, day)
        return JobReport(f"drafted {result.path}")

    def send(issue_id: str, regions: Any) -> JobReport:
        report, note = mailing.send_slots(app, issue_id, regions, should_stop=stop.is_set)
        return JobReport(note, is_complete=report.trouble is None and not report.was_stopped)

    def retry() -> str:
        mailing.schedule_approved(app)
        return mailing.retry_due(app, should_stop=stop.is_set)

    return Runner(
        publication=app.publication,
        database=app.database,
        clock=app.clock,
        jobs=Jobs(draft=draft, send=send, retry=retry),
        stop=stop,
    )


def run(app: App, *, once: bool = False) -> TickReport | None:
    """Work the schedule until stopped, or look once and return what was done."""
    start_log(app)
    faults = app.faults_before_sending()
    for fault in faults:
        structlog.get_logger().warning("cannot.send", why=str(fault))
    runner = make_runner(app)
    if once:
        report = runner.tick()
        if not report.is_leader:
            raise IllegalTransition("another `mailer run` is at work on this database")
        return report
    runner.run_forever()
    return None


def start_log(app: App) -> None:
    """Log to standard error, as text for a person or as JSON lines for a collector."""
    is_json = app.settings.log_format == "json"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks
            if is_json
            else structlog.processors.StackInfoRenderer(),
            structlog.processors.JSONRenderer()
            if is_json
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            getattr(logging, app.settings.log_level.upper())
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def schedule_data(app: App, count: int) -> list[dict[str, Any]]:
    """Return what happens next, soonest first, with the state of the issue concerned."""
    states = {record.id: str(record.state) for record in app.archive.records()}
    return [
        {
            "job": slot.job,
            "region": slot.region,
            "local": slot.local,
            "zone": app.region(slot.region).time_zone if slot.region else app.publication.time_zone,
            "utc": slot.utc,
            "issue": slot.issue_id,
            "state": states.get(slot.issue_id, "not drafted"),
        }
        for slot in upcoming(app.publication, app.clock.now(), count)
    ]
