"""``mailer run``: the week on its own."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import structlog

from mailer.app import App
from mailer.errors import ConfigurationError, IllegalTransition, MailerError
from mailer.schedule.jobs import JobReport, Jobs, Runner, TickReport
from mailer.usecases import editing, retention, slots
from mailer.usecases.confirming import Confirmer

log = structlog.get_logger()


def make_runner(app: App) -> Runner:
    """Wire the scheduler to the work."""
    stop = threading.Event()
    confirm = _confirming(app, stop)

    def draft(day: date) -> JobReport:
        record = app.archive.find(day.isoformat())
        if record is not None:
            return JobReport(f"issue {record.id} is {record.state} already")
        report = editing.ingest(app, [])
        for fault in report.faults:
            log.warning("ingest.fault", why=str(fault))
        result = editing.draft(app, day)
        unread = f"; {len(report.faults)} files could not be read" if report.faults else ""
        return JobReport(f"drafted {result.path}{unread}")

    def send(issue_id: str, regions: Any) -> JobReport:
        is_complete, note = slots.send_slots(app, issue_id, regions, should_stop=stop.is_set)
        return JobReport(note, is_complete=is_complete)

    def retry() -> str:
        confirm()
        for trouble in slots.watch_approved(app):
            log.error("approval.void", why=trouble)
        prune()
        return slots.retry_due(app, should_stop=stop.is_set)

    def prune() -> None:
        try:
            done = retention.prune_daily(app)
        except MailerError as error:
            # What could not go today goes tomorrow; mail does not wait for it.
            log.warning("retention.failed", why=str(error))
            return
        if done and (what := retention.sentence(done)):
            log.info("retention.pruned", what=what)

    return Runner(
        publication=app.publication,
        database=app.database,
        clock=app.clock,
        jobs=Jobs(draft=draft, send=send, retry=retry),
        stop=stop,
    )


def _confirming(app: App, stop: threading.Event) -> Callable[[], None]:
    """Return what mails the confirmations that are due; templates are read the first time."""

    @cache
    def confirmer() -> Confirmer:
        return Confirmer(app)

    def confirm() -> None:
        try:
            trouble = confirmer().send_due(should_stop=stop.is_set).trouble
        except (MailerError, ConfigurationError) as error:
            # An issue under way does not wait for a template or a relay of the confirmation.
            trouble = str(error)
        if trouble:
            log.warning("confirmations.trouble", why=trouble)

    return confirm


def run(app: App, *, once: bool = False) -> dict[str, Any] | None:
    """Work the schedule until stopped, or look once and return what was done."""
    start_log(app)
    faults = app.faults_before_sending()
    for fault in faults:
        log.warning("cannot.send", why=str(fault))
    runner = make_runner(app)
    if once:
        report = runner.tick()
        if not report.is_leader:
            raise IllegalTransition("another `mailer run` is at work on this database")
        return _report_data(report)
    runner.run_forever()
    return None


def _report_data(report: TickReport) -> dict[str, Any]:
    return {
        "at": report.now,
        "results": [
            {
                "job": result.slots[0].job,
                "issue": result.slots[0].issue_id,
                "regions": [slot.region for slot in result.slots if slot.region],
                "state": result.state,
                "note": result.note,
            }
            for result in report.results
        ],
        "missed": [
            {"job": slot.job, "issue": slot.issue_id, "region": slot.region, "due": slot.utc}
            for slot in report.missed
        ],
        "retried": report.retried,
    }


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
