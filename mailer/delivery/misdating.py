"""Rows that a wrong clock wrote: found by the present one, and made due.

A clock that was a year ahead leaves retries that fall due in a year, and nobody would look at them
before. So what waits is never due later than the longest delay of the retry policy allows, counted
from now: a row beyond that was dated by a clock that was ahead. The same goes for a planned row
that was written later than now; its Date is put right as well, because nothing of it was begun.
What was tried keeps its Date: a repeat must be the same to the byte.

Known limit: while the clock is ahead by more than the policy's ``max_age_hours``, what is looked at
then expires, as it should by that clock, and stays expired.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, text, update

from mailer.clock import Clock
from mailer.delivery.delivery import DeliveryState
from mailer.delivery.ordering import keep_event
from mailer.delivery.retries import SPREAD
from mailer.policies import RetryPolicy
from mailer.storage.database import Database
from mailer.storage.schema import WAITING, deliveries

TOLERANCE = timedelta(minutes=5)
"""Clocks of two machines, and one that is being set, differ by less."""

_S = DeliveryState
_COLUMNS = deliveries.c


class Misdating:
    """The part of the ledger that does not believe every date in it."""

    _database: Database
    _clock: Clock

    def misdated(self, policy: RetryPolicy, *, issue_id: str | None = None) -> int:
        """Return how many deliveries with work left a wrong clock dated; of one issue, or all."""
        now = self._clock.now()
        statement = (
            select(func.count())
            .select_from(deliveries)
            # The index answers the second of these for a million rows before a row is read.
            .where(text(WAITING), _COLUMNS.due_at > now + TOLERANCE)
            .where(or_(_retried(now, policy), _planned(now)))
        )
        if issue_id is not None:
            statement = statement.where(_COLUMNS.issue_id == issue_id)
        with self._database.read() as connection:
            return int(connection.execute(statement).scalar_one())

    def redate(self, issue_id: str, policy: RetryPolicy) -> int:
        """Make an issue's misdated deliveries due now; return how many they were."""
        if not self.misdated(policy, issue_id=issue_id):
            return 0
        now = self._clock.now()
        here = (_COLUMNS.issue_id == issue_id, text(WAITING))
        with self._database.write() as connection:
            count = connection.execute(
                update(deliveries).where(*here, _planned(now)).values(
                    due_at=now, dated_at=now, updated_at=now
                )
            ).rowcount  # fmt: skip
            count += connection.execute(
                update(deliveries)
                .where(*here, _retried(now, policy))
                .values(due_at=now, updated_at=now)
            ).rowcount
            keep_event(connection, now, "deliveries.redated", issue_id, {"count": count})
        return count


def _retried(now: datetime, policy: RetryPolicy) -> Any:
    longest = timedelta(minutes=policy.longest_delay_minutes * (1 + SPREAD))
    was_tried = or_(_COLUMNS.state != _S.PLANNED.value, _COLUMNS.attempts > 0)
    return and_(was_tried, _COLUMNS.due_at > now + longest + TOLERANCE)


def _planned(now: datetime) -> Any:
    return and_(
        _COLUMNS.state == _S.PLANNED.value,
        _COLUMNS.attempts == 0,
        _COLUMNS.updated_at > now + TOLERANCE,
        _COLUMNS.due_at > now + TOLERANCE,
    )
