"""A row of the ledger for a reader who has an issue, written without sending anything."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert

from mailer.storage.database import Database
from mailer.storage.schema import deliveries

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)


def accepted(database: Database, issue_id: str, region: str, *, state: str = "accepted") -> None:
    """Say that somebody in the region has the issue, or where else their delivery stands."""
    with database.write() as connection:
        connection.execute(
            insert(deliveries).values(
                issue_id=issue_id,
                region=region,
                subscriber_id=1,
                address=f"{region}@reader.example",
                name="",
                token=f"{issue_id}-{region}",
                state=state,
                dated_at=AT,
                due_at=AT,
                updated_at=AT,
            )
        )
