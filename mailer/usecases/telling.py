"""Telling people: a mail of its own template to each, an event, and a post to the hook.

A mail goes through the relays one after the other until one takes it. What is told is written into
the issue's history either way, so that it stands there even where every relay refuses. What nobody
else would try again keeps there what it was to say; see ``retelling``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailer.app import App
from mailer.delivery.alert import alert_message
from mailer.delivery.delivery import Outcome, Verdict
from mailer.delivery.single import SingleRelay
from mailer.delivery.transaction import Outgoing
from mailer.editions.templates import SUBJECT, TEXT, load_templates
from mailer.errors import ConfigurationError, MailerError

TOLD, UNTOLD = "told", "told.failed"
"""Kinds of events: somebody was told something by mail, or could not be."""


def editors(app: App) -> list[str]:
    """Return who is told of an issue's deadlines."""
    publication = app.publication
    named = publication.editors or (publication.alerts_to or publication.contact,)
    return [address for address in dict.fromkeys(named) if address]


def tell(
    app: App,
    kind: str,
    *,
    issue: str,
    key: str,
    values: Mapping[str, Any],
    to: Sequence[str],
    about: Mapping[str, Any] | None = None,
) -> str:
    """Mail people something, note it, and have the hook post it.

    Args:
        app: the publication.
        kind: the template set under ``templates/mail/``, and what the hook calls it.
        issue: which issue it is about; "" for none in particular.
        key: names this telling for good: repeated, it has the same Message-ID.
        values: what the templates may name beside ``publication`` and ``issue``, as JSON.
        to: addresses.
        about: where nobody but ``retelling`` will try again, what it needs to know whether this is
            still true; None where the caller tries again.

    Returns:
        "" when everybody's mail was taken, else why not.
    """
    at = app.clock.now()
    app.hook.post(
        f"{kind}:{key}",
        {
            "kind": kind,
            "at": at.isoformat(),
            "publication": app.publication.title,
            "issue": issue,
            **values,
        },
    )
    untold = mail(app, kind, key=key, values={"issue": issue, **values}, to=to)
    detail: dict[str, Any] = {"kind": kind, "key": key, "to": list(to)}
    if untold and about is not None:
        detail |= {"values": {"issue": issue, **values}, "about": dict(about)}
    note(app, issue, detail, untold)
    return untold.why


def note(
    app: App,
    issue: str,
    detail: Mapping[str, Any],
    untold: Untold,
    *,
    kinds: tuple[str, str] = (TOLD, UNTOLD),
) -> None:
    """Write into an issue's history that people were told something, or who was not and why."""
    told, failed = kinds
    if untold:
        left = {"why": untold.why[:500], "left": list(untold.left)}
        app.archive.note(failed, issue, detail={**detail, **left})
    else:
        app.archive.note(told, issue, detail=detail)


@dataclass(frozen=True, slots=True)
class Untold:
    """Who was not reached by mail, and why; false when everybody was."""

    why: str = ""
    left: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.why)


def mail(app: App, kind: str, *, key: str, values: Mapping[str, Any], to: Sequence[str]) -> Untold:
    """Mail each of the addresses the text of a template set; return whom nobody took it for."""
    if not to:
        return Untold("publication.toml names no editors, no alerts_to and no contact")
    try:
        return _mail(app, kind, key=key, values=values, to=to)
    except (MailerError, ConfigurationError) as error:
        # The templates are at fault.
        return Untold(str(error), tuple(to))


def _mail(app: App, kind: str, *, key: str, values: Mapping[str, Any], to: Sequence[str]) -> Untold:
    templates = load_templates(
        f"mail/{kind}",
        override=app.root / "templates",
        required=(SUBJECT, TEXT),
        has_parts=False,
    )
    known = {"publication": app.publication, **values}
    subject, text = templates.subject(known), templates.text(known)
    troubles = {}
    for address in to:
        try:
            message = alert_message(
                sender=(app.publication.from_name, app.publication.from_address),
                to=address,
                subject=subject,
                text=text,
                key=f"{kind}:{key}:{address}",
                at=app.clock.now(),
                signer=app.signer,
            )
            why = _carry_by_any(app, message)
        except (MailerError, ConfigurationError) as error:
            # An address that cannot be sent to must not have the others told twice.
            why = str(error)
        if why:
            troubles[address] = why
    return Untold("; ".join(dict.fromkeys(troubles.values())), tuple(troubles))


def _carry_by_any(app: App, message: Outgoing) -> str:
    refusals = []
    for name, relay in app.relays.single():
        outcome = _carry(relay, message)
        if outcome.verdict is Verdict.ACCEPT:
            return ""
        reply = outcome.reply
        said = f"{reply.code} {reply.text}" if reply else outcome.note
        refusals.append(f"{name}: {said}")
    return "; ".join(refusals)


def _carry(relay: SingleRelay, message: Outgoing) -> Outcome:
    try:
        return relay.deliver(message)
    finally:
        relay.close()
