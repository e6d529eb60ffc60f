"""Taking in what somebody else knows: addresses that the relay accepted, by its log.

After a restore, or when a reply was lost, the ledger's rows say less than the relay's log. What is
accepted on evidence is not sent again; so the evidence is the operator's word, kept with the row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice

from sqlalchemy import select, update

from mailer.delivery.delivery import TRANSITIONS, DeliveryState
from mailer.delivery.ordering import keep_event
from mailer.storage.database import Database
from mailer.storage.schema import deliveries

CHUNK = 500

OPEN_TO_EVIDENCE = tuple(
    state
    for state, step in TRANSITIONS
    if step == "accept" and state is not DeliveryState.TRANSMITTING
)


def accept_on_evidence(
    database: Database,
    issue_id: str,
    addresses: Collection[str],
    *,
    why: str,
    by: str,
    at: datetime,
) -> tuple[int, list[str]]:
    """Mark deliveries as accepted; what is settled already stays as it is.

    Args:
        database: whose ledger.
        issue_id: of which issue.
        addresses: normal forms.
        why: kept with each row.
        by: whose word it is.
        at: now.

    Returns:
        How many were marked, and the addresses that have no delivery of this issue.
    """
    changed = 0
    known: set[str] = set()
    with database.write() as connection:
        for chunk in _chunks(addresses):
            mine = deliveries.c.issue_id == issue_id, deliveries.c.address.in_(chunk)
            known |= set(connection.execute(select(deliveries.c.address).where(*mine)).scalars())
            changed += connection.execute(
                update(deliveries)
                .where(*mine)
                .where(deliveries.c.state.in_([state.value for state in OPEN_TO_EVIDENCE]))
                .values(
                    state=DeliveryState.ACCEPTED.value,
                    updated_at=at,
                    reply_code=None,
                    reply_enhanced="",
                    reply_text=why[:500],
                )
            ).rowcount
        detail = {"count": changed, "why": why[:500]}
        keep_event(connection, at, "deliveries.accepted", issue_id, detail, by=by)
    return changed, sorted(set(addresses) - known)


def _chunks(addresses: Collection[str]) -> Iterator[list[str]]:
    left = iter(sorted(addresses))
    while chunk := list(islice(left, CHUNK)):
        yield chunk
