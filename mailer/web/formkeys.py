"""Form keys: the hidden field that says a form is ours, for what, and since when.

The pages set no cookies, so a form cannot be tied to a session. Its key is a signed instant,
bound to one purpose (a page, or one reader's page): nobody can make one, one for another form is
worthless, it ends after some hours, and a form that comes back faster than a person reads is
told from one that a program filled in. Pure.

Known limit: a key can be used more than once while it lives; the buckets are what limits that.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from mailer.audience.tokens import Tokens

LIFETIME = timedelta(hours=12)
SHORTEST_FILL = timedelta(seconds=2)
"""A page that asks for an address cannot be read and filled in sooner."""

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class KeyState(StrEnum):
    """How a form's key stands."""

    GOOD = "good"
    FORGED = "forged"
    QUICK = "quick"
    STALE = "stale"


class FormKeys:
    """Makes and checks keys."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def make(self, purpose: str, now: datetime) -> str:
        """Return a key for one purpose, from now on."""
        since_ms = int((now - _EPOCH) / timedelta(milliseconds=1))
        return self._tokens.sign(
            f"form {purpose}", since_ms.to_bytes(6, "big") + secrets.token_bytes(4)
        )

    def check(
        self, key: str, purpose: str, now: datetime, *, shortest: timedelta = timedelta(0)
    ) -> KeyState:
        """Say how a key stands that came back with a form.

        Args:
            shortest: how long a person needs for this form.
        """
        payload = self._tokens.verify(f"form {purpose}", key)
        if payload is None or len(payload) != 10:
            return KeyState.FORGED
        age = now - (_EPOCH + timedelta(milliseconds=int.from_bytes(payload[:6], "big")))
        if age > LIFETIME:
            return KeyState.STALE
        return KeyState.QUICK if age < shortest else KeyState.GOOD
