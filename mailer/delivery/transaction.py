"""One message's way through an SMTP session, as values: commands, answers awaited, endings.

``Outgoing`` is what is to be sent and ``Work`` who gives it and hears how it ended. A
``Transaction`` is one try of an ``Outgoing`` in one session. No I/O.

Standards: RFC 5321 section 4.1.1, RFC 1870 (SIZE), 3461 (RET, ENVID), 6152 and 6531.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mailer.delivery.capabilities import Capabilities
from mailer.delivery.delivery import Delivery, Envelope, Outcome, Reply, Verdict
from mailer.delivery.smtp import xtext


@dataclass(slots=True)
class Outgoing:
    """One message on its way.

    ``content`` has CRLF lines and is not dot-stuffed. ``is_dot_free`` promises that it ends in
    CRLF and that no line of it starts with a dot, so that stuffing would change nothing and is
    left out. ``needs_8bit`` says that it has octets above 127.
    """

    delivery: Delivery
    envelope: Envelope
    content: Sequence[bytes] | bytes
    needs_smtputf8: bool = False
    is_dot_free: bool = False
    needs_8bit: bool = False


class Work(Protocol):
    """What a connection asks and tells; all called on the event loop, none may block for long."""

    def next(self) -> Outgoing | None:
        """Return the next message for this connection; None when there is nothing now."""
        ...

    def starting(self, item: Outgoing, /) -> None:
        """Hear that the content is about to be written; what is raised stops the writing."""
        ...

    def ended(self, item: Outgoing, outcome: Outcome, /) -> None:
        """Hear how it ended; once for every item taken."""
        ...


class Transaction:
    """One try of a message in one session.

    ``outcome`` is None while undecided. ``is_written``: its content is on the way. The content
    stays in pieces, as it came: its readers share most of them, and nothing here copies them.
    """

    __slots__ = ("has_options", "is_written", "item", "outcome", "pieces", "size")

    def __init__(self, item: Outgoing) -> None:
        self.item = item
        self.pieces = (item.content,) if isinstance(item.content, bytes) else item.content
        self.size = sum(map(len, self.pieces))
        self.outcome: Outcome | None = None
        self.is_written = False
        self.has_options = False

    def obstacle(self, offered: Capabilities) -> Outcome | None:
        """Say why the server cannot take the message at all, before it is asked."""
        if self.item.needs_smtputf8 and not offered.has_smtputf8:
            # RFC 6531 section 3.2: then the message must not be sent. It is this reader's alone.
            reply = Reply(553, "5.6.7", "the relay does not offer SMTPUTF8")
            return Outcome(Verdict.REFUSE, reply, "not sent")
        envelope = self.item.envelope
        if not _is_line_safe(envelope.recipient + envelope.sender):
            # The roster and the headers refuse such addresses; this is the last door.
            return Outcome(Verdict.REFUSE, Reply(553, "5.1.3", "no address"), "not sent")
        if self.item.needs_8bit and not offered.has_8bitmime:
            note = "the message has octets above 127, the relay takes none"
            return Outcome(Verdict.DEFER, None, note, is_sender_at_fault=True)
        limit = offered.size_limit
        if limit and limit < self.size:
            note = f"the message has {self.size} bytes, the relay takes {limit}"
            return Outcome(Verdict.DEFER, None, note, is_sender_at_fault=True)
        return None

    def group(self, offered: Capabilities) -> bytes:
        """Return MAIL, RCPT and DATA together."""
        return f"{self._mail(offered)}RCPT TO:<{self.item.envelope.recipient}>\r\nDATA\r\n".encode()

    def mail(self, offered: Capabilities) -> bytes:
        """Return the MAIL command with what the server knows of."""
        return self._mail(offered).encode()

    def _mail(self, offered: Capabilities) -> str:
        envelope = self.item.envelope
        line = f"MAIL FROM:<{envelope.sender}>"
        if offered.size_limit is not None:
            line += f" SIZE={self.size}"
        if offered.has_dsn:
            line += " RET=HDRS"
            if envelope.envid:
                line += f" ENVID={xtext(envelope.envid)}"
        self.has_options = offered.has_dsn or offered.size_limit is not None
        if self.item.needs_8bit or (self.item.needs_smtputf8 and offered.has_8bitmime):
            line += " BODY=8BITMIME"
        if self.item.needs_smtputf8:
            line += " SMTPUTF8"
        return f"{line}\r\n"

    def rcpt(self) -> bytes:
        """Return the RCPT command."""
        return f"RCPT TO:<{self.item.envelope.recipient}>\r\n".encode()

    def wire(self) -> Sequence[bytes]:
        """Return the content for DATA without its final dot, every line's first dot doubled.

        Source: RFC 5321 section 4.5.2.
        """
        if self.item.is_dot_free:
            return self.pieces
        content = b"".join(self.pieces)
        if not content.endswith(b"\r\n"):
            content += b"\r\n"
        if content.startswith(b"."):
            content = b"." + content
        return (content.replace(b"\r\n.", b"\r\n.."),)


def _is_line_safe(address: str) -> bool:
    """True when the address cannot end its command, or the line."""
    return address.isprintable() and "<" not in address and ">" not in address
