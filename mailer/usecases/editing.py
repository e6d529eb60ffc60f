"""The editor's work: draft, look, approve, cancel.

Approval renders every region's edition and binds a checksum over the issue's file, those
editions and the audience rule; ``current`` computes the same again, and whoever is about to send
compares the two.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from mailer.app import App
from mailer.errors import Fault, IllegalTransition, InvalidInput
from mailer.issues.desk import DraftResult
from mailer.issues.issue import APPROVED_STATES, Issue, IssueRecord, IssueState
from mailer.selection.filling import region_block
from mailer.selection.filtering import some
from mailer.selection.reasons import Decision

Progress = Callable[[int, int], None]


def refuse_past(app: App, day: date | None) -> None:
    """Raise InvalidInput for a day that is past and has no issue."""
    today = app.clock.now().astimezone(ZoneInfo(app.publication.time_zone)).date()
    if day and day < today and app.archive.find(day.isoformat()) is None:
        remedy = "leave the day out for the coming one, or name one to come"
        raise InvalidInput(Fault(f"{day} is past", field="DATE", remedy=remedy))


def draft(app: App, day: date | None, *, force: bool = False, template: str = "") -> DraftResult:
    """Propose the issue of a day, the coming send day's if none is given.

    Args:
        template: the set that draws it; "" is the publication's.
    Raises:
        NotFound: there is no such set.
        InvalidInput: the day is past, and no issue of it was ever drafted.
    """
    if template:
        app.template_set(template, named_in=("", "--template"))
    refuse_past(app, day)
    day = day or app.desk.next_issue_date(app.clock.now())
    return app.desk.draft(day, force=force, template=template)


def cancel(app: App, name: str) -> int:
    """Stop an issue and return how many deliveries were still to be made."""
    by = operator_name(app)
    # Together or not at all: a cancelled issue has nothing left that a sender could take.
    with app.database.write():
        app.desk.cancel(name, by=by)
        return app.ledger.cancel(name, by=by)


def pause(app: App, name: str, *, reason: str) -> None:
    """Tell an issue's sender to stop and keep everything.

    Raises:
        IllegalTransition: there is nothing to hold.
    """
    state = app.desk.record(name).state
    if state not in (IssueState.APPROVED, IssueState.SCHEDULED, IssueState.SENDING):
        raise IllegalTransition(
            Fault(
                f"issue {name} is {state.value}: there is no sending to hold",
                remedy="pause one that is approved, scheduled or sending",
            )
        )
    app.ledger.pause(name, by=operator_name(app), reason=reason)


def require_not_paused(app: App, name: str) -> None:
    """Refuse what would only wait: an issue that somebody holds."""
    order = app.ledger.order(name)
    if order and order.word == "pause":
        raise IllegalTransition(
            Fault(
                f"issue {name} is {order}",
                remedy=f"`mailer issue resume {name}` first, or wait for it with --wait",
            )
        )


def standing_order(app: App, record: IssueRecord) -> str:
    """Return what an issue's sender is told, in words; "" for nothing.

    Reopening leaves the order to cancel, for a sender that has not seen it yet; the next sending
    takes it back. The issue is no longer cancelled for all that.
    """
    order = app.ledger.order(record.id)
    if order is None or (
        order.word == "cancel" and record.state in {IssueState.DRAFT, *APPROVED_STATES}
    ):
        return ""
    return str(order)


def resume(app: App, name: str) -> bool:
    """Take a pause back; return whether there was one."""
    return app.ledger.resume(app.desk.record(name).id, by=operator_name(app))


def issue_data(app: App, name: str, *, issue: Issue | None = None) -> dict[str, Any]:
    """Return an issue as its file says it, with its state and the reason of each pick.

    Args:
        app: the publication.
        name: the issue.
        issue: what its file says, where that was just written and need not be read.
    """
    issue = issue or app.desk.load(name)
    record = app.desk.record(name)
    titles = app.library.headlines(issue.article_ids)
    reasons = _reasons(app, name)
    return {
        "id": issue.id,
        "number": issue.number,
        "state": record.state,
        "order": standing_order(app, record),
        "voided": asdict(found) if (found := voided(app, record)) else None,
        "subject": issue.subject,
        "preheader": issue.preheader,
        "columnist": issue.columnist,
        "audience": issue.audience,
        "template": issue.template or app.publication.templates,
        "has_opening": bool(issue.opening.strip()),
        "approved_by": record.approved_by,
        "approved_at": record.approved_at,
        **_approval(app, name, is_approved=bool(record.checksum)),
        "checksum": record.checksum,
        "changed_since_approval": bool(record.checksum)
        and record.state in (IssueState.APPROVED, IssueState.SCHEDULED)
        and app.desk.text(name) != app.archive.frozen_text(name),
        "blocks": [
            {
                "block": block,
                "title": title,
                "picks": [
                    {
                        "article": pick.article_id,
                        "title": pick.headline or titles.get(pick.article_id, pick.article_id),
                        "why": reasons.get((block, pick.article_id), "the editor's choice"),
                    }
                    for pick in picks
                ],
            }
            for block, title, picks in _blocks(app, issue)
        ],
        "diary": issue.diary,
        "corrects": issue.corrects,
        "amendments": [
            {"at": each.at, "by": each.by, "note": each.note} for each in app.amendments.of(name)
        ],
    }


@dataclass(frozen=True, slots=True)
class Voided:
    """When a change voided a draft's last approval (aware UTC), and what had changed, in words."""

    at: datetime
    changed: str


_SETTLES = frozenset({"approve", "draft", "cancel"})
"""Steps after which nobody waits for the approval that was voided."""


def voided(app: App, record: IssueRecord) -> Voided | None:
    """Return why an issue that was approved is a draft again; None where that is not so."""
    if record.state is not IssueState.DRAFT:
        return None
    for event in reversed(app.archive.events(record.id)):
        if event.kind == "void":
            return Voided(event.at, some(event.detail.get("changed", ())))
        if event.kind in _SETTLES:
            return None
    return None


OVERRIDE = "override"
"""The kind of event that says a rule was set aside, by whom and why."""


def _approval(app: App, name: str, *, is_approved: bool) -> dict[str, str]:
    """Return who edited what was approved, and why a second person did not approve it, if so."""
    found = {"edited_by": "", "override": ""}
    for event in app.archive.events(name) if is_approved else ():
        if event.kind == "approve":
            found = {"edited_by": str(event.detail.get("edited_by", "")), "override": ""}
        elif event.kind == OVERRIDE:
            found["override"] = f"{event.detail['reason']} ({event.by})"
    return found


def _blocks(app: App, issue: Issue) -> list[tuple[str, str, Sequence[Any]]]:
    titles = {section.slug: section.title for section in app.publication.sections}
    blocks: list[tuple[str, str, Sequence[Any]]] = [
        (slug, titles.get(slug, slug), picks) for slug, picks in issue.sections.items()
    ]
    blocks += [
        (region_block(slug), app.region(slug).name, block.picks)
        for slug, block in issue.regions.items()
        if block.picks
    ]
    return blocks


def _reasons(app: App, name: str) -> dict[tuple[str, str], str]:
    return {
        (decision.block, decision.article_id): _in_short(decision)
        for decision in app.archive.decisions(name, is_chosen=True)
    }


def _in_short(decision: Decision) -> str:
    terms = sorted(decision.terms.items(), key=lambda term: -abs(term[1]))
    said = ", ".join(f"{term} {value:.2f}" for term, value in terms if value)
    return f"score {decision.score:.2f}: {said}" if said else f"score {decision.score:.2f}"


def operator_name(app: App) -> str:
    """Return who works at this machine: as its settings say, else the login name."""
    return app.settings.operator or login_name()


def login_name() -> str:
    """Return the name of whoever is at the keyboard, for the record."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"
