"""What an approval keeps of an issue, as rows: every region's edition, and what they were made of.

Inputs are kept by their checksum, once for all issues: a template that did not change for a year is
one row. What no approval needs any more goes with the approval that is forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from mailer.issues.lock import Input
from mailer.storage.schema import editions, inputs, locks


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


def keep_inputs(connection: Connection, issue_id: str, given: Iterable[Input]) -> None:
    """Keep what an issue's editions were made of, in the place of an earlier approval's."""
    listed = list(given)
    connection.execute(delete(locks).where(locks.c.issue_id == issue_id))
    wanted = {each.checksum: each.content for each in listed}
    known = select(inputs.c.checksum).where(inputs.c.checksum.in_(wanted))
    there = set(connection.execute(known).scalars())
    new = [
        {"checksum": checksum, "content": content}
        for checksum, content in wanted.items()
        if checksum not in there
    ]
    if new:
        connection.execute(insert(inputs), new)
    if listed:
        connection.execute(
            insert(locks),
            [
                {
                    "issue_id": issue_id,
                    "kind": each.kind,
                    "name": each.name,
                    "checksum": each.checksum,
                }
                for each in listed
            ],
        )
    _let_go(connection)


def read_lock(connection: Connection, issue_id: str) -> dict[tuple[str, str], str]:
    """Return the checksums of what an issue's editions were made of, by kind and name."""
    query = (
        select(locks.c.kind, locks.c.name, locks.c.checksum)
        .where(locks.c.issue_id == issue_id)
        .order_by(locks.c.kind, locks.c.name)
    )
    return {(row.kind, row.name): row.checksum for row in connection.execute(query)}


def read_inputs(connection: Connection, issue_id: str) -> list[Input]:
    """Return what an issue's editions were made of, as it was kept, by kind and name."""
    query = (
        select(locks.c.kind, locks.c.name, inputs.c.content)
        .join(inputs, inputs.c.checksum == locks.c.checksum)
        .where(locks.c.issue_id == issue_id)
        .order_by(locks.c.kind, locks.c.name)
    )
    return [Input(row.kind, row.name, row.content) for row in connection.execute(query)]


def forget_approval(connection: Connection, issue_id: str, changes: dict[str, Any]) -> None:
    """Let go of what was kept, and put into ``changes`` what the issue's row must forget."""
    connection.execute(delete(editions).where(editions.c.issue_id == issue_id))
    connection.execute(delete(locks).where(locks.c.issue_id == issue_id))
    _let_go(connection)
    changes.update(
        checksum="", audience_rule="", approved_by="", approved_at=None, frozen=None, tools=""
    )


def _let_go(connection: Connection) -> None:
    """Delete inputs that no approval names."""
    connection.execute(delete(inputs).where(inputs.c.checksum.not_in(select(locks.c.checksum))))
