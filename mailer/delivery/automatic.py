"""What every mail has that the mailer writes by itself to one person: headers and an envelope.

Such a mail goes to somebody who may not expect it and is answered by nobody's machine: it says
that it is automatic, is no list's mail, and its envelope has no sender, so that a bounce of it goes
nowhere and never starts a loop. The same arguments give the same bytes, so that a repeat can be
known for one.

Refuses: an address or subject that cannot be sent (``InvalidInput``).
Standards: RFC 3834 sections 3.1.7 and 5 (Auto-Submitted, null reverse-path), RFC 5322.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
from mailer.delivery.transaction import Outgoing


def derived(kind: str, key: str) -> str:
    """Return 40 hex digits that a kind of mail and its key always give."""
    return hashlib.sha256(f"{kind}:{key}".encode()).hexdigest()[:40]


def automatic_headers(
    *,
    sender: tuple[str, str],
    to: str,
    subject: str,
    at: datetime,
    message_id: str,
    reply_to: str = "",
    further: Sequence[bytes] = (),
) -> list[bytes]:
    """Return the headers, each ending in CRLF.

    Args:
        sender: the From's display name and address.
        to: who gets it.
        subject: one line.
        at: the Date, aware UTC.
        message_id: without the angle brackets.
        reply_to: where answers go; "" leaves the header out.
        further: those of the content.

    Raises:
        InvalidInput: an address or the subject cannot be sent.
    """
    return [
        structured("From", mailbox(*sender)),
        *([structured("Reply-To", mailbox("", reply_to))] if reply_to else []),
        structured("To", mailbox("", to), allow_utf8=needs_smtputf8(to)),
        unstructured("Subject", subject),
        structured("Date", format_datetime(at)),
        structured("Message-ID", f"<{message_id}>"),
        structured("MIME-Version", "1.0"),
        structured("Auto-Submitted", "auto-generated"),
        structured("X-Auto-Response-Suppress", "All"),
        *further,
    ]


def signed(
    headers: Sequence[bytes], body: bytes, *, signer: DkimSigner | None, at: datetime
) -> bytes:
    """Return the whole message, signed where there is a signer."""
    signature = signer.sign(list(headers), body, at=at) if signer else b""
    return signature + b"".join(headers) + b"\r\n" + body


def automatic(content: bytes, *, to: str, token: str, at: datetime, region: str = "") -> Outgoing:
    """Return a message as it goes to a relay; no line of it may start with a dot.

    Args:
        content: from ``signed``.
        to: who gets it.
        token: names the envelope for good.
        at: the Date, aware UTC.
        region: for the log.
    """
    stand_in = Delivery(0, "", region, 0, to, "", token, at, at, DeliveryState.PLANNED)
    has_utf8 = needs_smtputf8(to)
    return Outgoing(
        stand_in,
        Envelope("", wire_address(to), token),
        content,
        needs_smtputf8=has_utf8,
        is_dot_free=True,
        needs_8bit=has_utf8,
    )
