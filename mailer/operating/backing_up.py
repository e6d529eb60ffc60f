"""``mailer backup``: everything of a publication in one file, while it goes on working.

The database is copied as it is at one instant (``storage/snapshot``), then what lies in the folder
is added: the publication, issues, articles, pictures, templates. A picture is on the disk before
its row is, so nothing that the copy names can be missing. The sender's journal is read twice,
before that instant and after it, and both are kept as one: what was on the wire when the copy was
made is known to have ended, or to be in doubt, and nothing that began before it is overlooked.

Secrets (``.env``, DKIM keys) stay out unless they are asked for, because a backup travels. What
can be had again is left out: the development inbox, previews, locks, version control, other
backups.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from sqlalchemy import select

from mailer import __version__
from mailer.app import App
from mailer.errors import Fault, IllegalTransition, InvalidInput
from mailer.issues.issue import IssueState
from mailer.operating.bundle import DATABASE, FILES, JOURNAL, Manifest, writing
from mailer.storage.database import HEAD, Database, open_database
from mailer.storage.schema import issues, journals
from mailer.storage.snapshot import take_snapshot

SUFFIX = ".backup.tar.gz"
MADE = "backup.made"
"""The kind of event that a backup leaves."""

CANNOT_WAIT = (IssueState.APPROVED, IssueState.SCHEDULED, IssueState.SENDING)
"""States of issues that may go out, or be going out, after the copy was made."""

IDLE_FOLDERS = {".git", "__pycache__", ".venv", "node_modules"}
REMADE = {"var/inbox", "var/preview"}
PASSING = ("*.lock", "*.part", "*-wal", "*-shm", f"*{SUFFIX}", "before-restore-*", ".restoring-*")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a folder goes into a backup, and what is named as left out."""

    taken: list[tuple[str, Path]]
    left_out: list[str]


def back_up(
    app: App, target: Path, *, with_secrets: bool, keep: int, progress: Progress
) -> dict[str, Any]:
    """Write a backup.

    Args:
        app: the publication.
        target: a file, or a folder in which a file named by title and instant is made.
        with_secrets: take ``.env`` and DKIM keys as well.
        keep: in a folder, remove the oldest of this publication's beyond so many; 0 keeps all.
        progress: called with what is done, done and total.

    Returns:
        What was written, for people.

    Raises:
        IllegalTransition: the file is there already.
        StorageFailed: the database cannot be copied.
    """
    at = app.clock.now()
    place = _place(app, target, at)
    journal = app.root / "var" / "sending.journal"
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=place.parent) as scratch:
        copy = Path(scratch) / DATABASE
        before = _read(journal)
        take_snapshot(
            app.database, copy, progress=lambda done, total: progress("Database", done, total)
        )
        after = _read(journal)
        expected, under_way = _asked(copy)
        manifest = Manifest(
            made_at=at.isoformat(),
            title=app.publication.title,
            program=__version__,
            schema=HEAD,
            database="SQLite" if app.database.is_sqlite else "PostgreSQL",
            has_secrets=with_secrets,
            under_way=under_way,
        )
        choice = choose(app, with_secrets=with_secrets, apart_from=place)
        manifest.left_out = choice.left_out
        with writing(place, manifest) as bundle:
            bundle.add(DATABASE, copy)
            if told := joined(expected, before, after):
                bundle.add_bytes(JOURNAL, told)
            for number, (name, path) in enumerate(choice.taken, 1):
                bundle.add(FILES + name, path)
                progress("Files", number, len(choice.taken))
    removed = _thinned(place, keep) if target.is_dir() else []
    size_bytes = place.stat().st_size
    app.ledger.record(MADE, "", {"path": str(place), "size_bytes": size_bytes})
    return {
        "path": place,
        "made_at": at,
        "size_bytes": size_bytes,
        "files": len(choice.taken),
        "has_secrets": with_secrets,
        "left_out": choice.left_out,
        "under_way": under_way,
        "removed": removed,
    }


def choose(app: App, *, with_secrets: bool, apart_from: Path) -> Choice:
    """Say which files of the publication's folder go into a backup, in order."""
    secrets = secret_files(app)
    mine = Path(str(app.database.engine.url.database)).resolve() if app.database.is_sqlite else None
    taken: list[tuple[str, Path]] = []
    left_out: list[str] = []
    for path in _walk(app.root):
        name = path.relative_to(app.root).as_posix()
        here = path.resolve()
        if here in (mine, apart_from.resolve()) or name == "var/sending.journal":
            continue
        if here in secrets and not with_secrets:
            left_out.append(name)
        elif path.is_file():
            taken.append((name, path))
        else:
            left_out.append(name)
    return Choice(taken, left_out)


def secret_files(app: App) -> set[Path]:
    """Return the files that hold secrets."""
    keys = [(app.root / path).resolve() for _selector, path in app.settings.dkim_keys()]
    return {(app.root / ".env").resolve(), *keys}


def joined(expected: str, before: bytes, after: bytes) -> bytes:
    """Make one journal of two readings of it; b"" when neither is the one that is expected.

    Args:
        expected: the id that the copied database knows.
        before: as it was just before the copy.
        after: as it was just after it.
    """
    if not expected:
        return b""
    head = f" {expected}".encode()
    told = [text for text in (before, after) if text.partition(b"\n")[0].endswith(head)]
    if not told:
        return b""
    first, _, _ = told[0].partition(b"\n")
    # A torn last line must not run into the next reading's first.
    return first + b"\n" + b"\n".join(text.partition(b"\n")[2] for text in told)


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if name not in IDLE_FOLDERS
            and not _is_passing(name)
            and (here / name).relative_to(root).as_posix() not in REMADE
        )
        yield from (here / name for name in folders if (here / name).is_symlink())
        yield from (here / name for name in sorted(files) if not _is_passing(name))


def _is_passing(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in PASSING) or name.startswith(".backup-")


def _place(app: App, target: Path, at: datetime) -> Path:
    if target.is_dir():
        return target.resolve() / f"{app.root.name}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}{SUFFIX}"
    if target.exists():
        raise IllegalTransition(
            Fault("is there already", where=str(target), remedy="name a new file, or a folder")
        )
    if not target.parent.is_dir():
        raise InvalidInput(
            Fault("there is no such folder", where=str(target.parent), remedy="make it first")
        )
    return target.resolve()


def _thinned(newest: Path, keep: int) -> list[str]:
    """Remove the oldest backups of this publication beyond so many; never the newest."""
    if not keep:
        return []
    stem = newest.name[: -len("20261130T070000Z" + SUFFIX)]
    found = sorted(newest.parent.glob(f"{stem}????????T??????Z{SUFFIX}"))
    old = [path for path in found[:-keep] if path != newest]
    for path in old:
        path.unlink()
    return [path.name for path in old]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _asked(copy: Path) -> tuple[str, list[str]]:
    """Ask the copy which journal it expects, and which issues are under way."""
    database: Database = open_database(f"sqlite:///{copy}", root=copy.parent)
    try:
        with database.read() as connection:
            expected = connection.execute(select(journals.c.id)).scalar() or ""
            names = connection.execute(
                select(issues.c.id)
                .where(issues.c.state == IssueState.SENDING.value)
                .order_by(issues.c.id)
            ).scalars()
            return expected, list(names)
    finally:
        database.close()
