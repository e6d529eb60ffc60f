"""The week on its own: what ``mailer run`` and ``mailer tick`` do when they look."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import structlog

from mailer.app import App
from mailer.errors import ConfigurationError, MailerError
from mailer.publication import Publication
from mailer.schedule.jobs import LOUD, Jobs, Runner, TickReport
from mailer.schedule.lease import Lease
from mailer.schedule.runs import FINAL
from mailer.usecases import retention, slots
from mailer.usecases.confirming import Confirmer
from mailer.usecases.rereading import Rereading
from mailer.usecases.retelling import tell_again
from mailer.usecases.scheduled import Scheduled

log = structlog.get_logger()


def make_runner(app: App, *, is_alone: bool = True) -> Runner:
    """Wire the scheduler to the work.

    Args:
        app: the publication.
        is_alone: each look tries again what is due as well; False where ``looking_after`` is done
            by another process.
    """
    stop = threading.Event()
    lease = Lease(app.database, app.clock)

    def should_stop() -> bool:
        return stop.is_set() or lease.is_lost

    work = Scheduled(app, should_stop)
    look_after = looking_after(app, should_stop)

    def retry() -> str:
        for trouble in slots.watch_approved(app):
            log.error("approval.void", why=trouble)
        tell_again(app, should_stop=should_stop)
        return look_after() if is_alone else ""

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
        reread=Rereading(app),
    )


def looking_after(app: App, should_stop: Callable[[], bool]) -> Callable[[], str]:
    """Return what is done again and again beside the schedule: confirmations, retries, pruning."""
    confirm = _confirming(app, should_stop)

    def prune() -> None:
        try:
            done = retention.prune_daily(app)
        except MailerError as error:
            # What could not go today goes tomorrow; mail does not wait for it.
            log.warning("retention.failed", why=str(error))
            return
        if done and (what := retention.sentence(done)):
            log.info("retention.pruned", what=what)

    def look() -> str:
        confirm()
        prune()
        return slots.retry_due(app, should_stop=should_stop)

    return look


def _confirming(app: App, should_stop: Callable[[], bool]) -> Callable[[], None]:
    """Return what mails the confirmations that are due; templates are read the first time."""

    made: list[tuple[Publication, Confirmer]] = []

    def confirmer() -> Confirmer:
        if not made or made[0][0] is not app.publication:
            made[:] = [(app.publication, Confirmer(app))]
        return made[0][1]

    def confirm() -> None:
        try:
            trouble = confirmer().send_due(should_stop=should_stop).trouble
        except (MailerError, ConfigurationError) as error:
            # An issue under way does not wait for a template or a relay of the confirmation.
            trouble = str(error)
        # The same words at every look would drown the log.
        if trouble and trouble != said[0]:
            log.warning("confirmations.trouble", why=trouble)
        said[0] = trouble

    said = [""]
    return confirm


def tick(app: App) -> dict[str, Any]:
    """Look once: do all that is due, and return what was done."""
    start_log(app)
    for fault in app.faults_before_sending():
        log.warning("cannot.send", why=str(fault))
    runner = make_runner(app)
    try:
        return _report_data(runner.tick())
    finally:
        runner.close()


def _report_data(report: TickReport) -> dict[str, Any]:
    return {
        "at": report.now,
        "is_leader": report.is_leader,
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
        "ingested": report.ingested,
        # A reminder that came too late is no reason to call anybody.
        "is_all_done": not report.is_ingest_failed
        and not any(slot.job in LOUD for slot in report.missed)
        and all(result.state in FINAL for result in report.results),
    }


def start_log(app: App, *, part: str = "") -> None:
    """Log to standard error, as text for a person or as JSON lines for a collector.

    Args:
        app: whose settings say how.
        part: the part of the service that speaks; it stands in every line.
    """
    form = app.settings.log_format
    is_json = form == "json" or (form == "auto" and not sys.stderr.isatty())

    def named(_logger: Any, _method: str, event: Any) -> Any:
        if part:
            event.setdefault("part", part)
        return event

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            named,
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
