"""``mailer upgrade``: the database brought to this program's schema, with a copy of it first.

Nothing may be at work on the database meanwhile. The copy is kept; the old program works on it
as if nothing had been. A migration that fails leaves the database as it was, on either kind.

SQLite is copied to a file beside it; PostgreSQL by ``pg_dump``, which must be as new as the server,
because an old schema is not one that this program's tables could read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailer.clock import Clock
from mailer.errors import Fault, StorageFailed
from mailer.operating.living import undisturbed
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
        StorageFailed: it is newer than this program, or the copy cannot be made.
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
            open_database(url, root=root, may_migrate=True).close()
        return report | {"is": HEAD, "is_done": True}
    finally:
        database.close()


def _copy(database: Database, root: Path, name: str, progress: Progress) -> Path:
    if database.is_sqlite:
        source = Path(str(database.engine.url.database))
        target = source.with_name(f"{source.name}.{name}")
        copy_file(source, target, progress=progress)
        target.chmod(0o600)
        return target
    target = root / "var" / f"mailer.{name}.dump"
    target.parent.mkdir(exist_ok=True)
    _dump(database, target)
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
    target.touch(mode=0o600)
    done = subprocess.run(
        [
            *(program, "--format=custom", "--no-owner", f"--file={target}"),
            f"--dbname={address.set(password=None).render_as_string(hide_password=False)}",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath, "PGPASSWORD": str(address.password)} if address.password else None,
    )
    if done.returncode:
        target.unlink(missing_ok=True)
        why = " ".join(done.stderr.split())[:300]
        raise StorageFailed(
            Fault(
                f"pg_dump failed: {why}",
                remedy="mend it, or make a copy yourself and use --no-copy",
            )
        )
