"""``mailer run``: the week on its own."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import structlog

from mailer.app import App
from mailer.errors import ConfigurationError, IllegalTransition, MailerError
from mailer.schedule.jobs import Jobs, Runner, TickReport
from mailer.schedule.lease import Lease
from mailer.usecases import retention, slots
from mailer.usecases.confirming import Confirmer
from mailer.usecases.scheduled import Scheduled

log = structlog.get_logger()


def make_runner(app: App) -> Runner:
    """Wire the scheduler to the work."""
    stop = threading.Event()
    lease = Lease(app.database, app.clock)
    confirm = _confirming(app, stop)

    def should_stop() -> bool:
        return stop.is_set() or lease.is_lost

    work = Scheduled(app, should_stop)

    def retry() -> str:
        confirm()
        for trouble in slots.watch_approved(app):
            log.error("approval.void", why=trouble)
        prune()
        return slots.retry_due(app, should_stop=should_stop)

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
        jobs=Jobs(
            draft=work.draft,
            send=work.send,
            retry=retry,
            before=work.before,
            ingest=work.ingest,
            alarm=work.alarm,
        ),
        stop=stop,
        lease=lease,
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
        runner.close()
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
