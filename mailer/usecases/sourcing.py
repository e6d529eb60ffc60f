"""Taking articles in: files, pages of the web, and the sources of the publication."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mailer.app import App
from mailer.articles.ingesting import IngestReport
from mailer.errors import Fault, NotFound
from mailer.sources import Source, source_key

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
    if wanted:
        polled = app.polling.poll(wanted, is_now=is_now, progress=progress)
        report = replace(report, sources=tuple(polled))
    return report


def paths_of(given: Sequence[str | Path]) -> list[Path]:
    """Return those of what is given that are files or folders."""
    return [Path(each) for each in given if not is_address(each)]


def is_address(given: str | Path) -> bool:
    """Say whether an argument is an address of the web."""
    return isinstance(given, str) and given.lower().startswith(("http:", "https:"))


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
