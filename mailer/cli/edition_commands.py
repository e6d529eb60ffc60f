"""``mailer preview`` and ``mailer test``: look at an issue before anybody gets it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mailer.cli.options import IssueName, Json, Regions, folder
from mailer.cli.output import UNFINISHED, note, page, progress, say, say_json, table


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command()(preview)
    app.command(name="test")(proof)


def preview(
    ctx: typer.Context,
    issue: IssueName,
    region: Regions = None,
    part: Annotated[
        Literal["text", "html", "headers", "source"] | None,
        typer.Option(
            "--part", help="Show this part of one region here; on a terminal, a page at a time."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where to write; else `var/preview`."),
    ] = None,
    png: Annotated[
        bool,
        typer.Option("--png", help="Take pictures of each as well, with this machine's Chromium."),
    ] = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Serve the page on loopback and follow the files, until Ctrl-C."
        ),
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="With --watch; 0: a free one.")
    ] = 0,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the web browser.")] = False,
    as_json: Json = False,
) -> None:
    """Render every region's edition and make one page to compare them; nothing is sent.

    The page (index.html) shows each edition on a phone and a desktop, light and dark, without
    styles and as Outlook has it, its text, headers, links and checks; each edition's HTML, text
    and message (.eml) lie beside it. With `--watch` it follows the issue, the templates and the
    publication's files as they are saved.
    Examples: `mailer preview next --open`, `mailer preview next --watch --open`,
    `mailer preview next --region wales --part text`
    """
    from mailer.app import open_app
    from mailer.usecases import previewing

    refuse_mixed({"--part": bool(part), "--watch": watch, "--png": png})
    refuse_mixed({"--part": bool(part), "--watch": watch, "--out": bool(out)})
    refuse_mixed({"--part": bool(part), "--json": as_json})
    refuse_mixed({"--part": bool(part), "--open": open_it})
    chromium = previewing.find_chromium() if png else ""
    with open_app(folder(ctx)) as opened, progress("Rendering") as step:
        issue_id = opened.desk.resolve(issue)
        if watch:
            # What the page shows is opened anew as files change.
            root, names = opened.root, [r.slug for r in opened.regions(region)] if region else None
        elif part:
            names = region or [next(iter(opened.publication.region_map))]
            texts = [previewing.preview_part(opened, issue_id, name, part) for name in names]
        else:
            made = previewing.preview(
                opened, issue_id, regions=region, out=out, chromium=chromium, progress=step
            )
    if watch:
        follow(root, issue_id, names, port, open_it=open_it, as_json=as_json)
        return
    if part:
        page("".join(texts))
        return
    if as_json:
        say_json(made.data())
    else:
        rows = made.data()["editions"].items()
        table(
            "",
            ["region", "subject", "HTML kB #", "errors #", "warnings #"],
            [
                (n, e["subject"], f"{e['html_bytes'] / 1000:.1f}", e["errors"], e["warnings"])
                for n, e in rows
            ],
        )
        say(f"All of them on one page: {made.page}")
        note("Beside it lie each edition's HTML, text (.txt) and message (.eml).")
        if png:
            note("The pictures are in png/.")
    if open_it:
        typer.launch(str(made.page))


def refuse_mixed(given: dict[str, bool]) -> None:
    """Refuse two options that ask for different things."""
    named = [name for name, is_given in given.items() if is_given]
    if len(named) > 1:
        raise typer.BadParameter(f"{' and '.join(named)} ask for different things; give one")


def follow(
    root: Path,
    issue_id: str,
    regions: list[str] | None,
    port: int,
    *,
    open_it: bool,
    as_json: bool,
) -> None:
    """Serve the light table; say where it is."""
    from mailer.usecases.live_preview import watch_preview

    def announce(address: str) -> None:
        if as_json:
            say_json({"page": address})
        else:
            say(f"The preview is at {address}")
            note("It follows the files as they are saved. Ctrl-C ends it.")
        sys.stdout.flush()
        if open_it:
            typer.launch(address)

    watch_preview(root, issue_id, regions=regions, port=port, announce=announce)


def proof(
    ctx: typer.Context,
    issue: IssueName,
    to: Annotated[list[str], typer.Option("--to", metavar="ADDRESS", help="May be given again.")],
    region: Regions = None,
    matrix: Annotated[
        bool,
        typer.Option(
            "--matrix", help="Each region twice: to nobody by name, and to the longest name."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Send proofs of an issue, marked as such: one of every region, unless some are named.

    It need not be approved. The ledger and the lists are not touched; the links in a proof work,
    say that it is one, and change nothing.
    Examples: `mailer test next --to nora@lantern.example --region wales`,
    `mailer test next --to nora@lantern.example --matrix`
    """
    from mailer.app import open_app
    from mailer.usecases import proofs

    with open_app(folder(ctx)) as opened, progress("Sending") as step:
        rows = proofs.send_proofs(
            opened,
            opened.desk.resolve(issue),
            to=to,
            regions=region,
            is_matrix=matrix,
            progress=step,
        )
    failed = [row for row in rows if row["outcome"] != "accept"]
    if as_json:
        say_json(rows)
    else:
        for row in rows:
            whose = f"{row['region']}, {row['reader']}" if matrix else row["region"]
            say(f"{whose} to {row['address']}: {row['outcome']} {row['reply']}".rstrip())
        note(f"{len(rows) - len(failed)} of {len(rows)} proofs were accepted.")
    if failed:
        raise typer.Exit(UNFINISHED)
