"""The library: every article, diary entry and group that was taken in, in the database.

Keeping a document is one transaction. An id, once given, stays: a file read again finds its
articles by their place, their words or their headline, and ``first_seen_at`` never moves, so an
update cannot bring an old piece back into a new week. What a file no longer holds is reported and
left, because an issue may name it; ``remove`` takes it out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from rapidfuzz import process
from sqlalchemy import Connection, delete, insert, select

from mailer.articles.accession import Taken, take
from mailer.articles.article import (
    Article,
    DiaryEntry,
    DirectoryEntry,
    Document,
    Standing,
)
from mailer.articles.article_rows import article_of_json, article_of_row
from mailer.articles.datebook import coming, keep_found
from mailer.articles.lettering import slug_of
from mailer.articles.placing import Placer
from mailer.articles.stock import Stock
from mailer.articles.traits import Traits
from mailer.clock import Clock
from mailer.errors import Fault, NotFound
from mailer.storage import schema
from mailer.storage.database import Database

_LIKE = 85
"""Two headlines of one file this alike, in per cent, are one piece with its headline edited."""


@dataclass(frozen=True, slots=True)
class KeptReport:
    """What became of a document: one status an article, in its order.

    ``statuses`` pairs the final id with added, updated, unchanged or joined (it was known from
    elsewhere and is one article with it). ``stale`` are ids that the
    same file gave earlier and no longer holds. ``document`` is as kept, with final ids.
    """

    document: Document
    statuses: tuple[tuple[str, str], ...] = ()
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """What an origin said of an article until ``replaced_at``; numbers count from 1."""

    number: int
    origin: str
    replaced_at: datetime
    article: Article


class Library:
    """Articles, diary and directory of one publication."""

    def __init__(self, database: Database, clock: Clock, placer: Placer | None = None) -> None:
        self._database = database
        self._clock = clock
        self._stock = Stock(database, placer)

    def keep(self, document: Document) -> KeptReport:
        """Store a document in one transaction; reading the same again changes nothing."""
        with self._database.write() as connection:
            taken = take(connection, document, now=self._clock.now())
            new = taken.of("added")
            self._stock.add(connection, new, _ready(document, taken))
            self._stock.note(connection, taken.of("updated", "joined"))
            named = {
                article.id: kept.id
                for article, kept in zip(document.articles, taken.articles, strict=True)
            }
            known = set(named.values()) - {article.id for article in new}
            diary = keep_found(connection, document, named, known, at=self._clock.now())
            _keep_directory(connection, document)
        whole = replace(document, articles=taken.articles, diary=diary)
        statuses = tuple(
            (article.id, status)
            for article, status in zip(taken.articles, taken.statuses, strict=True)
        )
        return KeptReport(whole, statuses, taken.stale)

    def articles(
        self, *, ids: Collection[str] | None = None, since: datetime | None = None
    ) -> list[Article]:
        """Return articles by id; all, those named, or those first seen at or after an instant."""
        query = select(schema.articles)
        if since is not None:
            query = query.where(schema.articles.c.first_seen_at >= since)
        found: list[Article] = []
        with self._database.read() as connection:
            for some in [None] if ids is None else _chunks(sorted(set(ids))):
                part = query if some is None else query.where(schema.articles.c.id.in_(some))
                found += map(article_of_row, connection.execute(part))
        return sorted(found, key=lambda article: article.id)

    def considered(
        self, *, since: datetime, until: datetime, had: Collection[str] = ()
    ) -> tuple[list[Article], dict[str, Traits]]:
        """Return what may be chosen for an issue; see ``Stock.considered``."""
        return self._stock.considered(since=since, until=until, had=had)

    def headlines(self, ids: Collection[str]) -> dict[str, str]:
        """Return the titles of the articles with these ids, of those that there are."""
        table = schema.articles
        found: dict[str, str] = {}
        with self._database.read() as connection:
            for some in _chunks(sorted(set(ids))):
                query = select(table.c.id, table.c.title).where(table.c.id.in_(some))
                found |= {row.id: row.title for row in connection.execute(query)}
        return found

    def ids(self) -> list[str]:
        """Return every article's id, in order."""
        query = select(schema.articles.c.id).order_by(schema.articles.c.id)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def article(self, article_id: str) -> Article:
        """Return one article, named by its id, by the only beginning of one, or by its title.

        Raises:
            NotFound: with the nearest ids.
        """
        table = schema.articles
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.id == article_id)).first()
            if row is not None:
                return article_of_row(row)
            ids = list(connection.execute(select(table.c.id)).scalars())
            slug = slug_of(article_id)
            meant = {slug} & set(ids) or {known for known in ids if slug and known.startswith(slug)}
            if len(meant) == 1:
                return article_of_row(
                    connection.execute(select(table).where(table.c.id == meant.pop())).one()
                )
        near = sorted(meant)[:3] or [
            match[0] for match in process.extract(article_id, ids, limit=3, score_cutoff=55)
        ]
        remedy = f"did you mean {' or '.join(near)}?" if near else "`mailer articles` lists them"
        raise NotFound(Fault(f"there is no article {article_id!r}", remedy=remedy))

    def diary(self, *, since: date) -> list[DiaryEntry]:
        """Return what is still to come on ``since``, by date; one entry an occasion.

        Two files may announce the same occasion; the entry with fewer doubts is shown.
        """
        with self._database.read() as connection:
            return coming(connection, since)

    def diary_ids(self) -> set[str]:
        """Return the id of every entry, past and hidden ones too: an issue may still name one."""
        with self._database.read() as connection:
            return set(connection.execute(select(schema.diary_entries.c.id)).scalars())

    def directory(self) -> list[DirectoryEntry]:
        """Return the groups by name."""
        table = schema.directory_entries
        with self._database.read() as connection:
            rows = connection.execute(select(table).order_by(table.c.name))
            return [DirectoryEntry(r.name, r.address, r.phone, r.region) for r in rows]

    def origins(self, article_id: str) -> list[dict[str, Any]]:
        """Return where an article is shown, the first that was seen first."""
        table = schema.article_origins
        query = select(table).where(table.c.article_id == article_id).order_by(table.c.id)
        with self._database.read() as connection:
            return [
                {
                    "origin": row.origin,
                    "source": row.source,
                    "standing": Standing(row.standing).name.lower(),
                    "guid": row.guid,
                    "url": row.url,
                    "title": row.title,
                    "first_seen_at": row.first_seen_at,
                    "changed_at": row.changed_at,
                }
                for row in connection.execute(query)
            ]

    def versions(self, article_id: str) -> list[Version]:
        """Return what an article's origins said before, the oldest first."""
        table = schema.article_versions
        query = select(table).where(table.c.article_id == article_id).order_by(table.c.number)
        with self._database.read() as connection:
            return [
                Version(row.number, row.origin, row.replaced_at, article_of_json(row.said))
                for row in connection.execute(query)
            ]

    def announced(self, article_id: str) -> tuple[str, ...]:
        """Return the ids of the diary entries that an article announced, in order."""
        table = schema.diary_entries
        query = select(table.c.id).where(table.c.article_id == article_id).order_by(table.c.id)
        with self._database.read() as connection:
            return tuple(connection.execute(query).scalars())

    def remove(self, article_id: str) -> None:
        """Take out an article and the diary entries it announced.

        Raises:
            NotFound: there is none; with the nearest ids.
        """
        self.article(article_id)
        with self._database.write() as connection:
            diary = schema.diary_entries
            connection.execute(delete(diary).where(diary.c.article_id == article_id))
            traits = schema.article_traits
            connection.execute(delete(traits).where(traits.c.article_id == article_id))
            connection.execute(delete(schema.articles).where(schema.articles.c.id == article_id))


def _ready(document: Document, taken: Taken) -> dict[str, Traits]:
    """Return the traits that came with a document, by the ids its new articles have now.

    What is known is put together with what others say of it, and has other traits.
    """
    told = zip(document.traits, taken.articles, taken.statuses, strict=bool(document.traits))
    return {
        article.id: traits
        if traits.article_id == article.id
        else replace(traits, article_id=article.id)
        for traits, article, status in told
        if status == "added"
    }


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    # Thousands of ids would pass the database's limit of parameters.
    return [ids[start : start + 500] for start in range(0, len(ids), 500)]


def _keep_directory(connection: Connection, document: Document) -> None:
    if not document.directory:
        return
    table = schema.directory_entries
    names = [entry.name for entry in document.directory]
    connection.execute(
        delete(table).where((table.c.origin == document.origin) | table.c.name.in_(names))
    )
    rows = {
        entry.name: {**asdict(entry), "origin": document.origin} for entry in document.directory
    }
    connection.execute(insert(table), list(rows.values()))
