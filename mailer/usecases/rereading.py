"""Following the publication's files while a process runs for months.

What is looked at is when files were changed and how long they are: ``publication.toml``, the
regions, the templates and the column's substitute. A publication that is at fault is reported once,
and the one read before stays in force until the files change again; nothing is ever half taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import structlog

from mailer.app import App
from mailer.errors import ConfigurationError
from mailer.publication import FILE_NAME, Publication, load_publication

log = structlog.get_logger()

Marks = dict[str, tuple[int, int]]

OF_THE_MACHINE = frozenset(
    {"clock", "database", "archive", "ledger", "tokens", "pepper", "outbox", "inbox"}
    | {"relays", "hook"}
)
"""Services of an application that no file of the publication decides about."""


class Rereading:
    """Gives the publication as its files say now, or as they last said without a fault."""

    def __init__(self, app: App) -> None:
        self._app = app
        # None: whatever was saved since the application was opened is read at the first look.
        self._marks: Marks | None = None

    def __call__(self) -> Publication:
        """Look at the files; read them anew when they have changed."""
        app = self._app
        marks = marks_of(app.root, app.publication)
        if marks == self._marks:
            return app.publication
        is_first = self._marks is None
        try:
            publication = load_publication(app.root)
        except ConfigurationError as error:
            # The files are at fault; what else may fail here is tried again at the next look.
            self._marks = marks
            for fault in error.faults:
                log.error("publication.at_fault", why=str(fault))  # noqa: TRY400  a person's slip
            return app.publication
        self._marks = marks
        if is_first and publication == app.publication:
            return app.publication
        take(app, publication)
        log.info("publication.reread", title=publication.title)
        return publication


def take(app: App, publication: Publication) -> None:
    """Have an application go on with a publication read anew; what was made of the old one goes."""
    app.publication = publication
    made = {name for name in vars(app) if hasattr(type(app), name)}
    for name in made - OF_THE_MACHINE:
        del vars(app)[name]


def renewed(app: App, publication: Publication) -> App:
    """Return a second application on the same machine's services, for a publication read anew.

    Who opened the first one closes it, and with it what both share.
    """
    second = App(app.root, publication, app.settings)
    # Made now, so that both have the same and not one each.
    _ = app.database
    vars(second).update({name: vars(app)[name] for name in OF_THE_MACHINE & vars(app).keys()})
    return second


def marks_of(root: Path, publication: Publication) -> Marks:
    """Return what tells one state of the files from another: by name, when and how long."""
    marks = {}
    for path in _files(root, publication):
        try:
            found = path.stat()
        except OSError:
            continue
        marks[str(path)] = (found.st_mtime_ns, found.st_size)
    return marks


def _files(root: Path, publication: Publication) -> Iterator[Path]:
    yield root / FILE_NAME
    yield from (root / "subscribers").glob("*.toml")
    yield from (root / "templates").rglob("*")
    if publication.column.substitute:
        yield root / publication.column.substitute
