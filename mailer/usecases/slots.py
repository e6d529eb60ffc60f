"""What the scheduler does when an hour has come: send, look after the approved, retry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog

from mailer.app import App
from mailer.delivery.delivery import DeliveryState
from mailer.delivery.sending import SenderBusy
from mailer.errors import ConfigurationError, MailerError
from mailer.issues.issue import APPROVED_STATES, IssueState, is_correction, issue_day
from mailer.localtime import send_at
from mailer.schedule.work import JobReport
from mailer.timetable import is_issue_day
from mailer.usecases import deadlines
from mailer.usecases.mailing import (
    asked_again_at,
    conclude,
    frozen_editions,
    make_sender,
    send_regions,
)
from mailer.usecases.sign_off import require_unchanged

Question = Callable[[], bool]

log = structlog.get_logger()

FULL_LOOK_MINUTES = 15
"""How often an approved issue is rendered to see whether it would still come out the same."""


def paused_until(app: App, name: str) -> datetime | None:
    """Return until when the scheduler leaves an issue alone because its relay objected, or None."""
    until = asked_again_at(app, name)
    return until if until and until > app.clock.now() else None


def send_slots(app: App, name: str, regions: Sequence[str], *, should_stop: Question) -> JobReport:
    """Send the regions whose hour has come, dated at that hour; the scheduler's way in."""
    until = paused_until(app, name)
    if until:
        note = f"paused until {until:%Y-%m-%d %H:%M} UTC, because the relay objected"
        return JobReport(note, is_complete=False)
    left_out = fall_back(app, name, regions)
    wanted = [slug for slug in regions if slug not in left_out]
    if not wanted:
        return JobReport("", left_out=left_out)
    day = issue_day(name)
    due_at = {slug: send_at(app.publication, app.region(slug), day) for slug in wanted}
    report = send_regions(app, name, due_at=due_at, should_stop=should_stop)
    note = _counted(report.counts, report.sentence())
    # The run is of all regions at once; how each stands, its ledger says.
    by_region = app.ledger.summary(name)
    notes = {slug: _counted(by_region.get(slug, {}), report.sentence()) for slug in wanted}
    is_complete = report.trouble is None and not report.was_stopped
    return JobReport(note, is_complete=is_complete, left_out=left_out, notes=notes)


def _counted(counts: Mapping[DeliveryState, int], sentence: str) -> str:
    said = ", ".join(f"{count} {state.value.replace('_', ' ')}" for state, count in counts.items())
    return f"{said or 'nobody to send to'}; {sentence}"


def fall_back(app: App, name: str, regions: Sequence[str]) -> dict[str, str]:
    """Let the publication's policy decide on an issue that is not approved at its hour.

    Where an earlier version of it was approved and the policy wants that, it begins to be sent
    now, and nothing that was changed since goes with it.

    Returns:
        The regions that do not get it, each with the reason.
    """
    policy = app.publication.schedule.when_unapproved
    record = app.archive.find(name)
    if record is None or policy == "hold":
        return {}
    is_open = record.state is IssueState.DRAFT and app.archive.last_approved(name) is not None
    if not is_open and not is_fallen_back(app, name):
        return {}
    left_out = {}
    if policy == "national":
        why = "nobody approved its changes: the national list alone gets the approved version"
        left_out = {slug: why for slug in regions if app.region(slug).parent}
    if is_open and len(left_out) < len(regions):
        if faults := app.faults_before_sending():
            raise ConfigurationError(faults)
        with app.database.write():
            app.archive.revive(name, by=f"the policy {policy}")
            app.archive.transition(name, "send")
        log.warning("approval.fallen_back", issue=name, policy=policy)
    return left_out


def is_fallen_back(app: App, name: str) -> bool:
    """Say whether what is being sent of an issue is its last approved version, by policy."""
    approvals = [event for event in app.archive.events(name) if event.kind == "approve"]
    return bool(approvals) and bool(approvals[-1].detail.get("is_revived"))


def watch_approved(app: App) -> list[str]:
    """Look after approved issues whose hour is still to come; return what went wrong.

    An approved one is scheduled. Whatever changed since approval shows now, hours before the
    mailing, and not at its hour: the file's text at every look, the editions now and then.
    """
    troubles: list[str] = []
    now = app.clock.now()
    for record in app.archive.records():
        # A correction has no hour: somebody sends it.
        if is_correction(record.id) or record.state not in APPROVED_STATES:
            continue
        day = issue_day(record.id)
        if all(send_at(app.publication, r, day) <= now for r in app.regions(None)):
            continue
        # What the schedule does not know waits for a person and is never called scheduled.
        is_fresh = record.state is IssueState.APPROVED and is_issue_day(
            app.publication.schedule, day
        )
        try:
            if is_fresh or now.minute % FULL_LOOK_MINUTES == 0 or is_text_changed(app, record.id):
                require_unchanged(app, record.id)
            if is_fresh:
                app.archive.transition(record.id, "schedule")
        except (MailerError, ConfigurationError) as error:
            troubles.append(str(error))
            if app.archive.record(record.id).state is IssueState.DRAFT and (
                why := deadlines.tell_voided(app, record.id)
            ):
                troubles.append(f"nobody could be told of it ({why})")
    return troubles


def is_text_changed(app: App, name: str) -> bool:
    """Say whether an approved issue's file differs from what was approved."""
    try:
        return app.desk.text(name) != app.archive.frozen_text(name)
    except MailerError:
        return True


def retry_due(app: App, *, should_stop: Question) -> str:
    """Try again what the ledger has due, in every issue under way; "" when there was nothing."""
    notes = []
    now = app.clock.now()
    for record in app.archive.records():
        if record.state is not IssueState.SENDING or should_stop():
            continue
        app.ledger.redate(record.id, app.publication.retry)
        may_resend = app.publication.retry.in_doubt == "resend"
        due = app.ledger.next_due_at(record.id, may_resend=may_resend)
        if due is None or due > now or paused_until(app, record.id):
            continue
        try:
            sender = make_sender(app, frozen_editions(app, record.id))
            report = sender.run(record.id, should_stop=should_stop)
            conclude(app, record.id, report)
            notes.append(f"{record.id}: {report.sentence()}")
        except SenderBusy:
            continue  # Whoever sends takes what is due as well.
        except (MailerError, ConfigurationError) as error:
            # One issue that cannot go on must not stop the others.
            notes.append(f"{record.id}: {error}")
    return "; ".join(notes)
