"""Wall clocks as instants: when a region's clock shows an hour, and when its edition leaves.

Pure: a publication and a date in, UTC out. One rule, "the first instant at which the wall clock
shows that time or later": a time the spring skips goes at the first moment that exists, a time
the autumn repeats goes once, at its first showing. A whole skipped day (a zone that crossed the
date line) falls under the same rule.

It stands below the stages, so that drafting, the checks of an edition and the schedule give one
answer to "when does it go out?".

Standard: PEP 495.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from mailer.publication import Publication, Region
from mailer.timetable import Moment


@lru_cache(maxsize=4096)
def first_instant(on: date, at: time, zone: str) -> datetime:
    """Return the first instant, in UTC, at which the clocks of ``zone`` show that time or later.

    A schedule asks for the same few again and again, so they are remembered.

    Source: PEP 495: the two folds of a skipped time enclose the change of the clocks.
    """
    wanted = datetime.combine(on, at)
    place = ZoneInfo(zone)
    first, second = (wanted.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        # An ordinary time gives the same instant twice, a repeated one its first showing.
        return first
    # The time is skipped, and the change lies after `second` and at or before `first`.
    before, after = second, first
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(place).replace(tzinfo=None) >= wanted:
            after = middle
        else:
            before = middle
    return after


def send_at(publication: Publication, region: Region, issue_date: date) -> datetime:
    """Return when the region's edition of that issue leaves, in UTC."""
    return first_instant(issue_date, publication.send_time(region), region.time_zone)


def first_send_at(publication: Publication, issue_date: date) -> datetime:
    """Return when the first region's edition of that issue leaves, in UTC."""
    return min(
        send_at(publication, region, issue_date) for region in publication.region_map.values()
    )


def last_send_at(publication: Publication, issue_date: date) -> datetime:
    """Return when the last region's edition of that issue leaves, in UTC."""
    return max(
        send_at(publication, region, issue_date) for region in publication.region_map.values()
    )


def last_moment(moments: Sequence[Moment], before: datetime, zone: str) -> datetime | None:
    """Return the last of these moments that comes before an instant, in UTC; None for no moments.

    Args:
        moments: weekdays and hours on the clocks of ``zone``.
        before: aware.
        zone: an IANA name.
    """
    today = before.astimezone(ZoneInfo(zone)).date()
    for back in range(9):
        day = today - timedelta(days=back)
        found = [
            instant
            for moment in moments
            if moment.weekday in (None, day.weekday())
            and (instant := first_instant(day, moment.at, zone)) < before
        ]
        if found:
            return max(found)
    return None
