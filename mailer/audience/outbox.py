"""The outbox of confirmations: which is to be mailed next, and what became of it.

A row is claimed before the network is touched: its next try is set to when a dead worker's claim
lapses, and the number of tries goes up. ``step`` settles the last one and claims the next in one
transaction, so that at any instant one row is in doubt, and a kill can repeat at most that one,
with the same link, Message-ID and Date. Two processes do not work at once (see
``usecases/confirming``); if they did, a claim is one of theirs.

Suppression is asked again at the claim. An erasure does not stand in the way: its reader asked
(see ``signups``). A row that ran out of time, or that a relay refused, is given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from mailer.audience.confirmations import hash_of, token_of
from mailer.audience.suppression import SuppressionReason, find_suppressions
from mailer.audience.tokens import Tokens
from mailer.audience.turns import in_turn
from mailer.clock import Clock
from mailer.storage import schema
from mailer.storage.database import Database

LEASE = timedelta(minutes=15)
"""Longer than one transaction with a relay usually takes, timeouts and all."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One confirmation in hand; ``attempts`` counts this try."""

    token_hash: str
    token: str
    seed: str
    address: str
    regions: tuple[str, ...]
    language: str
    expires_at: datetime
    dated_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Settled:
    """How one ended: ``is_sent``, or ``again_at`` for another try, or neither: given up."""

    token_hash: str
    is_sent: bool = False
    again_at: datetime | None = None


class Outbox:
    """Claims and settles confirmations."""

    def __init__(self, database: Database, clock: Clock, tokens: Tokens) -> None:
        self._database = database
        self._clock = clock
        self._tokens = tokens

    def is_due(self) -> bool:
        """Say whether anything waits; one cheap question."""
        table = schema.confirmations
        with self._database.read() as connection:
            found = connection.execute(
                select(table.c.token_hash).where(table.c.due_at <= self._clock.now()).limit(1)
            )
            return found.first() is not None

    def step(self, settled: Settled | None = None) -> Claimed | None:
        """Settle one and claim the next that is due, in one transaction; None when none is."""
        with in_turn(self._database) as connection:
            if settled is not None:
                self._settle(connection, settled)
            while (claimed := self._claim(connection)) is not None:
                if not self._is_barred(connection, claimed.address):
                    return claimed
                self._settle(connection, Settled(claimed.token_hash))
            return None

    def settle(self, settled: Settled) -> None:
        """Settle one without taking another."""
        with in_turn(self._database) as connection:
            self._settle(connection, settled)

    def _settle(self, connection: Connection, settled: Settled) -> None:
        table = schema.confirmations
        changed: dict[str, object] = {"due_at": settled.again_at}
        if settled.is_sent:
            changed["sent_at"] = self._clock.now()
        connection.execute(
            update(table).where(table.c.token_hash == settled.token_hash).values(**changed)
        )

    def _claim(self, connection: Connection) -> Claimed | None:
        table, people = schema.confirmations, schema.subscribers
        now = self._clock.now()
        while True:
            row = connection.execute(
                select(table, people.c.address, people.c.language)
                .join(people, people.c.id == table.c.subscriber_id)
                .where(table.c.due_at <= now)
                .order_by(table.c.due_at, table.c.token_hash)
                .limit(1)
            ).first()
            if row is None:
                return None
            here = table.c.token_hash == row.token_hash
            if row.expires_at <= now or row.used_at is not None:
                connection.execute(update(table).where(here).values(due_at=None))
                continue
            token = token_of(self._tokens, row.seed)
            # With another secret since, the link is another: what is kept of it must follow.
            kept = hash_of(token)
            connection.execute(
                update(table)
                .where(here)
                .values(
                    token_hash=kept,
                    due_at=now + LEASE,
                    attempts=row.attempts + 1,
                    dated_at=row.dated_at or now,
                )
            )
            return Claimed(
                token_hash=kept,
                token=token,
                seed=row.seed,
                address=row.address,
                regions=tuple(row.regions),
                language=row.language,
                expires_at=row.expires_at,
                dated_at=row.dated_at or now,
                attempts=row.attempts + 1,
            )

    def _is_barred(self, connection: Connection, address: str) -> bool:
        reason = find_suppressions(connection, [address]).get(address)
        return reason is not None and reason is not SuppressionReason.ERASED
