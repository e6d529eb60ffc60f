"""What is due and what is given up, as pure questions."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.publication import Publication, Region, Section
from mailer.schedule.calendar import Slot, slots_of
from mailer.schedule.due import deadline, due, missed
from mailer.schedule.runs import Key, Run, RunState, key_of
from mailer.timetable import Schedule

ISSUE = "2026-11-30"
FRIDAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
MONDAY_7 = datetime(2026, 11, 30, 7, tzinfo=UTC)
ZONES = {"national": "Europe/London", "wales": "Europe/London", "far": "America/New_York"}


def publication(late_hours: int = 12) -> Publication:
    return Publication(
        root=Path(),
        title="The Lantern",
        time_zone="Europe/London",
        regions=tuple(ZONES),
        sections=(Section(slug="news", title="News", quota=5),),
        schedule=Schedule(late_hours=late_hours, remind=""),
        region_map={
            slug: Region(
                slug=slug,
                name=slug,
                list_id=f"{slug}.lantern.example",
                reply_to="post@lantern.example",
                time_zone=zone,
            )
            for slug, zone in ZONES.items()
        },
    )


def slot(region: str, issue_id: str = ISSUE) -> Slot:
    return next(
        slot
        for slot in slots_of(publication(), date.fromisoformat(issue_id))
        if slot.region == region
    )


def rows(state: RunState, *slots: Slot) -> dict[Key, Run]:
    return {
        key_of(each): Run(each.job, each.region, each.utc, state, each.issue_id, "", each.utc)
        for each in slots
    }


def test_a_draft_is_due_from_its_time_until_the_first_region_leaves() -> None:
    draft = slot("")
    told = publication()
    assert due(FRIDAY - timedelta(seconds=1), told, {}) == []
    assert due(FRIDAY, told, {}) == [draft]
    assert due(MONDAY_7 - timedelta(minutes=1), told, {}) == [draft]
    assert draft not in due(MONDAY_7 + timedelta(minutes=1), told, {})
    assert due(FRIDAY, told, rows(RunState.DONE, draft)) == []
    assert due(FRIDAY, told, rows(RunState.SKIPPED, draft)) == []
    # A clock that was ahead gave it up; by the right one it is in time.
    assert due(FRIDAY, told, rows(RunState.MISSED, draft)) == [draft]


def test_regions_are_due_at_their_own_hour_in_order() -> None:
    told = publication()
    done = rows(RunState.DONE, slot(""))
    assert due(MONDAY_7, told, done) == [slot("national"), slot("wales")]
    noon = MONDAY_7 + timedelta(hours=5)
    assert due(noon, told, done) == [slot("national"), slot("wales"), slot("far")]
    assert due(noon, told, done | rows(RunState.DONE, slot("wales"))) == [
        slot("national"),
        slot("far"),
    ]


@pytest.mark.parametrize("state", [RunState.HELD, RunState.FAILED, RunState.STARTED])
def test_what_did_not_succeed_is_due_again(state: RunState) -> None:
    assert slot("wales") in due(MONDAY_7, publication(), rows(state, slot("wales")))


@pytest.mark.parametrize("late_hours", [0, 1, 12, 144])
def test_a_region_is_given_up_after_late_hours(late_hours: int) -> None:
    told = publication(late_hours)
    last = MONDAY_7 + max(timedelta(hours=late_hours), timedelta(minutes=5))
    assert deadline(slot("wales"), told) == last
    assert slot("wales") in due(last, told, {})
    assert slot("wales") not in due(last + timedelta(seconds=1), told, {})
    assert slot("wales") not in missed(last, told, {}, since=MONDAY_7)
    late = last + timedelta(seconds=1)
    assert slot("wales") in missed(late, told, {}, since=MONDAY_7)
    # The look before may have been at the very last moment.
    assert slot("wales") in missed(late, told, {}, since=last)
    assert slot("wales") not in missed(late + timedelta(seconds=1), told, {}, since=late)


def test_a_slot_somebody_started_is_due_whatever_its_age() -> None:
    much_later = MONDAY_7 + timedelta(days=40)
    started = rows(RunState.STARTED, slot("far"))
    assert slot("far") in due(much_later, publication(), started)
    assert slot("far") not in missed(much_later, publication(), started, since=MONDAY_7)


@pytest.mark.parametrize(
    ("state", "is_missed"),
    [
        (RunState.HELD, True),
        (RunState.FAILED, True),
        (RunState.STARTED, False),
        (RunState.DONE, False),
        (RunState.MISSED, False),
        (RunState.SKIPPED, False),
    ],
)
def test_what_never_succeeded_is_missed(state: RunState, is_missed: bool) -> None:
    late = MONDAY_7 + timedelta(hours=13)
    lost = missed(late, publication(), rows(state, slot("wales")), since=MONDAY_7)
    assert (slot("wales") in lost) is is_missed


def test_a_new_publication_has_missed_nothing() -> None:
    assert missed(MONDAY_7 + timedelta(days=3), publication(), {}, since=None) == []


@given(
    gaps=st.lists(st.integers(1, 60 * 24 * 5), min_size=1, max_size=15),
    late_hours=st.sampled_from([0, 2, 12, 144]),
)
def test_every_slot_is_either_due_at_some_look_or_missed_once(
    gaps: list[int], late_hours: int
) -> None:
    told = publication(late_hours)
    now = FRIDAY - timedelta(days=1)
    seen: dict[Key, Run] = {}
    lost: Counter[Key] = Counter()
    since = now
    for gap in gaps:
        now += timedelta(minutes=gap)
        lost.update(key_of(each) for each in missed(now, told, seen, since=since))
        seen |= rows(RunState.DONE, *due(now, told, seen))
        since = now
    assert set(lost.values()) <= {1}
    assert not set(lost) & set(seen)
    for week in range(12):
        for each in slots_of(told, date.fromisoformat(ISSUE) + timedelta(weeks=week)):
            if deadline(each, told) < now:
                assert key_of(each) in set(lost) | set(seen)
