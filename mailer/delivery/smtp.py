"""SMTP as values: replies read and judged, content and parameters written. No I/O.

``judge`` is the one place that turns a reply into a verdict. A 4xx defers, a 5xx refuses, and two
things do neither: 421 closes the connection whatever was asked, and a reply that objects to *us*
(authentication, our envelope sender, our domain's records, relaying, the message's size) pauses
the sending, because refusing every reader in turn would lose the whole list over one setting.

Standards: RFC 5321 sections 4.2 and 4.5.2, RFC 3463 (enhanced codes), RFC 3461 section 4 (xtext),
RFC 4954 section 6 (authentication replies), RFC 7372 and the 5.7.23-32 and 5.7.40 registrations.
"""

from __future__ import annotations

import re
from enum import IntEnum

from mailer.delivery.delivery import Outcome, Reply, Verdict
from mailer.delivery.headers import wire_address


class Stage(IntEnum):
    """Where in a transaction we are; ``END`` is the reply to the content's dot."""

    MAIL = 1
    RCPT = 2
    DATA = 3
    CONTENT = 4
    END = 5


_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_AUTHENTICATION = frozenset({530, 534, 535, 538})
_AT_FAULT = frozenset({*range(23, 33), 40, 515})
"""Details of x.7.y: SPF, DKIM, DMARC, ARC, reverse DNS, and Outlook's 5.7.515."""
_RELAYING = re.compile(
    r"relay(ing)?( access)? (is )?(denied|not permitted|prohibited)", re.IGNORECASE
)


def read_reply(code: int, text: bytes) -> Reply:
    """Return a reply from its code and its lines without codes, joined by ``\\n``."""
    lines = text.decode("utf-8", "replace").splitlines()
    enhanced = ""
    words = []
    for line in lines:
        found = _ENHANCED.match(line)
        # A 250 that carries 5.1.1 is confused; the code decides and the text stays as it is.
        if found and found[1][0] != str(code)[0]:
            found = None
        if found:
            enhanced = enhanced or found[1]
        rest = line[found.end() :] if found else line
        if not rest.isprintable():
            rest = "".join(ch if ch.isprintable() else " " for ch in rest)
        words.append(rest)
    return Reply(code, enhanced, " ".join(" ".join(words).split())[:500])


def judge(stage: Stage, reply: Reply) -> Outcome:
    """Return the outcome of a transaction that ended with ``reply`` at ``stage``."""
    kind = reply.code // 100
    is_usable = reply.code != 421
    if stage is Stage.END and kind == 2:
        return Outcome(Verdict.ACCEPT, reply)
    if is_sender_at_fault(stage, reply):
        return Outcome(
            Verdict.DEFER,
            reply,
            "the relay objects to the sender",
            is_connection_usable=is_usable,
            is_sender_at_fault=True,
        )
    if not is_usable:
        return Outcome(
            Verdict.DEFER, reply, "the relay is closing the connection", is_connection_usable=False
        )
    if kind == 4:
        return Outcome(Verdict.DEFER, reply)
    if kind == 5:
        return Outcome(Verdict.REFUSE, reply)
    # After the dot the relay may have kept the message, whatever it is mumbling now.
    verdict = Verdict.DOUBT if stage is Stage.END else Verdict.DEFER
    return Outcome(verdict, reply, "the reply makes no sense", is_connection_usable=False)


def is_sender_at_fault(stage: Stage, reply: Reply) -> bool:
    """True when the reply objects to us, not to this reader."""
    if reply.code // 100 not in {4, 5}:
        return False
    if reply.code in _AUTHENTICATION:
        return True
    if stage is Stage.MAIL and reply.code // 100 == 5:
        return True
    if reply.enhanced == "5.3.4" or (stage is Stage.RCPT and _RELAYING.search(reply.text)):
        return True
    _, _, rest = reply.enhanced.partition(".")
    subject, _, detail = rest.partition(".")
    return subject == "7" and detail.isdigit() and int(detail) in _AT_FAULT


def deferred(note: str, reply: Reply | None = None) -> Outcome:
    """Return the outcome of a try that was cut off before the server can have had the message."""
    return Outcome(Verdict.DEFER, reply, note, is_connection_usable=False)


def untried(note: str, reply: Reply | None = None) -> Outcome:
    """Return the outcome of a message that only stood in line when the connection ended."""
    return Outcome(Verdict.DEFER, reply, note, is_connection_usable=False, is_untried=True)


def xtext(value: str) -> str:
    """Return RFC 3461's xtext: printable ASCII except ``+`` and ``=``, the rest as ``+HH``."""
    if value.isalnum() and value.isascii():
        return value
    return "".join(
        chr(byte) if 33 <= byte <= 126 and byte not in b"+=" else f"+{byte:02X}"
        for byte in value.encode("utf-8")
    )


def bounce_address(token: str, domain: str) -> str:
    """Return the envelope sender of a delivery: its token says who bounced.

    The token is base32 because servers fold local parts to lower case; it is the same for every
    attempt, or greylisting would never let a retry pass.
    """
    return wire_address(f"bounces+{token}@{domain}")
