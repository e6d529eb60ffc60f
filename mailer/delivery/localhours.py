"""Readers' own hours: a planned delivery waits until the reader's clocks show the region's hour.

It only ever waits: nobody gets an issue before their region does, so whoever lives east of it gets
it with the region, and whoever lives west when their own morning comes. A zone that nobody knows is
no reason to wait.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update

from mailer.audience.subscriber import TIME_ZONE
from mailer.storage.database import Database
from mailer.storage.schema import deliveries, subscribers

_ROWS = deliveries.c


def wait_for_local_hour(
    database: Database,
    issue_id: str,
    region: str,
    *,
    at: datetime,
    local: Callable[[str], datetime | None],
) -> int:
    """Put off what was planned for a region's hour to the readers' own; count what was.

    Args:
        database: the ledger's.
        issue_id: whose plan.
        region: whose readers.
        at: the region's instant, for which they were planned.
        local: a zone's name to the instant of the hour there; None for what is no zone.
    """
    count = 0
    with database.write() as connection:
        for zone in _zones(connection, issue_id, region, at):
            later = local(zone)
            if later is not None and later > at:
                count += connection.execute(
                    update(deliveries)
                    .where(_ROWS.id.in_(_planned(issue_id, region, at, zone)))
                    .values(due_at=later, dated_at=later)
                ).rowcount
    return count


def _zones(connection: Connection, issue_id: str, region: str, at: datetime) -> list[str]:
    statement = _planned(issue_id, region, at).with_only_columns(_zone()).distinct()
    return sorted(zone for zone in connection.execute(statement).scalars() if zone)


def _planned(issue_id: str, region: str, at: datetime, zone: str = "") -> Select[Any]:
    statement = (
        select(_ROWS.id)
        .join(subscribers, subscribers.c.id == _ROWS.subscriber_id)
        .where(_ROWS.issue_id == issue_id, _ROWS.region == region, _ROWS.due_at == at)
        .where(_ROWS.state == "planned", _ROWS.attempts == 0)
    )
    return statement.where(_zone() == zone) if zone else statement


def _zone() -> Any:
    return subscribers.c.fields[TIME_ZONE].as_string()
