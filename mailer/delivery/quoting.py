"""Text as quoted-printable that can be joined: an edition's literals once, a reader's values each.

Every piece begins at a line's start and ends in a line break, soft where the text has none. So
pieces join in any order, and no line of the whole starts with a dot when no line of a piece does.
A value that is plain (letters, figures and what is safe everywhere) takes a short way; it must
give what the long way gives.

Standards: RFC 2045 section 6.7, RFC 2049 section 3 (a dot at a line's start is written ``=2E``).
"""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Iterable, Mapping

from mailer.editions.edition import Edge, Segments, Slot
from mailer.errors import InvalidInput

SOFT_BREAK = b"=\r\n"
LINE = 76
"""Characters of an encoded line, the soft break's ``=`` included (RFC 2045 section 6.7)."""

Piece = bytes | tuple[str, bool]
"""Literal bytes, or a slot's name and whether it stands in HTML."""


class EncodedPart:
    """A part whose literals are encoded; ``pieces`` are they and the slots between them."""

    def __init__(self, segments: Segments, *, is_html: bool) -> None:
        shown = [part for part in segments if not isinstance(part, Edge)]
        self.slots = frozenset(part.name for part in shown if isinstance(part, Slot))
        pieces: list[Piece] = [
            (part.name, is_html) if isinstance(part, Slot) else encode_literal(part)
            for part in shown
        ]
        # The part must end in a hard line break: a soft one before the boundary is an error.
        last = shown[-1] if shown else ""
        if isinstance(last, Slot) or not last.endswith("\n"):
            pieces.append(b"\r\n")
        self.pieces = tuple(pieces)


def merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Join neighbouring literals."""
    merged: list[Piece] = []
    for piece in pieces:
        if merged and isinstance(piece, bytes) and isinstance(before := merged[-1], bytes):
            merged[-1] = before + piece
        else:
            merged.append(piece)
    return tuple(merged)


class Template:
    """Pieces with a gap for each slot, filled once a reader.

    A value is looked at once, however often it stands in the message.
    """

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._literals: list[bytes] = []
        gaps: dict[str, tuple[list[int], list[int]]] = {}
        for at, piece in enumerate(merged(pieces)):
            if isinstance(piece, bytes):
                self._literals.append(piece)
                continue
            self._literals.append(b"")
            name, is_html = piece
            gaps.setdefault(name, ([], []))[is_html].append(at)
        self._gaps = [(name, tuple(text), tuple(html)) for name, (text, html) in gaps.items()]

    def fill(self, fields: Mapping[str, str]) -> list[bytes]:
        """Return the pieces for one reader.

        Raises:
            InvalidInput: a field without a value, or one that cannot be encoded.
        """
        pieces = self._literals.copy()
        for name, in_text, in_html in self._gaps:
            value = fields.get(name)
            if value is None:
                raise InvalidInput(f"the reader's field {name!r} has no value")
            encoded = _plain(value)
            if encoded is not None:
                for at in in_text:
                    pieces[at] = encoded
                for at in in_html:
                    pieces[at] = encoded
                continue
            if in_text:
                encoded = encode_literal(" ".join(value.split()))
                for at in in_text:
                    pieces[at] = encoded
            if in_html:
                encoded = encode_literal(html.escape(value, quote=True))
                for at in in_html:
                    pieces[at] = encoded
        return pieces


_SAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ./_:?#,@-"
"""What is the same in text, in HTML and in quoted-printable."""
_NEVER_FIRST = frozenset(b" .")
_SPACE = 0x20


def _plain(value: str) -> bytes | None:
    """Return a plain value encoded, the short way; None when it must go the long way."""
    if not value or not value.isascii():
        return None
    data = value.encode()
    if data.translate(None, _SAFE) or b"  " in data or data[-1] == _SPACE:
        return None
    if len(data) < LINE:
        return None if data[0] in _NEVER_FIRST else data + SOFT_BREAK
    # The first character of a line must not be a dot, nor its last a space.
    lines = [data[at : at + LINE - 1] for at in range(0, len(data), LINE - 1)]
    if any(line[0] in _NEVER_FIRST or line[-1] == _SPACE for line in lines):
        return None
    return SOFT_BREAK.join([*lines, b""])


def encode_literal(text: str) -> bytes:
    """Return text as quoted-printable that can be joined to more: it ends at a line's start.

    Its line ends become CRLF; a soft break follows unless the text ends in one. No line of it
    starts with a dot.

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
    lines = encoded.split(b"\r\n")
    if max(map(len, lines)) > LINE:
        # It writes a space at a line's end as =20 without looking how long the line is by then.
        encoded = b"\r\n".join(map(_broken, lines))
    if encoded.startswith(b".") or b"\n." in encoded:
        encoded = b"\r\n".join(_without_dot(line) for line in encoded.split(b"\r\n"))
    if encoded.endswith(b"\r\n"):
        return encoded
    if len(encoded) - (encoded.rfind(b"\n") + 1) < LINE:
        return encoded + SOFT_BREAK
    at = _before_escape(encoded, len(encoded) - 1)
    return encoded[:at] + SOFT_BREAK + _without_dot(encoded[at:]) + SOFT_BREAK


def _without_dot(line: bytes) -> bytes:
    """Write a dot at a line's start as ``=2E``; break the line again if that makes it too long."""
    if not line.startswith(b"."):
        return line
    return _broken(b"=2E" + line[1:])


def _broken(line: bytes) -> bytes:
    """Break a line that is a few characters too long."""
    if len(line) <= LINE:
        return line
    at = _before_escape(line, LINE - 1)
    return line[:at] + SOFT_BREAK + _without_dot(line[at:])


def _before_escape(encoded: bytes, at: int) -> int:
    """Return ``at``, or the start of the ``=XX`` that a cut there would split."""
    for back in (1, 2):
        if encoded[at - back : at - back + 1] == b"=":
            return at - back
    return at
