"""What may be chosen, read quickly: articles without their texts, and their traits.

The traits of an article (``traits``) are kept beside it when it comes in. They are made anew where
they are missing or were made by other rules: after an upgrade, or when a region's places changed.
So nothing has to be worked through again by hand, and the draft after such a change takes longer
once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
)

from mailer.articles.article import Article
from mailer.articles.article_rows import article_of_row, article_of_values
from mailer.articles.placing import Located, Placer
from mailer.articles.traits import Traits, packed, traits_of, unpacked, version_of
from mailer.storage.database import Database
from mailer.storage.schema import article_traits, articles

_UNREAD = ("body_html", "body_text", "content_hash", "author_note")
_UNREAD_LISTS = ("credits", "tags", "parts", "quotes")
"""What choosing does not look at. Lists are JSON, and reading them costs more than the rest."""
_LIGHT = [c for c in articles.c if c.name not in {*_UNREAD, *_UNREAD_LISTS}]
_NAMES = [c.name for c in _LIGHT]
_EMPTY: dict[str, Any] = dict.fromkeys(_UNREAD, "") | dict.fromkeys(_UNREAD_LISTS, ())
_AT_ONCE = 500
"""Ids in one statement: well below what databases allow."""


class Stock:
    """The articles of a library as choosing sees them.

    Args:
        database: where they are.
        placer: finds their places; None finds none.
    """

    def __init__(self, database: Database, placer: Placer | None) -> None:
        self._database = database
        self._placer = placer

    def note(self, connection: Connection, found: Sequence[Article]) -> list[Traits]:
        """Keep the traits of articles anew, within the caller's transaction."""
        for ids in _chunks([article.id for article in found]):
            connection.execute(delete(article_traits).where(article_traits.c.article_id.in_(ids)))
        return self.add(connection, found, {})

    def add(
        self, connection: Connection, found: Sequence[Article], ready: Mapping[str, Traits]
    ) -> list[Traits]:
        """Keep the traits of articles that are new, within the caller's transaction.

        Args:
            connection: of a transaction that writes.
            found: articles that no traits are kept of.
            ready: those that were worked out already, by the article's id; what was made by other
                rules than ours is made again.
        """
        version = version_of(self._placer)
        made = []
        for article in found:
            traits = ready.get(article.id)
            if traits is None or traits.version != version:
                traits = traits_of(article, self._placer)
            made.append(traits)
        if made:
            connection.execute(insert(article_traits), [_values(traits) for traits in made])
        return made

    def considered(
        self, *, since: datetime, until: datetime, had: Collection[str] = ()
    ) -> tuple[list[Article], dict[str, Traits]]:
        """Return what may be chosen for an issue, by id, with traits and without texts.

        Args:
            since: the window's start: what was first seen, published or free since then.
            until: the window's end: what was first seen before it.
            had: ids of further articles, which lists have had.
        """
        # Each branch shall be one short stretch of an index. The end is said in every one, for else
        # the table is read whole, and in the last two of a value that no index has: SQLite would
        # take the index of it and read everything before the end, which is the whole table again.
        seen = articles.c.first_seen_at
        is_in_time = func.coalesce(seen, seen) < until
        is_fresh = or_(
            and_(seen >= since, seen < until),
            and_(articles.c.published_at >= since, is_in_time),
            and_(articles.c.embargo_until >= since, is_in_time),
        )
        found: dict[str, Article] = {}
        known: dict[str, Traits] = {}
        with self._database.read() as connection:
            _read(connection, is_fresh, found, known)
            for ids in _chunks(sorted(set(had) - set(found))):
                _read(connection, articles.c.id.in_(ids), found, known)
        version = version_of(self._placer)
        stale = [i for i in found if i not in known or known[i].version != version]
        for ids in _chunks(sorted(stale)):
            with self._database.write() as connection:
                rows = connection.execute(select(articles).where(articles.c.id.in_(ids)))
                for traits in self.note(connection, [article_of_row(row) for row in rows]):
                    known[traits.article_id] = traits
        return [found[article_id] for article_id in sorted(found)], known


def _read(
    connection: Connection,
    wanted: ColumnElement[bool],
    found: dict[str, Article],
    known: dict[str, Traits],
) -> None:
    both: Select[Any] = select(*_LIGHT, article_traits).where(wanted)
    for row in connection.execute(both.select_from(articles.outerjoin(article_traits))):
        values = dict(zip(_NAMES, row, strict=False))
        found[row.id] = article_of_values(_EMPTY | values)
        if row.article_id is not None:
            known[row.id] = _traits(row)


def _values(traits: Traits) -> dict[str, Any]:
    places = traits.places
    return {
        "article_id": traits.article_id,
        "version": traits.version,
        "word_count": traits.word_count,
        "is_excerpt": traits.is_excerpt,
        "places": {
            "regions": {slug: [weight, *names] for slug, (weight, names) in places.regions.items()},
            "nations": dict(places.nations),
            "total": places.total,
        }
        if places.total
        else {},
        "words": packed(traits.words),
        "counts": traits.counts,
        "runs": packed(traits.runs),
    }


def _traits(row: Row[Any]) -> Traits:
    places = row.places
    regions = places.get("regions", {})
    return Traits(
        row.article_id,
        row.version,
        word_count=row.word_count,
        is_excerpt=row.is_excerpt,
        places=Located(
            regions={slug: (weight, tuple(names)) for slug, (weight, *names) in regions.items()},
            nations=places["nations"],
            total=places["total"],
        )
        if places
        else _NOWHERE,
        runs=unpacked(row.runs),
        words=unpacked(row.words),
        counts=row.counts,
    )


_NOWHERE = Located()


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
