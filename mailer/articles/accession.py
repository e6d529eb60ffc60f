"""Accession: each article of a document becomes a new one of the library, or is known already.

``take`` finds out, in the caller's transaction, what is known (by marks, and by what the same file
held), lets ``identity`` decide, and writes: new articles, what an origin says now, and what it said
before as a version. An article that several origins show is ``merged`` from all of them. A batch
costs a handful of statements however many articles it has.

Invariants: an id never changes; ``first_seen_at`` never moves, but for a draft that is one no more;
two items of one feed never become one origin of one article by their words alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from rapidfuzz import fuzz
from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from mailer.articles.article import Article, Document, Standing
from mailer.articles.article_rows import article_of_json, article_of_row, json_of, values_of
from mailer.articles.freenames import FreeNames
from mailer.articles.identity import (
    OWN_MARKS,
    Kinship,
    Sighting,
    copying,
    kinship,
    marks_of,
    sighting_of,
)
from mailer.articles.merging import Voice, merged
from mailer.storage import schema

_T = TypeVar("_T")
_LIKE = 85
"""Two headlines of one file this alike, in per cent, are one piece with its headline edited."""
_COMMON = 50
"""A mark that more articles share than this tells nothing about any of them."""
_AT_ONCE = 900
"""Parameters of one statement; databases have a limit."""


# Written once: making a statement of hundreds of values costs more than asking it.
_SHARING = select(schema.article_marks.c.mark, schema.article_marks.c.article_id).where(
    schema.article_marks.c.mark.in_(bindparam("some", expanding=True))
)
_NEAR = select(schema.article_origins.c.article_id).where(
    schema.article_origins.c.article_id.in_(bindparam("some", expanding=True)),
    or_(
        schema.article_origins.c.origin == bindparam("origin"),
        schema.article_origins.c.standing.in_(bindparam("standings", expanding=True)),
    ),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a document's articles: as kept, in order, with one status each.

    A status is added, updated, unchanged, or joined: it was known from elsewhere. ``stale`` are ids
    that the same file gave earlier and no longer holds.
    """

    articles: tuple[Article, ...]
    statuses: tuple[str, ...]
    stale: tuple[str, ...] = ()

    def of(self, *statuses: str) -> list[Article]:
        """Return the articles of some statuses."""
        told = zip(self.articles, self.statuses, strict=True)
        return [article for article, status in told if status in statuses]


@dataclass
class _Held:
    """An article of the library with what each origin says of it."""

    article: Article
    voices: dict[str, Voice] = field(default_factory=dict)
    seen: dict[str, Sighting] = field(default_factory=dict)
    is_claimed: bool = False
    is_kept: bool = False
    is_new: bool = False
    was_alone: bool = True

    def hear(self, origin: str, voice: Voice, seen: Sighting | None = None) -> None:
        self.voices[origin] = voice
        self.seen[origin] = seen or sighting_of(voice.article, voice.standing, origin=origin)


def take(connection: Connection, document: Document, *, now: datetime) -> Taken:
    """Take a document's articles in; part of the caller's transaction."""
    return _Accession(connection, document, now).run()


class _Accession:
    def __init__(self, connection: Connection, document: Document, now: datetime) -> None:
        self._connection = connection
        self._document = document
        self._origin = document.origin
        self._now = now
        self._seen = [
            sighting_of(article, document.standing, origin=self._origin)
            for article in document.articles
        ]
        self._marks = document.marks or tuple(marks_of(seen) for seen in self._seen)
        self._held: dict[str, _Held] = {}
        self._by_mark: dict[int, set[str]] = defaultdict(set)
        self._new_origins: list[dict[str, Any]] = []
        self._new_marks: list[dict[str, Any]] = []
        self._versions: list[dict[str, Any]] = []

    def run(self) -> Taken:
        self._load()
        here = [held for held in self._held.values() if self._origin in held.voices]
        chosen: list[_Held | None] = [None] * len(self._seen)
        if self._document.is_whole:
            self._by_place(here, chosen)
        for floor in (Kinship.URL, Kinship.WORDS) if self._held else ():
            for place, seen in enumerate(self._seen):
                if chosen[place] is None:
                    chosen[place] = self._kin(place, seen, floor)
        asked = zip(self._document.articles, chosen, strict=True)
        proposed = [article.id for article, held in asked if held is None]
        ids = FreeNames(self._connection, schema.articles.c.id, proposed)
        kept = []
        for place, article in enumerate(self._document.articles):
            # What came earlier in the same document is known by now.
            held = chosen[place] or self._kin(place, self._seen[place], Kinship.TITLE)
            kept.append(self._keep(place, article, held, ids))
        self._write([held for held in self._held.values() if held.is_new])
        stale = tuple(h.article.id for h in here if not h.is_claimed and self._document.is_whole)
        articles = tuple(
            replace(held, joins=article.joins) if held.joins != article.joins else held
            for article, held in zip(
                self._document.articles, [self._held[id_].article for id_, _ in kept], strict=True
            )
        )
        return Taken(articles, tuple(status for _id, status in kept), stale)

    # What is known

    def _load(self) -> None:
        """Load every article that shares a mark and may be kin, and those the same file gave."""
        origins = schema.article_origins
        wanted = sorted({mark for each in self._marks for mark in each.values()})
        for part in _parts(wanted):
            for mark, id_ in self._connection.execute(_SHARING, {"some": part}).all():
                self._by_mark[mark].add(id_)
        own: set[str] = set()
        telling: set[str] = set()
        for each in self._marks:
            for kind, mark in each.items():
                found = self._by_mark.get(mark, ())
                if kind in OWN_MARKS:
                    own.update(found)
                if len(found) <= _COMMON:
                    telling.update(found)
        ids = (telling & own) | self._near(telling - own)
        if self._document.is_whole:
            query_here = select(origins.c.article_id).where(origins.c.origin == self._origin)
            ids.update(self._connection.execute(query_here).scalars())
        for known in _parts(sorted(ids)):
            chosen = select(schema.articles).where(schema.articles.c.id.in_(known))
            for row in self._connection.execute(chosen):
                self._held[row.id] = _Held(article_of_row(row))
            of_them = select(origins).where(origins.c.article_id.in_(known)).order_by(origins.c.id)
            for row in self._connection.execute(of_them):
                held = self._held[row.article_id]
                held.was_alone = row.said is None
                said = article_of_json(row.said) if row.said else held.article
                said = replace(said, guid=row.guid, url=row.url, title=row.title)
                held.hear(row.origin, Voice(said, Standing(row.standing)))

    def _near(self, ids: set[str]) -> set[str]:
        """Return which articles may be kin by their words: few of those that have some in common.

        In a large library many do that are of other sites, and they are not worth reading.
        """
        standings = [int(standing) for standing in copying(self._document.standing)]
        may = {"origin": self._origin, "standings": standings}
        near: set[str] = set()
        for part in _parts(sorted(ids)):
            near.update(self._connection.execute(_NEAR, may | {"some": part}).scalars().all())
        return near

    def _by_place(self, here: Sequence[_Held], chosen: list[_Held | None]) -> None:
        """Find a file's pieces again: by words, then id, then headline, then being alone."""
        articles = self._document.articles
        left = {held.article.id: held for held in sorted(here, key=lambda h: h.article.id)}

        def claim(place: int, candidates: list[_Held]) -> None:
            if chosen[place] is None and candidates:
                chosen[place] = found = left.pop(candidates[0].article.id)
                found.is_claimed = True

        def said(held: _Held) -> Article:
            return held.voices[self._origin].article

        for place, new in enumerate(articles):
            claim(place, [h for h in left.values() if said(h).content_hash == new.content_hash])
        for place, new in enumerate(articles):
            claim(place, [left[new.id]] if new.id in left else [])
        for place, new in enumerate(articles):
            claim(place, [h for h in left.values() if _is_alike(said(h).title, new.title)])
        if len(articles) == len(here) == 1:
            claim(0, list(left.values()))

    def _kin(self, place: int, seen: Sighting, floor: Kinship) -> _Held | None:
        """Return the nearest kin of a sighting that is at least ``floor``, and claim it."""
        found_by = [self._by_mark.get(mark, ()) for mark in self._marks[place].values()]
        ids = {id_ for each in found_by if len(each) <= _COMMON for id_ in each}
        best: tuple[int, bool, str] | None = None
        for id_ in ids & self._held.keys():
            held = self._held[id_]
            kin = max((kinship(seen, other) for other in held.seen.values()), default=Kinship.NONE)
            is_here = self._origin in held.voices
            if self._document.is_whole and is_here:
                # A file's own pieces were told apart already.
                continue
            if held.is_claimed and (self._document.is_whole or kin < Kinship.TITLE):
                continue
            rank = (-int(kin), not is_here, id_)
            if kin >= floor and (best is None or rank < best):
                best = rank
        if best is None:
            return None
        found = self._held[best[2]]
        found.is_claimed = True
        return found

    # What is kept

    def _keep(
        self, place: int, article: Article, held: _Held | None, ids: FreeNames
    ) -> tuple[str, str]:
        if held is not None and held.is_kept:
            # A feed that shows one article twice shows its newest state first.
            return held.article.id, "unchanged"
        id_ = ids.free(article.id) if held is None else held.article.id
        since = self._now if held is None else held.article.first_seen_at
        # Only its origins have GUIDs.
        guid = "" if held is None else article.guid
        said = replace(article, origin=self._origin, id=id_, first_seen_at=since, guid=guid)
        if held is None:
            held = self._held[id_] = _Held(said, is_claimed=True, is_new=True)
        before = held.voices.get(self._origin)
        held.is_kept = True
        if before is not None and _told(before.article) == _told(said):
            return held.article.id, "unchanged"
        seen = self._seen[place]
        held.hear(self._origin, Voice(said, self._document.standing), seen)
        self._mark(held, place)
        if held.is_new:
            self._new_origins.append(self._origin_row(held, said, seen))
            return held.article.id, "added"
        self._merge(held)
        if before is None:
            self._new_origins.append(self._origin_row(held, said, seen))
            return held.article.id, "joined"
        self._replace(held, before.article, said, seen)
        return held.article.id, "updated"

    def _merge(self, held: _Held) -> None:
        """Work a known article out anew from all its voices, and write it if it has changed."""
        whole = merged(list(held.voices.values()))
        is_out = held.article.is_draft and not whole.is_draft
        # A draft's window begins when it is one no more.
        first_seen = self._now if is_out else held.article.first_seen_at
        final = replace(whole, id=held.article.id, first_seen_at=first_seen, guid="")
        old, held.article = held.article, final
        table = schema.articles
        if values_of(final) != values_of(old):
            change = update(table).where(table.c.id == final.id).values(values_of(final))
            self._connection.execute(change)
        if held.was_alone and len(held.voices) > 1:
            # Until now the article's own row said what its one origin says.
            for origin, voice in held.voices.items():
                if origin != self._origin:
                    self._tell(held, origin, {"said": json_of(voice.article)})

    def _replace(self, held: _Held, before: Article, said: Article, seen: Sighting) -> None:
        """Keep what an origin said before where a reader would notice, and what it says now."""
        if _words(before) != _words(said):
            row = {"article_id": held.article.id, "origin": self._origin}
            self._versions.append(row | {"replaced_at": self._now, "said": json_of(before)})
        row = self._origin_row(held, said, seen)
        del row["first_seen_at"]
        self._tell(held, self._origin, row)

    def _tell(self, held: _Held, origin: str, values: dict[str, Any]) -> None:
        table = schema.article_origins
        self._connection.execute(
            update(table)
            .where(table.c.article_id == held.article.id, table.c.origin == origin)
            .values(values)
        )

    def _origin_row(self, held: _Held, said: Article, seen: Sighting) -> dict[str, Any]:
        return {
            "article_id": held.article.id,
            "origin": self._origin,
            "source": said.source,
            "standing": int(self._document.standing),
            "guid": seen.guid,
            "url": seen.url,
            "title": seen.title,
            "said": None if len(held.voices) == 1 else json_of(said),
            "first_seen_at": self._now,
            "changed_at": self._now,
        }

    def _mark(self, held: _Held, place: int) -> None:
        for mark in dict.fromkeys(self._marks[place].values()):
            if held.article.id not in self._by_mark[mark]:
                self._by_mark[mark].add(held.article.id)
                self._new_marks.append({"mark": mark, "article_id": held.article.id})

    def _write(self, new: Sequence[_Held]) -> None:
        if new:
            rows = [values_of(held.article) for held in new]
            self._connection.execute(insert(schema.articles), rows)
        if self._new_origins:
            self._connection.execute(insert(schema.article_origins), self._new_origins)
        if self._new_marks:
            self._connection.execute(insert(schema.article_marks), self._new_marks)
        versions = schema.article_versions
        for row in self._versions:
            last = select(func.coalesce(func.max(versions.c.number), 0)).where(
                versions.c.article_id == row["article_id"]
            )
            number = self._connection.execute(last).scalar_one() + 1
            self._connection.execute(insert(versions), {**row, "number": number})


def _told(article: Article) -> Article:
    """Return what a source tells, without what the library gives."""
    return replace(article, id="", joins=(), first_seen_at=datetime.min)  # noqa: DTZ901 - never kept


def _words(article: Article) -> tuple[object, ...]:
    """Return what a reader would notice."""
    return (article.title, article.standfirst, article.authors, article.body_html, article.url)


def _is_alike(one: str, other: str) -> bool:
    return fuzz.token_sort_ratio(one.casefold(), other.casefold()) >= _LIKE


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
