"""A reader's roster fields, kept with the delivery when it is planned.

A roster may change while an issue is on its way, and a message that is repeated must be the same
to the byte. So the fields that an issue's templates name are copied, once, beside the delivery;
whoever was on the way when the copy was made keeps what they had. An issue that names none costs
nothing: there is no copy, and nobody looks for one.

What is kept goes when its delivery is pruned or its reader erased; nobody is sent to then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, select, text

from mailer.delivery.statements import RENEWABLE
from mailer.storage.database import Database
from mailer.storage.schema import kept_fields

_ASKED = 500

_CHOSEN = {
    True: "(SELECT json_group_object(e.key, e.value) FROM json_each(s.fields) AS e"
    " WHERE e.key IN :columns)",
    False: "COALESCE((SELECT json_object_agg(e.key, e.value) FROM json_each_text(s.fields) AS e"
    " WHERE e.key IN :columns), '{}')",
}
"""By whether it is SQLite."""

_KEEP = """
INSERT INTO kept_fields (delivery_id, subscriber_id, fields)
SELECT deliveries.id, s.id, {chosen} FROM deliveries
JOIN subscribers AS s ON s.id = deliveries.subscriber_id
WHERE deliveries.issue_id = :issue_id AND deliveries.state = 'planned'
AND deliveries.attempts = 0
AND NOT EXISTS (SELECT 1 FROM kept_fields AS k WHERE k.delivery_id = deliveries.id)
"""

_FORGET = f"""
DELETE FROM kept_fields WHERE delivery_id IN (
SELECT deliveries.id FROM deliveries WHERE deliveries.issue_id = :issue_id AND {RENEWABLE})
"""  # noqa: S608


class Keeping:
    """The part of the ledger that keeps readers' fields."""

    _database: Database

    def keep_fields(self, issue_id: str, columns: Collection[str]) -> int:
        """Copy these fields for every delivery that is planned and has no copy; return how many.

        Call it in the transaction that plans, so that no delivery is ever without.
        """
        if not columns:
            return 0
        statement = text(_KEEP.format(chosen=_CHOSEN[self._database.is_sqlite]))
        values = {"issue_id": issue_id, "columns": sorted(columns)}
        with self._database.write() as connection:
            return int(
                connection.execute(
                    statement.bindparams(bindparam("columns", expanding=True)), values
                ).rowcount
            )

    def forget_fields(self, issue_id: str) -> None:
        """Drop the copies of what planning would start anew: nothing of it has arrived."""
        with self._database.write() as connection:
            connection.execute(text(_FORGET), {"issue_id": issue_id})

    def fields_kept(self, ids: Sequence[int]) -> dict[int, Mapping[str, str]]:
        """Return what was kept, by delivery; those without a copy are left out."""
        found: dict[int, Mapping[str, str]] = {}
        with self._database.read() as connection:
            for at in range(0, len(ids), _ASKED):
                statement = select(kept_fields.c.delivery_id, kept_fields.c.fields).where(
                    kept_fields.c.delivery_id.in_(ids[at : at + _ASKED])
                )
                found.update((row[0], row[1]) for row in connection.execute(statement))
        return found
