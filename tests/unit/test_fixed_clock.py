"""The fixed clock of rehearsals and tests: however short a sleep, time passes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailer.clock import FixedClock

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [1e-12, 1e-7, 0.5, 3600.0])
def test_whoever_sleeps_wakes_up(seconds: float) -> None:
    clock = FixedClock(AT)
    clock.sleep(seconds)
    assert clock.monotonic() >= seconds
    assert clock.now() > AT


def test_no_sleep_takes_no_time() -> None:
    clock = FixedClock(AT)
    clock.sleep(0)
    assert clock.now() == AT
