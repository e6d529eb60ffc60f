"""What an approval keeps of an issue, as rows: every region's edition as it was rendered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from mailer.storage.schema import editions


def keep_editions(connection: Connection, issue_id: str, contents: Mapping[str, str]) -> None:
    """Keep every region's edition in the place of earlier ones."""
    connection.execute(delete(editions).where(editions.c.issue_id == issue_id))
    if contents:
        connection.execute(
            insert(editions),
            [
                {
                    "issue_id": issue_id,
                    "region": region,
                    "checksum": hashlib.sha256(content.encode()).hexdigest(),
                    "content": content,
                }
                for region, content in contents.items()
            ],
        )


def read_editions(connection: Connection, issue_id: str) -> dict[str, str]:
    """Return the frozen editions' JSON by region."""
    query = select(editions.c.region, editions.c.content).where(editions.c.issue_id == issue_id)
    return {row.region: row.content for row in connection.execute(query)}


def read_checksums(connection: Connection, issue_id: str) -> dict[str, str]:
    """Return the frozen editions' checksums by region."""
    query = select(editions.c.region, editions.c.checksum).where(editions.c.issue_id == issue_id)
    return {row.region: row.checksum for row in connection.execute(query)}


def forget_approval(connection: Connection, issue_id: str, changes: dict[str, Any]) -> None:
    """Let go of what was kept, and put into ``changes`` what the issue's row must forget."""
    connection.execute(delete(editions).where(editions.c.issue_id == issue_id))
    changes.update(checksum="", audience_rule="", approved_by="", approved_at=None, frozen=None)
