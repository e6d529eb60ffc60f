"""The public site of a publication: which doors it has, and what they are given.

The composition root of the web, as ``app`` is of the rest: the only place here that reads
settings, and the only one that knows every family of doors. ``serve`` is what the command calls.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette

from mailer.app import App
from mailer.editions.images import prepare_images
from mailer.issues.published import PastIssues
from mailer.languages import load_languages
from mailer.usecases.shelf import Shelf
from mailer.usecases.unattended import start_log
from mailer.web.doors import Doors
from mailer.web.fittings import fittings
from mailer.web.frame import Frame, load_pages
from mailer.web.listening import listen
from mailer.web.past_pages import reading_doors
from mailer.web.site import make_site


def site_of(app: App) -> Starlette:
    """Return the publication's site."""
    override = app.root / "templates"
    frame = Frame(
        app.publication,
        web_url=app.web_url,
        sources=load_pages(override),
        languages=load_languages(override),
        logo=_logo(app),
    )
    shelf = Shelf(PastIssues(app.database))
    doors = Doors([*fittings(frame, shelf), *reading_doors(frame, shelf, app.images)])
    frame.paths = doors.paths
    return make_site(frame, doors)


def serve(app: App, *, host: str | None, port: int | None, announce: Callable[[str], None]) -> None:
    """Serve the public pages until SIGINT or SIGTERM."""
    start_log(app)
    settings = app.settings
    listen(
        site_of(app),
        host=settings.web_host if host is None else host,
        port=settings.web_port if port is None else port,
        proxies=settings.web_proxies.replace(",", " ").split(),
        ready=lambda address: announce(f"The public pages are at {address} (Ctrl-C ends it)"),
    )


def _logo(app: App) -> str:
    """Make the masthead's picture ready; return its path, "" when there is none to be had."""
    logo = app.publication.theme.logo
    if not logo:
        return ""
    prepared = prepare_images(app.root, (), app.images, logo=logo).pictures.get(logo)
    return f"/images/{prepared.lead.name}" if prepared else ""
