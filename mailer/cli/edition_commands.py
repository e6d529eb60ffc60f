"""``mailer preview`` and ``mailer test``: look at an issue before anybody gets it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mailer.cli.options import IssueName, Json, Regions, folder
from mailer.cli.output import UNFINISHED, note, progress, say, say_json, table


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command()(preview)
    app.command(name="test")(proof)


def preview(
    ctx: typer.Context,
    issue: IssueName,
    region: Regions = None,
    part: Annotated[
        Literal["html", "text", "eml"] | None,
        typer.Option("--part", help="Print this part of one region instead of writing files."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where to write; else `var/preview`."),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the web browser.")] = False,
    as_json: Json = False,
) -> None:
    """Render editions for a sample reader and write them as HTML, text and .eml files.

    Examples: `mailer preview next --open`, `mailer preview next --region wales --part text`
    """
    from mailer.app import open_app
    from mailer.usecases import proofing

    with open_app(folder(ctx)) as opened, progress("Rendering") as step:
        issue_id = opened.desk.resolve(issue)
        if part:
            names = region or [next(iter(opened.publication.region_map))]
            for name in names:
                sys.stdout.write(proofing.preview_part(opened, issue_id, name, part))
            sys.stdout.flush()
            return
        files = proofing.preview(opened, issue_id, regions=region, out=out, progress=step)
    if as_json:
        say_json(files)
    else:
        table("", ["region", "HTML"], [(name, paths["html"]) for name, paths in files.items()])
        note("Each has its text (.txt) and its message (.eml) beside it.")
    if open_it:
        typer.launch(str(next(iter(files.values()))["html"]))


def proof(
    ctx: typer.Context,
    issue: IssueName,
    to: Annotated[list[str], typer.Option("--to", metavar="ADDRESS", help="May be given again.")],
    region: Regions = None,
    as_json: Json = False,
) -> None:
    """Send a proof of an issue, marked as one; the ledger and the lists are not touched.

    Without `--region` the first region's edition is sent.
    Example: `mailer test next --to nora@lantern.example --region wales`
    """
    from mailer.app import open_app
    from mailer.usecases import proofing

    with open_app(folder(ctx)) as opened, progress("Sending") as step:
        rows = proofing.send_proofs(
            opened, opened.desk.resolve(issue), to=to, regions=region, progress=step
        )
    if as_json:
        say_json(rows)
    else:
        for row in rows:
            say(f"{row['region']} to {row['address']}: {row['outcome']} {row['reply']}".rstrip())
    if any(row["outcome"] != "accept" for row in rows):
        raise typer.Exit(UNFINISHED)
