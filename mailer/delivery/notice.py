"""A notice: the RFC 5322 bytes of a letter that the mailer writes by itself to one person.

Unlike an issue it goes to somebody who may not have asked for it, and is answered by nobody's
machine: it says that it is automatic, is no list's mail, and its envelope has no sender, so that
a bounce of it goes nowhere and never starts a loop. Everything in it comes from its arguments;
the same ones give the same bytes, so that a repeat can be known for one.

Standards: RFC 3834 sections 3.1.7 and 3.3 (Auto-Submitted, null reverse-path), RFC 5322, 2046.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from mailer.delivery.delivery import Delivery, DeliveryState, Envelope
from mailer.delivery.dkim import DkimSigner
from mailer.delivery.headers import (
    mailbox,
    needs_smtputf8,
    structured,
    unstructured,
    wire_address,
)
from mailer.delivery.message import Letterhead
from mailer.delivery.quoting import EncodedPart, Template
from mailer.delivery.transaction import Outgoing
from mailer.editions.letter import Letter

KIND = "confirmation"


@dataclass(frozen=True, slots=True)
class Notice:
    """Who gets which letter; ``key`` names this one for good, ``dated_at`` is aware UTC."""

    letter: Letter
    head: Letterhead
    address: str
    fields: Mapping[str, str]
    key: str
    dated_at: datetime
    region: str = ""


def outgoing(notice: Notice, *, signer: DkimSigner | None = None) -> Outgoing:
    """Return the notice as it goes to a relay.

    Raises:
        InvalidInput: the address or a field cannot be sent.
    """
    stand_in = Delivery(
        id=0,
        issue_id="",
        region=notice.region,
        subscriber_id=0,
        address=notice.address,
        name="",
        token=_derived("envelope", notice.key)[:32],
        dated_at=notice.dated_at,
        due_at=notice.dated_at,
        state=DeliveryState.PLANNED,
    )
    return Outgoing(
        stand_in,
        Envelope("", wire_address(notice.address), stand_in.token),
        render(notice, signer=signer),
        needs_smtputf8=needs_smtputf8(notice.address),
        is_dot_free=True,
    )


def render(notice: Notice, *, signer: DkimSigner | None = None) -> bytes:
    """Return the message, signed where there is a signer: CRLF, no line starts with a dot.

    Raises:
        InvalidInput: the address or a field cannot be sent.
    """
    letter, head = notice.letter, notice.head
    boundary = f"=_{_derived('boundary', notice.key)}"
    may_utf8 = needs_smtputf8(notice.address)
    headers = [
        structured("From", mailbox(head.from_name, head.from_address)),
        structured("Reply-To", mailbox("", head.reply_to or head.from_address)),
        structured("To", mailbox("", notice.address), allow_utf8=may_utf8),
        unstructured("Subject", letter.subject),
        structured("Date", format_datetime(notice.dated_at)),
        structured("Message-ID", f"<{_derived('message-id', notice.key)}@{head.bounce_domain}>"),
        structured("MIME-Version", "1.0"),
        structured("Content-Transfer-Encoding", "7bit"),
        structured("Content-Language", letter.language),
        structured("Auto-Submitted", "auto-generated"),
        structured("X-Auto-Response-Suppress", "All"),
        structured("Feedback-ID", f"{KIND}:{notice.region}:notice:{head.sender_id}"),
        structured("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    mark = b"--" + boundary.encode()
    text, html = _encoded(letter)
    content = b"".join(
        [
            mark + b"\r\n" + _part("plain"),
            *text.fill(notice.fields),
            b"\r\n" + mark + b"\r\n" + _part("html"),
            *html.fill(notice.fields),
            b"\r\n" + mark + b"--\r\n",
        ]
    )
    signature = signer.sign(headers, content, at=notice.dated_at) if signer else b""
    return signature + b"".join(headers) + b"\r\n" + content


@lru_cache(maxsize=256)
def _encoded(letter: Letter) -> tuple[Template, Template]:
    text = EncodedPart(letter.text, is_html=False)
    return Template(text.pieces), Template(EncodedPart(letter.html, is_html=True).pieces)


def _part(kind: str) -> bytes:
    return (
        f"Content-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()


def _derived(purpose: str, key: str) -> str:
    return hashlib.sha256(f"notice {purpose}:{key}".encode()).hexdigest()[:40]
