"""Sending an issue: plan, send, say what became of it; and the same on the schedule.

An approved issue is compared with what was approved before its first message leaves; from then
on the frozen editions are what is sent, whatever happens to the files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from mailer.app import App
from mailer.delivery.message import CompiledEdition, compile_edition, letterhead
from mailer.delivery.ordering import MAILER, Order
from mailer.delivery.pacing import DomainLimit, WarmUp
from mailer.delivery.planning import plan
from mailer.delivery.sending import Pulse, Sender, SendPolicy, SendReport
from mailer.editions.edition import Edition
from mailer.errors import ConfigurationError
from mailer.issues.issue import IssueState, next_state
from mailer.publication import Publication
from mailer.schedule.calendar import send_at
from mailer.usecases.editing import require_unchanged
from mailer.usecases.readers import fields_of

Question = Callable[[], bool]

WAIT_S = 7 * 24 * 3600.0
"""With ``--wait``: longer than any retry policy keeps trying."""


def send(
    app: App,
    name: str,
    *,
    regions: Sequence[str] | None = None,
    is_waiting: bool = False,
    watch: Callable[[Pulse], None] | None = None,
    on_pause: Callable[[Order], None] | None = None,
    should_stop: Question | None = None,
) -> dict[str, Any]:
    """Send an approved issue now; safe to call again whatever happened before.

    Args:
        app: the publication.
        name: the issue's id.
        regions: only these; None for all.
        is_waiting: stay until every retry is settled.
        watch: told a few times a second how far it is.
        on_pause: told when somebody pauses it; it waits to be resumed then.
        should_stop: asked before each message.

    Returns:
        ``summary`` with ``stopped``: why it ended early, "" when it did not.

    Raises:
        ConfigurationError: something that sending needs is missing.
        IllegalTransition: it is not approved, or changed since; or another process is sending.
    """
    wanted = [region.slug for region in app.regions(list(regions) if regions else None)]
    now = app.clock.now()
    report = _send(
        app,
        name,
        due_at=dict.fromkeys(wanted, now),
        wait_s=WAIT_S if is_waiting else 0,
        is_by_person=True,
        on_pause=on_pause or (lambda _order: None),
        watch=watch,
        should_stop=should_stop,
    )
    is_early = report.trouble is not None or report.was_stopped or report.order is not None
    return summary(app, name) | {"stopped": report.sentence() if is_early else ""}


def _send(
    app: App,
    name: str,
    *,
    due_at: dict[str, datetime],
    wait_s: float = 0,
    is_by_person: bool = False,
    on_pause: Callable[[Order], None] | None = None,
    watch: Callable[[Pulse], None] | None = None,
    should_stop: Question | None = None,
) -> SendReport:
    faults = app.faults_before_sending()
    if faults:
        raise ConfigurationError(faults)
    record = app.desk.record(name)
    next_state(record.state, "send", issue_id=name)
    if record.state in (IssueState.APPROVED, IssueState.SCHEDULED):
        require_unchanged(app, name)
    order = app.ledger.order(name)
    if order and (order.word == "cancel" or (is_by_person and not order.is_by_person)):
        # A cancelled issue that came this far was reopened; and whoever sends by hand has mended
        # what the mailer paused it for.
        app.ledger.reopen(name)
    editions = frozen_editions(app, name)
    app.archive.transition(name, "send")
    for region in due_at:
        app.archive.expose(name, region, editions[region].article_ids)
    plan(app.ledger, issue_id=name, recipients=app.register.audience(), due_at=due_at)
    report = _sender(app, editions).run(
        name,
        regions=list(due_at),
        wait_s=wait_s,
        on_pause=on_pause if is_by_person else None,
        watch=watch,
        should_stop=should_stop,
    )
    pause_if_at_fault(app, report)
    finish_if_done(app, name)
    return report


def pause_if_at_fault(app: App, report: SendReport) -> None:
    """Pause an issue that a person has to mend something for; trying on would help nobody.

    `mailer issue resume` or `mailer send` lifts it.
    """
    if report.trouble is not None and report.trouble.is_lasting and report.order is None:
        app.ledger.pause(report.issue_id, by=MAILER, reason=str(report.trouble))
        if app.settings.alert_address:
            structlog.get_logger().error(
                "alert", to=app.settings.alert_address, issue=report.issue_id, why=report.sentence()
            )


def frozen_editions(app: App, name: str) -> dict[str, Edition]:
    """Return the editions of an issue as they were approved, by region."""
    return {
        region: Edition.from_json(content) for region, content in app.archive.editions(name).items()
    }


def _sender(app: App, editions: dict[str, Edition]) -> Sender:
    compiled: dict[str, CompiledEdition] = {}

    def edition(region: str) -> CompiledEdition:
        if region not in compiled:
            compiled[region] = compile_edition(
                editions[region],
                letterhead(app.publication, app.region(region)),
                signer=app.signer,
            )
        return compiled[region]

    return Sender(
        ledger=app.ledger,
        database=app.database,
        routes=app.routes(),
        register=app.register,
        edition=edition,
        fields=fields_of(app),
        clock=app.clock,
        policy=send_policy(app.publication),
        journal=app.root / "var" / "sending.journal",
    )


def send_policy(publication: Publication) -> SendPolicy:
    """Return how the publication wants its issues sent."""
    sending = publication.sending
    return SendPolicy(
        retry=publication.retry,
        domains={
            name: DomainLimit(limit.per_second, limit.at_once)
            for limit in sending.limits
            for name in limit.domains
        },
        domain_at_once=sending.domain_at_once,
        warm_up=WarmUp(**dict(sending.warm_up)),
        time_zone=publication.time_zone,
    )


def finish_if_done(app: App, name: str) -> None:
    """Call an issue sent when every region was planned and no delivery has work left."""
    if app.ledger.open_count(name):
        return
    everyone = dict.fromkeys(app.publication.region_map, app.clock.now())
    missing = plan(
        app.ledger,
        issue_id=name,
        recipients=app.register.audience(),
        due_at=everyone,
        is_dry_run=True,
    )
    if not missing.planned_count:
        app.archive.transition(name, "finish")


def send_plan(app: App, name: str, regions: Sequence[str] | None) -> dict[str, Any]:
    """Say who would get what, writing nothing.

    For an issue that is not approved the subject is the file's; for others it is what was frozen.
    """
    record = app.desk.record(name)
    subject = app.desk.load(name).subject
    frozen = frozen_editions(app, name) if record.checksum else {}
    wanted = app.regions(list(regions) if regions else None)
    readers: dict[str, list[dict[str, str]]] = {region.slug: [] for region in wanted}
    for who in app.register.recipients(only=list(readers)):
        readers[who.region].append({"address": who.address, "name": who.name})
    had = {delivery.address for delivery in app.ledger.deliveries(name)}
    rows = []
    total = 0
    for region in wanted:
        left = [reader for reader in readers[region.slug] if reader["address"] not in had]
        at = send_at(app.publication, region, date.fromisoformat(name))
        total += len(left)
        rows.append(
            {
                "region": region.slug,
                "subject": frozen[region.slug].subject if region.slug in frozen else subject,
                "send_at": at,
                "send_at_local": f"{at.astimezone(ZoneInfo(region.time_zone)):%a %d %b %H:%M}",
                "done": len(readers[region.slug]) - len(left),
                "readers": left,
            }
        )
    return {
        "issue": name,
        "state": record.state,
        "total": total,
        "regions": rows,
    }


def summary(app: App, name: str) -> dict[str, Any]:
    """Return what the ledger says of an issue, per region and in all."""
    record = app.desk.record(name)
    found = app.ledger.summary(name)
    totals: Counter[str] = Counter()
    for states in found.values():
        totals.update({state.value: count for state, count in states.items()})
    order = list(app.publication.region_map)
    slugs = sorted(found, key=lambda slug: order.index(slug) if slug in order else len(order))
    is_open = app.ledger.open_count(name)
    return {
        "issue": name,
        "state": record.state,
        "total": sum(totals.values()),
        "totals": dict(totals),
        "is_finished": not is_open,
        "next_due_at": app.ledger.next_due_at(name) if is_open else None,
        "regions": [
            {
                "region": slug,
                "total": sum(found[slug].values()),
                "states": {state.value: count for state, count in found[slug].items()},
            }
            for slug in slugs
        ],
        "troubles": _troubles(app, name),
        "order": str(said) if (said := app.ledger.order(name)) else "",
        "retries": asdict(app.ledger.retries(name, now=app.clock.now())),
        "domains": [
            {
                "domain": domain.name,
                "total": domain.total,
                "states": {state.value: count for state, count in domain.states.items()},
                "next_due_at": domain.next_due_at,
            }
            for domain in app.ledger.domains(name)
        ],
    }


def _troubles(app: App, name: str) -> list[dict[str, Any]]:
    return [
        {"reply": f"{state.value}: {reply}", "count": count}
        for state, reply, count in app.ledger.troubles(name)
    ]


def send_slots(
    app: App, name: str, regions: Sequence[str], *, should_stop: Question
) -> tuple[SendReport, str]:
    """Send the regions whose hour has come, dated at that hour; the scheduler's way in."""
    day = date.fromisoformat(name)
    due_at = {slug: send_at(app.publication, app.region(slug), day) for slug in regions}
    report = _send(app, name, due_at=due_at, should_stop=should_stop)
    counts = ", ".join(f"{count} {state.value}" for state, count in report.counts.items())
    return report, f"{counts or 'nobody to send to'}; {report.sentence()}"


def retry_due(app: App, *, should_stop: Question) -> str:
    """Try again what the ledger has due, in every issue under way; "" when there was nothing."""
    notes = []
    now = app.clock.now()
    for record in app.archive.records():
        if record.state is not IssueState.SENDING or should_stop():
            continue
        may_resend = app.publication.retry.in_doubt == "resend"
        due = app.ledger.next_due_at(record.id, may_resend=may_resend)
        if due is None or due > now or app.ledger.order(record.id):
            continue
        report = _sender(app, frozen_editions(app, record.id)).run(
            record.id, should_stop=should_stop
        )
        pause_if_at_fault(app, report)
        finish_if_done(app, record.id)
        notes.append(f"{record.id}: {report.sentence()}")
    return "; ".join(notes)
