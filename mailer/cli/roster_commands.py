"""``mailer subscribers import``, ``imports`` and ``export``: rosters in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mailer.cli.options import Json, Where, folder
from mailer.cli.output import (
    UNFINISHED,
    err,
    note,
    progress,
    say_json,
    say_json_with,
    table,
    write_json,
)

_VERDICTS = {
    "added": "added",
    "confirmed": "confirmed",
    "already": "there already",
    "left": "left",
    "suppressed": "suppressed",
    "kept_out": "kept out",
    "rejected": "rejected",
}

Basis = Annotated[
    str,
    typer.Option(
        "--basis",
        metavar="BASIS",
        help="Why these people may be mailed, a word of GDPR article 6: consent, contract, "
        "legal-obligation, vital-interests, public-task, legitimate-interest. It is kept with "
        "every consent.",
    ),
]


def import_roster(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="CSV or XLSX with a header line, or the export of Mailchimp, listmonk, Ghost, "
            "Substack or Buttondown.",
            show_default=False,
        ),
    ] = None,
    region: Annotated[
        str, typer.Option("--region", "-r", help="The list they join.", metavar="REGION")
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="Import `subscribers/<region>.csv` of every region.")
    ] = False,
    basis: Basis = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take a roster in: the whole file or nothing, with every row that was not taken listed.

    Whoever unsubscribed, is suppressed or asked to be forgotten is never added again; who left or
    bounced where the roster comes from is kept off here too. Exit code 8 when a row was rejected.
    Example: `mailer subscribers import wales.csv --region wales --basis consent --dry-run`
    """
    from mailer.app import open_app
    from mailer.usecases import readers

    if every == bool(file) or (file and not region):
        raise typer.BadParameter("give FILE and --region, or --all")
    by = "command line"
    with open_app(folder(ctx)) as opened, progress("Importing") as step:
        if file:
            reports = [
                readers.import_roster(
                    opened, file, region, basis=basis, by=by, is_dry_run=dry_run, progress=step
                )
            ]
        else:
            reports = readers.import_rosters(
                opened, basis=basis, by=by, is_dry_run=dry_run, progress=step
            )
    rows = [report.to_data() for report in reports]
    if as_json:
        problems = [report.problem_data() for report in reports]
        say_json_with(zip(rows, ["problems"] * len(rows), problems, strict=True), is_list=every)
    else:
        table(
            "Nothing was kept (dry run)" if dry_run else "",
            ["region", "file", "rows #", *(f"{label} #" for label in _VERDICTS.values())],
            [
                (row["region"], row["file"], row["rows"], *(row[word] for word in _VERDICTS))
                for row in rows
            ],
        )
        for report in reports:
            for remark in report.notes:
                note(f"{report.where}: {remark}")
            for fault in report.faults:
                err().print(str(fault), markup=False, soft_wrap=True)
    if any(row["rejected"] for row in rows):
        raise typer.Exit(UNFINISHED)


def imports(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 20,
    as_json: Json = False,
) -> None:
    """List the rosters that were taken in: when, from what, and on what ground.

    Example: `mailer subscribers imports`
    """
    from mailer.app import open_app
    from mailer.usecases import readers

    with open_app(folder(ctx)) as opened:
        rows = readers.imports_data(opened, limit)
    if as_json:
        say_json(rows)
        return
    table(
        "",
        ["at", "region", "file", "from", "basis", "by", "rows #", "added #", "rejected #"],
        [
            (
                f"{row['at']:%Y-%m-%d %H:%M}",
                row["region"],
                row["file"],
                row["exporter"],
                row["basis"],
                row["by"],
                row["rows"],
                row["added"],
                row["rejected"],
            )
            for row in rows
        ],
    )


def export_roster(
    ctx: typer.Context,
    region: Annotated[
        str, typer.Option("--region", "-r", help="The region's list.", metavar="REGION")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Else standard output.", show_default=False),
    ] = None,
    state: Annotated[
        Literal["confirmed", "pending", "unsubscribed", "all"],
        typer.Option("--state", help="Only these; `all` has who left and who is suppressed too."),
    ] = "confirmed",
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
    """Write a region's subscribers as CSV that a spreadsheet cannot run.

    With `--state all` an import elsewhere keeps off whoever is off here.
    Examples: `mailer subscribers export --region wales --out wales.csv`,
    `mailer subscribers export --subject zoe@reader.example`
    """
    from mailer.app import open_app
    from mailer.usecases import readers, rights

    if bool(region) == bool(subject) or (subject and where):
        raise typer.BadParameter("give --region, or --subject alone")
    with open_app(folder(ctx)) as opened:
        if subject:
            write_json(rights.held_data(opened, subject), out)
            return
        count = readers.export_roster(opened, region, out, state=state, where=where)
    note(f"{count} subscribers of {region}.")


def register(app: typer.Typer) -> None:
    """Add the commands to those about subscribers."""
    app.command("import")(import_roster)
    app.command("imports")(imports)
    app.command("export")(export_roster)
