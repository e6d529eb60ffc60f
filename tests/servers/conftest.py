"""What tests of the unattended service begin with: a relay, and a clock that stands at a Friday."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailer.clock import FixedClock
from tests.faults.chaos import ChaosServer
from tests.town import FRIDAY


@pytest.fixture
def relay() -> Iterator[ChaosServer]:
    server = ChaosServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(FRIDAY)
