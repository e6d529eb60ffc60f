"""After a restore: what the relay's log knows, taken into the ledger before anything goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mailer.app import App
from mailer.audience.addresses import normalise
from mailer.audience.turns import in_turn
from mailer.delivery.evidence import accept_on_evidence
from mailer.delivery.journal import read_journal
from mailer.delivery.sending import SenderBusy, SendReport
from mailer.errors import Fault, IllegalTransition, InvalidInput
from mailer.issues.issue import IssueState, is_correction, issue_day
from mailer.localtime import send_at
from mailer.usecases.editing import login_name
from mailer.usecases.mailing import conclude, frozen_editions, plan_regions


def read_addresses(path: Path) -> list[str]:
    """Read a file of addresses, one a line; empty lines and lines with ``#`` are passed over.

    Raises:
        InvalidInput: one fault a line that is no address.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            Fault(f"cannot be read: {error}", where=str(path), remedy="save it as UTF-8 text")
        ) from None
    found: list[str] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            found.append(normalise(text.strip("<>")))
        except InvalidInput:
            faults.append(
                Fault(
                    "is no address",
                    where=str(path),
                    line=number,
                    remedy="write one address a line and nothing else",
                )
            )
    if faults:
        raise InvalidInput(faults[:20])
    return found


def accept(app: App, name: str, path: Path) -> dict[str, Any]:
    """Mark the addresses in a file as having the issue; it must be paused.

    What a dead sender left is settled first, and an issue that was only approved is planned, so
    that every reader has a row that can be marked.

    Returns:
        How many were marked, and the addresses that the issue is not meant for.

    Raises:
        InvalidInput: the file holds something else than addresses.
        IllegalTransition: the issue is not paused, or not one that is sent.
        SenderBusy: another process is sending.
    """
    addresses = read_addresses(path)
    order = app.ledger.order(name)
    if order is None or order.word != "pause":
        raise IllegalTransition(
            Fault(
                f"issue {name} is not paused, and might be sent to them meanwhile",
                remedy=f"run `mailer issue pause {name}` first",
            )
        )
    with app.database.exclusive("sender") as is_held:
        if not is_held:
            raise SenderBusy("another process is sending from this database; wait for it")
        journal = app.root / "var" / "sending.journal"
        app.ledger.recover(read_journal(journal))
        journal.unlink(missing_ok=True)
        _plan(app, name)
        changed, unknown = accept_on_evidence(
            app.database,
            name,
            addresses,
            why=f"accepted, says {path.name}",
            by=login_name(),
            at=app.clock.now(),
        )
        conclude(app, name, SendReport(name))
    return {"issue": name, "listed": len(addresses), "accepted": changed, "unknown": unknown}


def _plan(app: App, name: str) -> None:
    record = app.desk.record(name)
    if record.state not in (IssueState.APPROVED, IssueState.SCHEDULED):
        return
    day = issue_day(name)
    known = app.publication.region_map
    now = app.clock.now()
    with in_turn(app.database):
        app.archive.transition(name, "send")
        plan_regions(
            app,
            name,
            {
                # A correction has no hour of its own: it goes when it is sent.
                slug: now if is_correction(name) else send_at(app.publication, known[slug], day)
                for slug in frozen_editions(app, name)
                if slug in known
            },
        )
