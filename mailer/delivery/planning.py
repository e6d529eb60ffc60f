"""Planning: the promise is made to every eligible reader of every edition, all at once or not.

A plan is one transaction, written in large steps that can be watched. An address that has a row
for the issue keeps it, so planning again (after a crash, or when somebody joined late) only adds
who is missing; nobody gets two copies. Who is eligible, and for which one region, is the
register's decision.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select

from mailer.delivery.ledger import Ledger

Audience = Mapping[str, Select[Any]]
"""By region, what selects subscriber_id, address and name; see ``Register.audience``."""


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


_ALPHABET = b"abcdefghijklmnopqrstuvwxyz234567"
_SPELLING = bytes(_ALPHABET[byte & 31] for byte in range(256))
_LENGTH = 26
_PLACES = 3


def new_token() -> str:
    """Return an unguessable delivery token: 130 bits, base32 in lower case, 26 characters."""
    return new_tokens(1)[0]


def new_tokens(count: int) -> list[str]:
    """Return so many tokens in alphabetical order."""
    text = secrets.token_bytes(_LENGTH * count).translate(_SPELLING).decode("ascii")
    return sorted(text[at : at + _LENGTH] for at in range(0, len(text), _LENGTH))


def growing_tokens() -> Callable[[int], Sequence[str]]:
    """Return a maker of tokens that come in alphabetical order, over all its calls.

    A unique index is filled from one end then, not all over: a million rows are planned in half
    the time. Three letters in front of the 26 unguessable ones say how far down the list a
    delivery is, and nothing else.
    """
    calls = 0

    def make(count: int) -> Sequence[str]:
        nonlocal calls
        place = _placed(calls)
        calls += 1
        return [place + token for token in new_tokens(count)]

    return make


def _placed(number: int) -> str:
    letters = sorted(_ALPHABET.decode())
    text = ""
    for _ in range(_PLACES):
        text = letters[number % 32] + text
        number //= 32
    return text


def plan(
    ledger: Ledger,
    *,
    issue_id: str,
    recipients: Audience,
    due_at: Mapping[str, datetime],
    tokens: Callable[[int], Sequence[str]] | None = None,
    is_dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> PlanReport:
    """Plan a delivery for each recipient whose region is in ``due_at``.

    Args:
        ledger: where the rows go, in one transaction.
        issue_id: an issue that has a row.
        recipients: ``register.audience()``; the database reads who is eligible and writes the
            plan by itself.
        due_at: region to the instant its readers are due, aware UTC; also the message's Date.
        tokens: gives so many rows their tokens; ``growing_tokens()`` unless given.
        is_dry_run: count only; nothing is written.
        progress: called with the number of recipients planned so far.
    """
    counts = ledger.plan_audience(
        issue_id,
        recipients,
        due_at=due_at,
        tokens=tokens or growing_tokens(),
        is_dry_run=is_dry_run,
        progress=progress,
    )
    return PlanReport(issue_id, *(dict(each) for each in counts))
