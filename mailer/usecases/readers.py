"""What is known of readers, for a person to look at, and the values of a reader's slots."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mailer.app import App
from mailer.audience import roster_export
from mailer.audience.addresses import normalise
from mailer.audience.basis import lawful_basis
from mailer.audience.erasure import erased_among
from mailer.audience.import_report import ImportReport
from mailer.audience.segments import compile_segment, read_where
from mailer.audience.subscriber import SubscriptionState
from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.delivery.pruning import pruned_summary
from mailer.editions.edition import greeting
from mailer.errors import NotFound
from mailer.issues.issue import is_correction
from mailer.usecases.editing import login_name

Progress = Callable[..., None]


def reader_fields(app: App, delivery: Delivery, *, web_url: str) -> dict[str, str]:
    """Return the values of a reader's slots; the links carry signed tokens, never the address.

    Args:
        app: whose secret signs.
        delivery: the reader's.
        web_url: the address that was approved with the edition.
    """
    return fields_of(app, web_url)(delivery)


def fields_of(
    app: App, web_url: str, greet: Callable[[str], str] = greeting
) -> Callable[[Delivery], dict[str, str]]:
    """Return what gives a reader's slots; made once for all readers of an edition.

    Args:
        greet: how the edition addresses a reader of that name.
    """
    sign = app.tokens.unsubscribe
    unsubscribe, preferences = f"{web_url}/unsubscribe/", f"{web_url}/preferences/"
    issues = f"{web_url}/issues/"

    def fields(delivery: Delivery) -> dict[str, str]:
        token = sign(delivery.subscriber_id, delivery.region)
        return {
            "name": delivery.name or "reader",
            "greeting": greet(delivery.name),
            "address": delivery.address,
            "unsubscribe_url": unsubscribe + token,
            "preferences_url": preferences + token,
            "view_online_url": f"{issues}{delivery.issue_id}/{delivery.region}",
        }

    return fields


def import_roster(
    app: App, file: Path, region: str, *, basis: str, by: str, is_dry_run: bool, progress: Progress
) -> ImportReport:
    """Take one roster in; ``basis`` is a word of article 6 of the GDPR."""
    slug = app.region(region).slug
    return app.rosters.take(
        file, slug, lawful_basis(basis), by=by, is_dry_run=is_dry_run, progress=progress
    )


def import_rosters(
    app: App, *, basis: str, by: str, is_dry_run: bool, progress: Progress
) -> list[ImportReport]:
    """Take in every region's own roster."""
    return app.rosters.take_every(
        app.root, lawful_basis(basis), by=by, is_dry_run=is_dry_run, progress=progress
    )


def imports_data(app: App, limit: int) -> list[dict[str, Any]]:
    """Return the rosters that were taken in, the newest first."""
    return [
        {
            "at": past.at,
            "region": past.region,
            "file": past.file,
            "exporter": past.exporter,
            "basis": past.basis,
            "by": past.by,
            "rows": past.rows,
            **past.counts,
        }
        for past in app.rosters.past(limit=limit)
    ]


def export_roster(
    app: App, region: str, out: Path | None, *, state: str = "confirmed", where: str = ""
) -> int:
    """Write a region's readers to a file, or to standard output; return how many.

    ``state`` is one of a subscription's, or ``all``; ``where`` narrows them to a segment. The
    file appears whole or not at all.
    """
    slug = app.region(region).slug
    node = read_where(where, tuple(app.publication.region_map)) if where else None
    narrowed = None if node is None else compile_segment(node)
    erased = partial(erased_among, pepper=app.pepper)
    wanted = None if state == "all" else SubscriptionState(state)
    if out is None:
        return roster_export.export_roster(
            app.database, slug, sys.stdout, state=wanted, narrowed=narrowed, erased=erased
        )
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="") as handle:
            count = roster_export.export_roster(
                app.database, slug, handle, state=wanted, narrowed=narrowed, erased=erased
            )
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return count


def subscribers_data(
    app: App, region: str | None, state: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return subscriptions, one row each, by address."""
    wanted = SubscriptionState(state) if state else None
    return [
        {
            "address": person.address,
            "name": person.name,
            "region": link.region,
            "state": link.state,
            "changed_at": link.changed_at,
            "source": link.source,
        }
        for person in app.register.list(region, wanted, limit)
        for link in person.subscriptions
        if region in (None, link.region) and wanted in (None, link.state)
    ]


def regions_data(app: App) -> list[dict[str, Any]]:
    """Return the publication's regions with their lists in figures."""
    counts = {count.region: count for count in app.register.counts()}
    return [
        {
            "slug": region.slug,
            "name": region.name,
            "list_id": region.list_id,
            "parent": region.parent,
            "reply_to": region.reply_to,
            "send_day": app.publication.schedule.words,
            "send_time": app.publication.send_time(region),
            "time_zone": region.time_zone,
            "confirmed": counts[region.slug].confirmed,
            "pending": counts[region.slug].pending,
            "unsubscribed": counts[region.slug].unsubscribed,
            "suppressed": counts[region.slug].suppressed,
            "recipients": counts[region.slug].recipients,
        }
        for region in app.regions(None)
    ]


def ledgered(app: App, name: str) -> str:
    """Return the id of the issue a person means; ``latest`` is the last one that has a ledger.

    While an issue goes out the next one may be a draft already, of which there is nothing to say.

    Raises:
        NotFound: it is none, or there is no issue yet.
    """
    if name == "latest":
        for record in app.desk.issues():
            if is_correction(record.id):
                continue
            if app.ledger.summary(record.id) or pruned_summary(app.database, record.id):
                return record.id
    return app.desk.resolve(name)


def in_state(app: App, issue_id: str, state: str) -> list[dict[str, Any]]:
    """Return an issue's deliveries in one state, by region and address, each with its reason."""
    return [
        {
            "address": delivery.address,
            "name": delivery.name,
            "region": delivery.region,
            "state": delivery.state,
            "attempts": delivery.attempts,
            "due_at": delivery.due_at,
            "updated_at": delivery.updated_at,
            "reply": _words(delivery) or delivery.note,
        }
        for delivery in app.ledger.deliveries(issue_id, state=DeliveryState(state))
    ]


def history(app: App, address: str, *, may_be_unknown: bool = False) -> list[dict[str, Any]]:
    """Return an address's deliveries with their attempts, newest first.

    Raises:
        NotFound: the ledger has none, unless ``may_be_unknown``.
    """
    wanted = normalise(address)
    found = app.ledger.history(wanted)
    if not found and not may_be_unknown:
        raise NotFound(f"nothing was ever planned for {wanted}")
    return [
        {
            "issue": delivery.issue_id,
            "region": delivery.region,
            "state": delivery.state,
            "attempts": delivery.attempts,
            "due_at": delivery.due_at,
            "updated_at": delivery.updated_at,
            "reply": _words(delivery) or delivery.note,
            "left_out": delivery.withheld.split(),
            "tries": [
                {
                    "number": attempt.number,
                    "ended_at": attempt.ended_at,
                    "verdict": attempt.verdict,
                    "reply": f"{attempt.reply.code} {attempt.reply.text}" if attempt.reply else "",
                    "note": attempt.note,
                }
                for attempt in attempts
            ],
        }
        for delivery, attempts in found
    ]


def _words(delivery: Delivery) -> str:
    return f"{delivery.reply.code} {delivery.reply.text}" if delivery.reply else ""


def resolve(app: App, name: str, address: str, step: str) -> None:
    """Settle one delivery in doubt by hand: ``accept``, ``cancel`` or ``resend``.

    Raises:
        NotFound: the address has no delivery in that issue.
        IllegalTransition: it is not in doubt.
    """
    wanted = normalise(address)
    found = [item for item, _tries in app.ledger.history(wanted) if item.issue_id == name]
    if not found:
        raise NotFound(f"issue {name} has no delivery to {wanted}")
    step = "defer" if step == "resend" else step
    app.ledger.resolve(found[0].id, step, why=f"settled by {login_name()}")
