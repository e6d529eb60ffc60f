"""What the supervisor and the checks decide, without a process."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.operating.listener import _readiness
from mailer.operating.readiness import RECENT, Probe, is_ready, port_trouble, silence
from mailer.operating.supervising import LONGEST_PAUSE_S, SHORTEST_PAUSE_S, ending, pause_s

NOW = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)


@given(st.integers(1, 10_000))
def test_the_pause_grows_and_is_bounded(deaths: int) -> None:
    assert SHORTEST_PAUSE_S <= pause_s(deaths) <= pause_s(deaths + 1) <= LONGEST_PAUSE_S


def test_the_pause_doubles() -> None:
    assert [pause_s(n) for n in (1, 2, 3, 7, 8)] == [1, 2, 4, 60, 60]


@pytest.mark.parametrize(
    ("code", "said"),
    [(0, "ended with exit code 0"), (3, "ended with exit code 3"), (-9, "killed by SIGKILL")],
)
def test_an_end_is_said_in_words(code: int, said: str) -> None:
    assert ending(code) == said


def test_a_silent_schedule_is_no_longer_ready() -> None:
    assert silence(NOW - RECENT, NOW) == ""
    assert silence(NOW + timedelta(hours=1), NOW) == ""
    assert "06:56" in silence(NOW - timedelta(minutes=4), NOW)
    assert "never" in silence(None, NOW)


def test_one_bad_answer_is_enough() -> None:
    good, bad = Probe("database"), Probe("schema", "it is old")
    assert is_ready([good])
    assert not is_ready([good, bad])
    status, _kind, body = _readiness([good, bad])
    assert status == 503
    assert json.loads(body) == {"ready": False, "checks": {"database": "ok", "schema": "it is old"}}


def test_a_part_that_is_down_is_named_though_its_work_was_done_just_now() -> None:
    dead, recent = Probe("schedule", "not running: killed by SIGKILL"), Probe("schedule")
    _status, _kind, body = _readiness([dead, recent])
    assert json.loads(body)["checks"] == {"schedule": "not running: killed by SIGKILL"}


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_port_answers_or_does_not_yet(host: str, nowhere: int) -> None:
    assert port_trouble(host, nowhere) == f"port {nowhere} does not answer yet"
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert port_trouble(host, server.getsockname()[1]) == ""
