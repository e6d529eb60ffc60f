"""The editor's diary: what is to come, and a happening written as people write one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from mailer.app import App
from mailer.articles.article import DiaryEntry
from mailer.articles.dating import find_dates, find_hours, resolve
from mailer.articles.recurring import BELIEVED, find_recurrence, next_on
from mailer.errors import Fault, InvalidInput, MailerError
from mailer.issues.issue import APPROVED_STATES, IssueState

_DOTTED = re.compile(r"\b(1[3-9]|2[0-3])\.([0-5]\d)\b")
"""An hour of the afternoon with a point: in a text it may be a price, here it is an hour."""


def listing(app: App, *, since: date | None, with_hidden: bool) -> list[DiaryEntry]:
    """Return what is to come from a day on, today if none is given."""
    return app.datebook.entries(since=since or _today(app), with_hidden=with_hidden)


def add(
    app: App, title: str, when: str, *, place: str, url: str, regions: Sequence[str]
) -> tuple[DiaryEntry, ...]:
    """Add an editor's own happening, one entry for every day that is named.

    Args:
        when: "Saturday 5 December, 7.30pm", "5-7 December", "5 and 12 December, 3pm", "every first
            Tuesday, 7pm".
    Raises:
        InvalidInput: every fault of it; nothing is added then.
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
    entries = _written(" ".join(title.split()), when, today, faults)
    if not entries and not faults:
        faults.append(
            Fault(
                f"{when!r} names no day",
                field="WHEN",
                remedy="write 'Saturday 5 December, 7.30pm' or 'every first Tuesday, 7pm'",
            )
        )
    faults.extend(
        Fault(f"{entry.on} is past", field="WHEN", remedy="name the year if you mean another")
        for entry in entries
        if (entry.until or entry.on) < today
    )
    if faults:
        raise InvalidInput(faults)
    where = " ".join(place.split())
    return app.datebook.add(
        *(replace(entry, place=where, url=url.strip(), regions=wanted) for entry in entries)
    )


def drop(app: App, entry_id: str) -> tuple[DiaryEntry, dict[str, str]]:
    """Remove an editor's own happening.

    Returns:
        The entry, and the states of the issues still to go out that list it, by issue.
    Raises:
        NotFound: there is none.
        IllegalTransition: it was found in a file, which would bring it back.
    """
    entry = app.datebook.drop(entry_id)
    listing_it = {}
    for record in app.desk.issues():
        if record.state not in {IssueState.DRAFT, *APPROVED_STATES}:
            continue
        try:
            issue = app.desk.load(record.id)
        except MailerError:
            # Its file is at fault, or was removed; `issue check` says that and more.
            continue
        if entry_id in issue.diary:
            listing_it[record.id] = str(record.state)
    return entry, listing_it


def _written(title: str, when: str, today: date, faults: list[Fault]) -> list[DiaryEntry]:
    """Return an entry for each day that is named; what is not understood is a fault."""
    when = _DOTTED.sub(r"\1:\2", when)
    dates = find_dates(when)
    again = None if dates else find_recurrence(when)
    spans = [(again.start, again.end)] if again else [(day.start, day.end) for day in dates]
    rest = when
    for start, end in reversed(spans):
        rest = f"{rest[:start]} {rest[end:]}"
    hours = find_hours(rest)
    at, ends_at = hours[2:] if hours else (None, None)
    left = f"{rest[: hours[0]]} {rest[hours[1] :]}" if hours else rest
    if (dates or again) and (odd := re.search(r"\S*\d\S*", left)):
        # An hour or a day that is passed over in silence is missed by every reader.
        faults.append(
            Fault(
                f"{odd[0].strip(',.;')!r} is not understood",
                field="WHEN",
                remedy="write one hour as 7.30pm or 19:30, and days as '5 and 12 December'",
            )
        )
    if again:
        first = next_on(again.rule, today)
        until = first + BELIEVED
        return [DiaryEntry("", title, first, at, ends_at=ends_at, until=until, repeats=again.rule)]
    entries = []
    for written in dates:
        resolved = resolve(written, reference=today, today=today)
        if resolved is None:
            day = when[written.start : written.end]
            faults.append(Fault(f"{day!r} is no day", field="WHEN", remedy="correct it"))
            continue
        on, flags = resolved
        faults.extend(
            Fault(flag.note.rstrip("."), field="WHEN", remedy="correct the day or its name")
            for flag in flags
            if flag.code == "weekday-mismatch"
        )
        last = written.last_after(on)
        entries.append(DiaryEntry("", title, on, at, ends_at=ends_at, until=last))
    return entries


def _today(app: App) -> date:
    return app.clock.now().astimezone(ZoneInfo(app.publication.time_zone)).date()
