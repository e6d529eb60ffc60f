"""The public site of a publication: which doors it has, and what they are given.

The composition root of the web, as ``app`` is of the rest: the only place here that reads
settings, and the only one that knows every family of doors. ``serve`` is what the command calls.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

from starlette.applications import Starlette

from mailer.app import App
from mailer.editions.images import prepare_images
from mailer.issues.published import PastIssues
from mailer.languages import load_languages
from mailer.operating.living import living
from mailer.usecases.confirming import Confirmer, Postman
from mailer.usecases.proofs import proofed
from mailer.usecases.shelf import Shelf
from mailer.web.diary_pages import diary_doors
from mailer.web.doors import Door, Doors
from mailer.web.fittings import fittings
from mailer.web.following import Following, House
from mailer.web.formkeys import FormKeys
from mailer.web.frame import Frame, load_pages
from mailer.web.health_doors import health_doors
from mailer.web.join_pages import JoinPages
from mailer.web.listening import listen
from mailer.web.past_pages import reading_doors
from mailer.web.proof_pages import ProofPages
from mailer.web.reader_pages import ReaderPages
from mailer.web.reception import Reception
from mailer.web.site import make_site


def site_of(app: App, *, on_kept: Callable[[], object] = lambda: None) -> Starlette:
    """Return the publication's site; its ``state.reception`` is to be stopped in the end.

    Args:
        on_kept: called when sign-ups were worked off and mail may be due.
    """
    override = app.root / "templates"
    frame = Frame(
        app.publication,
        web_url=app.web_url,
        sources=load_pages(override),
        languages=load_languages(override),
        logo=_logo(app),
    )
    shelf = Shelf(PastIssues(app.database))
    reception = Reception(app.database, app.clock, app.sign_ups, on_kept=on_kept)
    proofs = ProofPages(frame, app.tokens, partial(proofed, app))
    doors = Doors(
        [
            *fittings(frame, shelf),
            *health_doors(app.database),
            *proofs.before(_audience_doors(app, frame, reception)),
            *proofs.doors(),
            *reading_doors(frame, shelf, app.images),
            *diary_doors(frame, shelf, app.datebook, today=lambda: _today(app)),
        ]
    )
    frame.paths = doors.paths
    site = make_site(frame, doors)
    site.state.reception = reception
    return site


def serve(app: App, *, host: str | None, port: int | None, announce: Callable[[str], None]) -> None:
    """Serve the public pages until SIGINT or SIGTERM; ``announce`` is told where they are."""
    settings = app.settings
    pages = Following(app, _housed)

    def ready(address: str) -> None:
        pages.start()
        announce(address)

    try:
        with living(app.database):
            listen(
                pages,
                host=settings.web_host if host is None else host,
                port=settings.web_port if port is None else port,
                proxies=settings.web_proxies.replace(",", " ").split(),
                ready=ready,
            )
    finally:
        pages.stop()


def _housed(app: App) -> House:
    postman = Postman(Confirmer(app))
    return House(app, site_of(app, on_kept=postman.call), postman)


def _audience_doors(app: App, frame: Frame, reception: Reception) -> list[Door]:
    keys = FormKeys(app.tokens)
    policy = app.publication.audience
    joining = JoinPages(frame, reception, keys, app.clock, policy.limits)
    readers = ReaderPages(
        frame,
        reception,
        keys,
        tokens=app.tokens,
        confirmations=app.confirmations,
        preferences=app.preferences,
        clock=app.clock,
        longest_pause_weeks=policy.longest_pause_weeks,
    )
    return [*joining.doors(), *readers.doors()]


def _logo(app: App) -> str:
    """Make the masthead's picture ready; return its path, "" when there is none to be had."""
    logo = app.publication.theme.logo
    if not logo:
        return ""
    prepared = prepare_images(app.root, (), app.images, logo=logo).pictures.get(logo)
    return f"/images/{prepared.lead.name}" if prepared else ""


def _today(app: App) -> date:
    return app.clock.now().astimezone(ZoneInfo(app.publication.time_zone)).date()
