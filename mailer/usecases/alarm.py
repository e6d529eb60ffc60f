"""The alarm: telling the operator that sending stopped because the relay objects to us.

The alert is written down first, as an event of the issue, and then mailed through the relays one
after the other until one takes it; whether one did is an event too. So it always stands in
``mailer ledger``, even where every relay refuses, and ``retelling`` tries for a day to mail it
again while the sending is stopped. There is one alert a stop: the next is due only after the
sending went well in between, or the issue was approved anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mailer.app import App
from mailer.delivery.delivery import DeliveryState, Trouble
from mailer.usecases.telling import mail, note

RAISED, MAILED, FAILED = "alert.raised", "alert.mailed", "alert.failed"
_GOES_ON = frozenset({"approve", "send.resumed"})


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
    to = "".join(recipients(app))
    with app.database.write():
        if is_raised(app, name):
            return ""
        detail = {"problem": trouble.problem, "remedy": trouble.remedy, "to": to}
        app.archive.note(RAISED, name, detail=detail)
        number = sum(event.kind == RAISED for event in app.archive.events(name))
    values = _values(app, name, trouble, left=left, tries_at=tries_at)
    key = f"{name}:{number}"
    data = {"kind": "alert", "at": app.clock.now().isoformat(), **values}
    app.hook.post(f"alert:{key}", data | {"publication": app.publication.title})
    untold = mail(app, "alert", key=key, values=values, to=recipients(app))
    again = {"kind": "alert", "key": key, "to": to, "values": values, "about": {}}
    note(app, name, again if untold else {"to": to}, untold, kinds=(MAILED, FAILED))
    if untold:
        return f"an alert could not be mailed ({untold.why}); `mailer ledger {name}` keeps it"
    return f"an alert was mailed to {to}"


def recipients(app: App) -> list[str]:
    """Return whom an alert is mailed to: one address, or none."""
    to = app.publication.alerts_to or app.publication.contact
    return [to] if to else []


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


def is_raised(app: App, name: str) -> bool:
    """Say whether an issue's sending stopped and has not gone on since."""
    is_stopped = False
    for event in app.archive.events(name):
        if event.kind == RAISED:
            is_stopped = True
        elif event.kind in _GOES_ON:
            is_stopped = False
    return is_stopped


def _values(
    app: App, name: str, trouble: Trouble, *, left: int, tries_at: datetime | None
) -> dict[str, Any]:
    """Return what the template may name, as JSON."""
    states = list(app.ledger.summary(name).values())
    return {
        "issue": name,
        "problem": trouble.problem,
        "remedy": trouble.remedy,
        "accepted": sum(by.get(DeliveryState.ACCEPTED, 0) for by in states),
        "total": sum(sum(by.values()) for by in states),
        "left": left,
        "tries_at": f"{tries_at:%Y-%m-%d %H:%M} UTC" if tries_at else "",
    }
