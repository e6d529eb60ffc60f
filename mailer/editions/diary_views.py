"""The diary of an edition: what is still ahead for a region's readers, in their words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from mailer.articles.article import DiaryEntry
from mailer.articles.entries import upcoming
from mailer.editions import text
from mailer.editions.viewmodel import DiaryView
from mailer.editions.wording import Wording


def diary_views(
    entries: Sequence[DiaryEntry],
    *,
    listed: Sequence[str],
    ladder: Collection[str],
    leaves_at: datetime,
    wording: Wording,
    web_url: str,
) -> tuple[DiaryView, ...]:
    """Return the entries an issue lists that a region's readers can still go to.

    Args:
        listed: the issue's ids, in its order.
        ladder: the region and its parents; an entry of other regions is left out.
        leaves_at: when the edition leaves, by the clocks where it is read, without a zone.
    """
    ahead = {e.id: entry for e in entries if (entry := upcoming(e, leaves_at)) is not None}
    known = [ahead[name] for name in dict.fromkeys(listed) if name in ahead]
    shown = [
        _view(entry, wording, web_url)
        for entry in known
        if not entry.regions or set(ladder) & set(entry.regions)
    ]
    # Links that lead to different files need different words: the day, or else the title.
    taken = Counter(view.calendar_label for view in shown)
    return tuple(
        view
        if taken[view.calendar_label] == 1
        else replace(view, calendar_label=wording.keep(view.title))
        for view in shown
    )


def _view(entry: DiaryEntry, wording: Wording, web_url: str) -> DiaryView:
    until = entry.until if not entry.repeats and entry.until != entry.on else None
    starts = wording.clock_time(entry.at) if entry.at else ""
    ends = wording.clock_time(entry.ends_at) if entry.ends_at and not until else ""
    return DiaryView(
        title=text.one_line(entry.title),
        when=wording.day_and_month(entry.on),
        weekday=wording.weekday(entry.on),
        day=entry.on.day,
        month=wording.month(entry.on),
        time=wording.between(starts, ends),
        span=wording.until(until) if until else wording.repeats(entry.repeats, entry.on),
        place=text.one_line(entry.place),
        url=text.safe_url(entry.url),
        calendar_url=f"{web_url}/diary/{entry.id}.ics",
        calendar_label=wording.keep(wording.moment(entry.on, starts)),
    )
