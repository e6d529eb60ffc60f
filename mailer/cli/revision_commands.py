"""``mailer issue diff``, ``rebuild``, ``amend``, ``correct``: what changed, and what was wrong."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.options import IssueName, Json, Yes, folder
from mailer.cli.output import UNFINISHED, confirm, out, progress, say, say_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

    from mailer.issues.difference import Change, Piece

MARKS = {
    "added": ("+", "green"),
    "section added": ("+", "green"),
    "diary added": ("+", "green"),
    "dropped": ("-", "red"),
    "section dropped": ("-", "red"),
    "diary dropped": ("-", "red"),
    "moved": (">", "cyan"),
    "diary order": (">", "cyan"),
}
"""The sign and colour of a kind of change; every other is a rewording."""

REWORDED = ("~", "yellow")
CONTEXT_WORDS = 8
"""So many words of what stayed are shown on either side of a change."""


def add_to(app: typer.Typer) -> None:
    """Put the commands among those of ``mailer issue``."""
    app.command()(diff)
    app.command()(rebuild)
    app.command()(amend)
    app.command()(correct)


def diff(
    ctx: typer.Context,
    first: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="An issue (its file as it is now), ISSUE@approved, or a file kept by drafting.",
        ),
    ],
    second: Annotated[
        str,
        typer.Argument(
            metavar="[B]",
            help="Likewise; left out, A as it was approved is compared with its file.",
            show_default=False,
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Say what changed between two versions of an issue: stories, texts, diary; not HTML.

    Examples: `mailer issue diff next`, `mailer issue diff 2026-11-23 2026-11-30`,
    `mailer issue diff issues/2026-11-30.md.~1~ 2026-11-30`
    """
    from mailer.app import open_app
    from mailer.usecases import comparing

    with open_app(folder(ctx)) as opened:
        before, after, changes = comparing.differences(opened, first, second)
    if as_json:
        rows = [asdict(change) for change in changes]
        say_json({"before": before, "after": after, "changes": rows})
        return
    say(f"From {before} to {after}:", style="bold")
    show_changes(changes)


def show_changes(changes: Iterable[Change]) -> None:
    """Print changes under the headings of their blocks."""
    from rich.padding import Padding
    from rich.text import Text

    console = out()
    block = None
    listed = list(changes)
    for change in listed:
        if change.block != block:
            block = change.block
            console.print(Text(f"\n{block[:1].upper()}{block[1:]}", style="bold underline"))
        mark, colour = MARKS.get(change.kind, REWORDED)
        kind = "" if change.kind in change.what else f" {change.kind}"
        line = Text.assemble((f"{mark}{kind}  ", colour), (change.what, "bold"))
        if change.detail:
            line.append(f"  {change.detail}", style="dim")
        console.print(line)
        if change.words:
            console.print(Padding(_worded(change.words), (0, 0, 0, 4)))
    if not listed:
        say("Nothing changed.")
        return
    stories = sum(change.kind in {"added", "dropped", "moved", "reworded"} for change in listed)
    counted = "1 change" if len(listed) == 1 else f"{len(listed)} changes"
    say()
    say(f"{counted}, {stories} to stories.")


def _worded(pieces: Iterable[Piece]) -> Text:
    """Return a changed text: what went struck out, what came underlined, the rest shortened."""
    from rich.text import Text

    text = Text()
    listed = list(pieces)
    for place, (sign, words) in enumerate(listed):
        if sign == "-":
            # Signs as well as colours: the terminal may have none.
            text.append(f"[-{words.strip()}-]", style="red strike")
            text.append(" ")
        elif sign == "+":
            text.append(f"[+{words.strip()}+]", style="green underline")
            text.append(" ")
        else:
            is_ends = (place == 0, place == len(listed) - 1)
            text.append(_shortened(words, is_first=is_ends[0], is_last=is_ends[1]), style="dim")
    return text


def _shortened(words: str, *, is_first: bool, is_last: bool) -> str:
    parts = words.split()
    head = [] if is_first else parts[:CONTEXT_WORDS]
    tail = [] if is_last else parts[-CONTEXT_WORDS:]
    if len(parts) <= len(head) + len(tail):
        return f"{' '.join(parts)} "
    return f"{' '.join([*head, '…', *tail])} "


def rebuild(
    ctx: typer.Context,
    issue: IssueName,
    verify: Annotated[bool, typer.Option("--verify", help="Only compare; write no files.")] = False,
    target: Annotated[
        Path | None,
        typer.Option("--out", help="Where the files go; var/rebuilt/ISSUE if left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an approved issue's editions again from its lock; compare them byte for byte.

    Exit code 8 when one differs, with the input or version that is not as it was.
    Example: `mailer issue rebuild latest --verify`
    """
    from mailer.app import open_app
    from mailer.usecases import rebuilding

    with open_app(folder(ctx)) as opened, progress("Rebuilding") as step:
        issue_id = opened.desk.resolve(issue)
        built = rebuilding.rebuild(opened, issue_id, progress=step)
        files = []
        if not verify:
            where = target or opened.root / "var" / "rebuilt" / issue_id
            files = rebuilding.write_rebuilt(opened, built, where)
    differing = {slug: said for slug, said in built.regions.items() if said}
    if as_json:
        say_json(
            {
                "issue": issue_id,
                "is_same": built.is_same,
                "editions": len(built.regions),
                "differing": differing,
                "damage": built.damage,
                "versions": built.versions,
                "files": files,
            }
        )
    else:
        for said in built.damage:
            say(said, style="red")
        for slug, said in differing.items():
            say(f"{slug}: {said}", style="red")
        if built.versions:
            say(f"Not the same tools: {'; '.join(built.versions)}", style="yellow")
        if files:
            say(f"{len(files)} files are in {files[0].parent}")
        same = len(built.regions) - len(differing)
        say(f"Issue {issue_id}: {same} of {len(built.regions)} editions are the same bytes.")
    if not built.is_same:
        raise typer.Exit(UNFINISHED)


def amend(
    ctx: typer.Context,
    issue: IssueName,
    note: Annotated[
        str, typer.Option("--note", help="What was wrong, for readers; it stands on the page.")
    ] = "",
    withdraw: Annotated[
        int | None,
        typer.Option(
            "--withdraw",
            metavar="N",
            help="Take a note back instead, by its number in `issue show`.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who corrects; the operator if left out.")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Correct a sent issue's page on the web; what readers were sent stays in the record.

    Change the issue's file, or take a corrected article in again, first. What changes is shown
    before it is done. `--withdraw 1` takes the first note off again, the last one with its text.
    Example: `mailer issue amend latest --note "The march is on the 12th."`
    """
    from mailer.app import open_app
    from mailer.issues.issue import is_correction
    from mailer.usecases import setting_right

    with open_app(folder(ctx)) as opened:
        issue_id = opened.desk.resolve(issue)
        if withdraw is not None:
            if note:
                raise typer.BadParameter("--withdraw takes a note back; it goes without --note")
            words = setting_right.note_to_withdraw(opened, issue_id, withdraw)
            confirm(f"Take this note off the page of issue {issue_id}: {words!r}?", is_sure=yes)
            taken = setting_right.withdraw(opened, issue_id, withdraw, note=words, by=by)
            if as_json:
                say_json(taken)
            else:
                say(f"The page of issue {issue_id} no longer says: {words}")
            return
        setting_right.require_new_note(opened, issue_id, note)
        with progress("Rendering") as step:
            prepared = setting_right.prepare_amendment(opened, issue_id, progress=step)
        if not as_json:
            say(f"On the page of issue {issue_id}, against what was sent:", style="bold")
            show_changes(prepared.changes)
        where = f"{len(prepared.contents)} regions" if prepared.contents else "the note alone"
        confirm(f"Put it on the web, with the note ({where})?", is_sure=yes)
        done = setting_right.amend(opened, prepared, note=note, by=by)
    if as_json:
        changes = [asdict(change) for change in prepared.changes]
        say_json(done | {"changes": changes, "earlier": prepared.notes})
        return
    say(f"The page of issue {issue_id} is corrected, and says so.")
    if not is_correction(issue_id):
        say(f"`mailer issue correct {issue_id}` writes to those who got it by mail.")


def correct(
    ctx: typer.Context,
    issue: IssueName,
    by: Annotated[str, typer.Option("--by", help="Who asks; the operator if left out.")] = "",
    as_json: Json = False,
) -> None:
    """Draft a correction to those who got an issue, and to nobody else.

    It is an issue of its own: write what was wrong into its file, then check, approve and send it.
    Who left since does not get it. Example: `mailer issue correct latest`
    """
    from mailer.app import open_app
    from mailer.usecases import setting_right

    with open_app(folder(ctx)) as opened:
        done = setting_right.correct(opened, opened.desk.resolve(issue), by=by)
    if as_json:
        say_json(done)
        return
    say(f"Drafted {done['path']}")
    say(
        f"It goes to the {done['receivers']} who got issue {done['corrects']}, less who left since."
    )
    say(f"Write what was wrong, then `mailer issue check {done['id']}` and approve it.")
