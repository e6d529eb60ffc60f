"""Amendments: what the archive shows of an issue that went out is corrected, and says so.

Readers have what they were sent; it stays in ``editions`` and nothing here touches it. An amendment
is a dated note of what was wrong and, where more than the note is new, an edition for each region
that is shown in the place of the sent one. The latest counts; all of them are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from mailer.clock import Clock
from mailer.errors import Fault, InvalidInput
from mailer.issues.archive import Archive
from mailer.storage.database import Database
from mailer.storage.schema import amended_editions, amendments

LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True)
class Amendment:
    """One correction of an issue's page; ``at`` is aware UTC."""

    at: datetime
    by: str
    note: str


class Amendments:
    """The corrections of issues that went out."""

    def __init__(self, database: Database, archive: Archive, clock: Clock) -> None:
        self._database = database
        self._archive = archive
        self._clock = clock

    def amend(self, issue_id: str, *, by: str, note: str, contents: Mapping[str, str]) -> Amendment:
        """Correct what the archive shows of an issue, in one transaction with its event.

        Args:
            note: what was wrong, for readers.
            contents: the new editions (``FrozenEdition.to_json``) of the regions that change.
        Raises:
            InvalidInput: the note is empty or too long.
            IllegalTransition: the issue has not gone out.
        """
        said = " ".join(note.split())
        if not said or len(said) > LONGEST_NOTE:
            raise InvalidInput(
                Fault(
                    "is empty" if not said else f"has {len(said)} characters",
                    field="--note",
                    remedy=f"say in at most {LONGEST_NOTE} characters what was wrong",
                )
            )
        now = self._clock.now()
        with self._database.write() as connection:
            self._archive.transition(
                issue_id, "amend", by=by, detail={"note": said, "regions": sorted(contents)}
            )
            done = connection.execute(
                insert(amendments).values(issue_id=issue_id, at=now, by=by, note=said)
            )
            number = done.inserted_primary_key[0] if done.inserted_primary_key else 0
            if contents:
                connection.execute(
                    insert(amended_editions),
                    [
                        {
                            "amendment_id": number,
                            "region": region,
                            "issue_id": issue_id,
                            "checksum": hashlib.sha256(content.encode()).hexdigest(),
                            "content": content,
                        }
                        for region, content in sorted(contents.items())
                    ],
                )
        return Amendment(now, by, said)

    def of(self, issue_id: str) -> list[Amendment]:
        """Return an issue's corrections, oldest first."""
        with self._database.read() as connection:
            query = (
                select(amendments)
                .where(amendments.c.issue_id == issue_id)
                .order_by(amendments.c.id)
            )
            return [Amendment(row.at, row.by, row.note) for row in connection.execute(query)]
