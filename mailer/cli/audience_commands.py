"""``mailer subscribers …`` and ``mailer regions``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mailer.cli.options import Json, RegionName, Where, Yes, folder
from mailer.cli.output import (
    UNFINISHED,
    confirm,
    err,
    note,
    progress,
    say,
    say_json,
    table,
    write_json,
)

app = typer.Typer(no_args_is_help=True, help="Who gets it, and who may not.")

Address = Annotated[str, typer.Argument(metavar="ADDRESS")]


@app.command("import")
def import_roster(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A CSV file with a header line.", show_default=False),
    ] = None,
    region: Annotated[
        str, typer.Option("--region", "-r", help="The list they join.", metavar="REGION")
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="Import `subscribers/<region>.csv` of every region.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take a roster in: the whole file or nothing, with every row that was not taken listed.

    Whoever unsubscribed or is suppressed is never added again. Exit code 8 when a row was
    rejected. Example: `mailer subscribers import wales.csv --region wales --dry-run`
    """
    from mailer.app import open_app
    from mailer.usecases import readers

    if every == bool(file) or (file and not region):
        raise typer.BadParameter("give FILE and --region, or --all")
    with open_app(folder(ctx)) as opened, progress("Importing") as step:
        if file:
            reports = [
                readers.import_roster(opened, file, region, is_dry_run=dry_run, progress=step)
            ]
        else:
            reports = readers.import_rosters(opened, is_dry_run=dry_run, progress=step)
    rows = [report.to_data() for report in reports]
    if as_json:
        say_json(rows if every else rows[0])
    else:
        table(
            "Nothing was kept (dry run)" if dry_run else "",
            [
                "region",
                "file",
                "rows #",
                "added #",
                "confirmed #",
                "there already #",
                "kept out #",
                "rejected #",
            ],
            [
                (
                    row["region"],
                    row["file"],
                    row["rows"],
                    row["added"],
                    row["confirmed"],
                    row["already"],
                    row["kept_out"],
                    row["rejected"],
                )
                for row in rows
            ],
        )
        for row in rows:
            for remark in row["notes"]:
                note(f"{row['file']}: {remark}")
            for problem in row["problems"]:
                err().print(problem["message"], markup=False, soft_wrap=True)
    if any(row["rejected"] for row in rows):
        raise typer.Exit(UNFINISHED)


@app.command("export")
def export_roster(
    ctx: typer.Context,
    region: Annotated[
        str, typer.Option("--region", "-r", help="The region's list.", metavar="REGION")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Else standard output.", show_default=False),
    ] = None,
    where: Where = "",
    subject: Annotated[
        str,
        typer.Option(
            "--subject",
            metavar="ADDRESS",
            help="All that is held of this one person instead, as JSON.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Write a region's confirmed subscribers as CSV that a spreadsheet cannot run.

    Examples: `mailer subscribers export --region wales --out wales.csv`,
    `mailer subscribers export --subject zoe@reader.example`
    """
    from mailer.app import open_app
    from mailer.usecases import readers, rights

    if bool(region) == bool(subject) or (subject and where):
        raise typer.BadParameter("give --region, or --subject alone")
    with open_app(folder(ctx)) as opened:
        if subject:
            held = rights.held_data(opened, subject)
            write_json(held, out)
            return
        count = readers.export_roster(opened, region, out, where=where)
    note(f"{count} subscribers of {region}.")


@app.command("add")
def add(
    ctx: typer.Context,
    address: Address,
    region: RegionName,
    name: Annotated[str, typer.Option("--name", help="The reader's name.")] = "",
    rejoin: Annotated[
        bool, typer.Option("--rejoin", help="They left and have now asked to come back.")
    ] = False,
) -> None:
    """Put one person on a region's list; you answer for their consent.

    Example: `mailer subscribers add zoe@reader.example --region wales --name Zoë`
    """
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        subscriber = opened.register.add(
            address, opened.region(region).slug, name=name, source="command line", rejoin=rejoin
        )
    say(f"{subscriber.address} is on the list of {region}.")


@app.command("remove")
def remove(
    ctx: typer.Context,
    address: Address,
    region: Annotated[
        str, typer.Option("--region", "-r", help="Only this list; else all.", metavar="REGION")
    ] = "",
    suppress: Annotated[
        bool, typer.Option("--suppress", help="And never mail this address again.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Unsubscribe one person; imports will not bring them back.

    Example: `mailer subscribers remove zoe@reader.example`
    """
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        confirm(f"Unsubscribe {address}?", is_sure=yes)
        if suppress:
            opened.register.suppress(address, "manual", "command line")
            say(f"{address} is suppressed: no list will mail it.")
            return
        slug = opened.region(region).slug if region else None
        lists = opened.register.remove(address, slug, source="command line")
    say(f"{address} is off: {', '.join(lists) or 'no list had it'}.")


@app.command("unsuppress")
def unsuppress(
    ctx: typer.Context,
    address: Address,
    why: Annotated[str, typer.Option("--why", help="Kept with the record.")] = "",
    yes: Yes = False,
) -> None:
    """Lift a suppression made by mistake; the subscriptions stay as they are."""
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        confirm(f"Let {address} be mailed again?", is_sure=yes)
        opened.register.unsuppress(address, why=why)
    say(f"{address} may be mailed again.")


@app.command("list")
def list_subscribers(
    ctx: typer.Context,
    region: Annotated[
        str, typer.Option("--region", "-r", help="Only this list.", metavar="REGION")
    ] = "",
    state: Annotated[
        Literal["pending", "confirmed", "unsubscribed"] | None,
        typer.Option("--state", help="Only these."),
    ] = None,
    where: Where = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """List subscribers.

    Example: `mailer subscribers list --region wales --where 'field.town = "Swansea"'`
    """
    from mailer.app import open_app
    from mailer.usecases import readers, segmenting

    with open_app(folder(ctx)) as opened:
        slug = opened.region(region).slug if region else None
        if where:
            rows = segmenting.list_data(opened, where, slug, state, limit)
        else:
            rows = readers.subscribers_data(opened, slug, state, limit)
    if as_json:
        say_json(rows)
        return
    table(
        "",
        ["address", "name", "list", "state", "since"],
        [
            (r["address"], r["name"], r["region"], r["state"], f"{r['changed_at']:%Y-%m-%d}")
            for r in rows
        ],
    )
    if len(rows) == limit:
        note(f"The first {limit}; --limit shows more.")


def regions(ctx: typer.Context, as_json: Json = False) -> None:
    """List the regions with their lists, hours and readers.

    Example: `mailer regions --json`
    """
    from mailer.app import open_app
    from mailer.usecases import readers

    with open_app(folder(ctx)) as opened:
        rows = readers.regions_data(opened)
    if as_json:
        say_json(rows)
        return
    table(
        "",
        ["region", "name", "list-id", "parent", "sends", "confirmed #", "left #"],
        [
            (
                row["slug"],
                row["name"],
                row["list_id"],
                row["parent"],
                f"{row['send_day']} {row['send_time']:%H:%M} {row['time_zone']}",
                row["confirmed"],
                row["unsubscribed"],
            )
            for row in rows
        ],
    )
