"""``mailer serve`` and ``mailer form``: the public pages, and the way to them from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.options import folder
from mailer.cli.output import say

if TYPE_CHECKING:
    from mailer.app import App


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(form)


def serve(
    ctx: typer.Context,
    host: Annotated[
        str | None,
        typer.Option("--host", help="Else MAILER_WEB_HOST.", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="Else MAILER_WEB_PORT; 0: a free one."),
    ] = None,
) -> None:
    """Serve the public pages by plain HTTP until Ctrl-C; a proxy before them does TLS.

    Example: `mailer serve --port 8080`
    """
    from mailer.app import open_app
    from mailer.usecases import unattended
    from mailer.web import wiring

    with open_app(folder(ctx)) as opened:
        unattended.start_log(opened)
        wiring.serve(
            opened,
            host=host,
            port=port,
            announce=lambda at: say(f"The public pages are at {at} (Ctrl-C ends it)"),
        )


def serve_quietly(opened: App) -> None:
    """Serve the public pages as a part of `mailer run`, which has no one to talk to."""
    import structlog

    from mailer.web import wiring

    log = structlog.get_logger()
    wiring.serve(
        opened, host=None, port=None, announce=lambda said: log.info("pages.open", at=said)
    )


def form(
    ctx: typer.Context,
    region: Annotated[str, typer.Argument(metavar="REGION", help="Whose list it is for.")],
) -> None:
    """Print an HTML form to paste into your own website; it leads to the region's public page.

    Example: `mailer form wales > join-wales.html`
    """
    from mailer.app import open_app
    from mailer.usecases.snippet import embeddable_form

    with open_app(folder(ctx)) as opened:
        say(embeddable_form(opened, region))
