"""``mailer subscribers count``."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.cli.options import Json, Where, complete_region, folder
from mailer.cli.output import note, say, say_json, table


def register(app: typer.Typer) -> None:
    """Add the command to ``mailer subscribers``."""
    app.command("count")(count)


def count(
    ctx: typer.Context,
    where: Where,
    region: Annotated[
        str,
        typer.Option(
            "--region",
            "-r",
            help="Only this list.",
            metavar="REGION",
            autocompletion=complete_region,
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Count whom a segment selects, by list; docs/segments.md has the words.

    Example: `mailer subscribers count --where 'field.town = "Swansea" and joined < 2026-01-01'`
    """
    from mailer.app import open_app
    from mailer.usecases import segmenting

    with open_app(folder(ctx)) as opened:
        slug = opened.region(region).slug if region else None
        found = segmenting.count_data(opened, where, slug)
    if as_json:
        say_json(found)
        return
    table(
        "",
        ["region", "confirmed #", "pending #", "left #"],
        [
            (row["region"], row["confirmed"], row["pending"], row["unsubscribed"])
            for row in found["lists"]
        ],
    )
    say(f"{found['readers']} readers may be mailed.")
    note_unknown(found["unknown_fields"])


def note_unknown(fields: list[str]) -> None:
    """Say which fields nobody has: a misspelt one is no error, and selects nobody."""
    for name in fields:
        note(f"No reader has the field {name!r}; see `mailer subscribers show ADDRESS` for theirs.")
