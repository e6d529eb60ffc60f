"""What is due now, and what has become too late: pure answers from instants and rows.

Due is

- what comes before an issue (draft, freeze, the column's hour, reminder, the hour of approval),
  from its time until the first region's edition leaves: late, it harms nobody;
- a region's sending, from its time until ``late_hours`` have passed, tried again while it is
  held or failed: an approval at nine sends what was due at seven;
- a slot that a dead or stopped process had started, however late: some readers have that issue
  already, and the rest must not be forgotten.

Every slot becomes due at some look or is missed, at most once each, whatever the clock did in
between; a clock set back finds what it had given up due again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from mailer.localtime import first_send_at
from mailer.publication import Publication
from mailer.schedule.calendar import JOBS, WEEK, Job, Slot, slots_between
from mailer.schedule.runs import FINAL, Key, Run, RunState, key_of

ON_TIME = timedelta(minutes=5)
"""A slot this late is still on time: the tick comes once a minute and may wait for another job."""

LONGEST_LATENESS = WEEK * 2
"""No slot is due for longer: a draft for about a week, a region for 144 hours."""


def deadline(slot: Slot, publication: Publication) -> datetime:
    """Return the last instant at which a slot nobody has started may still run."""
    if slot.job == "send":
        return slot.utc + max(timedelta(hours=publication.schedule.late_hours), ON_TIME)
    if slot.job == "holiday":
        return slot.utc + WEEK
    return first_send_at(publication, date.fromisoformat(slot.issue_id))


def due(now: datetime, publication: Publication, runs: Mapping[Key, Run]) -> list[Slot]:
    """Return the slots to run now, soonest first.

    Args:
        now: aware UTC.
        publication: whose schedule.
        runs: the rows known, at least those of ``candidates``; slots that were started and never
            ended are due whatever their age.
    """
    slots = [
        slot
        for slot in candidates(now, publication)
        if now <= deadline(slot, publication)
        and (key_of(slot) not in runs or runs[key_of(slot)].state not in FINAL)
    ]
    known = {key_of(slot) for slot in slots}
    slots.extend(
        _slot(run, publication)
        for run in runs.values()
        if run.state is RunState.STARTED and run.key not in known and run.slot_at <= now
    )
    return sorted(slots, key=lambda slot: (slot.utc, JOBS.index(slot.job)))


def missed(
    now: datetime, publication: Publication, runs: Mapping[Key, Run], *, since: datetime | None
) -> list[Slot]:
    """Return the slots that became too late after ``since`` without being done.

    Args:
        now: aware UTC.
        publication: whose schedule.
        runs: the rows known, at least those of ``candidates``.
        since: when the schedule was last looked at; None on the very first look, when there
            was nothing to miss.
    """
    if since is None:
        return []
    return [
        slot
        for slot in candidates(now, publication, since=since)
        if since <= deadline(slot, publication) < now
        and (
            key_of(slot) not in runs or runs[key_of(slot)].state in {RunState.HELD, RunState.FAILED}
        )
    ]


def candidates(
    now: datetime, publication: Publication, *, since: datetime | None = None
) -> list[Slot]:
    """Return every slot that could be due now or missed since then, whatever became of it."""
    return slots_between(publication, min(now, since or now) - LONGEST_LATENESS, now)


def _slot(run: Run, publication: Publication) -> Slot:
    region = publication.region_map.get(run.region)
    zone = region.time_zone if region else publication.time_zone
    local = run.slot_at.astimezone(ZoneInfo(zone))
    return Slot(cast("Job", run.job), run.region, run.issue_id, run.slot_at, local)
