"""The ledger's statements that run once a group, in the driver's own form.

SQLAlchemy builds and checks every other statement; these few are executed for each of a million
deliveries, where its work on each row would cost more than the database's. They are plain SQL that
SQLite and PostgreSQL share; only placeholders and instants differ, and ``Driver`` knows how.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from mailer.delivery.delivery import Delivery, DeliveryState, Reply

_PLAN = """
INSERT INTO deliveries (issue_id, region, subscriber_id, address, name, token, state, dated_at,
due_at, attempts, reply_enhanced, reply_text, updated_at)
VALUES (?, ?, ?, ?, ?, ?, 'planned', ?, ?, 0, '', '', ?)
ON CONFLICT (issue_id, address) DO UPDATE SET
region = excluded.region, subscriber_id = excluded.subscriber_id, name = excluded.name,
state = 'planned', dated_at = excluded.dated_at, due_at = excluded.due_at, reply_text = '',
updated_at = excluded.updated_at
WHERE {renewable}
"""
"""A row that was skipped or cancelled before anything of it can have arrived is planned anew when
its reader is a recipient again; every other row stays as it is."""

GONE = "left or suppressed since the plan"
"""Why a claimed delivery is skipped when its reader may not have it any more."""

RENEWABLE = (
    "deliveries.state IN ('cancelled', 'skipped') AND NOT EXISTS (SELECT 1 FROM attempts"
    " WHERE attempts.delivery_id = deliveries.id AND attempts.verdict IN ('doubt', 'accept'))"
)

PLAN = _PLAN.format(renewable=RENEWABLE)

HEAD = """
SELECT due_at FROM deliveries WHERE issue_id = ? AND region = ? AND state = ?
ORDER BY due_at LIMIT 1
"""
"""When the first of a region's deliveries in a state is due; one step down the index."""

CLAIM = """
UPDATE deliveries SET state = 'claimed', updated_at = ? WHERE id IN (
SELECT id FROM deliveries WHERE issue_id = ? AND region = ? AND state = ? AND due_at <= ?
ORDER BY due_at, id LIMIT ?{lock}
) RETURNING id, issue_id, region, subscriber_id, address, name, token, dated_at, due_at, attempts
"""

CLAIMED = """
SELECT id, issue_id, region, subscriber_id, address, name, token, dated_at, due_at, attempts
FROM deliveries WHERE state = 'claimed' ORDER BY id
"""
"""A dead sender's rows, over all issues; asked once a run."""

FIRST_TRIES = "SELECT delivery_id, ended_at FROM attempts WHERE number = 1 AND delivery_id = ?"

SETTLE = """
UPDATE deliveries SET state = ?, attempts = ?, updated_at = ?, reply_code = ?, reply_enhanced = ?,
reply_text = ?, due_at = COALESCE(?, due_at) WHERE id = ? AND state = 'claimed' AND attempts = ?
"""

ATTEMPT = """
INSERT INTO attempts (delivery_id, number, ended_at, verdict, reply_code, reply_enhanced,
reply_text, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

RELEASE = """
UPDATE deliveries SET state = 'planned', updated_at = ?, due_at = COALESCE(?, due_at)
WHERE id = ? AND state = 'claimed'
"""

REGIONS = """
WITH RECURSIVE found(region) AS (
SELECT MIN(region) FROM deliveries WHERE issue_id = ?
UNION ALL
SELECT (SELECT MIN(region) FROM deliveries WHERE issue_id = ? AND region > found.region)
FROM found WHERE found.region IS NOT NULL
) SELECT region FROM found WHERE region IS NOT NULL
"""
"""An issue's regions, stepping from one to the next in the index instead of reading all rows."""


class Driver:
    """What differs between the databases' drivers."""

    def __init__(self, *, is_sqlite: bool) -> None:
        self.is_sqlite = is_sqlite
        self.claim = CLAIM.format(lock="" if is_sqlite else " FOR UPDATE SKIP LOCKED")

    def run(self, connection: Connection, statement: str, *values: Any) -> Any:
        """Execute a statement once and return its result."""
        return connection.exec_driver_sql(self._form(statement), values)

    def run_all(self, connection: Connection, statement: str, rows: Sequence[Any]) -> int:
        """Execute a statement for every row and return how many rows of the table it changed."""
        if not rows:
            return 0
        return int(connection.exec_driver_sql(self._form(statement), list(rows)).rowcount)

    def stamp(self, instant: datetime) -> str | datetime:
        """Return an aware instant as the driver stores it; the same form as ``Instant``'s."""
        if self.is_sqlite:
            text = instant.astimezone(UTC).replace(tzinfo=None)
            return text.isoformat(" ", "microseconds")
        return instant

    def instant(self, value: str | datetime) -> datetime:
        """Return what the driver gave for an instant as aware UTC."""
        if isinstance(value, str):
            return _parsed(value)
        return value.astimezone(UTC)

    def delivery(self, row: Any) -> Delivery:
        """Return a row of ``CLAIM``."""
        number, issue_id, region, subscriber_id, address, name, token, dated, due, attempts = row
        return Delivery(
            number,
            issue_id,
            region,
            subscriber_id,
            address,
            name,
            token,
            self.instant(dated),
            self.instant(due),
            DeliveryState.CLAIMED,
            attempts,
        )

    def _form(self, statement: str) -> str:
        return statement if self.is_sqlite else statement.replace("?", "%s")


def reply_values(reply: Reply | None, note: str = "") -> tuple[int | None, str, str]:
    """Return a reply as three columns; ``note`` stands for the text where there is none."""
    return (reply.code, reply.enhanced, reply.text) if reply else (None, "", note)


@lru_cache(maxsize=256)
def _parsed(text: str) -> datetime:
    # The rows of a claim share a handful of instants.
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
