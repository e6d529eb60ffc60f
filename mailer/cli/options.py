"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", "-r", help="Only this region; may be given again.", metavar="REGION"),
]
IssueName = Annotated[
    str,
    typer.Argument(
        metavar="ISSUE",
        help="The date of an issue (2026-11-30), `next` for the coming one, `latest` for the "
        "newest there is.",
    ),
]
RegionName = Annotated[
    str, typer.Option("--region", "-r", help="The region's list.", metavar="REGION")
]


def folder(ctx: typer.Context) -> Path | None:
    """Return the folder given with ``--publication``, if any."""
    found = ctx.find_root().obj
    return found if isinstance(found, Path) else None
