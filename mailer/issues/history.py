"""What happened to an issue: facts that are appended and never changed.

Every fact is written in the transaction of what it tells of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from mailer.storage.schema import events


@dataclass(frozen=True, slots=True)
class Event:
    """An append-only fact about an issue; ``at`` is aware UTC, ``detail`` is JSON."""

    at: datetime
    kind: str
    issue_id: str
    region: str
    by: str
    detail: dict[str, Any]


def note_event(
    connection: Connection,
    at: datetime,
    kind: str,
    issue_id: str,
    *,
    region: str = "",
    by: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append a fact about an issue; ``at`` is aware UTC."""
    connection.execute(
        insert(events).values(
            at=at,
            kind=kind,
            issue_id=issue_id,
            region=region,
            by=by,
            detail=dict(detail or {}),
        )
    )


def read_events(connection: Connection, issue_id: str) -> list[Event]:
    """Return an issue's history, oldest first."""
    query = select(events).where(events.c.issue_id == issue_id).order_by(events.c.id)
    return [
        Event(row.at, row.kind, row.issue_id, row.region, row.by, row.detail)
        for row in connection.execute(query)
    ]


def last_event(connection: Connection, kind: str) -> tuple[datetime | None, dict[str, Any]]:
    """Return when a thing that is no issue's, such as a backup, last happened, and its detail."""
    query = select(events.c.at, events.c.detail).where(events.c.issue_id == "")
    newest = query.where(events.c.kind == kind).order_by(events.c.at.desc()).limit(1)
    row = connection.execute(newest).first()
    return (row.at, row.detail) if row else (None, {})
