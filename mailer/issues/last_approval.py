"""The version of an issue that was last approved, kept when a change voids the approval.

A publication may want that version sent when nobody approves the changed one in time. It goes as
soon as the issue is approved anew or cancelled: what a person took back is never revived.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from mailer.clock import Clock
from mailer.errors import NotFound
from mailer.issues.history import note_event
from mailer.issues.issue import IssueRecord, next_state
from mailer.issues.lock import Input
from mailer.issues.rows import require_issue, update_issue
from mailer.issues.vault import keep_editions, keep_inputs, read_editions, read_inputs
from mailer.storage.database import Database
from mailer.storage.schema import issues, last_approvals

KEPT = ("number", "checksum", "audience_rule", "approved_by", "approved_at", "frozen", "tools")
"""Columns of the issue's row that an approval binds."""


def shelve(connection: Connection, issue_id: str) -> None:
    """Keep an approval that is about to be voided."""
    row = connection.execute(select(issues).where(issues.c.id == issue_id)).mappings().one()
    kept = {name: _plain(row[name]) for name in KEPT}
    content = {
        "row": kept,
        "editions": read_editions(connection, issue_id),
        "inputs": [astuple(each) for each in read_inputs(connection, issue_id)],
    }
    discard(connection, issue_id)
    connection.execute(
        insert(last_approvals).values(issue_id=issue_id, content=json.dumps(content))
    )


def discard(connection: Connection, issue_id: str) -> None:
    """Let go of what was kept."""
    connection.execute(delete(last_approvals).where(last_approvals.c.issue_id == issue_id))


def find(connection: Connection, issue_id: str) -> Mapping[str, Any] | None:
    """Return the columns of the row as they were approved last, or None."""
    content = _content(connection, issue_id)
    return None if content is None else _row(content)


def revive(connection: Connection, issue_id: str) -> Mapping[str, Any]:
    """Put the editions back, and return the columns that the issue's row must have."""
    content = _content(connection, issue_id)
    if content is None:
        raise LookupError(issue_id)
    keep_editions(connection, issue_id, content["editions"])
    keep_inputs(connection, issue_id, [Input(*each) for each in content["inputs"]])
    discard(connection, issue_id)
    return _row(content)


def _content(connection: Connection, issue_id: str) -> dict[str, Any] | None:
    found = connection.execute(
        select(last_approvals.c.content).where(last_approvals.c.issue_id == issue_id)
    ).scalar()
    return None if found is None else dict(json.loads(found))


def _row(content: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(content["row"])
    row["approved_at"] = datetime.fromisoformat(row["approved_at"]) if row["approved_at"] else None
    return row


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


class Revivals:
    """The part of the archive that knows what was approved last."""

    _database: Database
    _clock: Clock

    def last_approved(self, issue_id: str) -> Mapping[str, Any] | None:
        """Return what a draft's row held when it was last approved, or None if it never was."""
        with self._database.read() as connection:
            return find(connection, issue_id)

    def revive(self, issue_id: str, *, by: str) -> IssueRecord:
        """Approve a draft anew as it was approved last, whatever its file says by now.

        Raises:
            NotFound: there is no such issue, or none of its versions was ever approved.
            IllegalTransition: it is no draft.
        """
        with self._database.write() as connection:
            found = require_issue(connection, issue_id, lock=True)
            state = next_state(found.state, "approve", issue_id=issue_id)
            if find(connection, issue_id) is None:
                raise NotFound(f"no version of issue {issue_id} was ever approved")
            row = revive(connection, issue_id)
            update_issue(connection, found, **row, state=state.value)
            note_event(
                connection,
                self._clock.now(),
                "approve",
                issue_id,
                by=by,
                detail={"checksum": row["checksum"], "is_revived": True},
            )
            return require_issue(connection, issue_id)
