"""The relay: does it answer, let us in, and for how long is its certificate good?

A relay on this machine is asked always, another only ``online``. The client that sends is the one
that asks: greeting, TLS, login, and goodbye. The certificate's last day is read on a connection of
its own.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from mailer.app import App
from mailer.audience.addresses import normalise
from mailer.checked import is_loopback
from mailer.checkup.findings import Check
from mailer.delivery.alert import alert_message
from mailer.delivery.delivery import Verdict
from mailer.errors import InvalidInput
from mailer.settings import RelaySetting

SOON = timedelta(days=14)
PATIENCE_S = 15.0

MEND = "start it (`mailer inbox serve` for the built-in one) or check MAILER_RELAY_*"

TEXT = """This is a test message of {title}, sent by `mailer doctor --send`.

It went through {relay}. Look at its source: SPF, DKIM and DMARC should say "pass".
"""


def relay_checks(app: App, *, online: bool) -> Iterator[Check]:
    """Greet every relay that may be asked."""
    for setting, (place, relay) in zip(app.settings.relays(), app.relays.single(), strict=True):
        if not online and not is_loopback(setting.host):
            relay.close()
            yield Check("ok", "relay", f"{place} is set; `mailer doctor --online` asks it")
            continue
        try:
            trouble = relay.open()
        finally:
            relay.close()
        if trouble:
            yield Check("fail", "relay", f"{place}: {trouble.problem}", MEND)
            continue
        who = f", and takes {setting.username}" if setting.username else ""
        yield Check("ok", "relay", f"{place} answers{who}; nothing was sent")
        if setting.tls != "none":
            yield from _certificate(app, setting, place)


def _certificate(app: App, setting: RelaySetting, place: str) -> Iterator[Check]:
    ends_at = certificate_end(setting, app.settings.relay_ca_file)
    if ends_at is None:
        return
    left = ends_at - app.clock.now()
    said = f"{place}: its certificate is good until {ends_at:%Y-%m-%d}"
    if left < timedelta(0):
        yield Check("fail", "TLS", said, "its operator must renew it")
    elif left < SOON:
        yield Check("warn", "TLS", f"{said}, {left.days} days", "tell its operator")
    else:
        yield Check("ok", "TLS", said)


def certificate_end(setting: RelaySetting, ca_file: str) -> datetime | None:
    """Return when the relay's certificate ends; None when it cannot be read.

    What is wrong with the connection the relay's own check has said already.
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    found: object = None
    with contextlib.suppress(OSError, smtplib.SMTPException, ssl.SSLError):
        if setting.tls == "implicit":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                setting.host, setting.port, timeout=PATIENCE_S, context=context
            )
        else:
            client = smtplib.SMTP(setting.host, setting.port, timeout=PATIENCE_S)
        with client:
            if setting.tls == "starttls":
                client.starttls(context=context)
            if isinstance(client.sock, ssl.SSLSocket):
                found = (client.sock.getpeercert() or {}).get("notAfter")
    return (
        datetime.fromtimestamp(ssl.cert_time_to_seconds(found), UTC)
        if (isinstance(found, str))
        else None
    )


def sent_checks(app: App, address: str) -> Iterator[Check]:
    """Mail one test message through each relay; the ledger knows nothing of it."""
    try:
        to = normalise(address)
    except InvalidInput as error:
        yield Check("fail", "sending", str(error))
        return
    if faults := app.faults_before_sending():
        yield Check("fail", "sending", "nothing was sent", str(faults[0]))
        return
    now = app.clock.now()
    for place, relay in app.relays.single():
        if trouble := relay.open():
            # No transaction was begun, so no outcome, which would speak of issues, has its place.
            relay.close()
            yield Check("fail", "sending", f"nothing was sent: {trouble.problem}", MEND)
            continue
        message = alert_message(
            sender=(app.publication.from_name, app.publication.from_address),
            to=to,
            subject=f"{app.publication.title}: a test",
            text=TEXT.format(title=app.publication.title, relay=place),
            key=f"doctor:{place}:{now.isoformat()}",
            at=now,
            signer=app.signer,
        )
        try:
            outcome = relay.deliver(message)
        finally:
            relay.close()
        reply = f"{outcome.reply.code} {outcome.reply.text}" if outcome.reply else outcome.note
        if outcome.verdict is Verdict.ACCEPT:
            yield Check("ok", "sending", f"{place} took a test for {to}: {reply}")
        else:
            yield Check("fail", "sending", f"{place} did not take a test for {to}: {reply}")


def skew_s(date: str, now: datetime) -> float | None:
    """Return how far our clock is ahead of an HTTP Date; None when it is no date."""
    try:
        said = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    said = said if said.tzinfo else said.replace(tzinfo=UTC)
    return (now - said).total_seconds()
