"""``mailer report …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mailer.cli.options import Json, complete_region, folder
from mailer.cli.output import note, say, say_json, table

app = typer.Typer(no_args_is_help=True, help="Figures about readers and regions.")


@app.callback()
def reports() -> None:
    """Keep ``report`` a group although it has one command yet."""


@app.command()
def audience(
    ctx: typer.Context,
    weeks: Annotated[
        int, typer.Option("--weeks", min=1, max=520, help="So many, the present one the last.")
    ] = 12,
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
    svg: Annotated[
        Path | None,
        typer.Option("--svg", metavar="FILE", help="Draw it, light and dark.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show who joined and who left, by week, and how they came.

    Erased readers still count. Somebody on two lists counts on each.
    Examples: `mailer report audience --region wales`, `mailer report audience --svg growth.svg`
    """
    from mailer.app import open_app
    from mailer.usecases import reporting

    with open_app(folder(ctx)) as opened:
        slug = opened.region(region).slug if region else None
        lists = reporting.growth(opened, slug, weeks)
        if svg is not None:
            reporting.write_svg(opened, lists, svg)
            note(f"Drawn: {svg}")
    data = reporting.growth_data(lists)
    if as_json:
        say_json(data)
        return
    _show_weeks(data)
    if not slug:
        _show_lists(data)


def _show_weeks(data: dict[str, Any]) -> None:
    ways = [way for way in data["channels"] if way != "erased"]
    table(
        "",
        ["week of", "joined #", *(f"{way} #" for way in ways), "left #", "net #", "readers #"],
        [
            (
                f"{row['week']:%Y-%m-%d}",
                row["joined"],
                *(row["joins"].get(way, 0) for way in ways),
                row["left"],
                f"{row['net']:+d}" if row["net"] else "0",
                row["readers"],
            )
            for row in data["all"]["weeks"]
        ],
    )


def _show_lists(data: dict[str, Any]) -> None:
    table(
        "Each list over these weeks",
        ["region", "joined #", "left #", "net #", "readers now #"],
        [
            (
                row["region"],
                row["joined"],
                row["left"],
                f"{row['net']:+d}" if row["net"] else "0",
                row["readers"],
            )
            for row in data["lists"]
        ],
    )
    say("A reader on two lists counts on each; `--region` shows one list's weeks.")
