"""Diary entries: made of announcements, one an occasion, and gone when the occasion is past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from rapidfuzz import fuzz

from mailer.articles.article import Article, DiaryEntry
from mailer.articles.diary import Happening, merge
from mailer.articles.lettering import slug_of
from mailer.articles.occasions import are_apart
from mailer.articles.recurring import next_on

_LIKE = 85
"""Two titles this alike, in per cent, are of one occasion when they are held on one day."""


def diary_of(
    happenings: Sequence[Happening], articles: Sequence[Article]
) -> tuple[DiaryEntry, ...]:
    """Turn announcements into diary entries, one an occasion, with ids of date and title."""
    entries = []
    for happening in merge(happenings):
        article = articles[happening.piece] if happening.piece >= 0 else None
        entries.append(
            DiaryEntry(
                id=id_of(happening.on, happening.title),
                title=happening.title,
                on=happening.on,
                at=happening.at,
                place=happening.place,
                url=happening.url,
                regions=article.regions if article else (),
                article_id=article.id if article else "",
                flags=happening.flags,
                ends_at=happening.ends_at,
                until=happening.until,
                repeats=happening.repeats,
            )
        )
    return tuple(entries)


def id_of(on: date, title: str) -> str:
    """Return the id an entry gets, if it is still free."""
    return f"{on.isoformat()}-{slug_of(title, limit=60) or 'event'}"


def upcoming(entry: DiaryEntry, local: datetime) -> DiaryEntry | None:
    """Return an entry as it stands when clocks show ``local``, or None once it is past.

    Args:
        entry: of what repeats, ``on`` becomes the next day.
        local: date and time where the reader is, without a zone.
    Returns:
        None from the minute it begins; without an hour, from the end of the day; of several days,
        from the end of the last.
    """
    today = local.date()
    has_begun = entry.at is not None and entry.at <= local.time()
    if entry.repeats:
        on = next_on(entry.repeats, max(entry.on, today))
        if on == today and has_begun:
            on = next_on(entry.repeats, date.fromordinal(today.toordinal() + 1))
        return None if entry.until and on > entry.until else replace(entry, on=on)
    last = entry.until or entry.on
    is_over = last < today or (last == today == entry.on and has_begun)
    return None if is_over else entry


def is_one_occasion(one: DiaryEntry, other: DiaryEntry) -> bool:
    """Say whether two entries, perhaps of two files, announce the same thing.

    They are alike in title and day, and nothing that both of them say tells them apart: an hour, a
    place, or regions of which they share none.
    """
    if one.on != other.on or one.repeats != other.repeats or are_apart(one, other):
        return False
    if one.regions and other.regions and not set(one.regions) & set(other.regions):
        return False
    return fuzz.token_sort_ratio(one.title.casefold(), other.title.casefold()) >= _LIKE
