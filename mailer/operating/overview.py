"""What an operator wants to see at once: what comes next, what is under way, what went wrong."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from mailer.app import App
from mailer.issues.history import last_event
from mailer.operating.backing_up import MADE
from mailer.operating.readiness import silence
from mailer.schedule.runs import Runs, RunState
from mailer.storage.schema import (
    CLAIMED,
    WAITING,
    confirmations,
    deliveries,
    events,
    leases,
    sign_ups,
)
from mailer.usecases.agenda import schedule_data
from mailer.usecases.editing import standing_order, voided
from mailer.usecases.slots import paused_until

ISSUES = 5
ERRORS = 5
LOOK_BACK = timedelta(days=8)
AHEAD = 60
"""Slots to look through for the next sending of every region."""


def overview(app: App) -> dict[str, Any]:
    """Return the state of everything; reads only, and cheaply."""
    now = app.clock.now()
    with app.database.read() as connection:
        backup_at, _made = last_event(connection, MADE)
    return {
        "publication": app.publication.title,
        "at": now,
        "service": _service(app, now),
        "next": _next(app),
        "issues": _issues(app),
        "queue": _queue(app, now),
        "errors": _errors(app, now),
        "backup_at": backup_at,
    }


def _service(app: App, now: datetime) -> dict[str, Any]:
    runs = Runs(app.database, app.clock)
    beat = runs.last_beat()
    with app.database.read() as connection:
        row = connection.execute(
            select(leases.c.holder, leases.c.expires_at).where(leases.c.name == "scheduler")
        ).first()
    is_held = row is not None and bool(row.holder) and row.expires_at > now
    host, _, rest = (row.holder if is_held and row else "").partition(":")
    return {
        "last_look_at": beat,
        "trouble": "" if runs.unfinished() else silence(beat, now),
        "holder": f"{host}, process {rest.partition(':')[0]}" if is_held else "",
    }


def _next(app: App) -> list[dict[str, Any]]:
    """Return the next sending of every region, those of one hour together, and the next draft."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    seen: set[tuple[str, str]] = set()
    for row in schedule_data(app, AHEAD):
        if row["job"] not in {"draft", "send", "approve"} or (row["job"], row["region"]) in seen:
            continue
        seen.add((row["job"], row["region"]))
        key = (row["job"], row["utc"], row["local"].isoformat(), row["zone"])
        entry = found.setdefault(key, {**row, "regions": []})
        entry.pop("region", None)
        if row["region"]:
            entry["regions"].append(row["region"])
    return list(found.values())


def _issues(app: App) -> list[dict[str, Any]]:
    rows = []
    for record in app.desk.issues()[:ISSUES]:
        totals: dict[str, int] = {}
        for states in app.ledger.summary(record.id).values():
            for state, count in states.items():
                totals[state.value] = totals.get(state.value, 0) + count
        rows.append(
            {
                "id": record.id,
                "state": record.state,
                "total": sum(totals.values()),
                "totals": totals,
                "order": standing_order(app, record),
                "voided": asdict(found) if (found := voided(app, record)) else None,
                "asked_again_at": paused_until(app, record.id),
            }
        )
    return rows


def _queue(app: App, now: datetime) -> dict[str, Any]:
    table = deliveries.c
    counts = {"planned": 0, "claimed": 0, "deferred": 0, "in_doubt": 0}
    with app.database.read() as connection:
        for condition in (WAITING, CLAIMED):
            found = connection.execute(
                select(table.state, func.count()).where(text(condition)).group_by(table.state)
            )
            counts.update({str(state): count for state, count in found})
        again = select(func.count(), func.min(table.due_at)).where(
            text(WAITING), table.state.in_(("deferred", "in_doubt"))
        )
        _waiting, next_at = connection.execute(again).one()
        due = connection.execute(again.where(table.due_at <= now)).one()[0]
        asked = connection.execute(select(func.count()).select_from(sign_ups)).scalar()
        unsent = connection.execute(
            select(func.count()).where(confirmations.c.due_at.is_not(None))
        ).scalar()
    return {
        **counts,
        "retries_due": due,
        "next_retry_at": next_at,
        "sign_ups": asked,
        "confirmations": unsent,
    }


def _errors(app: App, now: datetime) -> list[dict[str, Any]]:
    """Return what went wrong lately, newest first: slots, and what relays said."""
    bad = (RunState.HELD, RunState.FAILED, RunState.MISSED)
    grouped: dict[tuple[str, ...], dict[str, Any]] = {}
    for run in Runs(app.database, app.clock).latest(200):
        if run.state in bad and run.slot_at > now - LOOK_BACK:
            key = (run.job, run.issue_id, run.state.value, run.note)
            what = f"{run.job} {run.issue_id} {run.state.value}"
            entry = grouped.setdefault(key, {"at": run.updated_at, "what": what, "why": run.note})
            entry["at"] = max(entry["at"], run.updated_at)
    with app.database.read() as connection:
        rows = connection.execute(
            select(events)
            .where(events.c.kind.in_(("alert.raised", "relay.failed", "alert.failed")))
            .where(events.c.at > now - LOOK_BACK)
            .order_by(events.c.at.desc())
        )
        for row in rows:
            why = row.detail.get("problem") or row.detail.get("why") or ""
            what = f"{row.kind} {row.issue_id}".strip()
            # What is tried again and fails for the same reason is one error, as of its last time.
            grouped.setdefault((what, why), {"at": row.at, "what": what, "why": why})
    return sorted(grouped.values(), key=lambda entry: entry["at"], reverse=True)[:ERRORS]
