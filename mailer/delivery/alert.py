"""An alert: the RFC 5322 bytes of a plain message in which the mailer tells its operator something.

It is no list's mail and nobody's machine should answer it: it says that it is automatic and its
envelope has no sender, so that a bounce of it goes nowhere and no loop can start. Text only; the
same arguments give the same bytes.

Refuses: an address or subject that cannot be sent (``InvalidInput``).
Standards: RFC 3834 sections 3.1.7 and 5 (Auto-Submitted, null reverse-path), RFC 5322.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.utils import format_datetime

from mailer.delivery.delivery import Delivery, DeliveryState, Envelope
from mailer.delivery.dkim import DkimSigner
from mailer.delivery.headers import (
    mailbox,
    needs_smtputf8,
    structured,
    unstructured,
    wire_address,
)
from mailer.delivery.quoting import encode_literal
from mailer.delivery.transaction import Outgoing


def alert_message(
    *,
    sender: tuple[str, str],
    to: str,
    subject: str,
    text: str,
    key: str,
    at: datetime,
    signer: DkimSigner | None = None,
) -> Outgoing:
    """Return the alert as it goes to a relay.

    Args:
        sender: the From's display name and address.
        to: who is told.
        subject: one line.
        text: the body, lines ending in LF.
        key: names this alert for good; the Message-ID derives from it.
        at: the Date, aware UTC.
        signer: signs it, where there is one.

    Raises:
        InvalidInput: an address or the subject cannot be sent.
    """
    code = hashlib.sha256(f"alert:{key}".encode()).hexdigest()[:40]
    domain = wire_address(sender[1]).rpartition("@")[2]
    has_utf8 = needs_smtputf8(to)
    headers = [
        structured("From", mailbox(*sender)),
        structured("To", mailbox("", to), allow_utf8=has_utf8),
        unstructured("Subject", subject),
        structured("Date", format_datetime(at)),
        structured("Message-ID", f"<{code}@{domain}>"),
        structured("MIME-Version", "1.0"),
        structured("Content-Type", "text/plain; charset=utf-8"),
        structured("Content-Transfer-Encoding", "quoted-printable"),
        structured("Auto-Submitted", "auto-generated"),
        structured("X-Auto-Response-Suppress", "All"),
    ]
    body = encode_literal(text if text.endswith("\n") else f"{text}\n")
    signature = signer.sign(headers, body, at=at) if signer else b""
    row = Delivery(0, "", "", 0, to, "", code[:26], at, at, DeliveryState.PLANNED)
    return Outgoing(
        row,
        Envelope("", wire_address(to)),
        signature + b"".join(headers) + b"\r\n" + body,
        needs_smtputf8=has_utf8,
        is_dot_free=True,
        needs_8bit=has_utf8,
    )
