"""The week: readers, the schedule and what it did, the backups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mailer.app import App
from mailer.checkup.findings import Check
from mailer.issues.history import last_event
from mailer.operating.backing_up import MADE
from mailer.operating.readiness import silence
from mailer.schedule.calendar import upcoming
from mailer.schedule.runs import Runs, RunState
from mailer.usecases.readers import regions_data

LOOK_BACK = timedelta(days=8)
STALE = timedelta(days=2)
SHOWN = 3


def reader_checks(app: App) -> Iterator[Check]:
    """Look whether every list has somebody."""
    rows = regions_data(app)
    empty = [str(row["slug"]) for row in rows if not row["confirmed"]]
    total = sum(row["confirmed"] for row in rows)
    if not total:
        yield Check(
            "warn",
            "readers",
            f"nobody is on any of {len(rows)} lists yet",
            "`mailer subscribers import --all --basis consent` takes in the rosters",
        )
    elif empty:
        yield Check(
            "warn",
            "readers",
            f"{total} subscriptions; nobody on {', '.join(empty)}",
            "import a roster for them, or take them out of publication.toml",
        )
    else:
        yield Check("ok", "readers", f"{total} subscriptions on {len(rows)} lists")


def schedule_checks(app: App) -> Iterator[Check]:
    """Look what comes next, whether anybody asks, and what went wrong lately."""
    now = app.clock.now()
    runs = Runs(app.database, app.clock)
    following = upcoming(app.publication, now, 1)
    said = (
        f"next: {following[0].job} {following[0].issue_id} at {following[0].utc:%a %d %b %H:%M} UTC"
        if following
        else "nothing is to come"
    )
    trouble = silence(runs.last_beat(), now)
    if trouble and not runs.unfinished():
        yield Check("warn", "schedule", f"{said}; {trouble}", "start `mailer run`")
    else:
        yield Check("ok", "schedule", said)
    bad = [
        run
        for run in runs.latest(200)
        if run.state in {RunState.HELD, RunState.FAILED} and run.slot_at > now - LOOK_BACK
    ]
    seen: set[tuple[str, str, str]] = set()
    for run in bad:
        what = (run.job, run.issue_id, run.note)
        if what in seen or len(seen) >= SHOWN:
            continue
        seen.add(what)
        also = sum((other.job, other.issue_id, other.note) == what for other in bad) - 1
        where = f" {run.region}{f' and {also} more' if also else ''}" if run.region else ""
        yield Check(
            "warn",
            "runs",
            f"{run.job} {run.issue_id}{where} is {run.state.value}: {run.note}",
            "`mailer status` shows all",
        )


def backup_checks(app: App) -> Iterator[Check]:
    """Look when the last backup was made."""
    with app.database.read() as connection:
        made_at, made = last_event(connection, MADE)
    remedy = "`mailer backup DIR --keep 14` every night; see docs/operations.md"
    if made_at is None:
        yield Check("warn", "backup", "none was made from here", remedy)
        return
    age = app.clock.now() - made_at
    said = f"the last was made {made_at:%Y-%m-%d %H:%M} UTC"
    if age > STALE:
        yield Check("warn", "backup", f"{said}, {age.days} days ago", remedy)
    elif not Path(str(made.get("path", ""))).exists():
        yield Check("ok", "backup", f"{said} and is not here any more")
    else:
        yield Check("ok", "backup", said)
