"""``mailer ingest``, ``mailer articles`` and ``mailer directory``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.options import Json, Yes, complete_source, folder
from mailer.cli.output import (
    UNFINISHED,
    complain,
    confirm,
    note,
    progress,
    say,
    say_json,
    table,
    warn,
)
from mailer.cli.source_commands import show_visits
from mailer.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from mailer.articles.ingesting import IngestReport


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command()(ingest)
    app.add_typer(listing, name="articles")
    app.command()(directory)


def ingest(
    ctx: typer.Context,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILES",
            help="Markdown, HTML, text or PDF; a folder means the files in it; the address of a "
            "page. None means the publication's `articles/` and every source that is due.",
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
    """Take articles in: files, a whole paper as text or PDF, pages of the web, and feeds.

    What cannot be used is reported and does not stop the rest; exit code 8 then.
    With `--review --json` nothing is asked: what is unsure is listed.
    Examples: `mailer ingest march-paper.txt --json`, `mailer ingest march.pdf --review`,
    `mailer ingest https://town.example/ferry`, `mailer ingest --sources "Town Feed" --now`
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
        _show(report, is_named=bool(files))
    warn(report.warnings)
    if report.faults:
        complain(InvalidInput(report.faults))
        raise typer.Exit(UNFINISHED)


def _show(report: IngestReport, *, is_named: bool) -> None:
    """Show what was taken in; what was named is shown also where nothing of it is new."""
    data = report.to_data()
    # The whole folder again is news only where something is new.
    known = 0 if is_named else sum(row["status"] == "unchanged" for row in data["articles"])
    if known:
        rows = [row for row in data["articles"] if row["status"] != "unchanged"]
        data |= {"articles": rows, "diary": data["diary"] if rows else []}
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
    if not (data["articles"] or known or report.faults or report.sources):
        note("There was nothing to take in: no Markdown, HTML, text or PDF file stands there.")
    if known:
        note(f"{known:,} articles are as they were; `mailer articles` lists them.")
    for advert in data["adverts"]:
        note(f"A house advert, kept out: {advert['title']}")


listing = typer.Typer()


@listing.callback(invoke_without_command=True)
def articles(ctx: typer.Context, as_json: Json = False) -> None:
    """List the articles taken in, newest first; `mailer articles show` shows one.

    Example: `mailer articles`
    """
    if ctx.invoked_subcommand is not None:
        return
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


@listing.command(name="show")
def show(
    ctx: typer.Context,
    article: Annotated[
        str, typer.Argument(metavar="ARTICLE", help="An article's id, its beginning, or the title.")
    ],
    versions: Annotated[
        bool, typer.Option("--versions", help="Also what it said before it was changed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show one article: its text, where it stands, and what it said before.

    Example: `mailer articles show night-bus-returns --versions`
    """
    from mailer.app import open_app

    with open_app(folder(ctx)) as app:
        found = app.library.article(article)
        origins = app.library.origins(found.id)
        before = app.library.versions(found.id) if versions else []
    if as_json:
        told = {
            name: getattr(found, name)
            for name in ("id", "title", "standfirst", "authors", "kind", "section", "regions")
        }
        said = [
            {
                "number": version.number,
                "origin": version.origin,
                "replaced_at": version.replaced_at,
                "title": version.article.title,
                "url": version.article.url,
                "text": version.article.body_text,
            }
            for version in before
        ]
        more = {"url": found.url, "source": found.source, "text": found.body_text}
        say_json(told | more | {"origins": origins} | ({"versions": said} if versions else {}))
        return
    say(found.title, style="bold")
    say(" · ".join(filter(None, (", ".join(found.authors), found.kind, found.section, found.url))))
    say(f"\n{found.body_text}\n")
    table(
        "Where it stands",
        ["origin", "as", "source", "first seen", "changed"],
        [
            (
                row["origin"],
                row["standing"],
                row["source"],
                f"{row['first_seen_at']:%Y-%m-%d %H:%M}",
                f"{row['changed_at']:%Y-%m-%d %H:%M}",
            )
            for row in origins
        ],
    )
    for version in before:
        say(f"Until {version.replaced_at:%Y-%m-%d %H:%M}, {version.origin}:", style="bold")
        say(f"{version.article.title}\n\n{version.article.body_text}\n")
    if versions and not before:
        say("It has never been changed.")


@listing.command(name="drop")
def drop(
    ctx: typer.Context,
    article: Annotated[
        str, typer.Argument(metavar="ARTICLE", help="An article's id, its beginning, or the title.")
    ],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take out an article that was taken in by mistake, and the happenings that it announced.

    One that was sent stays, and so does one that an issue names which is not sent. Remove its file
    too, or the next `mailer ingest` takes it in again. Example: `mailer articles drop two-bridges`
    """
    from mailer.app import open_app
    from mailer.usecases import withdrawing

    with open_app(folder(ctx)) as app:
        asked = withdrawing.consider(app, article).article
        confirm(f"Drop {asked.id} ({asked.title})?", is_sure=yes)
        found = withdrawing.withdraw(app, asked.id)
        files = [origin for origin in found.origins if (app.root / origin).is_file()]
    if as_json:
        told = {"id": asked.id, "title": asked.title, "origins": found.origins}
        say_json(told | {"diary": found.diary, "files": files})
        return
    count = len(found.diary)
    entries = f", and {count} diary entr{'y' if count == 1 else 'ies'} with it" if count else ""
    say(f"Dropped: {asked.id} ({asked.title}){entries}")
    for origin in found.origins:
        where = "stands there still" if origin in files else "may have it still"
        note(f"{origin} {where}; `mailer ingest` would take it in again.")


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
