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

from rapidfuzz import fuzz, process
from sqlalchemy import Connection, Row, delete, insert, select, update

from mailer.articles.article import (
    Article,
    DiaryEntry,
    DirectoryEntry,
    Document,
    Flag,
    Kind,
    Picture,
)
from mailer.articles.datebook import coming, free_id, keep_found
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

    ``statuses`` pairs the final id with added, updated or unchanged. ``stale`` are ids that the
    same file gave earlier and no longer holds. ``document`` is as kept, with final ids.
    """

    document: Document
    statuses: tuple[tuple[str, str], ...] = ()
    stale: tuple[str, ...] = ()


class Library:
    """Articles, diary and directory of one publication."""

    def __init__(self, database: Database, clock: Clock, placer: Placer | None = None) -> None:
        self._database = database
        self._clock = clock
        self._stock = Stock(database, placer)

    def keep(self, document: Document) -> KeptReport:
        """Store a document in one transaction; reading the same file again changes nothing."""
        table = schema.articles
        with self._database.write() as connection:
            here = [
                _article(row)
                for row in connection.execute(
                    select(table).where(table.c.origin == document.origin).order_by(table.c.id)
                )
            ]
            taken = set(connection.execute(select(table.c.id)).scalars())
            named: dict[str, str] = {}
            kept: list[Article] = []
            statuses: list[tuple[str, str]] = []
            known = _matches(document.articles, here)
            for article, old in zip(document.articles, known, strict=True):
                if old is None:
                    final = replace(
                        article,
                        id=free_id(article.id, taken, 80),
                        first_seen_at=self._clock.now(),
                    )
                    connection.execute(insert(table).values(_values(final)))
                    status = "added"
                else:
                    seen = _seen(old, article, self._clock)
                    final = replace(article, id=old.id, first_seen_at=seen)
                    status = "unchanged" if _values(final) == _values(old) else "updated"
                    if status == "updated":
                        connection.execute(
                            update(table).where(table.c.id == old.id).values(_values(final))
                        )
                if status != "unchanged":
                    self._stock.note(connection, [final])
                taken.add(final.id)
                named[article.id] = final.id
                kept.append(final)
                statuses.append((final.id, status))
            diary = keep_found(connection, document, named, at=self._clock.now())
            _keep_directory(connection, document)
        still = {article.id for article in kept}
        stale = tuple(article.id for article in here if article.id not in still)
        whole = replace(document, articles=tuple(kept), diary=diary)
        return KeptReport(whole, tuple(statuses), stale)

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
                found += map(_article, connection.execute(part))
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
        """Return one article.

        Raises:
            NotFound: with the nearest ids.
        """
        table = schema.articles
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.id == article_id)).first()
            if row is not None:
                return _article(row)
            ids = list(connection.execute(select(table.c.id)).scalars())
        near = [match[0] for match in process.extract(article_id, ids, limit=3, score_cutoff=55)]
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


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    # Thousands of ids would pass the database's limit of parameters.
    return [ids[start : start + 500] for start in range(0, len(ids), 500)]


def _seen(old: Article, new: Article, clock: Clock) -> datetime:
    """Return since when a piece could be used: a draft's window begins when it is one no more."""
    return clock.now() if old.is_draft and not new.is_draft else old.first_seen_at


def _is_alike(one: str, other: str) -> bool:
    return fuzz.token_sort_ratio(one.casefold(), other.casefold()) >= _LIKE


def _matches(new: Sequence[Article], old: Sequence[Article]) -> list[Article | None]:
    """Find each article's earlier self: by words, then id, then headline, then being alone."""
    left = {article.id: article for article in old}
    found: list[Article | None] = [None] * len(new)

    def claim(place: int, candidates: list[Article]) -> None:
        if found[place] is None and candidates:
            found[place] = left.pop(candidates[0].id)

    for place, article in enumerate(new):
        claim(place, [o for o in left.values() if o.content_hash == article.content_hash])
    for place, article in enumerate(new):
        claim(place, [left[article.id]] if article.id in left else [])
    for place, article in enumerate(new):
        claim(place, [o for o in left.values() if _is_alike(o.title, article.title)])
    if len(new) == len(old) == 1:
        claim(0, list(left.values()))
    return found


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


def _values(article: Article) -> dict[str, Any]:
    return {
        **{
            name: getattr(article, name)
            for name in schema.articles.c.keys()  # noqa: SIM118
            if name not in _STRUCTURED
        },
        "kind": article.kind.value,
        "authors": list(article.authors),
        "regions": list(article.regions),
        "tags": list(article.tags),
        "parts": list(article.parts),
        "quotes": list(article.quotes),
        "picture": asdict(article.picture) if article.picture else None,
        "credits": [asdict(picture) for picture in article.credits],
        "flags": [asdict(flag) for flag in article.flags],
    }


_STRUCTURED = frozenset(
    {"kind", "authors", "regions", "tags", "parts", "quotes", "picture", "credits", "flags"}
)


def _article(row: Row[Any]) -> Article:
    data = dict(row._mapping)  # noqa: SLF001 - the documented way to a row's names
    return Article(
        **{name: value for name, value in data.items() if name not in _STRUCTURED},
        kind=Kind(data["kind"]),
        authors=tuple(data["authors"]),
        regions=tuple(data["regions"]),
        tags=tuple(data["tags"]),
        parts=tuple(data["parts"]),
        quotes=tuple(data["quotes"]),
        picture=Picture(**data["picture"]) if data["picture"] else None,
        credits=tuple(Picture(**picture) for picture in data["credits"]),
        flags=tuple(Flag(**flag) for flag in data["flags"]),
    )
