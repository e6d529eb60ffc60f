"""``mailer sources``: where articles come from by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.options import Json, complete_source, folder
from mailer.cli.output import UNFINISHED, complain, note, progress, say, say_json, table
from mailer.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from mailer.articles.polling import SourceReport
    from mailer.articles.visit import Visit

app = typer.Typer(no_args_is_help=True, help="Where articles come from by themselves.")

_MOST_SHOWN = 60


@app.command(name="list")
def list_sources(ctx: typer.Context, as_json: Json = False) -> None:
    """List the sources: how they are, what they brought, and when they are asked again.

    Example: `mailer sources list --json`
    """
    from mailer.app import open_app
    from mailer.usecases import sourcing

    with open_app(folder(ctx)) as opened:
        found = sourcing.overview(opened)
    if as_json:
        say_json(found)
        return
    if not found:
        say("No sources yet. Add a [[sources]] table to publication.toml, or import OPML.")
        return
    table(
        f"{len(found)} sources",
        ["source", "where", "weight #", "how it is", "articles #", "last good", "due"],
        [
            (
                row["name"],
                row["moved_to"] or row["place"],
                f"{row['weight']:g}",
                row["trouble"] or row["status"],
                row["articles"],
                row["succeeded_at"],
                row["due_at"],
            )
            for row in found
        ],
    )


def show_visits(reports: Sequence[SourceReport]) -> None:
    """Show what visits brought: a line a source, and the articles that are new."""
    if not reports:
        return
    new = [article for report in reports for article in report.articles]
    if new:
        table(
            "From sources",
            ["article", "title", "by", "kind", "status", "look at"],
            [
                (a.id, a.title, ", ".join(a.authors), a.kind, a.status, ", ".join(a.flags))
                for a in new[:_MOST_SHOWN]
            ],
        )
    if len(new) > _MOST_SHOWN:
        note(f"… and {len(new) - _MOST_SHOWN:,} more; `mailer articles` lists them.")
    table(
        "Sources",
        ["source", "status", "new #", "changed #", "known #", "due"],
        [
            (
                report.name,
                report.status,
                dict(report.counts).get("added", 0),
                dict(report.counts).get("updated", 0) + dict(report.counts).get("joined", 0),
                dict(report.counts).get("unchanged", 0),
                report.due_at,
            )
            for report in reports
        ],
    )
    for report in reports:
        for said in report.notes:
            note(f"{report.name}: {said}")
        if report.moved_to and report.status == "read":
            note(f"{report.name} has moved for good to {report.moved_to}; write that as its url.")


@app.command(name="check")
def check(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="A source of publication.toml; none means all.",
            show_default=False,
            autocompletion=complete_source,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Visit sources now and say what they give; nothing is kept. Exit code 8 when one fails.

    Example: `mailer sources check "Town Feed"`
    """
    from mailer.app import open_app
    from mailer.usecases import subscribing

    with open_app(folder(ctx)) as opened, progress("Visiting") as step:
        visits = subscribing.check_sources(opened, names or [], progress=step)
    rows = [
        {
            "name": made.source.name,
            "place": made.source.place,
            "status": made.status,
            "moved_to": made.state.moved_to,
            "items": len(made.document.articles) if made.document else 0,
            "newest": made.document.articles[0].title if made.document else "",
            "beginnings": _beginnings(made),
            "notes": [flag.note for flag in made.document.flags] if made.document else [],
            "problem": made.fault.problem if made.fault else "",
        }
        for made in visits
    ]
    if as_json:
        say_json(rows)
    else:
        table(
            "",
            ["source", "status", "items #", "only begun #", "newest"],
            [(r["name"], r["status"], r["items"], r["beginnings"], r["newest"]) for r in rows],
        )
        for row in rows:
            if row["moved_to"]:
                note(f"{row['name']} has moved for good to {row['moved_to']}.")
    faults = [made.fault for made in visits if made.fault]
    if faults:
        complain(InvalidInput(faults))
        raise typer.Exit(UNFINISHED)


def _beginnings(made: Visit) -> int:
    from mailer.articles.merging import BEGINNING

    articles = made.document.articles if made.document else ()
    return sum(any(flag.code == BEGINNING for flag in article.flags) for article in articles)


@app.command(name="import")
def import_list(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="An OPML file.", show_default=False),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the tables; write nothing.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Put back what the last import changed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add the feeds of an OPML file to publication.toml; its comments stay as they are.

    Feeds that are there already are passed over. Example: `mailer sources import feeds.opml`
    """
    from mailer.app import open_app
    from mailer.usecases import subscribing
    from mailer.whereabouts import find_root

    if undo == (file is not None):
        problem = "name a file, or undo the last import"
        raise InvalidInput(Fault(problem, field="FILE", remedy="give one of FILE and --undo"))
    if undo or file is None:
        # The file may be one that cannot be opened as a publication any more.
        subscribing.undo_import(find_root(folder(ctx)))
        say("publication.toml is as it was before the import.")
        return
    with open_app(folder(ctx)) as opened:
        listed, new = subscribing.read_list(opened, file)
        is_written = bool(new) and not dry_run
        if is_written:
            subscribing.add_sources(opened, new)
    if as_json:
        say_json(
            {
                "added": [source.model_dump() for source in new],
                "known": len(listed.sources) - len(new),
                "written": is_written,
                "faults": [str(fault) for fault in listed.faults],
            }
        )
    else:
        if dry_run:
            say(subscribing.tables_of(new).rstrip())
        verb = "would be added" if dry_run else "added"
        note(f"{len(new)} sources {verb}, {len(listed.sources) - len(new)} were there already.")
        if is_written:
            note("`mailer sources import --undo` takes that back.")
    if listed.faults:
        complain(InvalidInput(listed.faults))
        raise typer.Exit(UNFINISHED)


@app.command(name="export")
def export_list(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Where to; none is standard output.", show_default=False
        ),
    ] = None,
) -> None:
    """Write the feeds as OPML, for any feed reader; sources in files are left out.

    Example: `mailer sources export feeds.opml`
    """
    from mailer.app import open_app
    from mailer.usecases import subscribing

    with open_app(folder(ctx)) as opened:
        text = subscribing.export(opened)
        files = sum(not source.url for source in opened.publication.sources)
    if file is None:
        say(text.rstrip())
    else:
        file.write_text(text, encoding="utf-8")
        note(f"Written to {file}.")
    if files:
        note(f"{files} left out: OPML holds addresses, and these are files.")
