"""Writing one step of consent: the subscription as it stands now, and the event that says why.

Both or neither, inside the caller's transaction; which step may be taken is ``consent``'s to say.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, update

from mailer.audience.consent import Step
from mailer.audience.subscriber import SubscriptionState
from mailer.storage import schema


def put_step(
    connection: Connection,
    subscriber_id: int,
    region: str,
    *,
    step: Step | str,
    state: SubscriptionState,
    source: str,
    at: datetime,
    form_version: str = "",
    came_from: str = "",
    note: str = "",
    is_new: bool = False,
) -> None:
    """Write one subscription's state and the event that says why."""
    links = schema.subscriptions
    changed = {"state": state.value, "source": source, "changed_at": at}
    if is_new:
        connection.execute(
            insert(links).values(subscriber_id=subscriber_id, region=region, **changed)
        )
    else:
        connection.execute(
            update(links)
            .where(links.c.subscriber_id == subscriber_id, links.c.region == region)
            .values(**changed)
        )
    connection.execute(
        insert(schema.consent_events).values(
            subscriber_id=subscriber_id,
            region=region,
            step=str(step),
            state=state.value,
            source=source,
            at=at,
            form_version=form_version,
            came_from=came_from,
            note=note,
        )
    )
