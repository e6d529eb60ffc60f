"""The editor's diary: what is to come, and a happening written as people write one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from mailer.app import App
from mailer.articles.article import DiaryEntry
from mailer.articles.dating import find_dates, find_times, resolve
from mailer.articles.recurring import BELIEVED, find_recurrence, next_on
from mailer.errors import Fault, InvalidInput


def listing(app: App, *, since: date | None, with_hidden: bool) -> list[DiaryEntry]:
    """Return what is to come from a day on, today if none is given."""
    return app.datebook.entries(since=since or _today(app), with_hidden=with_hidden)


def add(
    app: App, title: str, when: str, *, place: str, url: str, regions: Sequence[str]
) -> DiaryEntry:
    """Add an editor's own happening.

    Args:
        when: "Saturday 5 December, 7.30pm", "5-7 December", "every first Tuesday, 7pm".
    Raises:
        InvalidInput: every fault of it.
        NotFound: there is no such region.
    """
    wanted = tuple(region.slug for region in app.regions(list(regions))) if regions else ()
    today = _today(app)
    faults: list[Fault] = []
    if not title.strip():
        faults.append(Fault("is empty", field="TITLE", remedy="say what it is"))
    if url and not re.match(r"https?://[^\s/]+\.", url):
        faults.append(
            Fault(f"{url!r} is no web address", field="--url", remedy="begin it https://")
        )
    entry = _written(title, when, today, faults)
    if entry is None and not faults:
        faults.append(
            Fault(
                f"{when!r} names no day",
                field="WHEN",
                remedy="write 'Saturday 5 December, 7.30pm' or 'every first Tuesday, 7pm'",
            )
        )
    elif entry is not None and (entry.until or entry.on) < today:
        faults.append(
            Fault(f"{entry.on} is past", field="WHEN", remedy="name the year if you mean another")
        )
    if faults or entry is None:
        raise InvalidInput(faults)
    return app.datebook.add(
        DiaryEntry(
            id="",
            title=" ".join(title.split()),
            on=entry.on,
            at=entry.at,
            ends_at=entry.ends_at,
            until=entry.until,
            repeats=entry.repeats,
            place=" ".join(place.split()),
            url=url.strip(),
            regions=wanted,
        )
    )


def _written(title: str, when: str, today: date, faults: list[Fault]) -> DiaryEntry | None:
    at, ends_at = find_times(when)
    dates = find_dates(when)
    if dates:
        resolved = resolve(dates[0], reference=today, today=today)
        if resolved is None:
            return None
        on, flags = resolved
        faults.extend(
            Fault(flag.note, field="WHEN", remedy="correct the day or its name")
            for flag in flags
            if flag.code == "weekday-mismatch"
        )
        return DiaryEntry("", title, on, at, ends_at=ends_at, until=dates[0].last_after(on))
    again = find_recurrence(when)
    if again is None:
        return None
    on = next_on(again.rule, today)
    return DiaryEntry("", title, on, at, ends_at=ends_at, until=on + BELIEVED, repeats=again.rule)


def _today(app: App) -> date:
    return app.clock.now().astimezone(ZoneInfo(app.publication.time_zone)).date()
