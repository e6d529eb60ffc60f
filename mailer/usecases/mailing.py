"""Sending an issue: plan, send, say what became of it; and the same on the schedule.

An approved issue is compared with what was approved before its first message leaves; from then
on the frozen editions are what is sent, whatever happens to the files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mailer.app import App
from mailer.audience.turns import in_turn
from mailer.delivery.delivery import DeliveryState
from mailer.delivery.frozen import FrozenEdition
from mailer.delivery.message import CompiledEdition, compile_edition
from mailer.delivery.ordering import Order
from mailer.delivery.pacing import DomainLimit, WarmUp
from mailer.delivery.planning import plan
from mailer.delivery.pruning import pruned_summary, require_ledger
from mailer.delivery.sending import Pulse, Sender, SendPolicy, SendReport
from mailer.errors import ConfigurationError, Fault, IllegalTransition, NotFound
from mailer.issues.issue import IssueState, next_state
from mailer.localtime import send_at
from mailer.publication import Publication
from mailer.usecases.addressing import (
    approved_audience,
    approved_correction,
    approved_segment,
    audience_of,
)
from mailer.usecases.alarm import alerts, raise_alert
from mailer.usecases.editing import require_not_paused, standing_order
from mailer.usecases.mornings import wait_for_mornings
from mailer.usecases.readers import fields_of
from mailer.usecases.segmenting import fields_nobody_has
from mailer.usecases.sign_off import require_unchanged

Progress = Callable[[int, int], None]
Question = Callable[[], bool]

WAIT_S = 7 * 24 * 3600.0
"""With ``--wait``: longer than any retry policy keeps trying."""

SATISFIED = frozenset({"accepted", "skipped", "bounced", "complained"})
"""States in which a reader has it, or left before it went."""

ROUNDS = 3
"""How often a command plans again for who joined or moved while it was sending."""


def send(
    app: App,
    name: str,
    *,
    regions: Sequence[str] | None = None,
    is_waiting: bool = False,
    progress: Progress | None = None,
    watch: Callable[[Pulse], None] | None = None,
    on_pause: Callable[[Order], None] | None = None,
    should_stop: Question | None = None,
) -> dict[str, Any]:
    """Send an approved issue now; safe to call again whatever happened before.

    Returns:
        ``summary`` with ``stopped``: why it ended early, "" when it did not.

    Raises:
        ConfigurationError: something that sending needs is missing.
        IllegalTransition: it is not approved, or changed since; or another process is sending.
    """
    if not is_waiting:
        require_not_paused(app, name)
    # None means every region that was approved, even one the publication no longer has.
    named = [region.slug for region in app.regions(list(regions))] if regions else None
    wanted = named or list(app.archive.editions(name)) or list(app.publication.region_map)
    for _ in range(ROUNDS):
        report = send_regions(
            app,
            name,
            due_at=dict.fromkeys(wanted, app.clock.now()),
            wait_s=WAIT_S if is_waiting else 0,
            progress=progress,
            watch=watch,
            on_pause=on_pause or (lambda _order: None),
            should_stop=should_stop,
        )
        due = app.ledger.next_due_at(name, regions=wanted, may_resend=False)
        is_early = report.trouble or report.was_stopped or report.order
        if is_early or due is None or due > app.clock.now():
            break
    is_early = report.trouble or report.was_stopped or report.order
    return summary(app, name) | {"stopped": report.sentence() if is_early else ""}


def send_regions(
    app: App,
    name: str,
    *,
    due_at: Mapping[str, datetime],
    wait_s: float = 0,
    progress: Progress | None = None,
    watch: Callable[[Pulse], None] | None = None,
    on_pause: Callable[[Order], None] | None = None,
    should_stop: Question | None = None,
) -> SendReport:
    """Plan the regions whose readers are due and send; everything that can fail comes first."""
    faults = app.faults_before_sending()
    if faults:
        raise ConfigurationError(faults)
    record = app.desk.record(name)
    next_state(record.state, "send", issue_id=name)
    if record.state in (IssueState.APPROVED, IssueState.SCHEDULED):
        require_unchanged(app, name)
    editions = frozen_editions(app, name)
    wanted = {slug: at for slug, at in due_at.items() if slug in editions}
    if not wanted:
        raise NotFound(
            Fault(
                f"issue {name} was approved without an edition for {', '.join(due_at)}",
                remedy="the next issue will have one",
            )
        )
    sender = make_sender(app, editions)

    def begin() -> None:
        # The turn comes before any row's lock, or two of them could wait for each other.
        with in_turn(app.database):
            order = app.ledger.order(name)
            if order and order.word == "cancel":
                # A cancelled issue that came this far was reopened since.
                app.ledger.reopen(name)
            app.archive.transition(name, "send")
            if app.archive.record(name).checksum != record.checksum:
                raise IllegalTransition(
                    f"issue {name} was approved anew just now; run the command again"
                )
            plan_regions(app, name, wanted)

    report = sender.run(
        name,
        regions=list(wanted),
        wait_s=wait_s,
        prepare=begin,
        progress=progress,
        watch=watch,
        on_pause=on_pause,
        should_stop=should_stop,
    )
    conclude(app, name, report)
    return report


def plan_regions(app: App, name: str, due_at: Mapping[str, datetime]) -> int:
    """Plan for everybody who is due in these regions; return how many deliveries are new."""
    columns: set[str] = set()
    editions = {region: kept.edition for region, kept in frozen_editions(app, name).items()}
    for edition in editions.values():
        columns |= edition.columns
    # Beside an erasure, a plan could write an address down after the ledger was gone through.
    with in_turn(app.database):
        require_ledger(app.database, name)
        if columns:
            app.ledger.forget_fields(name)
        audience = approved_audience(app, name)
        report = plan(app.ledger, issue_id=name, recipients=audience, due_at=due_at)
        wait_for_mornings(app, name, due_at)
        app.ledger.keep_fields(name, columns)
        for region in due_at:
            if region in editions:
                app.ledger.withhold(name, region, editions[region].separable)
            app.archive.note(PLANNED, name, region=region)
    return report.planned_count


def frozen_editions(app: App, name: str) -> dict[str, FrozenEdition]:
    """Return what was frozen at the approval of an issue, by region."""
    return {
        region: FrozenEdition.from_json(content)
        for region, content in app.archive.editions(name).items()
    }


def make_sender(app: App, editions: Mapping[str, FrozenEdition]) -> Sender:
    """Return a sender; a bad key, certificate or edition shows now and not half-way."""
    compiled: dict[str, CompiledEdition] = {
        region: compile_edition(frozen.edition, frozen.head, signer=app.signer)
        for region, frozen in editions.items()
    }
    fields = {
        region: fields_of(app, frozen.web_url, frozen.edition.greeting)
        for region, frozen in editions.items()
    }
    routes = app.relays.routes()
    for route in routes:
        route.relay()
    return Sender(
        ledger=app.ledger,
        database=app.database,
        routes=routes,
        register=app.register,
        edition=compiled.__getitem__,
        fields=lambda item: fields[item.region](item),
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


def conclude(app: App, name: str, report: SendReport) -> None:
    """Note after a run which lists have been shown what, and call the issue sent when it is.

    A list has been shown an edition once a first message of it was accepted. An issue is sent when
    every region was planned and nothing is left; whoever joined or moved meanwhile is planned
    then, once more for all, so that a late reader neither is lost nor keeps the issue open.
    """
    editions = frozen_editions(app, name)
    counts = app.ledger.summary(name)
    for region, states in counts.items():
        if states.get(DeliveryState.ACCEPTED) and region in editions:
            app.archive.expose(name, region, editions[region].edition.article_ids)
    if report.trouble is None and pauses(app, name):
        app.archive.note(RESUMED, name)
    if report.trouble is not None and report.trouble.is_lasting:
        report.alert = raise_alert(
            app, name, report.trouble, left=report.left, tries_at=asked_again_at(app, name)
        )
    with app.database.write():
        if app.archive.record(name).state is not IssueState.SENDING:
            return
        if app.ledger.open_count(name) or set(editions) - _planned(app, name):
            return
        if not plan_regions(app, name, dict.fromkeys(editions, app.clock.now())):
            app.archive.transition(name, "finish")


PLANNED, APPROVED, PAUSED, RESUMED = "plan", "approve", "send.paused", "send.resumed"
"""Kinds of events this module reads back."""


def _planned(app: App, name: str) -> set[str]:
    """Return the regions planned since the issue was last approved."""
    regions: set[str] = set()
    for event in app.archive.events(name):
        if event.kind == APPROVED:
            regions.clear()
        elif event.kind == PLANNED:
            regions.add(event.region)
    return regions


def pauses(app: App, name: str) -> list[datetime]:
    """Return when sending ran into a lasting trouble since it last went well."""
    at: list[datetime] = []
    for event in app.archive.events(name):
        if event.kind in (RESUMED, APPROVED):
            at.clear()
        elif event.kind == PAUSED and event.detail.get("is_lasting"):
            at.append(event.at)
    return at


def asked_again_at(app: App, name: str) -> datetime | None:
    """Return until when the scheduler leaves an issue alone, past or future; None when nothing is.

    A relay that objects to the sender is not asked again every minute: the pause grows like a
    delivery's delay. `mailer send` by hand does not wait.
    """
    stops = pauses(app, name)
    if not stops:
        return None
    retry = app.publication.retry
    minutes = min(
        retry.first_delay_minutes * retry.factor ** min(len(stops) - 1, 32),
        retry.longest_delay_minutes,
    )
    return stops[-1] + timedelta(minutes=minutes)


def send_plan(app: App, name: str, regions: Sequence[str] | None) -> dict[str, Any]:
    """Say who would get what, writing nothing.

    For an issue that is not approved the subject is the file's; for others it is what was frozen.
    """
    record = app.desk.record(name)
    require_ledger(app.database, name)
    issue = app.desk.load(name)
    frozen = frozen_editions(app, name) if record.checksum else {}
    wanted = app.regions(list(regions) if regions else None)
    readers: dict[str, list[dict[str, str]]] = {region.slug: [] for region in wanted}
    segment = approved_segment(app, name) if record.checksum else issue.audience
    corrects = approved_correction(app, name) if record.checksum else issue.corrects
    with app.database.read() as connection:
        for slug, statement in audience_of(app, segment, corrects).items():
            if slug in readers:
                readers[slug] = [
                    {"address": address, "name": called}
                    for _number, address, called in connection.execute(statement)
                ]
    had = {delivery.address for delivery in app.ledger.deliveries(name)}
    rows = []
    total = 0
    for region in wanted:
        left = [reader for reader in readers[region.slug] if reader["address"] not in had]
        at = send_at(app.publication, region, issue.date)
        total += len(left)
        rows.append(
            {
                "region": region.slug,
                "subject": frozen[region.slug].edition.subject
                if region.slug in frozen
                else issue.subject,
                "where": region.where,
                "send_at": at,
                "send_at_local": f"{at.astimezone(ZoneInfo(region.time_zone)):%a %d %b %H:%M}",
                "done": len(readers[region.slug]) - len(left),
                "readers": left,
            }
        )
    return {
        "issue": name,
        "state": record.state,
        "audience": segment,
        "unknown_fields": fields_nobody_has(app, segment),
        "total": total,
        "regions": rows,
    }


def summary(app: App, name: str) -> dict[str, Any]:
    """Return what the ledger says of an issue, per region and in all."""
    record = app.desk.record(name)
    found = app.ledger.summary(name)
    for slug, pruned in pruned_summary(app.database, name).items():
        found[slug] = dict(Counter(found.get(slug, {})) + Counter(pruned))
    totals: Counter[str] = Counter()
    for states in found.values():
        totals.update({state.value: count for state, count in states.items()})
    order = list(app.publication.region_map)
    slugs = sorted(found, key=lambda slug: order.index(slug) if slug in order else len(order))
    is_open = app.ledger.open_count(name)
    may_resend = app.publication.retry.in_doubt == "resend"
    return {
        "issue": name,
        "state": record.state,
        "total": sum(totals.values()),
        "totals": dict(totals),
        "is_finished": not is_open and not set(totals) - SATISFIED,
        "next_due_at": app.ledger.next_due_at(name, may_resend=may_resend) if is_open else None,
        "regions": [
            {
                "region": slug,
                "total": sum(found[slug].values()),
                "states": {state.value: count for state, count in found[slug].items()},
            }
            for slug in slugs
        ],
        "troubles": _troubles(app, name),
        "alerts": alerts(app, name),
        "misdated": app.ledger.misdated(app.publication.retry, issue_id=name),
        "order": standing_order(app, record),
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
