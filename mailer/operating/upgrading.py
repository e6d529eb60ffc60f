"""``mailer upgrade``: the database brought to this program's schema, with a copy of it first.

Nothing may be at work on the database meanwhile. The copy is kept; the old program works on it
as if nothing had been. A migration that fails leaves the database as it was, on either kind, and
the error says so and where the copy is. docs/operations.md has the way back.

SQLite is copied to a file beside it; PostgreSQL by ``pg_dump``, which must be as new as the server,
because an old schema is not one that this program's tables could read.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailer.clock import Clock
from mailer.errors import Fault, MailerError, StorageFailed
from mailer.operating.living import undisturbed
from mailer.settings import environment_with
from mailer.storage.database import HEAD, Database, open_database, reach_database
from mailer.storage.snapshot import copy_file

Progress = Callable[[int, int], None]


def upgrade(
    url: str, *, root: Path, clock: Clock, dry_run: bool, copy: bool, progress: Progress
) -> dict[str, Any]:
    """Migrate the database at ``url``.

    Args:
        url: as in the settings.
        root: the publication's folder.
        clock: for the copy's name.
        dry_run: say what would be done.
        copy: make a copy first.
        progress: of the copy.

    Returns:
        What it was and is at, and where the copy is.

    Raises:
        IllegalTransition: something is at work on the database.
        StorageFailed: it is newer than this program, the copy cannot be made, or the database
            could not be changed.
    """
    from mailer.storage.migrating import require_known

    database = reach_database(url, root=root)
    try:
        found = database.revision()
        require_known(found, head=HEAD)
        report = {"was": found, "is": found or HEAD, "needs": HEAD, "copy": "", "is_done": False}
        if found == HEAD:
            return report
        if dry_run:
            return report
        with undisturbed(database, what="an upgrade"):
            if copy and found:
                stamp = f"{clock.now():%Y%m%dT%H%M%SZ}"
                report["copy"] = str(_copy(database, root, f"before-{HEAD}-{stamp}", progress))
            try:
                open_database(url, root=root, may_migrate=True).close()
            except Exception as error:
                raise _not_upgraded(database, found, report["copy"], error) from error
        return report | {"is": HEAD, "is_done": True}
    finally:
        database.close()


def _not_upgraded(database: Database, found: str, copy: Any, error: Exception) -> StorageFailed:
    """Say that a migration failed, what the database is at now, and what to do."""
    faults = getattr(error, "faults", ())
    why = faults[0].problem if faults else f"{type(error).__name__}: {error}"
    kept = f"; the copy of it is {copy}" if copy else ""
    try:
        now_at = database.revision()
    except MailerError:
        now_at = "?"
    if now_at == found:
        remedy = f"it is as it was, at {found or 'nothing'}: start the program you had{kept}"
    else:
        remedy = f"it is at {now_at} now: go back as docs/operations.md says{kept}"
    return StorageFailed(Fault(f"the database could not be upgraded: {why}", remedy=remedy))


def _copy(database: Database, root: Path, name: str, progress: Progress) -> Path:
    if database.is_sqlite:
        source = Path(str(database.engine.url.database))
        target = source.with_name(f"{source.name}.{name}")
    else:
        target = root / "var" / f"mailer.{name}.dump"
    # It has its name when it is whole, or not at all: somebody could go back to half of one.
    draft = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(exist_ok=True)
        try:
            # Nobody else may read it, not even while it is written.
            draft.touch(mode=0o600)
            if database.is_sqlite:
                copy_file(source, draft, progress=progress)
            else:
                _dump(database, draft)
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageFailed(
            Fault(
                f"the copy cannot be written: {error.strerror}",
                where=str(target),
                remedy="mend that, or make a copy yourself and use --no-copy",
            )
        ) from error
    return target


def _dump(database: Database, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise StorageFailed(
            Fault(
                "a copy of a PostgreSQL database needs pg_dump",
                remedy="install postgresql-client, or make a copy yourself and use --no-copy",
            )
        )
    address = database.engine.url.set(drivername="postgresql")
    # On a command line everybody on the machine could read the password.
    secret = {"PGPASSWORD": str(address.password)} if address.password else {}
    done = subprocess.run(
        [
            *(program, "--format=custom", "--no-owner", f"--file={target}"),
            f"--dbname={address.set(password=None).render_as_string(hide_password=False)}",
        ],
        capture_output=True,
        text=True,
        check=False,
        env=environment_with(**secret),
    )
    if done.returncode:
        why = " ".join(done.stderr.split())[:300]
        raise StorageFailed(
            Fault(
                f"pg_dump failed: {why}",
                remedy="mend it, or make a copy yourself and use --no-copy",
            )
        )
