"""What there is and what comes next; quick, because it renders and sends nothing."""

from __future__ import annotations

from typing import Any

from mailer.app import App
from mailer.schedule.calendar import upcoming


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


def schedule_data(app: App, count: int) -> list[dict[str, Any]]:
    """Return what happens next, soonest first, with the state of the issue concerned."""
    states = {record.id: str(record.state) for record in app.archive.records()}
    return [
        {
            "job": slot.job,
            "region": slot.region,
            "local": slot.local,
            "zone": app.region(slot.region).time_zone if slot.region else app.publication.time_zone,
            "utc": slot.utc,
            "issue": slot.issue_id,
            "state": states.get(slot.issue_id, "not drafted"),
        }
        for slot in upcoming(app.publication, app.clock.now(), count)
    ]
