"""The ledger's statements that run once a group, in the driver's own form.

SQLAlchemy builds and checks every other statement; these few are executed for each of a million
deliveries, where its work on each row would cost more than the database's. They are plain SQL that
SQLite and PostgreSQL share; only placeholders and instants differ, and ``Driver`` knows how.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection

from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.storage.schema import CLAIMED, WAITING

GONE = "left or suppressed since the plan"
"""Why a claimed delivery is skipped when its reader may not have it any more."""

RENEWABLE = (
    "deliveries.state IN ('cancelled', 'skipped') AND NOT EXISTS (SELECT 1 FROM attempts"
    " WHERE attempts.delivery_id = deliveries.id AND attempts.verdict IN ('doubt', 'accept'))"
)

HEAD = f"""
SELECT due_at FROM deliveries WHERE issue_id = ? AND region = ? AND state = ? AND {WAITING}
ORDER BY due_at LIMIT 1
"""  # noqa: S608
"""When the first of a region's deliveries in a state is due; one step down the index."""

CLAIM = """
UPDATE deliveries SET state = 'claimed', updated_at = ? WHERE id IN (
SELECT id FROM deliveries WHERE issue_id = ? AND region = ? AND state = ? AND {waiting}
AND due_at <= ? ORDER BY due_at, id LIMIT ?{lock}
) RETURNING id, issue_id, region, subscriber_id, address, name, token, dated_at, due_at, attempts,
withheld
"""

DEAD_CLAIMS = f"""
SELECT id, issue_id, region, subscriber_id, address, name, token, dated_at, due_at, attempts,
withheld FROM deliveries WHERE {CLAIMED} ORDER BY id
"""  # noqa: S608
"""A dead sender's rows, over all issues; asked once a run."""

FIRST_TRIES = "SELECT delivery_id, ended_at FROM attempts WHERE number = 1 AND delivery_id = ?"

_SETTLE = """
UPDATE deliveries SET state = ?, attempts = ?, updated_at = ?, reply_code = ?, reply_enhanced = ?,
reply_text = ?, due_at = COALESCE(?, due_at) WHERE id = ? AND state = 'claimed' AND attempts = ?
"""

_ATTEMPT = """
INSERT INTO attempts (delivery_id, number, ended_at, verdict, reply_code, reply_enhanced,
reply_text, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

_GROUP = """(SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS number,
json_extract(value, '$[2]') AS state, json_extract(value, '$[3]') AS due_at,
json_extract(value, '$[4]') AS ended_at, json_extract(value, '$[5]') AS verdict,
json_extract(value, '$[6]') AS code, json_extract(value, '$[7]') AS enhanced,
json_extract(value, '$[8]') AS said, json_extract(value, '$[9]') AS note FROM json_each(?)) AS v"""
"""A group of ``Ended`` as a table; SQLite's driver counts changes only of what begins with the
verb, so it stands in no WITH."""

_SETTLE_GROUP = f"""
UPDATE deliveries SET state = v.state, attempts = v.number, updated_at = ?, reply_code = v.code,
reply_enhanced = v.enhanced, reply_text = CASE WHEN v.code IS NULL THEN v.note ELSE v.said END,
due_at = COALESCE(v.due_at, deliveries.due_at) FROM {_GROUP}
WHERE deliveries.id = v.id AND deliveries.state = 'claimed' AND deliveries.attempts = v.number - 1
"""  # noqa: S608
_ATTEMPT_GROUP = f"""
INSERT INTO attempts (delivery_id, number, ended_at, verdict, reply_code, reply_enhanced,
reply_text, note) SELECT id, number, ended_at, verdict, code, enhanced, said, note FROM {_GROUP}
"""  # noqa: S608

RELEASE = """
UPDATE deliveries SET state = 'planned', updated_at = ?, due_at = COALESCE(?, due_at)
WHERE id = ? AND state = 'claimed'
"""

REGIONS = f"""
WITH RECURSIVE found(region) AS (
SELECT MIN(region) FROM deliveries WHERE issue_id = ? AND {WAITING}
UNION ALL
SELECT (SELECT MIN(region) FROM deliveries WHERE issue_id = ? AND region > found.region
AND {WAITING})
FROM found WHERE found.region IS NOT NULL
) SELECT region FROM found WHERE region IS NOT NULL
"""  # noqa: S608
"""The regions with something to try, stepping from one to the next in the index instead of reading
all rows."""


class Ended(NamedTuple):
    """How an attempt ended, as the driver stores it; see ``Ending``."""

    delivery_id: int
    number: int
    state: str
    due_at: str | datetime | None
    ended_at: str | datetime
    verdict: str
    code: int | None
    enhanced: str
    said: str
    note: str


_WITHOUT_ZONE = len("2026-11-30 07:00:00.000000")


class Driver:
    """What differs between the databases' drivers."""

    def __init__(self, *, is_sqlite: bool) -> None:
        self.is_sqlite = is_sqlite
        self.claim = CLAIM.format(
            waiting=WAITING, lock="" if is_sqlite else " FOR UPDATE SKIP LOCKED"
        )

    def run(self, connection: Connection, statement: str, *values: Any) -> Any:
        """Execute a statement once and return its result."""
        return connection.exec_driver_sql(self._form(statement), values)

    def run_all(self, connection: Connection, statement: str, rows: Sequence[Any]) -> int:
        """Execute a statement for every row and return how many rows of the table it changed."""
        if not rows:
            return 0
        return int(connection.exec_driver_sql(self._form(statement), list(rows)).rowcount)

    def settle(self, connection: Connection, ended: Sequence[Ended], now: str | datetime) -> int:
        """Write how claimed deliveries' attempts ended; return how many rows it changed.

        SQLite takes the whole group in one statement: one for each row would hand the
        interpreter's lock back and forth with the thread that sends.
        """
        if self.is_sqlite:
            return int(connection.exec_driver_sql(_SETTLE_GROUP, (now, json.dumps(ended))).rowcount)
        rows = [
            (
                row.state, row.number, now, row.code, row.enhanced,
                row.note if row.code is None else row.said, row.due_at, row.delivery_id,
                row.number - 1,
            )
            for row in ended
        ]  # fmt: skip
        return self.run_all(connection, _SETTLE, rows)

    def keep_attempts(self, connection: Connection, ended: Sequence[Ended]) -> None:
        """Keep the evidence of each attempt."""
        if self.is_sqlite:
            connection.exec_driver_sql(_ATTEMPT_GROUP, (json.dumps(ended),))
            return
        rows = [
            (
                row.delivery_id, row.number, row.ended_at, row.verdict, row.code, row.enhanced,
                row.said, row.note,
            )
            for row in ended
        ]  # fmt: skip
        self.run_all(connection, _ATTEMPT, rows)

    def stamp(self, instant: datetime) -> str | datetime:
        """Return an aware instant as the driver stores it; the same form as ``Instant``'s."""
        if self.is_sqlite:
            if instant.tzinfo is not UTC:
                instant = instant.astimezone(UTC)
            return instant.isoformat(" ", "microseconds")[:_WITHOUT_ZONE]
        return instant

    def instant(self, value: str | datetime) -> datetime:
        """Return what the driver gave for an instant as aware UTC."""
        if isinstance(value, str):
            return _parsed(value)
        return value.astimezone(UTC)

    def delivery(self, row: Any) -> Delivery:
        """Return a row of ``CLAIM``."""
        number, issue_id, region, subscriber_id, address, name, token, dated, due, attempts, had = (
            row
        )
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
            withheld=had,
        )

    def _form(self, statement: str) -> str:
        return statement if self.is_sqlite else statement.replace("?", "%s")


@lru_cache(maxsize=256)
def _parsed(text: str) -> datetime:
    # The rows of a claim share a handful of instants.
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
