"""The journal: what was written to the wire and answered since the ledger was last settled.

The ledger is settled in groups, because a durable commit for each message would cost more than
the message. What happened in between is told by two short lines a message, each handed to the
kernel before the sender goes on:

- *begun*, before a message's content is written: from here on the relay may have it;
- *ended*, once its reply is read or its connection is lost. It is written with the next *begun*, or
  when ``flush`` is called: the sender does so before it looks at the network again.

A line the kernel has survives the process, so after SIGKILL the next sender knows of every claim
whether it was never begun (it goes back), ended (it is settled as it ended) or begun and not ended
(it is in doubt; at most one a connection). Nothing here waits for the disk: after a power cut the
last lines may be missing or torn, and what is repeated then is at most the group that was not
settled. A line that is torn or damaged is passed over and counted.

Invariants: a file has one writer, the holder of the sender's lock. Its first line carries an id
that the database knows too, so that claims are never judged by somebody else's journal. A file is
begun anew, with what is not settled yet, when it has grown past ``LONGEST_BYTES``.

Failures: a line that cannot be written raises ``StorageFailed``, before the content is written.
"""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mailer.delivery.delivery import Outcome, Reply, Verdict
from mailer.errors import Fault, StorageFailed

LONGEST_BYTES = 4 << 20
"""Some 60,000 messages; reading it back takes a second."""

_HEAD = b"mailer-journal 1 "
_BREAKS = re.compile(r"[\t\r\n\x00]")
_FLAGS = {(True, False): "-", (False, False): "c", (True, True): "s", (False, True): "cs"}
_NEVER = "-"


@dataclass(slots=True)
class Ending:
    """How one attempt of a delivery ended; ``due_at`` is when to try again, None for never."""

    delivery_id: int
    number: int
    outcome: Outcome
    ended_at: datetime
    due_at: datetime | None = None


@dataclass(slots=True)
class Account:
    """What a journal tells: attempts begun and not ended (number by delivery), and the ended.

    ``damaged`` counts lines that could not be read.
    """

    id: str = ""
    begun: dict[int, int] = field(default_factory=dict)
    ended: dict[tuple[int, int], Ending] = field(default_factory=dict)
    damaged: int = 0


class Journal:
    """A journal being written.

    Raises:
        StorageFailed: the file cannot be made.
    """

    def __init__(self, path: Path, journal_id: str) -> None:
        self.path = path
        self.id = journal_id
        self._live: dict[tuple[int, int], bytes] = {}
        self._held: list[bytes] = []
        self._descriptor = -1
        self._size = 0
        self._is_torn = False
        self._begin_anew()

    def begun(self, delivery_id: int, number: int) -> None:
        """Say that a message's content is about to be written, and what is held.

        Raises:
            StorageFailed: it could not be said; the content must not be written.
        """
        line = _sealed(b"B %d %d" % (delivery_id, number))
        self._append(b"".join([*self._held, line]))
        self._held.clear()
        self._live[delivery_id, number] = line

    def ended(self, ending: Ending) -> None:
        """Hold how an attempt ended, for ``flush`` or the next ``begun``."""
        line = _sealed(_ending_line(ending))
        self._held.append(line)
        self._live[ending.delivery_id, ending.number] = line

    def flush(self) -> None:
        """Hand what is held to the kernel, in one write.

        Raises:
            StorageFailed: it could not be.
        """
        if self._held:
            # Kept until the kernel has it: a disk that is full now may not be when we close.
            self._append(b"".join(self._held))
            self._held.clear()

    def settled(self, endings: Iterable[Ending]) -> None:
        """Forget attempts that the ledger has; begin a new file when this one has grown long."""
        for ending in endings:
            self._live.pop((ending.delivery_id, ending.number), None)
        if self._size > LONGEST_BYTES:
            self._begin_anew()

    def close(self, *, is_settled: bool) -> None:
        """Close the file, and write what is held; remove it when the ledger has all of it."""
        if self._descriptor >= 0:
            with contextlib.suppress(StorageFailed):
                # Whoever held something was told before why the disk does not take it.
                self.flush()
            os.close(self._descriptor)
            self._descriptor = -1
        if is_settled:
            self.path.unlink(missing_ok=True)

    def _append(self, lines: bytes) -> None:
        if self._is_torn:
            lines = b"\n" + lines
        try:
            written = os.write(self._descriptor, lines)
        except OSError as error:
            raise _failed(self.path, error) from error
        self._size += written
        # A full disk takes half a line; the next one must begin on a line of its own.
        self._is_torn = written != len(lines)
        if self._is_torn:
            raise StorageFailed(
                Fault("the disk is full", where=str(self.path), remedy="free some and send again")
            )

    def _begin_anew(self) -> None:
        draft = self.path.with_name(f"{self.path.name}.part")
        data = b"".join([_HEAD, self.id.encode(), b"\n", *self._live.values()])
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
                # Its name must never stand for less than the file it takes the place of.
                os.fsync(descriptor)
                draft.replace(self.path)
            except OSError:
                os.close(descriptor)
                raise
        except OSError as error:
            raise _failed(self.path, error) from error
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._held.clear()
        self._size = len(data)


def read_journal(path: Path) -> Account | None:
    """Read what a sender left, or None where it left nothing.

    Raises:
        StorageFailed: there is a file and it cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed(path, error) from error
    if not lines[0].startswith(_HEAD):
        return Account(damaged=1)
    account = Account(id=lines[0].removeprefix(_HEAD).decode("ascii", "replace").strip())
    for line in lines[1:]:
        if line and not _take(account, line):
            account.damaged += 1
    return account


def _take(account: Account, line: bytes) -> bool:
    seal, _, body = line.partition(b" ")
    if seal != b"%08x" % zlib.crc32(body):
        return False
    words = body.decode("utf-8", "replace").split("\t")
    kind, delivery_id, number = words[0].split(" ")[:3]
    key = (int(delivery_id), int(number))
    if kind == "B":
        account.begun[key[0]] = key[1]
        return True
    ending = _read_ending(key, words)
    account.ended[key] = ending
    if account.begun.get(key[0]) == key[1]:
        del account.begun[key[0]]
    return True


def _sealed(body: bytes) -> bytes:
    return b"%08x %b\n" % (zlib.crc32(body), body)


def _ending_line(ending: Ending) -> bytes:
    outcome, reply = ending.outcome, ending.outcome.reply
    at = int(ending.ended_at.timestamp() * 1000)
    due = str(int(ending.due_at.timestamp() * 1000)) if ending.due_at else _NEVER
    said = f"{reply.code}\t{reply.enhanced}\t{_line(reply.text)}" if reply else "0\t\t"
    flags = _FLAGS[outcome.is_connection_usable, outcome.is_sender_at_fault]
    return (
        f"E {ending.delivery_id} {ending.number}\t{outcome.verdict}\t{at}\t{due}\t{flags}"
        f"\t{said}\t{_line(outcome.note)}"
    ).encode("utf-8", "replace")


def _read_ending(key: tuple[int, int], words: list[str]) -> Ending:
    _, verdict, at, due, flags, code, enhanced, text, note = words
    reply = Reply(int(code), enhanced, text) if int(code) else None
    outcome = Outcome(Verdict(verdict), reply, note, "c" not in flags, "s" in flags)
    return Ending(*key, outcome, _instant(at), None if due == _NEVER else _instant(due))


def _line(text: str) -> str:
    return _BREAKS.sub(" ", text) if not text.isprintable() else text


def _instant(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _failed(path: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        Fault(
            f"the journal cannot be written: {error.strerror or error}",
            where=str(path),
            remedy="free some disk space or mend the folder's permissions, then send again",
        )
    )
