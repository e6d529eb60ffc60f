"""Pruning: the ledger's old rows become totals.

An issue is pruned as a whole, when it was sent or cancelled and none of its rows has changed for
the publication's ``ledger_days``. Its deliveries and attempts go, region by region, each in one
transaction with the totals that take their place; what the ledger says of the issue in figures is
the same afterwards. Nobody can tell any more who has had it, so it can never be sent again:
``require_ledger`` refuses. Replies and histories of single readers are gone with the rows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from mailer.audience.tally import DELIVERIES, Key, add_tallies, read_tallies
from mailer.delivery.delivery import OPEN, DeliveryState
from mailer.errors import Fault, IllegalTransition
from mailer.issues.issue import issue_day
from mailer.storage.database import Database
from mailer.storage.schema import attempts, deliveries, issues

ENDED = ("sent", "cancelled")
_OPEN = [state.value for state in OPEN]


@dataclass(frozen=True, slots=True)
class OldIssue:
    """An issue whose rows may go, and how many they are."""

    id: str
    count: int


def old_issues(database: Database, *, before: datetime) -> list[OldIssue]:
    """Return the ended issues whose every delivery last changed before an instant, oldest first."""
    statement = (
        select(deliveries.c.issue_id, func.count(), func.max(deliveries.c.updated_at))
        .join(issues, issues.c.id == deliveries.c.issue_id)
        .where(issues.c.state.in_(ENDED))
        .group_by(deliveries.c.issue_id)
        .having(func.max(deliveries.c.updated_at) < before)
        .order_by(deliveries.c.issue_id)
    )
    with database.read() as connection:
        return [OldIssue(row[0], row[1]) for row in connection.execute(statement)]


def prune_issue(database: Database, issue_id: str) -> int:
    """Make totals of an issue's deliveries; return how many they were.

    Rows with work left stay, and their region with them.
    """
    with database.read() as connection:
        regions = list(
            connection.execute(
                select(deliveries.c.region).where(deliveries.c.issue_id == issue_id).distinct()
            ).scalars()
        )
    return sum(_prune_region(database, issue_id, region) for region in sorted(regions))


def _prune_region(database: Database, issue_id: str, region: str) -> int:
    here = (deliveries.c.issue_id == issue_id, deliveries.c.region == region)
    with database.write() as connection:
        state = connection.execute(select(issues.c.state).where(issues.c.id == issue_id)).scalar()
        counts = connection.execute(
            select(deliveries.c.state, func.count()).where(*here).group_by(deliveries.c.state)
        ).all()
        if state not in ENDED or any(word in _OPEN for word, _count in counts):
            return 0
        day = issue_day(issue_id)
        counted: Counter[Key] = Counter(
            {(DELIVERIES, f"{issue_id}/{region}/{word}", day): count for word, count in counts}
        )
        connection.execute(
            delete(attempts).where(attempts.c.delivery_id.in_(select(deliveries.c.id).where(*here)))
        )
        gone = connection.execute(delete(deliveries).where(*here)).rowcount
        add_tallies(connection, counted)
        return gone


def pruned_summary(database: Database, issue_id: str) -> dict[str, dict[DeliveryState, int]]:
    """Return the totals of an issue's pruned deliveries per region and state, as ``summary``."""
    found: dict[str, dict[DeliveryState, int]] = {}
    with database.read() as connection:
        counted = read_tallies(connection, [DELIVERIES], key_begins=f"{issue_id}/")
    for (_name, key, _day), count in sorted(counted.items()):
        _issue, region, state = key.split("/")
        by_state = found.setdefault(region, {})
        by_state[DeliveryState(state)] = by_state.get(DeliveryState(state), 0) + count
    return found


def require_ledger(database: Database, issue_id: str) -> None:
    """Refuse to plan an issue whose rows were pruned.

    Raises:
        IllegalTransition: everybody would get it a second time.
    """
    if pruned_summary(database, issue_id):
        raise IllegalTransition(
            Fault(
                f"the ledger of issue {issue_id} was pruned: nobody can tell who has had it",
                remedy="draft a new issue",
            )
        )
