"""``mailer schedule``: what happens next, an issue at a time, and what became of what is past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from mailer.cli.options import Json, folder
from mailer.cli.output import out, say, say_json
from mailer.cli.tables import bare_grid

MOST = 500
STYLES = {"done": "green", "held": "yellow", "failed": "red", "missed": "red", "skipped": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command()(schedule)


def schedule(
    ctx: typer.Context,
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, max=MOST, help="How many to list.")
    ] = 20,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="Nothing after that day."),
    ] = None,
    past: Annotated[
        bool, typer.Option("--past", help="List what became of the latest instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List what happens next, in local time and in UTC: drafts, deadlines, each region's hour.

    Examples: `mailer schedule --count 5`, `mailer schedule --until 2026-12-31`,
    `mailer schedule --past`
    """
    from mailer.app import open_app
    from mailer.usecases import agenda

    with open_app(folder(ctx)) as opened:
        if past:
            rows = agenda.past_data(opened, count)
        else:
            last = until.date() if until else None
            rows = agenda.schedule_data(opened, MOST if until else count, until=last)
    if as_json:
        say_json(rows)
    elif past:
        _show_past(rows)
    else:
        _show(rows)


def _show(rows: Sequence[dict[str, Any]]) -> None:
    """Print an issue's name once, and regions that leave together on one line."""
    if not rows:
        say("Nothing is to come.")
    issue = ""
    grid = bare_grid(4)
    for row, regions in _together(rows, ("job", "issue", "utc", "zone", "note")):
        if row["issue"] != issue:
            if issue:
                out().print(grid)
                say()
            issue, grid = row["issue"], bare_grid(4)
            said = [text for text in (row["state"], row["note"]) if text]
            say(": ".join([issue, ", ".join(said)]) if said else issue, style="bold")
        grid.add_row(
            f"  {row['job']}",
            f"{row['local']:%a %d %b %H:%M}",
            f"{row['local']:%Z}",
            f"{row['utc']:%a %H:%M} UTC",
            ", ".join(regions),
        )
    if rows:
        out().print(grid)


def _show_past(rows: Sequence[dict[str, Any]]) -> None:
    from rich.text import Text

    if not rows:
        say("Nothing has run yet.")
        return
    grid = bare_grid(4)
    for row, regions in _together(rows, ("job", "issue", "due", "state", "note")):
        said = [text for text in (", ".join(regions), row["note"]) if text]
        grid.add_row(
            f"{row['due']:%Y-%m-%d %H:%M}",
            row["job"],
            row["issue"],
            Text(row["state"].value, style=STYLES.get(row["state"].value, "")),
            Text(": ".join(said)),
        )
    out().print(grid)
    say("Instants are UTC, the newest first.", style="dim")


def _together(
    rows: Sequence[dict[str, Any]], keys: Sequence[str]
) -> list[tuple[dict[str, Any], list[str]]]:
    """Put neighbours that differ only in their region together."""
    found: list[tuple[dict[str, Any], list[str]]] = []
    for row in rows:
        if not found or any(found[-1][0][key] != row[key] for key in keys):
            found.append((row, []))
        if row["region"]:
            found[-1][1].append(row["region"])
    return found
