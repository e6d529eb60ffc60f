"""Diary entries made of announcements: one an occasion, with an id of its date and title."""

from __future__ import annotations

from collections.abc import Sequence

from mailer.articles.article import Article, DiaryEntry
from mailer.articles.diary import Happening, merge
from mailer.articles.lettering import slug_of


def diary_of(
    happenings: Sequence[Happening], articles: Sequence[Article]
) -> tuple[DiaryEntry, ...]:
    """Turn announcements into diary entries, one an occasion, with ids of date and title."""
    entries = []
    for happening in merge(happenings):
        article = articles[happening.piece] if happening.piece >= 0 else None
        entries.append(
            DiaryEntry(
                id=f"{happening.on.isoformat()}-{slug_of(happening.title, limit=60) or 'event'}",
                title=happening.title,
                on=happening.on,
                at=happening.at,
                place=happening.place,
                url=happening.url,
                regions=article.regions if article else (),
                article_id=article.id if article else "",
                flags=happening.flags,
            )
        )
    return tuple(entries)
