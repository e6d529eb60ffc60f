"""Mailing again what nobody would take: the schedule's alarms, a stopped sending's alerts.

A reminder has a slot that is tried again. An alarm has none, since its slot is what went wrong, and
the relay that objects to an issue is often the one that should carry the alert of it. So the event
that says that a mail failed keeps what it was to say, and at the scheduler's looks it is mailed
again: after one minute, two, four and so on, an hour at most, for a day after the first, until a
relay takes it or it is no longer true. The hook has had it the first time. An address that
``publication.toml`` no longer names is not tried any more.

Each try is an event of its own, which says when the first was. A look ends at the first mail that
nobody takes: the others would meet the same relays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select

from mailer.app import App
from mailer.schedule.runs import Runs, RunState
from mailer.storage.schema import events
from mailer.usecases import alarm
from mailer.usecases.deadlines import VOIDED
from mailer.usecases.editing import voided
from mailer.usecases.telling import TOLD, UNTOLD, editors, mail, note

log = structlog.get_logger()

TRIED_FOR = timedelta(days=1)
LONGEST_PAUSE = timedelta(hours=1)
_PAIRS = {UNTOLD: (TOLD, UNTOLD), alarm.FAILED: (alarm.MAILED, alarm.FAILED)}
_LASTING = frozenset({"missed", "skipped"})
"""Kinds of alarms that stay true."""


@dataclass(slots=True)
class _Unsaid:
    """What was to be told, and how often that failed."""

    issue: str
    kinds: tuple[str, str]
    detail: dict[str, Any]
    left: list[str]
    first_at: datetime
    last_at: datetime
    tries: int = field(default=1)

    def due_at(self) -> datetime:
        return self.last_at + min(timedelta(minutes=2 ** min(self.tries - 1, 10)), LONGEST_PAUSE)


def tell_again(app: App, *, should_stop: Callable[[], bool]) -> int:
    """Mail what is due again; return how much of it was told now."""
    told = 0
    for unsaid in list(_unsaid(app)):
        if should_stop():
            break
        if app.clock.now() < unsaid.due_at() or not _is_true(app, unsaid):
            continue
        detail = unsaid.detail
        named = alarm.recipients(app) if detail["kind"] == "alert" else editors(app)
        to = [address for address in unsaid.left if address in named]
        if not to:
            continue
        untold = mail(
            app,
            detail["kind"],
            key=detail["key"],
            values=detail["values"],
            to=to,
        )
        first = {"first_at": unsaid.first_at.isoformat()}
        note(app, unsaid.issue, detail | first, untold, kinds=unsaid.kinds)
        if untold:
            log.warning("alarm.untold", issue=unsaid.issue, why=untold.why, tries=unsaid.tries + 1)
            break
        log.info("alarm.told", issue=unsaid.issue, to=to, tries=unsaid.tries + 1)
        told += 1
    return told


def _unsaid(app: App) -> Iterator[_Unsaid]:
    """Give what nobody has been told of and was first said within a day, oldest first."""
    wanted = [kind for pair in _PAIRS.values() for kind in pair]
    since = app.clock.now() - TRIED_FOR
    with app.database.read() as connection:
        rows = connection.execute(
            select(events)
            .where(events.c.kind.in_(wanted), events.c.at > since)
            .order_by(events.c.id)
        ).all()
    found: dict[tuple[str, str], _Unsaid] = {}
    for row in rows:
        name = (row.detail.get("kind", ""), row.detail.get("key", ""))
        if row.kind not in _PAIRS:
            found.pop(name, None)
        elif "about" in row.detail and row.detail.get("left"):
            before = found.get(name)
            detail = {key: row.detail[key] for key in ("kind", "key", "to", "values", "about")}
            # The first try itself does not say it, and is the first to be out of sight.
            said = row.detail.get("first_at")
            found[name] = _Unsaid(
                row.issue_id,
                _PAIRS[row.kind],
                detail,
                row.detail["left"],
                first_at=datetime.fromisoformat(said) if said else row.at,
                last_at=row.at,
                tries=before.tries + 1 if before else 1,
            )
    yield from (unsaid for unsaid in found.values() if unsaid.first_at > since)


def _is_true(app: App, unsaid: _Unsaid) -> bool:
    """Say whether what was to be told is still so."""
    if unsaid.detail["kind"] == "alert":
        return alarm.is_raised(app, unsaid.issue)
    if unsaid.detail["kind"] == VOIDED:
        gone = voided(app, app.desk.record(unsaid.issue))
        return gone is not None and gone.at.isoformat() == unsaid.detail["about"]["at"]
    if unsaid.detail["values"]["kind"] in _LASTING:
        return True
    about = unsaid.detail["about"]
    key = (about["job"], about["region"], about["issue"])
    return any(
        run.key == key and run.state in {RunState.HELD, RunState.FAILED, RunState.STARTED}
        for run in Runs(app.database, app.clock).latest(200)
    )
