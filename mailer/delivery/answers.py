"""Bytes from an SMTP server, cut into replies. No I/O.

A reply is one or more lines of the same three-digit code, all but the last with a hyphen after
it (RFC 5321 section 4.2.1). What breaks that rule makes no sense and ends the reading: with
pipelining a guess at where a reply ends would match every later one to the wrong message.

Bounds: a reply of more than ``LONGEST`` octets makes no sense either, so a server that never
stops talking costs no memory. A bare line feed is taken for a line's end.
"""

from __future__ import annotations

import re

LONGEST = 64 * 1024
"""Octets in one reply; RFC 5321 section 4.5.3.1.5 has 512 in a line."""

Answer = tuple[int, bytes]
"""A reply's code, and its lines without codes joined by a line feed."""

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?\r?", re.DOTALL)


class AnswerReader:
    """Reads replies; ``fault`` says what made no sense, "" while all did."""

    def __init__(self) -> None:
        self.fault = ""
        self._rest = b""
        self._code = b""
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def has_part(self) -> bool:
        """True when there is the beginning of a reply, or anything else unread."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> list[Answer]:
        """Return the replies that are complete now, in order; those before a fault count."""
        answers: list[Answer] = []
        if self.fault:
            return answers
        lines = (self._rest + data).split(b"\n") if self._rest else data.split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            # The usual line: four octets of code and space, and nothing before it.
            if not self._lines and (code := _PLAIN.get(line[:4])):
                answers.append((code, line[4:].removesuffix(b"\r")))
                continue
            if not self._take(line, answers):
                self._rest = b""
                return answers
        if len(self._rest) + self._size > LONGEST:
            self._fail("it never ends", self._rest)
        return answers

    def _take(self, line: bytes, answers: list[Answer]) -> bool:
        found = _LINE.fullmatch(line)
        if not found:
            return self._fail("it is no reply", line)
        code, mark, text = found.groups()
        if self._lines and code != self._code:
            return self._fail("its lines have different codes", line)
        self._code = code
        self._lines.append((text or b"").removesuffix(b"\r"))
        self._size += len(line)
        if self._size > LONGEST:
            return self._fail("it never ends", line)
        if mark != b"-":
            answers.append((int(code), b"\n".join(self._lines)))
            self._lines = []
            self._size = 0
        return True

    def _fail(self, why: str, line: bytes) -> bool:
        shown = line[:60].decode("ascii", "replace")
        shown = "".join(char if char.isprintable() else "?" for char in shown)
        self.fault = f"{why}: {shown}"
        self._rest = b""
        self._lines = []
        return False


_PLAIN = {b"%d " % code: code for code in range(200, 600)}
