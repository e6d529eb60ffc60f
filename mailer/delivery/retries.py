"""When a delivery that did not get through is tried again: a pure decision.

The delay grows by the policy's factor from try to try up to its longest delay, and is spread by
up to a fifth either way so that a thousand readers deferred in one second do not all come back
in one second. The spread comes from the delivery's token, not from chance: the same ledger gives
the same plan.

Source: RFC 5321 section 4.5.4.1 (retry interval and give-up time).
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from mailer.errors import InvalidInput
from mailer.policies import RetryPolicy

SPREAD = 0.2
"""The largest share of a delay that the jitter adds or takes away."""


def next_try_at(
    attempts: int,
    *,
    now: datetime,
    first_tried_at: datetime,
    policy: RetryPolicy,
    key: str = "",
) -> datetime | None:
    """Say when to try a deferred or doubtful delivery again.

    Args:
        attempts: tries so far, 1 or more.
        now: aware UTC.
        first_tried_at: the end of the first try, aware UTC; the age counts from here, so an
            issue that was planned long before it was sent is not given up at once.
        policy: delays and the age at which to give up.
        key: spreads deliveries with the same number of tries; the delivery's token.

    Returns:
        The next instant, or None once it would lie past the policy's ``max_age_hours``.

    Raises:
        InvalidInput: attempts < 1.
    """
    if attempts < 1:
        raise InvalidInput(f"a delivery tried {attempts} times has nothing to retry")
    longest = policy.longest_delay_minutes
    # The exponent is capped: a long-lived delivery must not overflow a float.
    minutes = min(longest, policy.first_delay_minutes * policy.factor ** min(attempts - 1, 64))
    minutes *= 1 + SPREAD * (2 * _share(key, attempts) - 1)
    at = now + timedelta(minutes=minutes)
    return at if at <= first_tried_at + timedelta(hours=policy.max_age_hours) else None


def _share(key: str, attempts: int) -> float:
    """Return a number from 0 up to 1 that looks random and is the same every time."""
    digest = hashlib.sha256(f"{key}:{attempts}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
