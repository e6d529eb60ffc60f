"""The schedule as instants: what comes before an issue, and when each region's edition leaves.

Pure: a publication and an instant in, slots out. Days come from ``timetable``; local times become
UTC by the rule of ``localtime``.

An issue is named by the date of its send day, the same date for every region, however far
apart their clocks are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from mailer.localtime import first_instant, first_send_at, last_moment, send_at
from mailer.publication import Publication
from mailer.timetable import HORIZON, Moment, issue_days, left_out, moved_from, next_issue_day

Job = Literal["draft", "freeze", "column", "remind", "approve", "send", "holiday"]
JOBS: tuple[Job, ...] = ("draft", "freeze", "column", "remind", "approve", "send", "holiday")
"""Every job, in the order in which those of one instant are done."""

WEEK = timedelta(days=7)
AROUND = timedelta(days=9)
"""A slot lies at most nine days before its issue's date (a draft a week early, and a day for
clocks that are ahead) and two after it."""

__all__ = [
    "JOBS",
    "WEEK",
    "Job",
    "Slot",
    "draft_at",
    "send_at",
    "slots_between",
    "slots_of",
    "upcoming",
]


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing to do at one instant.

    ``region`` is empty for all but ``send``. ``local`` is ``utc`` on the wall clock of the region,
    or of the publication. ``note`` says why there is no issue on a ``holiday``.
    """

    job: Job
    region: str
    issue_id: str
    utc: datetime
    local: datetime
    note: str = ""


def draft_at(publication: Publication, issue_date: date) -> datetime:
    """Return when that issue is drafted, in UTC: the last draft time before any region's slot."""
    at = _moment_before(publication, issue_date, publication.schedule.draft)
    # A schedule names a moment at least, and a week has each of them.
    return at or first_send_at(publication, issue_date)


def _moment_before(
    publication: Publication, issue_date: date, moments: Sequence[Moment]
) -> datetime | None:
    """Return the last of these moments before an issue, in UTC; None for no moments.

    What a holiday moved takes its moments along, by as many days: they lie as in any week, and the
    week that is asked for is never the one of the issue before.
    """
    zone = publication.time_zone
    leaves = first_send_at(publication, issue_date)
    regular = moved_from(publication.schedule, issue_date)
    if regular is None:
        return last_moment(moments, leaves, zone)
    at = last_moment(moments, first_send_at(publication, regular), zone)
    if at is None:
        return None
    local = at.astimezone(ZoneInfo(zone))
    moved = first_instant(local.date() + (issue_date - regular), local.time(), zone)
    # Where clocks change in between, a region of another zone may leave an hour sooner.
    return min(moved, leaves - timedelta(minutes=1))


def slots_of(publication: Publication, issue_date: date) -> list[Slot]:
    """Return every slot of one issue, in the order they come."""
    issue_id = issue_date.isoformat()
    schedule, zone = publication.schedule, publication.time_zone
    drafted = draft_at(publication, issue_date)
    before = {
        "draft": schedule.draft,
        "freeze": schedule.freeze,
        "column": publication.column.by if publication.columnist else (),
        "remind": schedule.remind,
        "approve": schedule.approve_by,
    }
    slots = []
    for job in JOBS:
        at = _moment_before(publication, issue_date, before.get(job, ()))
        if at is not None:
            # Nobody is asked for something that is still to be drafted.
            at = max(at, drafted)
            slots.append(Slot(job, "", issue_id, at, at.astimezone(ZoneInfo(zone))))
    for region in publication.region_map.values():
        utc = send_at(publication, region, issue_date)
        slots.append(
            Slot("send", region.slug, issue_id, utc, utc.astimezone(ZoneInfo(region.time_zone)))
        )
    return _in_order(slots)


def slots_between(publication: Publication, after: datetime, until: datetime) -> list[Slot]:
    """Return the slots with ``after < utc <= until``, in the order they come."""
    first, last = after.date() - AROUND, until.date() + AROUND
    slots = [
        slot
        for day in issue_days(publication.schedule, first, last)
        for slot in slots_of(publication, day.date)
    ]
    for day in left_out(publication.schedule, first, last):
        utc = first_instant(day.date, publication.schedule.send_time, publication.time_zone)
        local = utc.astimezone(ZoneInfo(publication.time_zone))
        slots.append(Slot("holiday", "", day.date.isoformat(), utc, local, day.why))
    return _in_order([slot for slot in slots if after < slot.utc <= until])


def upcoming(
    publication: Publication,
    now: datetime,
    count: int,
    *,
    until: datetime | None = None,
    besides: Collection[str] = (),
) -> list[Slot]:
    """Return the next ``count`` slots after ``now``, soonest first, none later than ``until``.

    ``besides`` are issues whose slots are left out.
    """
    found: list[Slot] = []
    for slot in _from(publication, now):
        if slot.issue_id in besides:
            continue
        if len(found) >= count or (until is not None and slot.utc > until):
            break
        found.append(slot)
    return found


def _from(publication: Publication, now: datetime) -> Iterator[Slot]:
    """Yield the slots after ``now``, four weeks at a time, as long as there will be issues."""
    end = now + HORIZON
    while now < end and next_issue_day(publication.schedule, now.date() - AROUND) is not None:
        yield from slots_between(publication, now, now + 4 * WEEK)
        now += 4 * WEEK


def _in_order(slots: list[Slot]) -> list[Slot]:
    # Sorting is stable: at the same instant regions keep the publication's order.
    return sorted(slots, key=lambda slot: (slot.utc, JOBS.index(slot.job)))
