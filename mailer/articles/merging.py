"""One article out of what several sources say of it: the best words lead, and nothing is lost.

The editor's own file leads, then the feed, the page, the paper; a source that has only the
beginning of the text leads nobody. What the leader does not say is filled in from the others: a
picture, a byline, a region. The address is the site's, so that readers are led to the page. The
result does not depend on which source was read first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mailer.articles.article import Article, Picture, Standing

BEGINNING = "beginning-only"
"""The flag of an article of which the source has only the beginning."""

_FILLED = {"no-byline": "authors", "no-date": "published_at"}


@dataclass(frozen=True, slots=True)
class Voice:
    """What one source says of an article."""

    article: Article
    standing: Standing

    @property
    def is_beginning(self) -> bool:
        """True when the source has only the beginning of the text."""
        return any(flag.code == BEGINNING for flag in self.article.flags)


def order_of(voices: Sequence[Voice]) -> list[Voice]:
    """Return the voices, the leading one first."""
    return sorted(
        voices,
        key=lambda v: (v.is_beginning, -v.standing, -v.article.word_count, v.article.origin),
    )


def merged(voices: Sequence[Voice]) -> Article:
    """Return the article that all voices make together.

    Args:
        voices: one or more.
    """
    lead, *others = order_of(voices)
    if not others:
        return lead.article
    told = [lead.article, *(voice.article for voice in others)]
    site = next((v.article.url for v in (lead, *others) if v.standing.is_of_the_web), "")
    own = lead.article.url if lead.standing is Standing.AUTHOR else ""
    result = replace(
        lead.article,
        url=own or site or _first(told, "url"),
        standfirst=_first(told, "standfirst"),
        authors=_first(told, "authors"),
        author_note=_first(told, "author_note"),
        section=_first(told, "section"),
        source=_first(told, "source"),
        regions=_first(told, "regions"),
        parts=_first(told, "parts"),
        quotes=_first(told, "quotes"),
        priority=_first(told, "priority"),
        tags=tuple(dict.fromkeys(tag for article in told for tag in article.tags)),
        picture=_picture(told),
        credits=tuple(dict.fromkeys(c for article in told for c in article.credits)),
        published_at=_first(told, "published_at"),
        embargo_until=_first(told, "embargo_until"),
        expires_at=_first(told, "expires_at"),
        deadline=_first(told, "deadline"),
    )
    flags = tuple(
        flag
        for flag in lead.article.flags
        if flag.code not in _FILLED or not getattr(result, _FILLED[flag.code])
    )
    return replace(result, flags=flags)


def _first(told: Sequence[Article], name: str) -> Any:
    values = [getattr(article, name) for article in told]
    return next((value for value in values if value), values[0])


def _picture(told: Sequence[Article]) -> Picture | None:
    pictures = [article.picture for article in told if article.picture]
    return next((p for p in pictures if p.src), pictures[0] if pictures else None)
