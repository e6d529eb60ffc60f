"""Planning: the promise is made to every eligible reader of every edition, all at once or not.

A plan is one transaction. An address that has a row for the issue keeps it, so planning again
(after a crash, or when somebody joined late) only adds who is missing; nobody gets two copies.
Who is eligible, and for which one region, is the register's decision.
"""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from mailer.audience.subscriber import Recipient
from mailer.delivery.ledger import Ledger

Recipients = Iterable[Recipient] | Callable[[Connection], Iterable[Recipient]]
"""One recipient an address; a callable reads them inside the plan's own transaction."""


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What planning came to, per region: rows added, rows there already, readers left out.

    ``left_out`` are recipients of a region that has no edition (or was not asked for).
    """

    issue_id: str
    planned: dict[str, int] = field(default_factory=dict)
    already: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def planned_count(self) -> int:
        """Rows added."""
        return sum(self.planned.values())


def new_token() -> str:
    """Return an unguessable delivery token: 128 bits, base32 in lower case, 26 characters."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def plan(
    ledger: Ledger,
    *,
    issue_id: str,
    recipients: Recipients,
    due_at: Mapping[str, datetime],
    token: Callable[[], str] = new_token,
    is_dry_run: bool = False,
) -> PlanReport:
    """Plan a delivery for each recipient whose region is in ``due_at``.

    Args:
        ledger: where the rows go, in one transaction.
        issue_id: an issue that has a row.
        recipients: one per address, streamed; may be long. To read who is eligible and to write
            the plan in one transaction, pass ``lambda c: register.recipients(connection=c)``.
        due_at: region to the instant its readers are due, aware UTC; also the message's Date.
        token: gives each row its token.
        is_dry_run: count only; nothing is written.
    """
    left_out: Counter[str] = Counter()

    def wanted(connection: Connection) -> Iterable[Recipient]:
        for recipient in recipients(connection) if callable(recipients) else recipients:
            if recipient.region in due_at:
                yield recipient
            else:
                left_out[recipient.region] += 1

    if is_dry_run:
        planned, already = ledger.foresee(issue_id, wanted)
    else:
        planned, already = ledger.plan(issue_id, wanted, due_at=due_at, token=token)
    return PlanReport(issue_id, dict(planned), dict(already), dict(left_out))
