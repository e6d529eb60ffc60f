"""``mailer sources``: where articles come from by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from mailer.cli.options import Json, folder
from mailer.cli.output import note, say, say_json, table

if TYPE_CHECKING:
    from mailer.articles.polling import SourceReport

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
                _when(row["succeeded_at"]),
                _when(row["due_at"]),
            )
            for row in found
        ],
    )


def _when(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


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
                _when(report.due_at),
            )
            for report in reports
        ],
    )
    for report in reports:
        for said in report.notes:
            note(f"{report.name}: {said}")
        if report.moved_to and report.status == "read":
            note(f"{report.name} has moved for good to {report.moved_to}; write that as its url.")
