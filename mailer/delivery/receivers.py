"""Who got an issue, as the ledger knows it: a relay said 250 to their delivery.

A correction goes to them and to nobody else. They are known by their number, so that a reader who
moved, or whose address changed, is still the one who got it; whoever was erased since, and came
back, is somebody new. A bounce came back and a doubt is no receipt: neither counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, select

from mailer.delivery.delivery import DeliveryState
from mailer.storage.database import Database
from mailer.storage.schema import deliveries


def narrow_to_receivers(
    audience: Mapping[str, Select[Any]], issue_id: str
) -> dict[str, Select[Any]]:
    """Return an audience's statements narrowed to who got an issue, in whatever region.

    Args:
        audience: as ``Register.audience`` gives it; who left or is suppressed is not in it.
        issue_id: the issue they must have got.
    """
    got = _receivers(issue_id)
    return {
        region: statement.where(statement.selected_columns.subscriber_id.in_(got))
        for region, statement in audience.items()
    }


def count_receivers(database: Database, issue_id: str) -> int:
    """Return how many deliveries of an issue were accepted."""
    with database.read() as connection:
        rows = _receivers(issue_id).subquery()
        return int(connection.execute(select(func.count()).select_from(rows)).scalar_one())


def _receivers(issue_id: str) -> Select[Any]:
    return select(deliveries.c.subscriber_id).where(
        deliveries.c.issue_id == issue_id,
        deliveries.c.state == DeliveryState.ACCEPTED.value,
    )
