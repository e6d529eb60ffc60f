"""``mailer ingest``, ``mailer articles`` and ``mailer directory``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mailer.cli.options import Json, complete_source, folder
from mailer.cli.output import UNFINISHED, complain, note, progress, say, say_json, table
from mailer.cli.source_commands import show_visits
from mailer.errors import Fault, InvalidInput


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command()(ingest)
    app.command()(articles)
    app.command()(directory)


def ingest(
    ctx: typer.Context,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILES",
            help="Markdown, HTML, text or PDF; a folder means the files in it. "
            "None means the publication's `articles/` and every source that is due.",
            show_default=False,
        ),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--sources",
            help="Only this source of publication.toml; may be given again.",
            metavar="NAME",
            autocompletion=complete_source,
            show_default=False,
        ),
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Visit sources although they are not due.")
    ] = False,
    review: Annotated[
        bool,
        typer.Option(
            "--review",
            help="Look at what is unsure first; answers are kept in articles/review.toml.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Take articles in: files, a whole paper as text or PDF, and feeds.

    What cannot be used is reported and does not stop the rest; exit code 8 then.
    With `--review --json` nothing is asked: what is unsure is listed.
    Examples: `mailer ingest march-paper.txt --json`, `mailer ingest march.pdf --review`,
    `mailer ingest --sources "Town Feed" --now`
    """
    from mailer.app import open_app
    from mailer.cli import review_screen
    from mailer.usecases import reviewing, sourcing

    if review and not as_json and not review_screen.has_terminal():
        raise InvalidInput(
            Fault(
                "there is no terminal to ask on",
                field="--review",
                remedy="run it in a terminal; `--review --json` lists what is unsure",
            )
        )
    sitting = None
    with open_app(folder(ctx)) as app:
        if review:
            with progress("Reading") as step:
                is_all = not files and not sources
                paths = [app.root / "articles"] if is_all else sourcing.paths_of(files or [])
                sitting = reviewing.Review(app, paths, progress=step)
            if not as_json:
                review_screen.look_through(sitting)
        with progress("Taking in") as step:
            report = sourcing.ingest(
                app, files or [], sources=sources or [], is_now=now, progress=step
            )
    if as_json:
        unsure = [piece.to_data() for piece in sitting.unsure()] if sitting else None
        say_json(report.to_data() | ({"unsure": unsure} if sitting else {}))
    else:
        data = report.to_data()
        if data["articles"]:
            table(
                "",
                ["article", "title", "by", "kind", "status", "sure #", "look at"],
                [
                    (
                        row["id"],
                        row["title"],
                        ", ".join(row["authors"]),
                        row["kind"],
                        row["status"],
                        f"{row['confidence']:.2f}",
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
        show_visits(report.sources)
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
