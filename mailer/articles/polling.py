"""Polling: every source that is due is visited, side by side, and what they bring is kept.

Visits run in a few threads, at most two of them at one host (``fetching``); where there are many,
feeds are read in other processes, which also work out all that is kept beside an article; one
thread writes, many documents to a transaction, while the visits go on. What a crash undoes is the
documents of a transaction with the states of their sources: they are asked for again. A source that
fails is reported and never stops another. Memory does not grow with the number of sources: only so
many visits are under way at once, and of what was kept only the headlines of what is new stay.
"""

from __future__ import annotations

import copyreg
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

from mailer.articles.article import Article, DiaryEntry, Document, Flag
from mailer.articles.fetching import Fetcher
from mailer.articles.intake import IngestPolicy
from mailer.articles.library import KeptReport, Library
from mailer.articles.placing import Located
from mailer.articles.source_book import SourceBook
from mailer.articles.traits import Traits
from mailer.articles.visit import Read, Visit, read_ahead, read_source, visit
from mailer.articles.visiting import SourceState, is_due
from mailer.circles import look_seldom
from mailer.errors import Fault
from mailer.sources import Source
from mailer.storage.database import Database

_THREADS = 12
_UNDER_WAY = 48
_TOGETHER = 40
"""Documents in one transaction: each costs a flush to the disk."""
_NICE = 5
_MANY = 12
"""From so many sources on, other processes are worth their start."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class NewArticle:
    """An article that a source brought, or changed; ``status`` is added, updated or joined."""

    id: str
    title: str
    status: str
    authors: tuple[str, ...]
    kind: str
    flags: tuple[str, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What became of a source: read, unchanged, failed, waiting (not due) or off."""

    name: str
    place: str
    status: str
    due_at: datetime | None = None
    moved_to: str = ""
    counts: tuple[tuple[str, int], ...] = ()
    articles: tuple[NewArticle, ...] = ()
    notes: tuple[str, ...] = ()
    fault: Fault | None = None

    def to_data(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        counts = dict(self.counts)
        return {
            "name": self.name,
            "place": self.place,
            "status": self.status,
            "due_at": self.due_at,
            "moved_to": self.moved_to,
            **{name: counts.get(name, 0) for name in ("added", "updated", "joined", "unchanged")},
            "articles": [
                {
                    "id": article.id,
                    "title": article.title,
                    "status": article.status,
                    "authors": article.authors,
                    "kind": article.kind,
                    "flags": article.flags,
                }
                for article in self.articles
            ],
            "notes": self.notes,
            "problem": self.fault.problem if self.fault else "",
        }


class Polling:
    """Visits sources; ``policy`` and ``fetcher`` are asked for afresh for every run."""

    def __init__(
        self,
        database: Database,
        library: Library,
        policy: Callable[[], IngestPolicy],
        fetcher: Callable[[], Fetcher],
    ) -> None:
        self._database = database
        self._library = library
        self._book = SourceBook(database)
        self._policy = policy
        self._fetcher = fetcher

    def poll(
        self, sources: Sequence[Source], *, is_now: bool = False, progress: Progress | None = None
    ) -> list[SourceReport]:
        """Visit every source that is due.

        Args:
            sources: which.
            is_now: visit them although they are not due.
            progress: told how many are done, and of how many.
        Returns:
            One report a source, in their order.
        Raises:
            StorageFailed: the database cannot be written; what was kept before is kept.
        """
        desk = self._policy()
        states = self._book.states()
        reports: dict[str, SourceReport] = {}
        due = []
        for source in sources:
            state = states.get(source.place, SourceState(source.place))
            if not source.is_enabled:
                reports[source.name] = SourceReport(source.name, source.place, "off")
            elif is_now or is_due(source, state, desk.now):
                due.append((source, state))
            else:
                reports[source.name] = SourceReport(
                    source.name, source.place, "waiting", state.due_at, state.moved_to
                )
        for report in self._visited(due, desk, progress):
            reports[report.name] = report
        return [reports[source.name] for source in sources]

    def _visited(
        self,
        due: Sequence[tuple[Source, SourceState]],
        desk: IngestPolicy,
        progress: Progress | None,
    ) -> Iterator[SourceReport]:
        fetcher = self._fetcher()
        done = 0
        batch: list[Visit] = []
        try:
            with (
                self._database.bulk() as connection,
                _reader(len(due)) as read,
                ThreadPoolExecutor(_THREADS) as threads,
            ):
                one = partial(visit, desk=desk, fetcher=fetcher, read=read)
                asked = [partial(one, source, state) for source, state in due]
                for made in _side_by_side(threads, asked):
                    batch.append(made)
                    done += 1
                    if len(batch) >= _TOGETHER:
                        yield from self._keep(batch, connection)
                        batch = []
                    if progress is not None:
                        progress(done, len(due))
                yield from self._keep(batch, connection)
        finally:
            fetcher.close()

    def _keep(self, visits: Sequence[Visit], connection: Connection) -> list[SourceReport]:
        """Keep what some visits brought, and what is to be remembered of them, at once."""
        reports, states = [], []
        with self._database.write(using=connection):
            for made in visits:
                state = made.state
                kept = None
                if made.document is not None:
                    kept = self._library.keep(made.document)
                    new = sum(status == "added" for _id, status in kept.statuses)
                    state = replace(state, articles=state.articles + new)
                states.append(state)
                reports.append(_report(made, state, kept))
            self._book.note(states)
        return reports


def _report(made: Visit, state: SourceState, kept: KeptReport | None) -> SourceReport:
    counts: dict[str, int] = {}
    articles = []
    for _id, status in kept.statuses if kept else ():
        counts[status] = counts.get(status, 0) + 1
    if kept:
        told = dict(kept.statuses)
        articles = [
            NewArticle(
                article.id,
                article.title,
                told[article.id],
                article.authors,
                article.kind.value,
                tuple(flag.code for flag in article.flags),
                article.url,
            )
            for article in kept.document.articles
            if told[article.id] != "unchanged"
        ]
    return SourceReport(
        made.source.name,
        made.source.place,
        made.status,
        state.due_at,
        state.moved_to,
        tuple(counts.items()),
        tuple(articles),
        tuple(flag.note for flag in made.document.flags) if made.document else (),
        made.fault,
    )


def _side_by_side(
    threads: ThreadPoolExecutor, tasks: Sequence[Callable[[], Visit]]
) -> Iterator[Visit]:
    """Run tasks in threads, so many at once, and give what they return as it comes."""
    waiting = iter(tasks)
    under_way: set[Future[Visit]] = set()
    ended: set[Future[Visit]] = set()
    while True:
        # Filled up before each is given away: whoever keeps it takes longer than many visits do.
        while len(under_way) < _UNDER_WAY and (task := next(waiting, None)) is not None:
            under_way.add(threads.submit(task))
        if not ended:
            if not under_way:
                return
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            continue
        yield ended.pop().result()


def _make_ready() -> None:
    """Prepare a process that reads."""
    look_seldom()
    # All wait for the one that writes; where cores are few it shall not wait for these.
    os.nice(_NICE)
    for each in (Article, DiaryEntry, Flag, Located, Traits):
        # Half of the time that it takes to hand articles over goes into asking for their fields.
        told = attrgetter(*[field.name for field in fields(each)])
        copyreg.pickle(each, partial(_handed_over, each, told))


def _handed_over(
    kind: type[Any], told: Callable[[Any], tuple[Any, ...]], value: Any
) -> tuple[type[Any], tuple[Any, ...]]:
    return kind, told(value)


@contextmanager
def _reader(count: int) -> Iterator[Read]:
    """Give what reads feeds: this process for a few, others for many."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    if count < _MANY or cores < 2:
        yield read_source
        return
    with ProcessPoolExecutor(
        min(cores, 8),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_make_ready,
    ) as processes:

        def read(
            raw: bytes, content_type: str, url: str, source: Source, desk: IngestPolicy
        ) -> Document | Fault:
            return processes.submit(read_ahead, raw, content_type, url, source, desk).result()

        yield read
