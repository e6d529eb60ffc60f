"""When a delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.retries import SPREAD, next_try_at
from mailer.errors import InvalidInput
from mailer.policies import RetryPolicy

NOW = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
POLICY = RetryPolicy(first_delay_minutes=10, factor=2, longest_delay_minutes=60, max_age_hours=10)


def delay(attempts: int, key: str = "k") -> float:
    at = next_try_at(attempts, now=NOW, first_tried_at=NOW, policy=POLICY, key=key)
    assert at is not None
    return (at - NOW).total_seconds() / 60


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 10), (2, 20), (3, 40), (4, 60), (50, 60)])
def test_the_delay_grows_up_to_the_longest(attempts: int, minutes: float) -> None:
    assert minutes * (1 - SPREAD) <= delay(attempts) <= minutes * (1 + SPREAD)


def test_the_jitter_differs_between_deliveries_and_repeats_for_one() -> None:
    assert len({delay(1, key=str(number)) for number in range(50)}) > 40
    assert delay(1, key="a") == delay(1, key="a")


def test_it_gives_up_at_the_age_counted_from_the_first_try() -> None:
    early = NOW - timedelta(hours=10)
    assert next_try_at(5, now=NOW, first_tried_at=early, policy=POLICY) is None
    assert next_try_at(5, now=NOW, first_tried_at=NOW, policy=POLICY) is not None


def test_no_attempt_has_no_retry() -> None:
    with pytest.raises(InvalidInput):
        next_try_at(0, now=NOW, first_tried_at=NOW, policy=POLICY)


@given(st.integers(1, 10_000), st.text(max_size=30))
def test_a_retry_is_always_later_and_never_past_the_age(attempts: int, key: str) -> None:
    at = next_try_at(attempts, now=NOW, first_tried_at=NOW, policy=POLICY, key=key)
    assert at is not None
    assert NOW < at <= NOW + timedelta(hours=10)
