"""``mailer init`` and ``mailer demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.output import UNFINISHED, say


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command()(init)
    app.command()(demo)


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    force: Annotated[
        bool, typer.Option("--force", help="Add what is missing to a folder that is not empty.")
    ] = False,
) -> None:
    """Make a publication that works at once, with sample articles, regions and rosters.

    Example: `mailer init lantern && cd lantern && mailer ingest && mailer issue draft`
    """
    from mailer.app import make_publication

    made = make_publication(directory, force=force)
    say(f"{directory} is a publication now: {len(made)} files.")
    say("Next:")
    say(f"  cd {directory}")
    say("  mailer ingest                       take in the sample articles")
    say("  mailer subscribers import --all --basis consent     take in the sample rosters")
    say("  mailer issue draft                  propose the coming Monday's issue")
    say("  mailer preview next --open          look at it")


def demo(
    output: Annotated[
        Path, typer.Option("--output", help="Where the rendered files go; replaced if it exists.")
    ] = Path("demo-output"),
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep the inbox open as a web page afterwards.")
    ] = False,
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help="The inbox page's port; 0 takes a free one."),
    ] = 8025,
) -> None:
    """Go the whole way once, from sample articles to read-back mail, in a scratch folder.

    Example: `mailer demo --serve`
    """
    from mailer.cli.demonstration import run_demo

    if not run_demo(output, serve=serve, port=port):
        raise typer.Exit(UNFINISHED)
