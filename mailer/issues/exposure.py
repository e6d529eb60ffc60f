"""Which lists have been shown which articles, and in which issue.

A list has been shown what its edition of an issue held, from the first message that was accepted.
What a single reader was sent follows from it and from the ledger; see ``delivery/withholding``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from mailer.storage.database import Database
from mailer.storage.schema import exposures


class Shown(NamedTuple):
    """A list was shown an article in an issue."""

    issue_id: str
    region: str


def earlier_exposures(
    database: Database, article_ids: Collection[str], *, besides: str
) -> dict[str, list[Shown]]:
    """Return who was shown these articles in other issues, oldest first; the rest are left out."""
    found: dict[str, list[Shown]] = defaultdict(list)
    columns = exposures.c
    statement = (
        select(columns.article_id, columns.issue_id, columns.region)
        .where(columns.article_id.in_(sorted(article_ids)), columns.issue_id != besides)
        .order_by(columns.issue_id, columns.region)
    )
    with database.read() as connection:
        for article_id, issue_id, region in connection.execute(statement):
            found[article_id].append(Shown(issue_id, region))
    return dict(found)


def exposures_until(database: Database, until: datetime) -> dict[tuple[str, str], datetime]:
    """Return the pairs of region and article that lists had been shown before an instant, each
    with when it was last."""
    columns = exposures.c
    statement = (
        select(columns.region, columns.article_id, columns.sent_at)
        .where(columns.sent_at < until)
        .order_by(columns.sent_at)
    )
    with database.read() as connection:
        return {(region, id_): at for region, id_, at in connection.execute(statement)}
