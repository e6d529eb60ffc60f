"""What there is and what comes next; quick, because it renders and sends nothing."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

from mailer.almanac import long_date
from mailer.app import App
from mailer.issues.issue import IssueState, is_correction, issue_day
from mailer.localtime import first_instant, last_send_at
from mailer.schedule.calendar import AROUND, upcoming
from mailer.schedule.runs import Runs
from mailer.timetable import HORIZON, is_issue_day, issue_days, told


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


def unscheduled(app: App, name: str) -> str:
    """Return ``no issue on Tuesday 1 December 2026 (every Monday)``; "" for a day that has one."""
    schedule, day = app.publication.schedule, issue_day(name)
    return "" if is_issue_day(schedule, day) else f"no issue on {long_date(day)} ({schedule.words})"


def outlook(app: App, name: str) -> str:
    """Say who sends an issue, in a sentence: the schedule at its hour, or a person."""
    by_hand = f"`mailer send {name}` sends it; the schedule does not"
    if is_correction(name):
        return f"{by_hand}: a correction has no hour."
    day = issue_day(name)
    if off := unscheduled(app, name):
        return f"{by_hand}: it has {off}."
    late = timedelta(hours=app.publication.schedule.late_hours)
    if app.clock.now() > last_send_at(app.publication, day) + late:
        return f"{by_hand} any more: its hour is past."
    return f"`mailer send {name}` sends it now; `mailer run` sends it at its hour."


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
