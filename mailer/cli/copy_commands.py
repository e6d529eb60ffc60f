"""``mailer backup``, ``mailer restore`` and ``mailer upgrade``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from mailer.cli.options import Json, folder
from mailer.cli.output import note, progress, say, say_json


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command()(backup)
    app.command()(restore)
    app.command()(upgrade)


@contextmanager
def _steps() -> Iterator[Callable[[str, int, int], None]]:
    with progress("Working") as bar:
        yield lambda what, done, total: bar(done, total, what)


def size(size_bytes: int) -> str:
    """Say a size as people do."""
    figure = float(size_bytes)
    for unit in ("bytes", "KB", "MB", "GB"):
        if figure < 1000 or unit == "GB":
            break
        figure /= 1000
    return f"{figure:.0f} {unit}" if unit == "bytes" or figure >= 100 else f"{figure:.1f} {unit}"


def backup(
    ctx: typer.Context,
    target: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="A new file, or a folder for files by date.")
    ],
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Take .env and the DKIM keys as well.")
    ] = False,
    keep: Annotated[
        int, typer.Option("--keep", min=0, help="In a folder: remove all but so many; 0: none.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Write everything into one file, also while an issue is being sent.

    The database as it is at one instant, articles, issues, pictures, templates, with a checksum
    each. The file holds every reader's address: keep it as you keep the database.
    Examples: `mailer backup /var/backups/mailer --keep 14`, `mailer backup lantern.tar.gz`
    """
    from mailer.app import open_app
    from mailer.operating import backing_up

    with open_app(folder(ctx)) as opened, _steps() as step:
        made = backing_up.back_up(
            opened, target, with_secrets=with_secrets, keep=keep, progress=step
        )
    if as_json:
        say_json(made)
        return
    say(f"{made['path']}: {size(made['size_bytes'])}, the database and {made['files']} files.")
    if made["removed"]:
        say(f"Removed {len(made['removed'])} older: {', '.join(made['removed'])}")
    if made["under_way"]:
        say(f"Under way at that instant: issue {', '.join(made['under_way'])}.")
    if made["left_out"]:
        note(f"Not in it: {', '.join(made['left_out'])}. Keep them elsewhere; without")
        note("MAILER_SECRET_KEY the links in mail that was sent stop working.")


def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A new or empty folder.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Move aside what the folder holds; nothing is deleted.")
    ] = False,
    hold: Annotated[
        bool,
        typer.Option("--hold/--no-hold", help="Pause what may have gone out since the backup."),
    ] = True,
    database: Annotated[
        str,
        typer.Option(
            "--database",
            metavar="URL",
            help="Put the database there (an empty one), not where the settings say.",
            show_default=False,
        ),
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Compare the checksums and write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a publication of a backup; every checksum is compared first.

    An issue that may have gone out since the backup is paused: who has had it, the backup cannot
    know. `mailer ledger ISSUE --accepted FILE` takes in what the relay's log says, `mailer issue
    resume ISSUE` goes on. An older database is brought up to date.
    Examples: `mailer restore lantern.tar.gz /srv/lantern`, `mailer restore lantern.tar.gz --check`
    """
    from mailer.operating import restoring

    if not check and directory is None:
        raise typer.BadParameter("say into which folder, or only --check")
    with _steps() as step:
        if check or directory is None:
            manifest = restoring.look_at(source, progress=step)
            said: dict[str, Any] = {
                "is_sound": True,
                "title": manifest.title,
                "made_at": manifest.made_at,
                "program": manifest.program,
                "schema": manifest.schema,
                "files": len(manifest.members),
                "under_way": manifest.under_way,
                "has_secrets": manifest.has_secrets,
            }
        else:
            said = restoring.restore(
                source,
                directory,
                force=force,
                may_hold=hold,
                database_url=database,
                progress=step,
            )
    if as_json:
        say_json(said)
    elif "is_sound" in said:
        say(f"{source} is sound: {said['title']}, {said['made_at'][:16].replace('T', ' ')} UTC, "
            f"{said['files']} files.")  # fmt: skip
    else:
        _show_restored(said)


def _show_restored(said: dict[str, Any]) -> None:
    where = said["folder"]
    say(f"{said['title']} as of {said['made_at']:%Y-%m-%d %H:%M} UTC is in {where}.")
    if said["aside"]:
        say(f"What was there is in {said['aside']}.")
    for name in said["held"]:
        say(f"Issue {name} is paused: who has had it since then is not known here.", style="yellow")
    if said["missing"]:
        say(f"Put back what the backup leaves out: {', '.join(said['missing'])}.", style="yellow")
    say("Next:")
    say(f"  cd {where} && mailer doctor")
    for name in said["held"]:
        say(f"  mailer ledger {name} --accepted FILE     addresses the relay's log has as accepted")
        say(f"  mailer issue resume {name}               go on with the others")


def upgrade(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")
    ] = False,
    copy: Annotated[
        bool, typer.Option("--copy/--no-copy", help="Copy the database first, and keep the copy.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Bring the database to this program's schema, with a copy of it first.

    Stop `mailer run` before; it is refused beside anything that is at work. Nothing to do costs
    nothing. Example: `mailer upgrade --dry-run`
    """
    from mailer.operating.upgrading import upgrade as upgraded
    from mailer.settings import load_settings
    from mailer.whereabouts import find_root

    root = find_root(folder(ctx))
    settings = load_settings(root)
    with progress("Copying") as bar:
        said = upgraded(
            settings.database_url,
            root=root,
            clock=settings.clock(),
            dry_run=dry_run,
            copy=copy,
            progress=bar,
        )
    if as_json:
        say_json(said)
        return
    if said["was"] == said["needs"]:
        say(f"The database is at {said['was']}, as this program needs it; there is nothing to do.")
    elif said["is_done"]:
        say(f"The database was at {said['was'] or 'nothing'} and is at {said['is']} now.")
        if said["copy"]:
            say(f"As it was, it is in {said['copy']}; remove that when you are content.")
            say("docs/operations.md has the way back.")
    else:
        say(f"The database is at {said['was'] or 'nothing'} and would be brought to "
            f"{said['needs']}{', after a copy of it was made' if copy else ''}.")  # fmt: skip
