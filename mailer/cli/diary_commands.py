"""``mailer diary``: what is announced, what an editor adds and what they keep away."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.options import Json, Regions, folder
from mailer.cli.output import say, say_json

if TYPE_CHECKING:
    from mailer.articles.article import DiaryEntry

app = typer.Typer(no_args_is_help=True, help="Happenings: found in articles, added, hidden.")

EntryName = Annotated[str, typer.Argument(metavar="ENTRY", help="A diary entry's id.")]


@app.command("list")
def list_entries(
    ctx: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            formats=["%Y-%m-%d"],
            help="From this day on; today if left out.",
            show_default=False,
        ),
    ] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Also what is hidden.")] = False,
    as_json: Json = False,
) -> None:
    """List what is still to come, with what is doubtful about it.

    Example: `mailer diary list --hidden`
    """
    from mailer.app import open_app
    from mailer.usecases import happenings

    with open_app(folder(ctx)) as opened:
        day = since.date() if since else None
        found = happenings.listing(opened, since=day, with_hidden=hidden)
    if as_json:
        say_json([_data(entry) for entry in found])
        return
    if not found:
        say("Nothing is to come. Articles bring it, or `mailer diary add`.")
        return
    for entry in found:
        # Ids are long; a table would fold them where nobody can copy them.
        say(entry.id, style="bold")
        say(f"  {_days(entry)}{', ' + _hours(entry) if entry.at else ''}: {_what(entry)}")
        doubts = [*(["hidden"] if entry.is_hidden else []), *(flag.note for flag in entry.flags)]
        for doubt in doubts:
            say(f"  look at: {doubt}", style="dim")


@app.command()
def add(
    ctx: typer.Context,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is.")],
    when: Annotated[
        str,
        typer.Argument(
            metavar="WHEN",
            help="As people write it: 'Saturday 5 December, 7.30pm', '5-7 December', "
            "'5 and 12 December, 3pm', 'every first Tuesday, 7pm', '2026-12-05 19:30'.",
        ),
    ],
    place: Annotated[str, typer.Option("--place", help="Where it is.")] = "",
    url: Annotated[str, typer.Option("--url", help="A page about it, https.")] = "",
    region: Regions = None,
    as_json: Json = False,
) -> None:
    """Add a happening of your own; the coming draft offers it. Two days are two entries.

    Example: `mailer diary add 'Harbour supper' 'Saturday 5 December, 7.30pm' --place 'Net Loft'`
    """
    from mailer.app import open_app
    from mailer.usecases import happenings

    with open_app(folder(ctx)) as opened:
        entries = happenings.add(
            opened, title, when, place=place, url=url, regions=list(region or [])
        )
    if as_json:
        say_json([_data(entry) for entry in entries])
        return
    for entry in entries:
        _tell(entry, "Added", as_json=False)


@app.command()
def drop(ctx: typer.Context, entry: EntryName, as_json: Json = False) -> None:
    """Remove a happening that you added; one from an article can only be hidden.

    It says which issues to come list it. Example: `mailer diary drop 2026-12-05-harbour-supper`
    """
    from mailer.app import open_app
    from mailer.usecases import happenings

    with open_app(folder(ctx)) as opened:
        found, issues = happenings.drop(opened, entry)
    if as_json:
        say_json(_data(found) | {"issues": issues})
        return
    _tell(found, "Dropped", as_json=False)
    for name, state in issues.items():
        if state == "draft":
            say(f"Issue {name} lists it: take its line out of issues/{name}.md.", style="yellow")
        else:
            say(f"Issue {name} is {state} with it and goes out with it.", style="yellow")


@app.command()
def hide(ctx: typer.Context, entry: EntryName, as_json: Json = False) -> None:
    """Keep a happening out of drafts, editions and the public calendar, also when it is read again.

    Example: `mailer diary hide 2026-12-05-harbour-supper`
    """
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        found = opened.datebook.hide(entry)
    _tell(found, "Hidden", as_json=as_json)


@app.command()
def show(ctx: typer.Context, entry: EntryName, as_json: Json = False) -> None:
    """Offer a hidden happening again.

    Example: `mailer diary show 2026-12-05-harbour-supper`
    """
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        found = opened.datebook.hide(entry, is_hidden=False)
    _tell(found, "Offered again", as_json=as_json)


def _tell(entry: DiaryEntry, what: str, *, as_json: bool) -> None:
    if as_json:
        say_json(_data(entry))
        return
    hours = f", {_hours(entry)}" if entry.at else ""
    say(f"{what}: {entry.id} ({_days(entry)}{hours}: {entry.title})")


def _days(entry: DiaryEntry) -> str:
    from mailer.articles.recurring import rule_in_words

    if entry.repeats:
        return f"{entry.on.isoformat()}, {rule_in_words(entry.repeats)}"
    return f"{entry.on.isoformat()} to {entry.until.isoformat()}" if entry.until else str(entry.on)


def _what(entry: DiaryEntry) -> str:
    regions = f"for {', '.join(entry.regions)}" if entry.regions else ""
    return ", ".join(part for part in (entry.title, entry.place, regions) if part)


def _hours(entry: DiaryEntry) -> str:
    ends = f"–{entry.ends_at:%H:%M}" if entry.ends_at else ""
    return f"{entry.at:%H:%M}{ends}" if entry.at else ""


def _data(entry: DiaryEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "date": entry.on,
        "time": entry.at,
        "until": entry.until,
        "ends_at": entry.ends_at,
        "repeats": entry.repeats,
        "place": entry.place,
        "url": entry.url,
        "regions": entry.regions,
        "article": entry.article_id,
        "origin": entry.origin,
        "is_hidden": entry.is_hidden,
        "flags": [{"code": flag.code, "note": flag.note} for flag in entry.flags],
    }
