"""A notice: the RFC 5322 bytes of a letter that the mailer writes by itself to one person.

In HTML and text; see ``automatic`` for what it shares with other mail of its kind.

Standard: RFC 2046 (multipart/alternative).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from mailer.delivery.automatic import automatic, automatic_headers, derived, signed
from mailer.delivery.dkim import DkimSigner
from mailer.delivery.headers import structured
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
    return automatic(
        render(notice, signer=signer),
        to=notice.address,
        token=derived("notice envelope", notice.key)[:32],
        at=notice.dated_at,
        region=notice.region,
    )


def render(notice: Notice, *, signer: DkimSigner | None = None) -> bytes:
    """Return the message, signed where there is a signer: CRLF, no line starts with a dot.

    Raises:
        InvalidInput: the address or a field cannot be sent.
    """
    letter, head = notice.letter, notice.head
    boundary = f"=_{derived('notice boundary', notice.key)}"
    headers = automatic_headers(
        sender=(head.from_name, head.from_address),
        reply_to=head.reply_to or head.from_address,
        to=notice.address,
        subject=letter.subject,
        at=notice.dated_at,
        message_id=f"{derived('notice message-id', notice.key)}@{head.bounce_domain}",
        further=[
            structured("Content-Transfer-Encoding", "7bit"),
            structured("Content-Language", letter.language),
            structured("Feedback-ID", f"{KIND}:{notice.region}:notice:{head.sender_id}"),
            structured("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
        ],
    )
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
    return signed(headers, content, signer=signer, at=notice.dated_at)


@lru_cache(maxsize=256)
def _encoded(letter: Letter) -> tuple[Template, Template]:
    text = EncodedPart(letter.text, is_html=False)
    return Template(text.pieces), Template(EncodedPart(letter.html, is_html=True).pieces)


def _part(kind: str) -> bytes:
    return (
        f"Content-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()
