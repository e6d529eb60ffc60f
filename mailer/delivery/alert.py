"""An alert: a plain message in which the mailer tells its editors or its operator something.

Text only; see ``automatic`` for what it shares with other mail of its kind.
"""

from __future__ import annotations

from datetime import datetime

from mailer.delivery.automatic import automatic, automatic_headers, derived, signed
from mailer.delivery.dkim import DkimSigner
from mailer.delivery.headers import structured, wire_address
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
    code = derived("alert", key)
    headers = automatic_headers(
        sender=sender,
        to=to,
        subject=subject,
        at=at,
        message_id=f"{code}@{wire_address(sender[1]).rpartition('@')[2]}",
        further=[
            structured("Content-Type", "text/plain; charset=utf-8"),
            structured("Content-Transfer-Encoding", "quoted-printable"),
        ],
    )
    body = encode_literal(text if text.endswith("\n") else f"{text}\n")
    content = signed(headers, body, signer=signer, at=at)
    return automatic(content, to=to, token=code[:26], at=at)
