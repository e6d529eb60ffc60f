"""The inbox's folder: one ``.eml`` with the raw bytes and one ``.json`` with the envelope each.

A message is there when its ``.eml`` is there under its final name. Both files are written and
synchronised under temporary names first, then renamed (envelope first), then the folder is
synchronised: what the server answered 250 to survives a power cut, and a crash leaves no half
message, only a temporary file that nobody reads.

Names sort by arrival. Failures: ``OSError`` from the disk reaches the server, which answers 451.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

from mailer.clock import Clock
from mailer.errors import NotFound

NAME = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9]+-[0-9]+")
"""A message's id: arrival, process and a running number."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A received message's envelope and the headers a list shows.

    ``list_id`` is the identifier between List-Id's brackets, ``list_name`` its phrase.
    """

    id: str
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    size_bytes: int
    subject: str
    to: str
    list_id: str
    list_name: str
    message_id: str


class Store:
    """The folder; safe for one writing process with several threads, and any readers."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._numbers = itertools.count()
        self._known: dict[str, StoredMessage] = {}
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, sender: str, recipients: Sequence[str], content: bytes) -> str:
        """Keep a message durably; return its id."""
        now = self._clock.now()
        with self._lock:
            number = next(self._numbers)
        name = f"{now:%Y%m%dT%H%M%S%f}-{os.getpid()}-{number}"
        envelope = {
            "received_at": now.isoformat(),
            "mail_from": sender,
            "rcpt_to": list(recipients),
            "size_bytes": len(content),
        }
        eml, envelope_file = self.folder / f"{name}.eml", self.folder / f"{name}.json"
        data = json.dumps(envelope, ensure_ascii=False, indent=1).encode("utf-8", "surrogateescape")
        _write(envelope_file.with_suffix(".json.part"), data)
        _write(eml.with_suffix(".eml.part"), content)
        envelope_file.with_suffix(".json.part").replace(envelope_file)
        eml.with_suffix(".eml.part").replace(eml)
        _sync_folder(self.folder)
        return name

    def ids(self) -> list[str]:
        """Return every message's id, in order of arrival."""
        with os.scandir(self.folder) as entries:
            names = [entry.name[:-4] for entry in entries if entry.name.endswith(".eml")]
        return sorted((name for name in names if NAME.fullmatch(name)), key=_order)

    def messages(self) -> list[StoredMessage]:
        """Return every message, in order of arrival."""
        return [self.message(name) for name in self.ids()]

    def message(self, name: str) -> StoredMessage:
        """Return one message.

        Raises:
            NotFound: there is none of that id.
        """
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._read(name)
        return known

    def content(self, name: str) -> bytes:
        """Return a message's bytes as they arrived.

        Raises:
            NotFound: there is none of that id.
        """
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"no message {name} in the inbox") from None

    def remove(self, name: str) -> None:
        """Remove one message, if it is there."""
        path = self._path(name)
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)
        self._known.pop(name, None)

    def clear(self) -> int:
        """Remove every message; return how many there were."""
        names = self.ids()
        for name in names:
            self.remove(name)
        return len(names)

    def _path(self, name: str) -> Path:
        # The id comes from a web address: only the form we write ourselves reaches the disk.
        if not NAME.fullmatch(name):
            raise NotFound(f"no message {name} in the inbox")
        return self.folder / f"{name}.eml"

    def _read(self, name: str) -> StoredMessage:
        path = self._path(name)
        try:
            envelope = json.loads(path.with_suffix(".json").read_bytes())
            with path.open("rb") as handle:
                headers = BytesHeaderParser(policy=policy.default).parse(handle)
        except FileNotFoundError:
            raise NotFound(f"no message {name} in the inbox") from None
        phrase, _, identifier = read_header(headers, "List-Id").rpartition("<")
        return StoredMessage(
            id=name,
            received_at=datetime.fromisoformat(envelope["received_at"]),
            sender=envelope["mail_from"],
            recipients=tuple(envelope["rcpt_to"]),
            size_bytes=envelope["size_bytes"],
            subject=read_header(headers, "Subject"),
            to=read_names(headers, "To"),
            list_id=identifier.strip("> "),
            list_name=phrase.strip().strip('"'),
            message_id=read_header(headers, "Message-ID"),
        )


def read_header(headers: Message, name: str) -> str:
    """Return a header as text, "" when absent; what the parser cannot read is said so."""
    try:
        return str(headers.get(name, ""))
    except (ValueError, LookupError, AttributeError):
        # The modern parser stumbles over some malformed headers; the inbox takes any mail.
        return f"(unreadable {name})"


def read_names(headers: Message, name: str) -> str:
    """Return a header of addresses as text, "" when absent.

    The modern parser leaves a space between two encoded words of one name, which RFC 2047
    section 6.2 has a reader ignore; the old one joins them.
    """
    written = next((text for key, text in headers.raw_items() if key.lower() == name.lower()), "")
    if "=?" not in written:
        return read_header(headers, name)
    try:
        return str(make_header(decode_header("".join(written.splitlines()))))
    except (ValueError, LookupError, HeaderParseError):
        return read_header(headers, name)


def _order(name: str) -> tuple[str, int]:
    stamp, _, rest = name.partition("-")
    return stamp, int(rest.rpartition("-")[2])


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
