"""Anonymity: a forgotten reader's rows of the ledger, kept for the totals and for nothing else.

A row keeps its issue, region, state and times, so that every count stays right. Its address
becomes a hash over the issue and the address (``audience.erasure.veiled_address``): UNIQUE(issue,
address) still holds, nobody can tell that two rows were one reader's, and a reader who comes back
while the issue is being sent is known again and gets no second copy. The name, the subscriber's
number and what the relay said go. The token is drawn anew: a bounce that arrives later finds
nobody. What had not been sent never will be.

A claimed row is its sender's, and its message may be on the wire: it is refused, with what to do.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from mailer.audience.erasure import veiled_address
from mailer.delivery.delivery import DeliveryState, next_state
from mailer.delivery.planning import new_token
from mailer.errors import Fault, IllegalTransition
from mailer.storage.schema import attempts, deliveries

_S = DeliveryState
_STEPS = {_S.PLANNED: "skip", _S.DEFERRED: "skip", _S.IN_DOUBT: "cancel"}
WHY = "erased"
"""What stands where a reply or a reason stood."""


def anonymise(connection: Connection, address: str, key: bytes, *, now: datetime) -> int:
    """Take a normalised address out of the ledger; return how many deliveries it had.

    Raises:
        IllegalTransition: one of them is claimed by a sender.
    """
    table = deliveries.c
    rows = connection.execute(
        select(table.id, table.issue_id, table.state, table.reply_text)
        .where(table.address == address)
        .order_by(table.id)
        .with_for_update()
    ).all()
    for row in rows:
        state = DeliveryState(row.state)
        if state in (_S.CLAIMED, _S.TRANSMITTING):
            raise IllegalTransition(
                Fault(
                    f"issue {row.issue_id} is being sent to {address} just now",
                    remedy=f"wait for its sender, or run `mailer send {row.issue_id}` if it died; "
                    "then run this again",
                )
            )
        if state in _STEPS:
            state = next_state(state, _STEPS[state])
        connection.execute(
            update(deliveries)
            .where(table.id == row.id)
            .values(
                subscriber_id=0,
                address=veiled_address(row.issue_id, address, key),
                name="",
                token=new_token(),
                state=state.value,
                reply_text=WHY if row.reply_text or state.value != row.state else "",
                updated_at=deliveries.c.updated_at if state.value == row.state else now,
            )
        )
        connection.execute(
            update(attempts).where(attempts.c.delivery_id == row.id).values(reply_text=WHY, note="")
        )
    return len(rows)
