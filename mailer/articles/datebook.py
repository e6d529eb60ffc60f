"""The diary in the database: what articles announced, what an editor added, what was hidden.

A file that is read again replaces what it announced. An occasion keeps its id, so that a reader's
calendar knows it again and an issue that names it still finds it; it stays hidden when an editor
hid it, and what changed about it is counted for calendars. What an editor added belongs to no
file and stays until somebody drops it. Nothing is shown once it is past; rows are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, time
from typing import Any

from rapidfuzz import fuzz, process
from sqlalchemy import Connection, Row, delete, insert, select, update

from mailer.articles.article import DiaryEntry, Document, Flag
from mailer.articles.entries import id_of, is_one_occasion, upcoming
from mailer.articles.freenames import FreeNames, free_id
from mailer.clock import Clock
from mailer.errors import Fault, IllegalTransition, InvalidInput, NotFound
from mailer.storage import schema
from mailer.storage.database import Database

_LIKE = 85
_HEARD = ("title", "on", "at", "ends_at", "until", "place", "url", "repeats")
"""What a reader's calendar shows; a change of it is a new sequence number (RFC 5545 3.8.7.4)."""


class Datebook:
    """The editor's hand in the diary of one publication."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def entries(self, *, since: date, with_hidden: bool = False) -> list[DiaryEntry]:
        """Return what is still to come on a day, by date; also what is hidden, if wanted."""
        with self._database.read() as connection:
            return coming(connection, since, with_hidden=with_hidden)

    def find(self, entry_id: str) -> DiaryEntry:
        """Return one entry, hidden or past as it may be.

        Raises:
            NotFound: with the nearest ids.
        """
        table = schema.diary_entries
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.id == entry_id)).first()
            if row is not None:
                return _entry(row)
            ids = list(connection.execute(select(table.c.id)).scalars())
        near = [match[0] for match in process.extract(entry_id, ids, limit=3, score_cutoff=55)]
        remedy = f"did you mean {' or '.join(near)}?" if near else "`mailer diary list` shows them"
        raise NotFound(Fault(f"there is no diary entry {entry_id!r}", remedy=remedy))

    def add(self, *entries: DiaryEntry) -> tuple[DiaryEntry, ...]:
        """Keep an editor's own entries, all or none; their ids are made of day and title.

        Raises:
            InvalidInput: the same occasion stands there already.
        """
        added = []
        with self._database.write() as connection:
            known = _all(connection)
            ids = {entry.id for entry in known}
            for entry in entries:
                if other := next((old for old in known if is_one_occasion(entry, old)), None):
                    raise InvalidInput(_stands_there(entry, other))
                final = replace(
                    entry,
                    id=free_id(id_of(entry.on, entry.title), ids),
                    origin="",
                    changed_at=self._clock.now(),
                )
                ids.add(final.id)
                added.append(final)
            connection.execute(insert(schema.diary_entries), [_values(entry) for entry in added])
        return tuple(added)

    def hide(self, entry_id: str, *, is_hidden: bool = True) -> DiaryEntry:
        """Take an entry out of every later draft and of the public calendar, or put it back.

        Raises:
            NotFound: there is none.
        """
        entry = replace(self.find(entry_id), is_hidden=is_hidden)
        table = schema.diary_entries
        with self._database.write() as connection:
            connection.execute(
                update(table).where(table.c.id == entry_id).values(is_hidden=is_hidden)
            )
        return entry

    def drop(self, entry_id: str) -> DiaryEntry:
        """Remove an editor's own entry.

        Raises:
            NotFound: there is none.
            IllegalTransition: it was found in a file, which would bring it back.
        """
        entry = self.find(entry_id)
        if entry.origin:
            raise IllegalTransition(
                Fault(
                    f"{entry_id} was found in {entry.origin} and would come back with it",
                    remedy=f"`mailer diary hide {entry_id}` keeps it away",
                )
            )
        table = schema.diary_entries
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.id == entry_id))
        return entry


def _stands_there(entry: DiaryEntry, other: DiaryEntry) -> Fault:
    """Say that an occasion stands in the diary already, and what would make it another."""
    missing = [
        name
        for name, has, is_lacking in (
            ("its hour", other.at, entry.at is None),
            ("its --place", other.place, not entry.place),
        )
        if has and is_lacking
    ]
    other_one = f"say {' and '.join(missing)}" if missing else "give yours another title"
    return Fault(
        f"{other.title!r} stands in the diary for that day as {other.id}",
        remedy=f"`mailer diary show {other.id}` offers it again"
        if other.is_hidden
        else f"{other_one} if it is another occasion",
    )


def coming(connection: Connection, since: date, *, with_hidden: bool = False) -> list[DiaryEntry]:
    """Return what is still to come on ``since``, by date; one entry an occasion.

    Two files may announce the same occasion; the entry with fewer doubts is shown, an editor's own
    before all. One that is hidden hides the occasion.
    """
    table = schema.diary_entries
    query = select(table).where(
        (table.c.held_on >= since) | (table.c.held_until >= since) | (table.c.repeats != "")
    )
    start = datetime.combine(since, time.min)
    ahead = (upcoming(_entry(row), start) for row in connection.execute(query))
    found = sorted(
        (entry for entry in ahead if entry is not None),
        key=lambda e: (not e.is_hidden, e.origin != "", len(e.flags), e.id),
    )
    by_day: dict[date, list[list[DiaryEntry]]] = {}
    for entry in found:
        that_day = by_day.setdefault(entry.on, [])
        # One without an hour or a place is like two that differ in it, and stands for one alone.
        for occasion in that_day:
            if all(is_one_occasion(entry, other) for other in occasion):
                occasion.append(entry)
                break
        else:
            that_day.append([entry])
    kept = [occasion[0] for that_day in by_day.values() for occasion in that_day]
    shown = [entry for entry in kept if with_hidden or not entry.is_hidden]
    return sorted(shown, key=lambda e: (e.on, e.at or time(0), e.id))


def keep_found(
    connection: Connection,
    document: Document,
    named: Mapping[str, str],
    known: Collection[str],
    *,
    at: datetime,
) -> tuple[DiaryEntry, ...]:
    """Store what a document announces in the place of what it announced before.

    Args:
        connection: of a transaction that writes.
        document: as it was read.
        named: the final ids of its articles, by the ids they came with.
        known: those of them that were in the library before.
        at: the time, for what is new or has changed.
    """
    table = schema.diary_entries
    is_here = table.c.origin == document.origin
    if not document.is_whole:
        # A feed shows its newest articles alone; what the others announced still stands.
        is_here &= table.c.article_id.in_(sorted(known))
    before: dict[str, DiaryEntry] = {}
    if document.is_whole or known:
        before = {row.id: _entry(row) for row in connection.execute(select(table).where(is_here))}
    if before:
        connection.execute(delete(table).where(is_here))
    if not document.diary:
        return ()
    found = [
        replace(
            entry,
            article_id=named.get(entry.article_id, entry.article_id),
            origin=document.origin,
            changed_at=at,
        )
        for entry in document.diary
    ]
    pairs = list(zip(found, _earlier(found, before.values()), strict=True))
    ids = FreeNames(connection, table.c.id, [entry.id for entry, old in pairs if old is None])
    ids.take(before)
    kept = [
        _continued(entry, old) if old else replace(entry, id=ids.free(entry.id), sequence=0)
        for entry, old in pairs
    ]
    connection.execute(insert(table), [_values(entry) for entry in kept])
    return tuple(kept)


def _earlier(
    entries: Sequence[DiaryEntry], before: Iterable[DiaryEntry]
) -> list[DiaryEntry | None]:
    """Find entries' earlier selves, each once: the surest rule goes first for all of them.

    As it was; the same occasion; the same id; the same title elsewhen.
    """
    rules: tuple[Callable[[DiaryEntry, DiaryEntry], bool], ...] = (
        lambda entry, old: all(getattr(entry, name) == getattr(old, name) for name in _HEARD),
        is_one_occasion,
        lambda entry, old: entry.id == old.id,
        lambda entry, old: (
            entry.repeats == old.repeats
            and fuzz.token_sort_ratio(entry.title.casefold(), old.title.casefold()) >= _LIKE
        ),
    )
    left = list(before)
    found: list[DiaryEntry | None] = [None] * len(entries)
    for rule in rules:
        for place, entry in enumerate(entries):
            if found[place] is None:
                found[place] = next((old for old in left if rule(entry, old)), None)
                left = [old for old in left if old is not found[place]]
    return found


def _continued(entry: DiaryEntry, old: DiaryEntry) -> DiaryEntry:
    # What repeats goes on from the day it began, whenever its page is read again.
    on = old.on if entry.repeats else entry.on
    final = replace(entry, id=old.id, on=on, is_hidden=old.is_hidden, sequence=old.sequence)
    if all(getattr(final, name) == getattr(old, name) for name in _HEARD):
        return replace(final, changed_at=old.changed_at)
    return replace(final, sequence=old.sequence + 1)


def _all(connection: Connection) -> list[DiaryEntry]:
    return [_entry(row) for row in connection.execute(select(schema.diary_entries))]


def _values(entry: DiaryEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "held_on": entry.on,
        "held_at": entry.at.strftime("%H:%M") if entry.at else "",
        "ends_at": entry.ends_at.strftime("%H:%M") if entry.ends_at else "",
        "held_until": entry.until,
        "repeats": entry.repeats,
        "place": entry.place,
        "url": entry.url,
        "regions": list(entry.regions),
        "article_id": entry.article_id,
        "origin": entry.origin,
        "flags": [asdict(flag) for flag in entry.flags],
        "is_hidden": entry.is_hidden,
        "sequence": entry.sequence,
        "changed_at": entry.changed_at,
    }


def _entry(row: Row[Any]) -> DiaryEntry:
    return DiaryEntry(
        id=row.id,
        title=row.title,
        on=row.held_on,
        at=time.fromisoformat(row.held_at) if row.held_at else None,
        ends_at=time.fromisoformat(row.ends_at) if row.ends_at else None,
        until=row.held_until,
        repeats=row.repeats,
        place=row.place,
        url=row.url,
        regions=tuple(row.regions),
        article_id=row.article_id,
        origin=row.origin,
        flags=tuple(Flag(**flag) for flag in row.flags),
        is_hidden=row.is_hidden,
        sequence=row.sequence,
        changed_at=row.changed_at,
    )
