"""What there is and what comes next; quick, because it renders and sends nothing."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from mailer.app import App
from mailer.issues.issue import IssueState
from mailer.localtime import first_instant
from mailer.schedule.calendar import AROUND, upcoming
from mailer.schedule.runs import Runs
from mailer.timetable import HORIZON, issue_days, told


def issues_data(app: App) -> list[dict[str, Any]]:
    """Return every issue's row, newest first."""
    return [
        {
            "id": record.id,
            "number": record.number,
            "state": record.state,
            "approved_by": record.approved_by,
            "approved_at": record.approved_at,
            "checksum": record.checksum,
        }
        for record in app.desk.issues()
    ]


def schedule_data(app: App, count: int, *, until: date | None = None) -> list[dict[str, Any]]:
    """Return what happens next, soonest first, with the state of the issue concerned.

    Nothing happens to a cancelled issue.

    Args:
        app: the publication.
        count: how many at most.
        until: nothing after that day, by the publication's calendar.
    """
    states = {record.id: str(record.state) for record in app.archive.records()}
    cancelled = {name for name, state in states.items() if state == IssueState.CANCELLED}
    now, publication = app.clock.now(), app.publication
    end = None if until is None else first_instant(until, time.max, publication.time_zone)
    moved = {
        day.date.isoformat(): told(day)
        for day in issue_days(publication.schedule, now.date() - AROUND, now.date() + HORIZON)
        if day.instead_of is not None
    }
    return [
        {
            "job": slot.job,
            "region": slot.region,
            "local": slot.local,
            "zone": app.region(slot.region).time_zone if slot.region else app.publication.time_zone,
            "utc": slot.utc,
            "issue": slot.issue_id,
            "state": "" if slot.job == "holiday" else states.get(slot.issue_id, "not drafted"),
            "note": slot.note or moved.get(slot.issue_id, ""),
        }
        for slot in upcoming(publication, now, count, until=end, besides=cancelled)
    ]


def past_data(app: App, count: int) -> list[dict[str, Any]]:
    """Return what became of the latest slots, newest first."""
    return [
        {
            "job": run.job,
            "region": run.region,
            "issue": run.issue_id,
            "due": run.slot_at,
            "state": run.state,
            "at": run.updated_at,
            "note": run.note,
        }
        for run in Runs(app.database, app.clock).latest(count)
    ]
