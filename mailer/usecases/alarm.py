"""The alarm: telling the operator that sending stopped because the relay objects to us.

The alert is written down first, as an event of the issue, and then mailed through the relays one
after the other until one takes it; whether one did is an event too. So it always stands in
``mailer ledger``, even where every relay refuses. There is one alert a stop: the next is due only
after the sending went well in between, or the issue was approved anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mailer.app import App
from mailer.delivery.alert import alert_message
from mailer.delivery.delivery import DeliveryState, Outcome, Trouble, Verdict
from mailer.delivery.single import SingleRelay
from mailer.delivery.transaction import Outgoing
from mailer.editions.templates import SUBJECT, TEXT, load_templates
from mailer.errors import ConfigurationError, MailerError

RAISED, MAILED, FAILED = "alert.raised", "alert.mailed", "alert.failed"
_GOES_ON = frozenset({"approve", "send.resumed"})
SET = "mail/alert"
"""The template set: ``templates/mail/alert/``."""


def raise_alert(
    app: App, name: str, trouble: Trouble, *, left: int, tries_at: datetime | None = None
) -> str:
    """Write an alert down and mail it, unless this stop has one; return what became of it.

    Args:
        app: the publication.
        name: the issue.
        trouble: why its sending stopped.
        left: deliveries still to be made.
        tries_at: when an unattended mailer asks again.

    Returns:
        A sentence; "" when this stop has its alert already.
    """
    to = app.publication.alerts_to or app.publication.contact
    with app.database.write():
        if _is_raised(app, name):
            return ""
        detail = {"problem": trouble.problem, "remedy": trouble.remedy, "to": to}
        app.archive.note(RAISED, name, detail=detail)
        number = sum(event.kind == RAISED for event in app.archive.events(name))
    try:
        why = _mail(app, name, trouble, to, number=number, left=left, tries_at=tries_at)
    except (MailerError, ConfigurationError) as error:
        why = str(error)
    if why:
        app.archive.note(FAILED, name, detail={"to": to, "why": why[:500]})
        return f"an alert could not be mailed ({why}); `mailer ledger {name}` keeps it"
    app.archive.note(MAILED, name, detail={"to": to})
    return f"an alert was mailed to {to}"


def alerts(app: App, name: str) -> list[dict[str, Any]]:
    """Return an issue's alerts, oldest first, each with what became of its mail."""
    found: list[dict[str, Any]] = []
    for event in app.archive.events(name):
        if event.kind == RAISED:
            found.append({"at": event.at, **event.detail, "is_mailed": False, "why": ""})
        elif event.kind == MAILED and found:
            found[-1]["is_mailed"] = True
        elif event.kind == FAILED and found:
            found[-1]["why"] = event.detail.get("why", "")
    return found


def _is_raised(app: App, name: str) -> bool:
    is_raised = False
    for event in app.archive.events(name):
        if event.kind == RAISED:
            is_raised = True
        elif event.kind in _GOES_ON:
            is_raised = False
    return is_raised


def _mail(
    app: App,
    name: str,
    trouble: Trouble,
    to: str,
    *,
    number: int,
    left: int,
    tries_at: datetime | None,
) -> str:
    """Mail it; return "" or why nobody took it."""
    if not to:
        return "publication.toml names no alerts_to and no contact"
    templates = load_templates(
        SET, override=app.root / "templates", required=(SUBJECT, TEXT), has_parts=False
    )
    states = list(app.ledger.summary(name).values())
    values = {
        "publication": app.publication,
        "issue": name,
        "problem": trouble.problem,
        "remedy": trouble.remedy,
        "accepted": sum(by.get(DeliveryState.ACCEPTED, 0) for by in states),
        "total": sum(sum(by.values()) for by in states),
        "left": left,
        "tries_at": f"{tries_at:%Y-%m-%d %H:%M} UTC" if tries_at else "",
    }
    message = alert_message(
        sender=(app.publication.from_name, app.publication.from_address),
        to=to,
        subject=templates.subject(values),
        text=templates.text(values),
        key=f"{name}:{number}",
        at=app.clock.now(),
        signer=app.signer,
    )
    refusals = []
    for relay_name, relay in app.relays.single():
        outcome = _carry(relay, message)
        if outcome.verdict is Verdict.ACCEPT:
            return ""
        reply = outcome.reply
        said = f"{reply.code} {reply.text}" if reply else outcome.note
        refusals.append(f"{relay_name}: {said}")
    return "; ".join(refusals)


def _carry(relay: SingleRelay, message: Outgoing) -> Outcome:
    try:
        return relay.deliver(message)
    finally:
        relay.close()
