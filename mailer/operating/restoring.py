"""``mailer restore``: a backup made into a publication again, on this machine or another.

Every checksum is compared before a byte is written. The files are unpacked into a hidden folder
within the target, the database is brought to this program's schema and into the database that the
settings name, and only then everything is moved into its place, ``publication.toml`` last: what is
interrupted is no publication yet. With ``force`` what lies in the folder is moved aside, never
deleted; its secrets are kept where the backup has none.

Who was sent to after the backup was made, the backup cannot know. Left to itself, a restored
mailer would send to them again: so every issue that may have gone out since is paused, and says
why. Nobody is forgotten by that, and nobody gets a second copy before a person has looked.
``mailer ledger --accepted`` takes in what the relay's log knows; ``mailer issue resume`` goes on.
Then at most these are repeated: what was accepted after the backup's instant and is not in that
list, and one message a connection whose reply had not been read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from mailer.app import open_app
from mailer.clock import Clock
from mailer.delivery.ledger import Ledger
from mailer.errors import Fault, IllegalTransition, InvalidInput
from mailer.issues.archive import Archive
from mailer.operating.backing_up import CANNOT_WAIT, secret_files
from mailer.operating.bundle import DATABASE, FILES, JOURNAL, Manifest, unpack, verify
from mailer.operating.living import undisturbed
from mailer.publication import FILE_NAME
from mailer.settings import load_settings
from mailer.storage.database import Database, open_database, reach_database
from mailer.storage.snapshot import copy_tables, is_empty

Progress = Callable[[str, int, int], None]

BY = "mailer restore"
RESTORED = "backup.restored"
ASIDE = "before-restore-"


def look_at(source: Path, *, progress: Progress) -> Manifest:
    """Verify a backup and return what it says of itself.

    Raises:
        InvalidInput: it is damaged, or none.
    """
    if source.is_dir():
        raise InvalidInput(
            Fault("is a folder", where=str(source), remedy="name one of the backups in it")
        )
    if not source.is_file():
        raise InvalidInput(
            Fault("there is no such file", where=str(source), remedy="name a backup's file")
        )
    return verify(source, progress=lambda done, total: progress("Checking", done, total))


def restore(
    source: Path,
    target: Path,
    *,
    force: bool,
    may_hold: bool,
    database_url: str = "",
    progress: Progress,
) -> dict[str, Any]:
    """Restore a backup into a folder.

    Args:
        source: the backup.
        target: a new or empty folder; any with ``force``.
        force: move aside what is there.
        may_hold: pause what may have gone out since the backup.
        database_url: put the database there instead of where the settings say.
        progress: called with what is done, done and total.

    Returns:
        What was done, for people.

    Raises:
        InvalidInput: the backup is damaged.
        IllegalTransition: the folder or the database holds something already, or is in use.
    """
    manifest = look_at(source, progress=progress)
    is_new = not target.exists()
    if not is_new and (not target.is_dir() or any(target.iterdir())) and not force:
        raise IllegalTransition(
            Fault(
                "holds something already",
                where=str(target),
                remedy="name a new folder, or move what is there aside with --force",
            )
        )
    target.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".restoring-", dir=target))
    try:
        with ExitStack() as stack:
            if force:
                stack.enter_context(_at_rest(target))
            unpack(
                source,
                manifest,
                place=lambda name: _staged(staging, name),
                progress=lambda done, total: progress("Unpacking", done, total),
            )
            secrets = _keep_secrets(target, staging) if force else []
            url = _database(staging, database_url, progress)
            held = _seal(staging, url, manifest, may_hold=may_hold)
            aside = _move(staging, target, manifest)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        if is_new:
            shutil.rmtree(target, ignore_errors=True)
        raise
    return {
        "folder": target,
        "made_at": datetime.fromisoformat(manifest.made_at),
        "title": manifest.title,
        "files": len(manifest.members),
        "held": held,
        "missing": [name for name in manifest.left_out if not (target / name).exists()],
        "kept": secrets,
        "aside": aside,
        "is_elsewhere": bool(url),
    }


@contextmanager
def _at_rest(target: Path) -> Iterator[None]:
    """Refuse to take a folder from under a service that works in it."""
    if not (target / "var" / "mailer.db").is_file():
        yield
        return
    database = reach_database("", root=target)
    try:
        with undisturbed(database, what="a restore over a publication"):
            yield
    finally:
        database.close()


def _staged(staging: Path, name: str) -> Path | None:
    if name == DATABASE:
        return staging / "var" / "mailer.db"
    if name == JOURNAL:
        return staging / "var" / "sending.journal"
    return staging / name.removeprefix(FILES) if name.startswith(FILES) else None


def _keep_secrets(target: Path, staging: Path) -> list[str]:
    """Copy the secrets that the folder has and the backup has not."""
    try:
        with open_app(target) as app:
            found = secret_files(app)
    except Exception:  # noqa: BLE001  what lies there may be in any state
        found = {(target / ".env").resolve()}
    kept = []
    for path in sorted(found):
        if path.is_file() and path.is_relative_to(target.resolve()):
            place = staging / path.relative_to(target.resolve())
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place)
                kept.append(str(path.relative_to(target.resolve())))
    return kept


def _database(staging: Path, database_url: str, progress: Progress) -> str:
    """Bring the copy to this program's schema, and to where the settings want it.

    Returns:
        The address of a database elsewhere, "" for the file in the folder.
    """
    file = staging / "var" / "mailer.db"
    copy = open_database(f"sqlite:///{file}", root=staging, may_migrate=True)
    try:
        url = database_url or load_settings(staging).database_url
        wanted = reach_database(url, root=staging)
        if wanted.is_sqlite:
            place = Path(str(wanted.engine.url.database))
            wanted.close()
            if place.resolve() == file.resolve():
                return ""
            if place.exists():
                raise _taken(str(place))
        else:
            wanted.close()
        other = open_database(url, root=staging)
        try:
            _copy(copy, other, progress)
        finally:
            other.close()
    finally:
        copy.close()
    file.unlink()
    return url


def _seal(staging: Path, url: str, manifest: Manifest, *, may_hold: bool) -> list[str]:
    """Note the restore in the database, and pause what may have gone out, before anybody sends."""
    made_at = datetime.fromisoformat(manifest.made_at)
    clock = load_settings(staging).clock()
    database = open_database(url or f"sqlite:///{staging / 'var' / 'mailer.db'}", root=staging)
    try:
        with database.write():
            Ledger(database, clock).record(RESTORED, "", {"made_at": manifest.made_at})
            return hold(database, clock, made_at=made_at) if may_hold else []
    finally:
        database.close()


def _copy(source: Database, target: Database, progress: Progress) -> None:
    with target.write() as writing:
        if not is_empty(writing):
            raise _taken("the database that MAILER_DATABASE_URL names")
        with source.read() as reading:
            copy_tables(
                reading, writing, progress=lambda done, total: progress("Database", done, total)
            )


def _taken(what: str) -> IllegalTransition:
    return IllegalTransition(
        Fault(f"{what} holds something already", remedy="name an empty one, or drop it yourself")
    )


def _move(staging: Path, target: Path, manifest: Manifest) -> str:
    """Move what was unpacked into its place, and what was there aside; return where that is."""
    there = [path for path in sorted(target.iterdir()) if path != staging]
    there = [path for path in there if not path.name.startswith(ASIDE)]
    aside = ""
    if there:
        stamp = f"{datetime.fromisoformat(manifest.made_at):%Y%m%dT%H%M%SZ}"
        folder = Path(tempfile.mkdtemp(prefix=f"{ASIDE}{stamp}-", dir=target))
        # First what makes it a publication: half-way there is none, rather than a mixture.
        for path in sorted(there, key=lambda path: path.name != FILE_NAME):
            path.rename(folder / path.name)
        aside = str(folder)
    for path in sorted(staging.iterdir(), key=lambda path: path.name == FILE_NAME):
        path.rename(target / path.name)
    os.sync()
    staging.rmdir()
    return aside


def hold(database: Database, clock: Clock, *, made_at: datetime) -> list[str]:
    """Pause every issue that may have gone out, or gone on, since an instant; return them."""
    archive, ledger = Archive(database, clock), Ledger(database, clock)
    reason = (
        f"restored from a backup of {made_at:%Y-%m-%d %H:%M} UTC; who has had it since then is not "
        "known here"
    )
    held = []
    for record in archive.records():
        order = ledger.order(record.id)
        if record.state in CANNOT_WAIT and (order is None or order.word != "cancel"):
            ledger.pause(record.id, by=BY, reason=reason)
            held.append(record.id)
    return held
