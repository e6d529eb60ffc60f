"""The week as instants: when an issue is drafted and when each region's edition leaves.

Pure: a publication and an instant in, slots out. Local times become UTC by the rule of
``localtime``.

An issue is named by the date of its send day, the same date for every region, however far
apart their clocks are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from mailer.localtime import first_instant, first_send_at, send_at
from mailer.policies import WEEKDAYS
from mailer.publication import Publication

Job = Literal["draft", "send"]

WEEK = timedelta(days=7)

__all__ = [
    "WEEK",
    "Job",
    "Slot",
    "draft_at",
    "send_at",
    "send_day_from",
    "slots_between",
    "slots_of",
    "upcoming",
]


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing to do at one instant.

    ``region`` is empty for a draft. ``local`` is ``utc`` on the wall clock of the region, or of
    the publication for a draft.
    """

    job: Job
    region: str
    issue_id: str
    utc: datetime
    local: datetime


def draft_at(publication: Publication, issue_date: date) -> datetime:
    """Return when that issue is drafted, in UTC: the last draft time before any region's slot."""
    schedule = publication.schedule
    days = (WEEKDAYS.index(schedule.send_day) - WEEKDAYS.index(schedule.draft_day)) % 7
    day = issue_date - timedelta(days=days)
    drafted = first_instant(day, schedule.draft_time, publication.time_zone)
    if drafted >= first_send_at(publication, issue_date):
        drafted = first_instant(day - WEEK, schedule.draft_time, publication.time_zone)
    return drafted


def send_day_from(publication: Publication, now: datetime) -> date:
    """Return the first send day from today on, by the publication's own calendar; today counts."""
    today = now.astimezone(ZoneInfo(publication.time_zone)).date()
    return today + timedelta(
        days=(WEEKDAYS.index(publication.schedule.send_day) - today.weekday()) % 7
    )


def slots_of(publication: Publication, issue_date: date) -> list[Slot]:
    """Return every slot of one issue, in the order they come."""
    issue_id = issue_date.isoformat()
    drafted = draft_at(publication, issue_date)
    slots = [
        Slot("draft", "", issue_id, drafted, drafted.astimezone(ZoneInfo(publication.time_zone)))
    ]
    for region in publication.region_map.values():
        utc = send_at(publication, region, issue_date)
        slots.append(
            Slot("send", region.slug, issue_id, utc, utc.astimezone(ZoneInfo(region.time_zone)))
        )
    # Sorting is stable: at the same instant regions keep the publication's order.
    return sorted(slots, key=lambda slot: slot.utc)


def slots_between(publication: Publication, after: datetime, until: datetime) -> list[Slot]:
    """Return the slots with ``after < utc <= until``, in the order they come."""
    # A slot lies at most nine days before its issue's date (a draft a week early, and a day for
    # clocks that are ahead) and two after it.
    day = send_day_from(publication, after) - WEEK
    found: list[Slot] = []
    while day <= until.date() + timedelta(days=9):
        found.extend(slot for slot in slots_of(publication, day) if after < slot.utc <= until)
        day += WEEK
    return sorted(found, key=lambda slot: slot.utc)


def upcoming(publication: Publication, now: datetime, count: int) -> list[Slot]:
    """Return the next ``count`` slots after ``now``, soonest first."""
    found: list[Slot] = []
    for slot in _from(publication, now):
        if len(found) >= count:
            break
        found.append(slot)
    return found


def _from(publication: Publication, now: datetime) -> Iterator[Slot]:
    """Yield the slots after ``now`` for ever, a week at a time."""
    while True:
        yield from slots_between(publication, now, now + WEEK)
        now += WEEK
