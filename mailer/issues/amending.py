"""Amendments: what the archive shows of an issue that went out is corrected, and says so.

Readers have what they were sent; it stays in ``editions`` and nothing here touches it. An amendment
is a dated note of what was wrong and, where more than the note is new, an edition for each region
that is shown in the place of the sent one. The latest counts. A note can be taken
back (``withdraw``); that it stood there stays in the issue's history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from mailer.clock import Clock
from mailer.errors import Fault, InvalidInput, NotFound
from mailer.issues.archive import Archive
from mailer.issues.issue import next_state
from mailer.storage.database import Database
from mailer.storage.schema import amended_editions, amendments

LONGEST_NOTE = 2000
WITHDRAWN = "withdraw"
"""The kind of event that says a note was taken back."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """One correction of an issue's page; ``at`` is aware UTC."""

    at: datetime
    by: str
    note: str


def no_note(issue_id: str, number: int) -> NotFound:
    """Return the refusal of a note that is not there."""
    return NotFound(
        Fault(
            f"issue {issue_id} has no note {number}",
            field="--withdraw",
            remedy=f"`mailer issue show {issue_id}` numbers them",
        )
    )


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
            InvalidInput: the note is empty or too long, or stands there already.
            IllegalTransition: the issue has not gone out.
        """
        now = self._clock.now()
        with self._database.write() as connection:
            said = self.new_note(issue_id, note)
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

    def new_note(self, issue_id: str, note: str) -> str:
        """Return a note as it would stand on an issue's page.

        Raises:
            InvalidInput: it is empty or too long, or the same words stand there already.
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
        standing = [each.note for each in self.of(issue_id)]
        if said in standing:
            again = f"`mailer issue amend {issue_id} --withdraw {standing.index(said) + 1}`"
            raise InvalidInput(
                Fault(
                    "that note stands already",
                    field="--note",
                    remedy=f"say what else was wrong; {again} takes it back",
                )
            )
        return said

    def withdraw(self, issue_id: str, number: int, *, by: str, note: str) -> Amendment:
        """Take a note off an issue's page.

        What the page shows stays, whosever words it was amended under: the editions pass to the
        note after it. With the last note its editions go, and the page is as it was before it.

        Args:
            number: which, from 1, in the order of ``of``.
            note: its words as whoever asks has read them; another's are not taken off.
        Raises:
            NotFound: there is no such note, or it has other words by now.
            IllegalTransition: the archive does not show the issue.
        """
        now = self._clock.now()
        with self._database.write() as connection:
            next_state(self._archive.record(issue_id).state, "amend", issue_id=issue_id)
            standing = connection.execute(
                select(amendments)
                .where(amendments.c.issue_id == issue_id)
                .order_by(amendments.c.id)
                .with_for_update()
            ).all()
            if not 1 <= number <= len(standing) or standing[number - 1].note != note:
                raise no_note(issue_id, number)
            row = standing[number - 1]
            table = amended_editions
            if number < len(standing):
                heir = standing[number].id
                has_own = select(table.c.region).where(table.c.amendment_id == heir)
                connection.execute(
                    update(table)
                    .where(table.c.amendment_id == row.id, table.c.region.not_in(has_own))
                    .values(amendment_id=heir)
                )
            connection.execute(delete(table).where(table.c.amendment_id == row.id))
            connection.execute(delete(amendments).where(amendments.c.id == row.id))
            self._archive.note(
                WITHDRAWN, issue_id, by=by, detail={"note": row.note, "at": row.at.isoformat()}
            )
        return Amendment(now, by, row.note)

    def of(self, issue_id: str) -> list[Amendment]:
        """Return an issue's corrections, oldest first."""
        with self._database.read() as connection:
            query = (
                select(amendments)
                .where(amendments.c.issue_id == issue_id)
                .order_by(amendments.c.id)
            )
            return [Amendment(row.at, row.by, row.note) for row in connection.execute(query)]
