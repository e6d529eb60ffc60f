"""``mailer run`` and ``mailer tick``: the service, and one look of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mailer.cli.options import Json, folder
from mailer.cli.output import UNFINISHED, say, say_json
from mailer.operating.parts import PartName


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command()(run)
    app.command()(tick)


def run(
    ctx: typer.Context,
    only: Annotated[
        list[PartName] | None,
        typer.Option("--only", help="Only this part; may be given again.", show_default=False),
    ] = None,
    lifeline: Annotated[
        int | None,
        typer.Option("--lifeline", hidden=True, help="How the supervisor starts a part."),
    ] = None,
) -> None:
    """Run unattended: the schedule, the sending, the public pages, until stopped.

    What dies is started again. Ctrl-C or SIGTERM ends all within ten seconds, after the messages
    under way; SIGHUP starts the parts anew with a changed configuration. It may run twice.
    Examples: `mailer run`, `mailer run --only schedule --only sending`
    """
    from mailer.app import open_app
    from mailer.cli.web_commands import serve_quietly
    from mailer.operating.lifeline import hang_on
    from mailer.operating.service import run_part, serve_parts

    with open_app(folder(ctx)) as opened:
        names = list(dict.fromkeys(only or PartName))
        if lifeline is None:
            serve_parts(opened, names)
        else:
            hang_on(lifeline)
            run_part(opened, names[0], lambda: serve_quietly(opened))


def tick(ctx: typer.Context, as_json: Json = False) -> None:
    """Look at the schedule once and do what is due, then end: for cron or a timer.

    Exit code 8 says that something was held, failed or missed, or that taking articles in broke
    off; a source that cannot be read is only told. While another is at work, nothing is done and
    the exit code is 0. Example: `mailer tick --json`
    """
    from mailer.app import open_app
    from mailer.usecases import unattended

    with open_app(folder(ctx)) as opened:
        report = unattended.tick(opened)
    if as_json:
        say_json(report)
    else:
        _show_tick(report)
    if not report["is_all_done"]:
        raise typer.Exit(UNFINISHED)


def _show_tick(report: dict[str, Any]) -> None:
    for row in report["results"]:
        what = f"{row['job']} {row['issue']} {', '.join(row['regions'])}".rstrip()
        say(f"{what}: {row['state']}, {row['note']}")
    for row in report["missed"]:
        say(f"missed: {row['job']} {row['issue']} {row['region']}", style="yellow")
    if report["retried"]:
        say(f"retried: {report['retried']}")
    if report["ingested"]:
        say(f"articles: {report['ingested']}", style="yellow")
    if not report["is_leader"]:
        say("Another process is at work on this database; nothing was done.")
    elif not any(report[key] for key in ("results", "missed", "retried", "ingested")):
        say("Nothing was due.")
