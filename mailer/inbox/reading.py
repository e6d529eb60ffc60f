"""Reading the inbox back: is every expected message there, once, and intact?

The check parses with the standard library's parser, which wrote none of the messages, and looks
at what a reader would see: both parts decode, hold the reader's own values, and the headers
that let a reader leave are whole. It reports; it never raises for a bad message.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from mailer.inbox.store import Store

_KEEP_LINES = policy.default.clone(max_line_length=None)


@dataclass(frozen=True, slots=True)
class Expected:
    """A delivery the inbox should hold.

    ``text_values`` and ``html_values`` are the reader's values that each part must show;
    ``sha256`` is the hex digest of the exact bytes, "" when they are not known.
    """

    address: str
    message_id: str
    subject: str = ""
    list_id: str = ""
    unsubscribe_url: str = ""
    text_values: tuple[str, ...] = ()
    html_values: tuple[str, ...] = ()
    sha256: str = ""


@dataclass(slots=True)
class ReadBack:
    """What reading back found: messages intact, and a sentence for each thing wrong."""

    intact: int = 0
    problems: list[str] = field(default_factory=list)
    repeats: int = 0

    @property
    def is_intact(self) -> bool:
        """True when everything expected is there, once, and whole."""
        return not self.problems


def read_back(
    store: Store,
    expected: Iterable[Expected],
    *,
    may_repeat: bool = False,
    may_hold_others: bool = False,
) -> ReadBack:
    """Compare the inbox with what should be in it.

    Args:
        store: the inbox.
        expected: one per accepted delivery.
        may_repeat: byte-identical repeats are counted, not reported (after a crash).
        may_hold_others: other messages in the inbox are nobody's business.
    """
    found: dict[tuple[str, str], list[str]] = {}
    result = ReadBack()
    for name in store.ids():
        stored = store.message(name)
        for recipient in stored.recipients:
            found.setdefault((recipient, stored.message_id), []).append(name)
    for item in expected:
        copies = [store.content(name) for name in found.pop((item.address, item.message_id), [])]
        if not copies:
            result.problems.append(f"{item.address}: no message {item.message_id}")
            continue
        if len(set(copies)) > 1:
            result.problems.append(f"{item.address}: {len(copies)} messages that differ")
        elif len(copies) > 1:
            result.repeats += len(copies) - 1
            if not may_repeat:
                result.problems.append(f"{item.address}: the same message {len(copies)} times")
        faults = check(copies[0], item)
        result.problems.extend(f"{item.address}: {fault}" for fault in faults)
        result.intact += not faults
    if not may_hold_others:
        result.problems.extend(
            f"{address}: message {message_id} was not expected" for address, message_id in found
        )
    return result


def parse(content: bytes) -> EmailMessage:
    """Return a message read by the standard library's modern parser."""
    message = message_from_bytes(content, policy=_KEEP_LINES)
    if not isinstance(message, EmailMessage):
        raise TypeError("the modern policy makes EmailMessage")
    return message


def check(content: bytes, item: Expected) -> list[str]:
    """Return what is wrong with one message; empty when it is intact."""
    message = parse(content)
    faults = [
        f"{type(defect).__name__} in {part.get_content_type()}"
        for part in message.walk()
        for defect in part.defects
    ]
    faults += [
        f"header {name} has {type(defect).__name__}"
        for name, value in message.items()
        for defect in getattr(value, "defects", ())
    ]
    if item.sha256 and hashlib.sha256(content).hexdigest() != item.sha256:
        faults.append("the bytes are not those that were sent")
    to = message["To"]
    addresses = [one.addr_spec for one in to.addresses] if to is not None else []
    if addresses != [item.address]:
        faults.append(f"To is {addresses}")
    for name, wanted in (("Subject", item.subject), ("Message-ID", item.message_id)):
        values = message.get_all(name, [])
        if len(values) != 1 or (wanted and str(values[0]) != wanted):
            faults.append(f"{name} is {[str(value) for value in values]}")
    if item.list_id and not str(message.get("List-Id", "")).endswith(f"<{item.list_id}>"):
        faults.append(f"List-Id is {message.get('List-Id')}")
    return faults + _unsubscribe_faults(message, item) + _part_faults(message, item)


def _unsubscribe_faults(message: EmailMessage, item: Expected) -> list[str]:
    faults = []
    values = [str(value) for value in message.get_all("List-Unsubscribe", [])]
    uris = [part.strip(" <>") for part in ",".join(values).split(",")]
    web = [uri for uri in uris if uri.startswith(("https://", "http://"))]
    if len(values) != 1 or len(web) != 1:
        faults.append(f"List-Unsubscribe is {values}")
    elif item.unsubscribe_url and web[0] != item.unsubscribe_url:
        faults.append(f"List-Unsubscribe leads to {web[0]}")
    if str(message.get("List-Unsubscribe-Post", "")) != "List-Unsubscribe=One-Click":
        faults.append("List-Unsubscribe-Post is not one-click")
    return faults


def _part_faults(message: EmailMessage, item: Expected) -> list[str]:
    kinds = [part.get_content_type() for part in message.iter_parts()]
    if message.get_content_type() != "multipart/alternative" or kinds != [
        "text/plain",
        "text/html",
    ]:
        return [f"is {message.get_content_type()} of {kinds}"]
    faults = []
    parts: Sequence[tuple[str, tuple[str, ...]]] = (
        ("plain", item.text_values),
        ("html", item.html_values),
    )
    for kind, values in parts:
        part = message.get_body((kind,))
        content = part.get_content() if isinstance(part, EmailMessage) else ""
        if "\ufffd" in content or not content.strip():
            faults.append(f"the {kind} part does not decode")
            continue
        seen = html.unescape(content) if kind == "html" else content
        faults += [
            f"the {kind} part lacks {value!r}"
            for value in values
            if " ".join(value.split()) not in seen and value not in seen
        ]
    return faults
