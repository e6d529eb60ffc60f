"""What comes before an issue's hour, and who is told: freeze, column, reminder, approval, alarms.

Each is a slot of the schedule and happens once. Nobody is reminded of what is done already. What
the mail says is the same that the hook posts. A reminder that no relay takes is tried again until
the first region leaves, an alarm for a day or until it is no longer true (``retelling``).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from mailer.almanac import day_and_month
from mailer.app import App
from mailer.errors import IllegalTransition, InvalidInput, MailerError
from mailer.issues.column import is_expected, is_filed
from mailer.issues.issue import IssueRecord, IssueState
from mailer.localtime import first_send_at
from mailer.schedule.calendar import Job, Slot, slots_of
from mailer.schedule.due import deadline
from mailer.schedule.work import Alarm
from mailer.usecases import editing, sourcing
from mailer.usecases.telling import editors, tell

MOST_LINES = 20
"""Lines of an alarm; a clock that jumped a year has missed hundreds."""


VOIDED = "voided"
"""The template set, and the hook's kind, of a voided approval."""


class NobodyTold(MailerError):
    """No relay took the mail to the editors."""


def before(app: App, job: Job, name: str) -> str:
    """Do what comes before an issue; return what was done in a sentence.

    Raises:
        NobodyTold: somebody was to be told, and no mail could be sent.
    """
    if job == "freeze":
        return freeze(app, name)
    record = app.archive.find(name)
    if record is not None and record.state is not IssueState.DRAFT:
        return f"nobody was told: the issue is {record.state} already"
    if job == "column":
        return _column(app, name)
    kind = "reminder" if job == "remind" else "approval"
    values = _about(app, name, record)
    if job == "remind":
        values |= {"missing": missing(app, name, record)}
    return _told(app, kind, name, values, editors(app))


def freeze(app: App, name: str) -> str:
    """Draft an issue that nobody has edited a last time, from everything up to now."""
    record = app.archive.find(name)
    if record is not None and record.state is not IssueState.DRAFT:
        return f"it is {record.state} already"
    sourcing.ingest(app, [])
    try:
        result = editing.draft(app, date.fromisoformat(name))
    except IllegalTransition:
        return "somebody has worked on it; it stays as it is"
    return f"drafted a last time: {result.path}"


def missing(app: App, name: str, record: IssueRecord | None) -> list[str]:
    """Say what an issue still needs before it can go out, a sentence each."""
    if record is None and not app.desk.path(name).is_file():
        return [f"There is no draft yet; `mailer issue draft {name}` makes one."]
    try:
        issue = app.desk.load(name)
    except InvalidInput as error:
        return [f"Its file has a mistake: {fault}" for fault in error.faults]
    sentences = ["Nobody has approved it."]
    if is_expected(app.publication) and not is_filed(issue):
        sentences.append(f"{issue.columnist or 'The columnist'} has not filed the column.")
    return sentences


def alarm(app: App, told: Alarm) -> str:
    """Tell the editors that slots are held, fail, were missed or left out; "" or why not."""
    first = told.slots[0]
    issues = {slot.issue_id for slot in told.slots}
    lines = [f"{_what(app, slot)}: {why}" for slot, why in zip(told.slots, told.whys, strict=True)]
    issue = first.issue_id if len(issues) == 1 else ""
    values: dict[str, Any] = {
        "kind": told.kind,
        "lines": lines[:MOST_LINES],
        "more": max(0, len(lines) - MOST_LINES),
        "until": _local(app, deadline(first, app.publication)),
        "remedy": _remedy(told, issue),
    }
    key = f"{told.kind}:{first.job}:{first.issue_id}:{first.region}:{first.utc:%Y%m%dT%H%M}"
    about = {"job": first.job, "issue": first.issue_id, "region": first.region}
    return tell(app, "schedule", issue=issue, key=key, values=values, to=editors(app), about=about)


def tell_voided(app: App, name: str) -> str:
    """Tell the editors that a change has voided an issue's approval; "" or why not.

    It says the same only once: each voiding has its own instant.
    """
    record = app.archive.find(name)
    gone = editing.voided(app, record) if record else None
    if gone is None:
        return ""
    values = {
        "changed": gone.changed,
        "since": _local(app, gone.at),
        "leaves": _local(app, first_send_at(app.publication, date.fromisoformat(name))),
        "otherwise": _otherwise(app),
    }
    key = f"{name}:{gone.at:%Y%m%dT%H%M%S}"
    about = {"issue": name, "at": gone.at.isoformat()}
    return tell(app, VOIDED, issue=name, key=key, values=values, to=editors(app), about=about)


def _column(app: App, name: str) -> str:
    if not is_expected(app.publication):
        return "nobody was told: an issue may go out without its column"
    try:
        if is_filed(app.desk.load(name)):
            return "the column is there"
    except MailerError:
        # A file that is missing or at fault has no column that could be sent.
        pass
    policy = app.publication.column
    values = _about(app, name, app.archive.find(name)) | {
        "columnist": app.publication.columnist,
        "by": _slot_local(app, name, "column"),
        "otherwise": "Without it the text in "
        f"{policy.substitute} stands in, and not under the columnist's name."
        if policy.when_missing == "substitute"
        else "Without it the issue has no column, if it is approved like that.",
    }
    people = dict.fromkeys([policy.address, *editors(app)])
    return _told(app, "column", name, values, [address for address in people if address])


def _told(app: App, kind: str, name: str, values: dict[str, Any], to: list[str]) -> str:
    why = tell(app, kind, issue=name, key=name, values=values, to=to)
    if why:
        raise NobodyTold(f"nobody could be told ({why})")
    return f"told {', '.join(to)}"


def _about(app: App, name: str, record: IssueRecord | None) -> dict[str, Any]:
    day = date.fromisoformat(name)
    return {
        "state": "a draft" if record else "not drafted yet",
        "leaves": _local(app, first_send_at(app.publication, day)),
        "approve_by": _slot_local(app, name, "approve"),
        "otherwise": _otherwise(app),
    }


def _otherwise(app: App) -> str:
    """Say what happens to an issue that is not approved at its hour."""
    hours = app.publication.schedule.late_hours
    held = f"it is held for {hours} hours, tried every minute, and given up then"
    match app.publication.schedule.when_unapproved:
        case "last_approved":
            return (
                "If nobody approves it, the version that was last approved goes out; if none "
                f"ever was, {held}."
            )
        case "national":
            return (
                "If nobody approves it, the version that was last approved goes to the national "
                f"list alone; if none ever was, {held}."
            )
        case _:
            return f"If nobody approves it, {held}."


def _remedy(told: Alarm, issue: str) -> str:
    name = issue or "ISSUE"
    if told.kind == "missed":
        return f"`mailer send {name}` sends it all the same, to whoever has not had it."
    if told.kind == "skipped":
        return f"`mailer send {name} --region REGION` sends it there all the same."
    return f"`mailer issue check {name}` and `mailer doctor` say more."


def _what(app: App, slot: Slot) -> str:
    what = "the draft" if slot.job == "draft" else f"{slot.region or slot.job}"
    return f"{slot.issue_id}, {what}, due {_local(app, slot.utc)}"


def _slot_local(app: App, name: str, job: Job) -> str:
    for slot in slots_of(app.publication, date.fromisoformat(name)):
        if slot.job == job:
            return _local(app, slot.utc)
    return ""


def _local(app: App, at: datetime) -> str:
    local = at.astimezone(ZoneInfo(app.publication.time_zone))
    return f"{day_and_month(local.date())} at {local:%H:%M}"
