"""The RFC 5322 bytes of an edition for one reader.

An edition is compiled once: its literals are quoted-printable already, each ending in a soft
line break, so that a reader's message is a join of byte strings with a few short encoded values
between them. Everything that differs between readers comes from the delivery's row and the
reader's fields; nothing from the clock or from chance. Rendering twice gives the same bytes,
which is what makes a repeat after a crash recognisable as one.

No line of a message ever starts with a dot: one that would is written ``=2E`` (RFC 2049 section 3
advises it), so that nothing is left for the transport to stuff, and the bytes that are signed are
the bytes on the wire, by DATA and by BDAT alike. The plain cases (an ASCII name, an address that
is a dot-atom) take a short way that must give what the long way gives; a test compares them.

Refuses: a slot without a value, an unsubscribe address that is not https (http only on
loopback), an edition without a subject or a postal address, and line breaks in header values.
Standards: RFC 5322, 2045-2047, 2046 section 5.1.4, 2369, 2919, 8058; see docs/standards.md.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote, urlsplit

from mailer.delivery.delivery import Delivery, Envelope
from mailer.delivery.dkim import DkimSigner, HeaderForm
from mailer.delivery.headers import (
    LIMIT,
    mailbox,
    needs_smtputf8,
    phrase,
    structured,
    unstructured,
    wire_address,
)
from mailer.delivery.quoting import EncodedPart, Template
from mailer.delivery.smtp import bounce_address
from mailer.editions.edition import Edition, Slot
from mailer.errors import Fault, InvalidInput, RenderFailed
from mailer.publication import Publication, Region


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


OWN = ("To", "Date", "Message-ID", "List-Unsubscribe")
"""The header fields that differ between an edition's messages; the rest is one for all."""


class CompiledEdition:
    """An edition ready to be joined for its readers; made by ``compile_edition``."""

    def __init__(
        self,
        whole: Edition,
        head: Letterhead,
        signer: DkimSigner | None,
        withheld: frozenset[str],
    ) -> None:
        self.edition = edition = whole.without(withheld)
        html_part = EncodedPart(edition.html, is_html=True)
        text_part = EncodedPart(edition.text, is_html=False)
        self.html_slots = html_part.slots
        self.text_slots = text_part.slots
        self.is_signed = signer is not None
        self.columns = whole.columns
        self._whole = whole
        self._head = head
        self._signer = signer
        self._html = html_part
        self._text = text_part
        # One for all readers: quoted-printable never leaves a bare "=_", so no value can hold it.
        boundary = f"=_{_derived('boundary', f'{edition.checksum}')}"
        before = _fields_before(edition, head)
        after = (
            structured("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
            *_fields_after(edition, head),
        )
        mark = b"--" + boundary.encode()
        body = [
            mark + b"\r\n" + _PLAIN,
            *text_part.pieces,
            b"\r\n" + mark + b"\r\n" + _HTML,
            *html_part.pieces,
            b"\r\n" + mark + b"--\r\n",
        ]
        self._body = Template(body)
        self._head_piece = b"".join(before)
        self._tail_piece = b"".join(after) + b"\r\n"
        self._form = HeaderForm(before, OWN, after)
        self._message_id_end = f"@{head.bounce_domain}>"
        self._date: tuple[datetime | None, bytes] = (None, b"")
        self._plain: tuple[str, bool] = ("", False)

    def without(self, withheld: str) -> CompiledEdition:
        """Return it for readers who were sent these articles before; ids, apart by spaces."""
        return CompiledEdition(self._whole, self._head, self._signer, frozenset(withheld.split()))

    def envelope(self, delivery: Delivery) -> Envelope:
        """Return the delivery's envelope; the same for every attempt."""
        address, token, domain = delivery.address, delivery.token, self._head.bounce_domain
        return Envelope(
            f"bounces+{token}@{domain}"
            if token.isalnum() and token.islower() and token.isascii()
            else bounce_address(token, domain),
            address if self._is_plain(address) else wire_address(address),
            token,
        )

    def _is_plain(self, address: str) -> bool:
        # Asked twice a message, for the envelope and for To, one after the other.
        asked, answer = self._plain
        if asked != address:
            answer = _PLAIN_ADDRESS.fullmatch(address) is not None
            self._plain = (address, answer)
        return answer

    def message_id(self, delivery: Delivery) -> str:
        """Return the Message-ID with its brackets.

        It is a hash of the token: replies quote it in public, the bounce address stays secret.
        """
        return f"<{_derived('message-id', delivery.token)}{self._message_id_end}"

    def needs_smtputf8(self, delivery: Delivery) -> bool:
        """True when only an SMTPUTF8 server can take the message."""
        return not delivery.address.isascii() and needs_smtputf8(delivery.address)

    def compose(self, delivery: Delivery, fields: Mapping[str, str]) -> list[bytes]:
        """Return the message in pieces, signed: CRLF line ends, no line that starts with a dot.

        May run in any thread.

        Args:
            delivery: the ledger's row.
            fields: a value for every slot, and ``unsubscribe_url`` in any case.

        Raises:
            InvalidInput: the address or a value cannot be sent; concerns this reader alone.
        """
        own = self._own_fields(delivery, fields)
        body = self._body.fill(fields)
        signatures = b""
        if self._signer is not None:
            signatures = self._signer.sign_canonical(
                self._form.fill(own), self._form.names, body, at=delivery.dated_at
            )
        return [signatures, self._head_piece, *own, self._tail_piece, *body]

    def render(self, delivery: Delivery, fields: Mapping[str, str]) -> bytes:
        """Return the whole message: what ``compose`` returns, joined.

        Raises:
            InvalidInput: the address or a value cannot be sent; concerns this reader alone.
        """
        return b"".join(self.compose(delivery, fields))

    def _own_fields(self, delivery: Delivery, fields: Mapping[str, str]) -> list[bytes]:
        """Return the fields ``OWN`` names, in that order."""
        unsubscribe = _one_click_url(fields.get("unsubscribe_url", ""))
        dated_at, date = self._date
        if dated_at != delivery.dated_at:
            date = structured("Date", format_datetime(delivery.dated_at))
            self._date = (delivery.dated_at, date)
        line = f"List-Unsubscribe: <{unsubscribe}>"
        return [
            _to_field(delivery, is_plain=self._is_plain(delivery.address)),
            date,
            f"Message-ID: {self.message_id(delivery)}\r\n".encode(),
            f"{line}\r\n".encode()
            if len(line) <= LIMIT
            else structured("List-Unsubscribe", f"<{unsubscribe}>"),
        ]


_FOLDED_ABOVE = 78
_ATOMS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_ADDRESS = re.compile(rf"{_ATOMS}(?:\.{_ATOMS})*@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_PLAIN_NAME = re.compile(rf"(?!.*=\?){_ATOMS}(?: {_ATOMS})*")


def _to_field(delivery: Delivery, *, is_plain: bool) -> bytes:
    name, address = delivery.name, delivery.address
    if is_plain and (not name or _PLAIN_NAME.fullmatch(name)):
        line = f"To: {name} <{address}>" if name else f"To: <{address}>"
        if len(line) <= _FOLDED_ABOVE:
            return f"{line}\r\n".encode()
    to = mailbox(" ".join(name.split()), address)
    return structured("To", to, allow_utf8=needs_smtputf8(address))


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
        return CompiledEdition(edition, head, signer, frozenset())
    except InvalidInput as error:
        raise RenderFailed(
            Fault(fault.problem, where=where, remedy="mend it and approve the issue again")
            for fault in error.faults
        ) from None


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


_PLAIN_URL = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]+)?/[A-Za-z0-9/._~%?&=+-]*")


def _one_click_url(url: str) -> str:
    if _PLAIN_URL.fullmatch(url):
        return url
    parts = urlsplit(url)
    is_loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback)):
        raise InvalidInput(f"the unsubscribe address {url!r} is not https")
    if not url.isascii() or re.search(r"[\s<>,\"]", url):
        raise InvalidInput(f"the unsubscribe address {url!r} cannot stand in a header")
    return url


def _derived(purpose: str, token: str) -> str:
    return hashlib.sha256(f"{purpose}:{token}".encode()).hexdigest()[:40]
