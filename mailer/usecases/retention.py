"""Retention: what is not needed any more goes, by hand or once a day; totals stay.

Sign-ups that nobody confirmed within ``pending_days`` are forgotten, and the deliveries of issues
older than ``ledger_days`` become totals (``[audience]`` in ``publication.toml``). The events that
say when articles were taken in go after ``LOOK_DAYS``, but for the newest. ``mailer run`` does it
at its first look of a UTC day; an event says that it did.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, select

from mailer.app import App
from mailer.audience.lapsing import (
    BATCH,
    Lapsed,
    count_pending,
    drop_confirmations,
    lapse_pending,
)
from mailer.audience.turns import in_turn
from mailer.delivery.pruning import old_issues, prune_issue
from mailer.storage import schema
from mailer.usecases.sourcing import INGESTED

KIND = "retention.pruned"

LOOK_DAYS = 30
"""So long it can be looked up when articles were taken in; once an hour is 720 rows a month."""


def prune(app: App, *, is_dry_run: bool = False) -> dict[str, Any]:
    """Let go of what is older than the publication keeps it; say in figures what went.

    A dry run counts and changes nothing.
    """
    policy, now = app.publication.audience, app.clock.now()
    waited_since = now - timedelta(days=policy.pending_days)
    changed_before = now - timedelta(days=policy.ledger_days)
    old = old_issues(app.database, before=changed_before)
    stale = _stale_looks(now)
    if is_dry_run:
        with app.database.read() as connection:
            sign_ups = count_pending(connection, before=waited_since, now=now)
            confirmations = drop_confirmations(connection, before=waited_since, is_dry_run=True)
            looks = connection.execute(
                select(func.count()).select_from(schema.events).where(stale)
            ).scalar_one()
        gone = [(issue.id, issue.count) for issue in old]
        people = 0
    else:
        sign_ups, people = _lapse(app, waited_since, now)
        with in_turn(app.database) as connection:
            confirmations = drop_confirmations(connection, before=waited_since)
        with app.database.write() as connection:
            looks = connection.execute(delete(schema.events).where(stale)).rowcount
        gone = [(issue.id, prune_issue(app.database, issue.id)) for issue in old]
    done = {
        "sign_ups": sign_ups,
        "confirmations": confirmations,
        "looks": looks,
        "issues": [{"issue": issue_id, "deliveries": count} for issue_id, count in gone],
        "deliveries": sum(count for _issue, count in gone),
    }
    if is_dry_run:
        return {"dry_run": True} | done
    with app.database.write() as connection:
        connection.execute(
            insert(schema.events).values(
                at=now, kind=KIND, issue_id="", region="", by="", detail=done
            )
        )
    return {"dry_run": False, "people": people} | done


def prune_daily(app: App) -> dict[str, Any] | None:
    """Prune at the first look of a UTC day; None when it was done today."""
    events = schema.events
    midnight = datetime.combine(app.clock.now().astimezone(UTC).date(), time(), UTC)
    with app.database.read() as connection:
        done = connection.execute(
            select(func.count())
            .select_from(events)
            .where(events.c.issue_id == "", events.c.at >= midnight, events.c.kind == KIND)
        ).scalar_one()
    return None if done else prune(app)


def _stale_looks(now: datetime) -> ColumnElement[bool]:
    """Return the condition of an old event of taking articles in; the newest says when it was."""
    events = schema.events
    of_looks = (events.c.issue_id == "", events.c.kind == INGESTED)
    newest = select(func.max(events.c.id)).where(*of_looks).scalar_subquery()
    return and_(*of_looks, events.c.at < now - timedelta(days=LOOK_DAYS), events.c.id < newest)


def sentence(done: dict[str, Any]) -> str:
    """Say what a prune did; "" when there was nothing to do."""
    parts = [
        f"{done['sign_ups']} sign-ups that nobody confirmed" if done["sign_ups"] else "",
        f"{done['confirmations']} expired confirmations" if done["confirmations"] else "",
        f"{done['looks']} notes of taking articles in" if done["looks"] else "",
        f"{done['deliveries']} deliveries of {len(done['issues'])} old issues"
        if done["deliveries"]
        else "",
    ]
    return ", ".join(part for part in parts if part)


def _lapse(app: App, before: datetime, now: datetime) -> tuple[int, int]:
    batches: list[Lapsed] = []
    while not batches or batches[-1].count == BATCH:
        with in_turn(app.database) as connection:
            batches.append(lapse_pending(connection, before=before, now=now))
    return sum(each.count for each in batches), sum(each.people for each in batches)
