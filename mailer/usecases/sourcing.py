"""Taking articles in: files, pages of the web, and the sources of the publication."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailer.app import App
from mailer.articles.ingesting import FileReport, IngestReport
from mailer.articles.merging import BEGINNING
from mailer.errors import Fault, NotFound
from mailer.sources import Source, source_key

if TYPE_CHECKING:
    from mailer.articles.polling import SourceReport

MOST_PAGES = 20
"""So many pages are asked for after one visit to a source, to be polite."""

INGESTED = "ingest.done"
"""The kind of event that a look at ``articles`` and all sources leaves."""

Progress = Callable[[int, int], None]


def ingest(
    app: App,
    given: Sequence[str | Path],
    *,
    sources: Sequence[str] = (),
    is_now: bool = False,
    progress: Progress | None = None,
) -> IngestReport:
    """Take in what is given; given nothing, the folder ``articles`` and every source that is due.

    Only the latter leaves an event, which the figures of the service read.

    Args:
        app: the publication.
        given: files, folders, and addresses of pages.
        sources: names of sources, beside or instead of what is given.
        is_now: visit sources although they are not due.
        progress: told how many are done, and of how many.
    """
    paths = paths_of(given)
    is_all = not given and not sources
    wanted = app.publication.sources if is_all else named(app, sources)
    if is_all and (app.root / "articles").is_dir():
        paths = [app.root / "articles"]
    report = app.ingest.files(paths, progress=progress)
    pages = [str(each) for each in given if is_address(each)]
    if wanted:
        polled = app.polling.poll(wanted, is_now=is_now, progress=progress)
        report = replace(report, sources=tuple(polled))
        pages.extend(_unfinished(wanted, polled))
    report = replace(report, files=(*report.files, *_pages(app, pages, progress)))
    if is_all:
        app.ledger.record(INGESTED, "", {"faults": len(report.faults)})
    return report


def _unfinished(wanted: Sequence[Source], polled: Sequence[SourceReport]) -> list[str]:
    """Return the pages to ask for where feeds gave only the beginning, some for each source."""
    found = []
    for source, report in zip(wanted, polled, strict=True):
        if source.takes_pages:
            new = [a.url for a in report.articles if BEGINNING in a.flags and a.url]
            found.extend(new[:MOST_PAGES])
    return found


def _pages(app: App, urls: Sequence[str], progress: Progress | None) -> list[FileReport]:
    if not urls:
        return []
    from mailer.articles.page_intake import take_page

    desk = app.ingest_policy()
    fetcher = app.fetcher()
    reports = []
    try:
        for done, url in enumerate(dict.fromkeys(urls), 1):
            source = _source_at(app.publication.sources, url)
            reports.append(
                take_page(url, fetcher=fetcher, library=app.library, desk=desk, source=source)
            )
            if progress is not None:
                progress(done, len(urls))
    finally:
        fetcher.close()
    return reports


def _source_at(sources: Sequence[Source], url: str) -> str:
    """Return the name of the one source whose feed is on a page's host, or ""."""
    host = urlsplit(url).hostname or ""
    names = [source.name for source in sources if urlsplit(source.url).hostname == host]
    return names[0] if len(names) == 1 else ""


def paths_of(given: Sequence[str | Path]) -> list[Path]:
    """Return those of what is given that are files or folders."""
    return [Path(each) for each in given if not is_address(each)]


def is_address(given: str | Path) -> bool:
    """Say whether an argument is an address, of the web or of another kind, and not a file's."""
    if not isinstance(given, str):
        return False
    return "://" in given or given.lower().startswith(("http:", "https:"))


def named(app: App, names: Sequence[str]) -> list[Source]:
    """Return the sources of these names, in the publication's order.

    Raises:
        NotFound: a name that there is not; says which there are.
    """
    known = {source_key(source.name): source for source in app.publication.sources}
    for name in names:
        if source_key(name) not in known:
            listed = ", ".join(source.name for source in app.publication.sources)
            raise NotFound(
                Fault(
                    f"there is no source {name!r}",
                    remedy=f"use one of {listed}" if listed else "add a [[sources]] table",
                )
            )
    wanted = {source_key(name) for name in names}
    return [source for key, source in known.items() if key in wanted]


def overview(app: App) -> list[dict[str, Any]]:
    """Return every source with what is remembered of it, in the publication's order."""
    from mailer.articles.source_book import SourceBook
    from mailer.articles.visiting import SourceState, is_due

    states = SourceBook(app.database).states()
    now = app.clock.now()
    rows = []
    for source in app.publication.sources:
        state = states.get(source.place, SourceState(source.place))
        is_waiting = not is_due(source, state, now)
        status = "off" if not source.is_enabled else "waiting" if is_waiting else "due"
        rows.append(
            {
                "name": source.name,
                "place": source.place,
                "weight": source.weight,
                "every_minutes": source.every_minutes,
                "section": source.section,
                "regions": source.regions,
                "status": status,
                "moved_to": state.moved_to,
                "trouble": state.trouble,
                "failures": state.failures,
                "items": state.items,
                "articles": state.articles,
                "asked_at": state.asked_at,
                "succeeded_at": state.succeeded_at,
                "due_at": state.due_at,
            }
        )
    return rows
