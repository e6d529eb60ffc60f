"""When a source is asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.visiting import SourceState, due_after_failure, due_after_success, is_due
from mailer.sources import Source

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOURCE = Source(name="Town", url="https://town.example/feed", every_minutes=60)


def test_it_is_due_when_it_was_never_asked_or_its_time_has_come() -> None:
    assert is_due(SOURCE, SourceState("x"), NOW)
    waiting = SourceState("x", asked_at=NOW, due_at=NOW + HOUR)
    assert not is_due(SOURCE, waiting, NOW + HOUR - timedelta(seconds=1))
    assert is_due(SOURCE, waiting, NOW + HOUR)
    assert is_due(Source(name="f", file="feeds/x.xml"), waiting, NOW)


def test_a_clock_that_was_ahead_silences_nobody() -> None:
    state = SourceState("x", asked_at=NOW + timedelta(days=400), due_at=NOW + timedelta(days=401))
    assert is_due(SOURCE, state, NOW)
    long = SourceState("x", asked_at=NOW, due_at=NOW + timedelta(days=4_000))
    assert is_due(SOURCE, long, NOW + timedelta(days=7))


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("", HOUR),
        ("max-age=60", HOUR),
        ("public, max-age=7200", 2 * HOUR),
        ('max-age="7200"', 2 * HOUR),
        ("max-age=999999999", 24 * HOUR),
        ("max-age=soon", HOUR),
    ],
)
def test_a_source_may_ask_for_more_time(header: str, wait: timedelta) -> None:
    assert due_after_success(SOURCE, {"cache-control": header}, NOW) == NOW + wait


def test_failures_are_left_alone_twice_as_long_each_time() -> None:
    waits = [due_after_failure(SOURCE, NOW, failures=n) - NOW for n in range(1, 9)]
    assert [wait / HOUR for wait in waits] == [1, 2, 4, 8, 16, 24, 24, 24]
    assert due_after_failure(SOURCE, NOW, failures=1, retry_after_s=9_000) == NOW + 2.5 * HOUR
    assert due_after_failure(SOURCE, NOW, failures=1, status=410) == NOW + timedelta(days=7)


@given(st.integers(0, 10_000), st.integers(5, 44_640), st.none() | st.floats(0, 604_800))
def test_the_next_visit_is_later_and_within_a_month(
    failures: int, minutes: int, retry_after_s: float | None
) -> None:
    source = Source(name="Town", url="https://town.example/feed", every_minutes=minutes)
    due = due_after_failure(source, NOW, failures=failures, retry_after_s=retry_after_s)
    assert NOW + timedelta(minutes=5) <= due <= NOW + timedelta(days=31)
