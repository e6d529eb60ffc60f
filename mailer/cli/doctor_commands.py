"""``mailer doctor``: is this installation fit to send?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.options import Json, folder
from mailer.cli.output import UNFINISHED, out, progress, say, say_json

if TYPE_CHECKING:
    from mailer.checkup import Check

SIGNS = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "bold red")}


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command()(doctor)


def doctor(
    ctx: typer.Context,
    online: Annotated[
        bool, typer.Option("--online", help="Ask DNS, the relay and your web address as well.")
    ] = False,
    send: Annotated[
        str,
        typer.Option(
            "--send",
            metavar="ADDRESS",
            help="Mail a test there; otherwise nothing is sent.",
            show_default=False,
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Check settings, database, clock, templates, schedule, backups, relay; say what to do.

    By itself it asks nobody but this machine. `--online` looks at DNS (SPF, DKIM, DMARC, MX, PTR,
    MTA-STS, BIMI), the relay's login and certificate, and whether one-click leaving works.
    Exit code 8 when a check fails. Examples: `mailer doctor`, `mailer doctor --online --json`
    """
    from mailer.checkup import examine

    with progress("Looking") as bar:
        findings = examine(
            folder(ctx),
            online=online,
            send_to=send,
            step=lambda done, total, what: bar(done, total, f"Looking at {what}"),
        )
    if as_json:
        say_json([asdict(finding) for finding in findings])
    else:
        _show(findings)
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(UNFINISHED)


def _show(findings: list[Check]) -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for finding in findings:
        word, style = SIGNS[finding.level]
        grid.add_row(Text(word, style=style), Text(finding.subject), Text(finding.message))
        if finding.remedy:
            grid.add_row("", "", Text(f"-> {finding.remedy}", style="bold"))
    out().print(grid)
    counts = {level: sum(f.level == level for f in findings) for level in SIGNS}
    say()
    if counts["fail"]:
        say(f"{counts['fail']} to mend before anything is sent, {counts['warn']} to look at.")
    elif counts["warn"]:
        say(f"Nothing stands in the way; {counts['warn']} to look at.")
    else:
        say("All is well.")
