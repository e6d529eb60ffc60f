"""``mailer ingest``, ``mailer articles`` and ``mailer directory``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.options import Json, folder
from mailer.cli.output import UNFINISHED, complain, note, progress, say, say_json, table
from mailer.errors import InvalidInput


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command()(ingest)
    app.command()(articles)
    app.command()(directory)


def ingest(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILES",
            help="Markdown, HTML or text; a folder means the files in it. "
            "None means the publication's `articles/`.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take articles in: files with or without front matter, or a whole paper's text.

    A file that cannot be used is reported and does not stop the others; exit code 8 then.
    Example: `mailer ingest articles/ march-paper.txt --json`
    """
    from mailer.app import open_app
    from mailer.usecases import editing

    with open_app(folder(ctx)) as app, progress("Reading") as step:
        report = editing.ingest(app, files or [], progress=step)
    if as_json:
        say_json(report.to_data())
    else:
        data = report.to_data()
        table(
            "",
            ["article", "title", "by", "kind", "status", "look at"],
            [
                (
                    row["id"],
                    row["title"],
                    ", ".join(row["authors"]),
                    row["kind"],
                    row["status"],
                    ", ".join(flag["code"] for flag in row["flags"]),
                )
                for row in data["articles"]
            ],
        )
        if data["diary"]:
            table(
                "Diary",
                ["date", "time", "what", "where"],
                [(row["date"], row["time"], row["title"], row["place"]) for row in data["diary"]],
            )
        if data["directory"]:
            table(
                "Directory",
                ["group", "address", "region"],
                [(row["name"], row["address"], row["region"]) for row in data["directory"]],
            )
        for advert in data["adverts"]:
            note(f"A house advert, kept out: {advert['title']}")
    if report.faults:
        complain(InvalidInput(report.faults))
        raise typer.Exit(UNFINISHED)


def articles(ctx: typer.Context, as_json: Json = False) -> None:
    """List the articles taken in, newest first.

    Example: `mailer articles --json`
    """
    from mailer.app import open_app

    with open_app(folder(ctx)) as app:
        found = app.library.articles()
    found.sort(key=lambda a: (a.published_at or a.first_seen_at, a.id), reverse=True)
    if as_json:
        say_json(
            [
                {
                    "id": article.id,
                    "title": article.title,
                    "authors": article.authors,
                    "kind": article.kind,
                    "section": article.section,
                    "regions": article.regions,
                    "published_at": article.published_at,
                    "first_seen_at": article.first_seen_at,
                    "is_draft": article.is_draft,
                    "words": article.word_count,
                    "url": article.url,
                    "origin": article.origin,
                    "flags": [{"code": f.code, "note": f.note} for f in article.flags],
                }
                for article in found
            ]
        )
        return
    if not found:
        say("No articles yet. Take some in with `mailer ingest`.")
        return
    table(
        f"{len(found)} articles",
        ["article", "title", "by", "section", "regions", "date", "words #"],
        [
            (
                article.id,
                article.title,
                ", ".join(article.authors),
                article.section,
                ", ".join(article.regions),
                (article.published_at or article.first_seen_at).date().isoformat(),
                article.word_count,
            )
            for article in found
        ],
    )


def directory(ctx: typer.Context, as_json: Json = False) -> None:
    """List the groups of the directory that a paper printed, by name.

    Example: `mailer directory --json`
    """
    from mailer.app import open_app

    with open_app(folder(ctx)) as app:
        entries = app.library.directory()
    if as_json:
        say_json([asdict(entry) for entry in entries])
        return
    if not entries:
        say("No directory yet. `mailer ingest` finds one in a paper's text.")
        return
    table(
        f"{len(entries)} groups",
        ["group", "address", "phone", "region"],
        [(entry.name, entry.address, entry.phone, entry.region) for entry in entries],
    )
