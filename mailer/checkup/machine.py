"""The machine: its database, its disk, its clock."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from mailer.app import App
from mailer.checkup.findings import Check
from mailer.storage.database import HEAD

LOW_DISK_BYTES = 500 * 1024 * 1024
NO_DISK_BYTES = 50 * 1024 * 1024
LONG_LOG_BYTES = 256 * 1024 * 1024
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")


def database_checks(app: App) -> Iterator[Check]:
    """Look whether the database can be opened, is sound, and how large it is."""
    count = len(app.archive.records())
    issues = f"{count} issue{'' if count == 1 else 's'}"
    if not app.database.is_sqlite:
        with app.database.read() as connection:
            size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar()
            version = connection.execute(text("SHOW server_version")).scalar()
        yield Check(
            "ok", "database", f"PostgreSQL {version}, schema {HEAD}, {issues}, {megabytes(size)}"
        )
        return
    path = Path(str(app.database.engine.url.database))
    with app.database.read() as connection:
        said = connection.execute(text("PRAGMA quick_check(1)")).scalar()
    if said != "ok":
        yield Check(
            "fail",
            "database",
            f"it is damaged: {said}",
            "stop everything, and restore the newest backup with `mailer restore`",
        )
        return
    size = path.stat().st_size
    yield Check("ok", "database", f"SQLite, sound, schema {HEAD}, {issues}, {megabytes(size)}")
    log = path.with_name(f"{path.name}-wal")
    if log.is_file() and log.stat().st_size > LONG_LOG_BYTES:
        yield Check(
            "warn",
            "database",
            f"its write-ahead log has grown to {megabytes(log.stat().st_size)}",
            "something reads without ever ending; start `mailer run` again",
        )


def disk_checks(app: App) -> Iterator[Check]:
    """Look whether there is room for the ledger, and for a copy of it."""
    free = shutil.disk_usage(app.root).free
    message = f"{megabytes(free)} free"
    path = app.root / "var" / "mailer.db"
    needed = max(LOW_DISK_BYTES, 2 * path.stat().st_size if path.is_file() else 0)
    if free < NO_DISK_BYTES:
        yield Check("fail", "disk", message, "free some now: the ledger cannot be written")
    elif free < needed:
        yield Check(
            "warn", "disk", message, f"a backup and an erasure need {megabytes(needed)}; free some"
        )
    else:
        yield Check("ok", "disk", message)


def clock_checks(app: App) -> Iterator[Check]:
    """Look whether the clock is right, as far as one machine can tell."""
    count = app.ledger.misdated(app.publication.retry)
    if count:
        yield Check(
            "warn",
            "clock",
            f"{count} deliveries were dated by a clock that was ahead of this machine's",
            "look that this machine's time is right; the next sending takes them as due",
        )
        return
    said = f"{app.clock.now():%Y-%m-%d %H:%M} UTC"
    kept = _is_kept_right()
    if kept is False:
        yield Check(
            "warn",
            "clock",
            f"{said}, and no time server keeps it right",
            "run `timedatectl set-ntp true`, or install chrony",
        )
    elif kept:
        yield Check("ok", "clock", f"{said}, kept right by a time server")
    else:
        yield Check("ok", "clock", f"{said}, as the ledger has it")


def _is_kept_right() -> bool | None:
    """Return what systemd says of the clock; None where nobody says anything."""
    if SYNCHRONISED.exists():
        return True
    program = shutil.which("timedatectl")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=3,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())


def megabytes(size_bytes: int | None) -> str:
    """Say a size in words."""
    size = (size_bytes or 0) / (1024 * 1024)
    return (
        f"{size / 1024:.1f} GB"
        if size >= 1024
        else f"{size:.0f} MB"
        if size >= 10
        else (f"{size:.1f} MB")
    )
