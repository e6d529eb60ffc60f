"""``mailer prune``."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.cli.options import Json, folder
from mailer.cli.output import say, say_json, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prune")(prune)


def prune(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and keep everything.")] = False,
    as_json: Json = False,
) -> None:
    """Let go of what is older than `[audience]` keeps it; totals stay. `mailer run` does it daily.

    Sign-ups that nobody confirmed are forgotten, old deliveries become figures; the events that say
    when articles were taken in go after thirty days, but for the newest.
    Example: `mailer prune --dry-run`
    """
    from mailer.app import open_app
    from mailer.usecases import retention

    with open_app(folder(ctx)) as opened:
        done = retention.prune(opened, is_dry_run=dry_run)
    if as_json:
        say_json(done)
        return
    what = retention.sentence(done) or "nothing is too old"
    say(f"{'Would go' if dry_run else 'Gone'}: {what}.")
    if done["issues"]:
        table(
            "",
            ["issue", "deliveries #"],
            [(row["issue"], row["deliveries"]) for row in done["issues"]],
        )
