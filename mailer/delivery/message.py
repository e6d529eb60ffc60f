"""The RFC 5322 bytes of an edition for one reader.

An edition is compiled once: its literals are quoted-printable already, each ending in a soft
line break, so that a reader's message is a join of byte strings with a few short encoded values
between them. Everything that differs between readers comes from the delivery's row and the
reader's fields; nothing from the clock or from chance. Rendering twice gives the same bytes,
which is what makes a repeat after a crash recognisable as one.

Refuses: a slot without a value, an unsubscribe address that is not https (http only on
loopback), an edition without a subject or a postal address, and line breaks in header values.
Standards: RFC 5322, 2045-2047, 2046 section 5.1.4, 2369, 2919, 8058; see docs/standards.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from urllib.parse import quote, urlsplit

from mailer.delivery.delivery import Delivery, Envelope
from mailer.delivery.dkim import DkimSigner
from mailer.delivery.headers import (
    mailbox,
    needs_smtputf8,
    phrase,
    structured,
    unstructured,
    wire_address,
)
from mailer.delivery.smtp import bounce_address
from mailer.editions.edition import Edition, Segments, Slot
from mailer.errors import Fault, InvalidInput, RenderFailed
from mailer.publication import Publication, Region

SOFT_BREAK = b"=\r\n"
LINE = 76
"""Characters of an encoded line, the soft break's ``=`` included (RFC 2045 section 6.7)."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes to a region's list; see ``letterhead``."""

    from_name: str
    from_address: str
    reply_to: str
    list_id: str
    list_name: str
    owner: str
    archive_url: str
    bounce_domain: str
    sender_id: str
    postal_address: str = ""


def letterhead(publication: Publication, region: Region) -> Letterhead:
    """Return the region's letterhead; the replies go to the region, bounces to their domain."""
    domain = publication.bounce_domain or publication.from_address.rpartition("@")[2]
    slug = re.sub(r"[^a-z0-9]+", "-", publication.title.lower()).strip("-")
    return Letterhead(
        from_name=publication.from_name,
        from_address=publication.from_address,
        reply_to=region.reply_to,
        list_id=region.list_id,
        list_name=f"{publication.title}, {region.name}",
        # Not the group's contact: the list is the publisher's, the group only lives there.
        owner=publication.contact or region.reply_to,
        archive_url=publication.website,
        bounce_domain=wire_address(f"x@{domain}").partition("@")[2] if domain else "",
        # Feedback-ID wants 5 to 15 characters that stay the same from issue to issue.
        sender_id=(slug or "briefing")[:15].strip("-").ljust(5, "0"),
        postal_address=publication.postal_address,
    )


class CompiledEdition:
    """An edition ready to be joined for its readers; made by ``compile_edition``."""

    def __init__(
        self,
        edition: Edition,
        head: Letterhead,
        signer: DkimSigner | None,
        html_part: EncodedPart,
        text_part: EncodedPart,
    ) -> None:
        self.edition = edition
        self.html_slots = html_part.slots
        self.text_slots = text_part.slots
        self._head = head
        self._signer = signer
        self._html = html_part
        self._text = text_part
        self._before = _fields_before(edition, head)
        self._after = _fields_after(edition, head)

    def envelope(self, delivery: Delivery) -> Envelope:
        """Return the delivery's envelope; the same for every attempt."""
        return Envelope(
            sender=bounce_address(delivery.token, self._head.bounce_domain),
            recipient=wire_address(delivery.address),
            envid=delivery.token,
        )

    def message_id(self, delivery: Delivery) -> str:
        """Return the Message-ID with its brackets.

        It is a hash of the token: replies quote it in public, the bounce address stays secret.
        """
        return f"<{_derived('message-id', delivery.token)}@{self._head.bounce_domain}>"

    def needs_smtputf8(self, delivery: Delivery) -> bool:
        """True when only an SMTPUTF8 server can take the message."""
        return needs_smtputf8(delivery.address)

    def render(self, delivery: Delivery, fields: Mapping[str, str]) -> bytes:
        """Return the message: CRLF line ends, nothing above 76 columns in the body.

        Args:
            delivery: the ledger's row.
            fields: a value for every slot, and ``unsubscribe_url`` in any case.

        Raises:
            InvalidInput: the address or a value cannot be sent; concerns this reader alone.
        """
        boundary = f"=_{_derived('boundary', delivery.token)}"
        unsubscribe = _one_click_url(fields.get("unsubscribe_url", ""))
        is_utf8 = self.needs_smtputf8(delivery)
        to = mailbox(" ".join(delivery.name.split()), delivery.address)
        headers = [
            *self._before,
            structured("To", to, allow_utf8=is_utf8),
            structured("Date", format_datetime(delivery.dated_at)),
            structured("Message-ID", self.message_id(delivery)),
            structured("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
            structured("List-Unsubscribe", f"<{unsubscribe}>"),
            *self._after,
        ]
        mark = b"--" + boundary.encode()
        body = b"".join(
            [
                *(mark, b"\r\n", _PLAIN),
                *self._text.join(fields),
                *(b"\r\n", mark, b"\r\n", _HTML),
                *self._html.join(fields),
                *(b"\r\n", mark, b"--\r\n"),
            ]
        )
        signatures = self._signer.sign(headers, body, at=delivery.dated_at) if self._signer else b""
        return b"".join([signatures, *headers, b"\r\n", body])


_ENCODING = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
_PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n" + _ENCODING
_HTML = b"Content-Type: text/html; charset=utf-8\r\n" + _ENCODING


def compile_edition(
    edition: Edition, head: Letterhead, *, signer: DkimSigner | None = None
) -> CompiledEdition:
    """Encode an edition once for all its readers.

    Raises:
        RenderFailed: something every mail must have is missing, or the subject cannot be sent.
    """
    where = f"issue {edition.issue_id}, region {edition.region}"
    missing = [
        Fault("is empty; a mail cannot go out without it", where=where, field=name)
        for name, value in (
            ("subject", edition.subject.strip()),
            ("html", edition.html),
            ("text", edition.text),
            ("from_address", head.from_address),
            ("bounce_domain", head.bounce_domain),
        )
        if not value
    ]
    missing += _footer_faults(edition, head, where)
    if missing:
        raise RenderFailed(missing)
    try:
        return CompiledEdition(
            edition,
            head,
            signer,
            EncodedPart(edition.html, is_html=True),
            EncodedPart(edition.text, is_html=False),
        )
    except InvalidInput as error:
        raise RenderFailed(
            Fault(fault.problem, where=where, remedy="mend it and approve the issue again")
            for fault in error.faults
        ) from None


class EncodedPart:
    """A part whose literals are encoded; ``join`` adds a reader's values between them."""

    def __init__(self, segments: Segments, *, is_html: bool) -> None:
        self._is_html = is_html
        self.slots = frozenset(part.name for part in segments if isinstance(part, Slot))
        pieces: list[bytes | str] = [
            part.name if isinstance(part, Slot) else encode_literal(part) for part in segments
        ]
        # The part must end in a hard line break: a soft one before the boundary is an error.
        last = segments[-1] if segments else ""
        if isinstance(last, Slot) or not last.endswith("\n"):
            pieces.append(b"\r\n")
        self._pieces = tuple(pieces)

    def join(self, fields: Mapping[str, str]) -> list[bytes]:
        """Return the part's pieces for one reader."""
        encoded: dict[str, bytes] = {}
        pieces = []
        for piece in self._pieces:
            if isinstance(piece, bytes):
                pieces.append(piece)
                continue
            if piece not in encoded:
                encoded[piece] = self._value(piece, fields)
            pieces.append(encoded[piece])
        return pieces

    def _value(self, name: str, fields: Mapping[str, str]) -> bytes:
        try:
            value = fields[name]
        except KeyError:
            raise InvalidInput(f"the reader's field {name!r} has no value") from None
        if self._is_html:
            return encode_literal(html.escape(value, quote=True))
        return encode_literal(" ".join(value.split()))


def encode_literal(text: str) -> bytes:
    """Return text as quoted-printable that can be joined to more: it ends at a line's start.

    Its line ends become CRLF; a soft break follows unless the text ends in one.

    Raises:
        InvalidInput: a lone surrogate.
    """
    if not text:
        return b""
    try:
        data = re.sub(r"\r\n|\r|\n", "\r\n", text).encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput("a lone surrogate in the text cannot be sent") from None
    # b2a_qp copies the line ends it finds, and writes bare LF for its own when it finds none.
    encoded = binascii.b2a_qp(data, quotetabs=False, istext=True, header=False)
    encoded = encoded.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if encoded.endswith(b"\r\n"):
        return encoded
    tail = len(encoded) - (encoded.rfind(b"\n") + 1)
    if tail >= LINE:
        # Only a plain character is ever put into the last column, so this splits no =XX.
        encoded = encoded[:-1] + SOFT_BREAK + encoded[-1:]
    return encoded + SOFT_BREAK


def _fields_before(edition: Edition, head: Letterhead) -> tuple[bytes, ...]:
    return (
        structured("From", mailbox(head.from_name, head.from_address)),
        structured("Reply-To", mailbox("", head.reply_to or head.from_address)),
        unstructured("Subject", edition.subject),
        structured("MIME-Version", "1.0"),
        structured("Content-Transfer-Encoding", "7bit"),
        structured("Content-Language", edition.language),
        structured("List-Id", f"{phrase(head.list_name)} <{head.list_id}>"),
    )


def _fields_after(edition: Edition, head: Letterhead) -> tuple[bytes, ...]:
    owner = wire_address(head.owner or head.from_address)
    mailto = f"<mailto:{quote(owner, safe='@+.-_')}"
    fields = [
        structured("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        structured("List-Help", f"{mailto}?subject=help>"),
        structured("List-Owner", f"{mailto}>"),
    ]
    if head.archive_url:
        fields.append(structured("List-Archive", f"<{head.archive_url}>"))
    # issue:region:kind:sender; nothing here is about the reader.
    feedback = f"{edition.issue_id}:{edition.region}:briefing:{head.sender_id}"
    return (
        *fields,
        structured("Feedback-ID", feedback),
        structured("Precedence", "bulk"),
        structured("X-Auto-Response-Suppress", "OOF, AutoReply"),
    )


def _footer_faults(edition: Edition, head: Letterhead, where: str) -> list[Fault]:
    """Say which part lacks the postal address or the way out; both are the law."""
    faults = []
    for field, segments in (("html", edition.html), ("text", edition.text)):
        if not segments:
            continue
        if not any(isinstance(part, Slot) and part.name == "unsubscribe_url" for part in segments):
            faults.append(
                Fault(
                    "has no unsubscribe link",
                    where=where,
                    field=field,
                    remedy="put unsubscribe_url back into the template's footer",
                )
            )
        plain = "".join(part for part in segments if isinstance(part, str))
        if field == "html":
            plain = html.unescape(re.sub(r"<[^>]*>", "", plain))
        # Letters and figures only: a template may break the address into lines as it likes.
        wanted = re.sub(r"\W+", "", head.postal_address)
        if not wanted or wanted not in re.sub(r"\W+", "", plain):
            faults.append(
                Fault(
                    "does not show the postal address",
                    where=where,
                    field=field,
                    remedy="fill in postal_address and keep it in the template's footer",
                )
            )
    return faults


def _one_click_url(url: str) -> str:
    parts = urlsplit(url)
    is_loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback)):
        raise InvalidInput(f"the unsubscribe address {url!r} is not https")
    if not url.isascii() or re.search(r"[\s<>,\"]", url):
        raise InvalidInput(f"the unsubscribe address {url!r} cannot stand in a header")
    return url


def _derived(purpose: str, token: str) -> str:
    digest = hashlib.sha256(f"{purpose}:{token}".encode()).digest()
    return base64.b32encode(digest[:20]).decode().lower()
