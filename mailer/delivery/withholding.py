"""Never the same story twice: what a reader was sent before is left out of what they get now.

Who was sent what follows from two tables: a delivery says which edition of an issue a reader got,
an exposure which articles that edition held. A list is never offered what it has had, but readers
move from one list to another, and two lists may have a story in different weeks. So when an issue
is planned, each delivery is given the ids of those stories that its reader was sent in any earlier
issue, and its message is joined without them; see ``Edition.without``.

What was accepted counts, and what is in doubt; what bounced does not. Known limits: deliveries that
were pruned are forgotten, and a reader under a new address is a new reader.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import bindparam, select, text

from mailer.storage.database import Database
from mailer.storage.schema import exposures

_LACKS = "replace(' ' || {row}.withheld || ' ', :word, '') = ' ' || {row}.withheld || ' '"

_WITHHOLD = f"""
UPDATE deliveries SET withheld = trim(withheld || :word)
WHERE issue_id = :issue_id AND region = :region AND state = 'planned' AND attempts = 0
AND {_LACKS.format(row="deliveries")}
AND EXISTS (SELECT 1 FROM deliveries AS past JOIN exposures
ON exposures.issue_id = past.issue_id AND exposures.region = past.region
AND exposures.article_id = :article_id
WHERE past.address = deliveries.address AND past.issue_id IN :issues
AND past.state IN ('accepted', 'complained', 'in_doubt')
AND {_LACKS.format(row="past")})
"""  # noqa: S608


class Withholding:
    """The part of the ledger that knows what a reader was sent before."""

    _database: Database

    def withhold(self, issue_id: str, region: str, article_ids: Collection[str]) -> int:
        """Note on planned deliveries which of these articles their readers were sent before.

        Call it in the transaction that plans. Doing it again changes nothing.

        Args:
            issue_id: the issue that was planned.
            region: one of its regions.
            article_ids: those that may be left out of the region's edition.

        Returns:
            How many stories are left out, counted once a reader.
        """
        if not article_ids:
            return 0
        issues = defaultdict(list)
        earlier = (
            select(exposures.c.article_id, exposures.c.issue_id)
            .where(exposures.c.article_id.in_(sorted(article_ids)))
            .where(exposures.c.issue_id != issue_id)
            .distinct()
        )
        with self._database.write() as connection:
            for article_id, other in connection.execute(earlier):
                issues[article_id].append(other)
            statement = text(_WITHHOLD).bindparams(bindparam("issues", expanding=True))
            return sum(
                connection.execute(
                    statement,
                    {
                        "issue_id": issue_id,
                        "region": region,
                        "article_id": article_id,
                        "word": f" {article_id} ",
                        "issues": issues[article_id],
                    },
                ).rowcount
                for article_id in sorted(issues)
            )
