"""``mailer status``: everything an operator wants to see, on one screen."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.options import Json, folder
from mailer.cli.output import out, say_json
from mailer.cli.tables import bare_grid

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

STYLES = {"sending": "cyan", "sent": "green", "draft": "", "cancelled": "dim", "approved": "green",
          "scheduled": "green"}  # fmt: skip
WORDS = {"draft": "draft", "approve": "approve by", "send": "send"}
EVERY_S = 2.0
SHOWN = 4


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command()(status)


def status(
    ctx: typer.Context,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Stay, and show it anew every two seconds.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what comes next, the issues, the queue, retries and the last errors on one screen.

    Times are local to each region; the last column is UTC. Examples: `mailer status`,
    `mailer status --watch`
    """
    from mailer.app import open_app
    from mailer.operating.overview import overview

    if watch and (as_json or not out().is_terminal):
        raise typer.BadParameter("--watch needs a terminal; without it the state is shown once")
    with open_app(folder(ctx)) as opened:
        if as_json:
            say_json(overview(opened))
        elif watch:
            _watch(lambda: overview(opened))
        else:
            out().print(_screen(overview(opened)))


def _watch(look: Any) -> None:
    from rich.live import Live

    from mailer.clock import SystemClock

    clock = SystemClock()
    with Live(_screen(look()), console=out(), auto_refresh=False, screen=True) as live:
        try:
            while True:
                clock.sleep(EVERY_S)
                live.update(_screen(look()), refresh=True)
        except KeyboardInterrupt:
            return


def _screen(data: dict[str, Any]) -> RenderableType:
    from rich.console import Group
    from rich.rule import Rule
    from rich.text import Text

    def heading(name: str) -> RenderableType:
        return Rule(Text(name, style="bold"), align="left", style="dim", characters="─")

    parts: list[RenderableType] = [_head(data), heading("Next"), _next(data["next"])]
    parts += [heading("Issues"), _issues(data["issues"])]
    parts += [heading("Queue"), _queue(data["queue"])]
    if data["errors"]:
        parts += [heading("Last errors"), _errors(data["errors"])]
    return Group(*parts)


def _head(data: dict[str, Any]) -> RenderableType:
    from rich.text import Text

    service = data["service"]
    line = Text.assemble((data["publication"], "bold"), f"   {data['at']:%a %d %b %Y %H:%M} UTC\n")
    if service["trouble"]:
        line.append(f"Not running: {service['trouble']}.", style="yellow")
    elif service["holder"]:
        line.append(f"Running: {service['holder']} has the schedule.", style="green")
    else:
        line.append("The schedule was looked at just now.", style="green")
    backup = data["backup_at"]
    line.append(f"  Last backup: {backup:%d %b %H:%M}." if backup else "  No backup yet.")
    return line


def _next(rows: list[dict[str, Any]]) -> RenderableType:
    grid: Table = _grid()
    if not rows:
        return _quiet("Nothing is to come.")
    for row in rows:
        regions = row["regions"]
        shown = ", ".join(regions[:SHOWN])
        who = f"{shown} and {len(regions) - SHOWN} more" if len(regions) > SHOWN else shown
        local = f"{row['local']:%a %d %b %H:%M}"
        what = WORDS.get(row["job"], row["job"])
        grid.add_row(
            f"{what} {row['issue']}",
            local,
            f"{row['local']:%Z}",
            who or row["state"],
            f"{row['utc']:%H:%M}",
        )
    return grid


def _issues(rows: list[dict[str, Any]]) -> RenderableType:
    from rich.text import Text

    if not rows:
        return _quiet("There is none yet; `mailer issue draft` makes one.")
    grid: Table = _grid()
    for row in rows:
        state = row["state"].value
        accepted = row["totals"].get("accepted", 0)
        share = (
            f"{_bar(accepted, row['total'])} {accepted} of {row['total']}" if (row["total"]) else ""
        )
        others = ", ".join(
            f"{count} {name.replace('_', ' ')}"
            for name, count in row["totals"].items()
            if name != "accepted"
        )
        warning = row["order"] or _voided(row["voided"]) or _paused(row["asked_again_at"])
        grid.add_row(
            row["id"],
            Text(state, style=STYLES.get(state, "")),
            share,
            Text(warning or others, style="yellow" if warning else ""),
            "",
        )
    return grid


def _queue(queue: dict[str, Any]) -> RenderableType:
    from rich.text import Text

    waiting = {name: queue[name] for name in ("planned", "claimed", "deferred", "in_doubt")}
    if not any(waiting.values()):
        text = Text("Nothing waits to be sent.")
    else:
        said = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in waiting.items() if n)
        text = Text(f"{said}.")
        if queue["next_retry_at"]:
            at = f"{queue['next_retry_at']:%a %H:%M} UTC"
            text.append(f" Retries: {queue['retries_due']} due now, the next at {at}.")
    if queue["sign_ups"] or queue["confirmations"]:
        text.append(
            f" {queue['sign_ups']} sign-ups and {queue['confirmations']} confirmations wait."
        )
    return text


def _errors(rows: list[dict[str, Any]]) -> RenderableType:
    from rich.text import Text

    grid = bare_grid(1)
    for row in rows:
        grid.add_row(
            f"{row['at']:%d %b %H:%M}",
            Text.assemble((row["what"], "yellow"), f": {row['why']}" if row["why"] else ""),
        )
    return grid


def _grid() -> Table:
    grid = bare_grid(3)
    grid.add_column(no_wrap=True, style="dim")
    return grid


def _bar(done: int, total: int, width: int = 12) -> str:
    full = round(width * done / total) if total else 0
    # Never full before it is, nor empty once it has begun.
    full = min(full, width - 1) if done < total else width
    full = max(full, 1) if done else 0
    return "█" * full + "░" * (width - full)


def _voided(gone: dict[str, Any] | None) -> str:
    if gone is None:
        return ""
    return f"its approval is void since {gone['at']:%d %b %H:%M} UTC: {gone['changed']}"


def _paused(until: datetime | None) -> str:
    return f"the relay objected; asked again at {until:%H:%M} UTC" if until else ""


def _quiet(text: str) -> RenderableType:
    from rich.text import Text

    return Text(text, style="dim")
