"""Text files as office programs save them: which encoding, and the lines, a piece at a time.

A file is looked at once from end to end, in pieces, and then read as lines: memory does not grow
with it. UTF-8 with or without a mark, UTF-16 and UTF-32 either way round, UTF-16 without its mark,
Windows-1252 (flagged). Bytes that are not UTF-8 in a file that otherwise is come back as lone
surrogates, for the rows that hold them to be refused alone.

Lines end at CR, LF and CRLF only. A line of more than a mebibyte is cut and marked as such.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

LONGEST_LINE = 1 << 20
"""Characters; the longest row that anything here can use is far shorter."""

CUT = "\udfff"
"""Ends a line that was cut; no decoder makes this character."""

_PIECE = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""UTF-32's little-endian mark starts with UTF-16's, so it is asked first."""

_REAL_UTF8 = re.compile("[^\x00-\x7f\udc80-\udcff]")
_NOT_IN_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is to be read; ``note`` says what a person should look at, "" when nothing.

    ``lines`` is how many lines it has, near enough for a progress bar.
    """

    name: str
    errors: str = "strict"
    note: str = ""
    lines: int = 0


def find_encoding(file: BinaryIO) -> Encoding:
    """Look through a file and say how to read it; its position is at the start afterwards."""
    head = file.read(4096)
    file.seek(0)
    for mark, name in _MARKS:
        if head.startswith(mark):
            lines, wrong_at = _try(file, name)
            if wrong_at is None:
                return Encoding(name, lines=lines)
            # The replacement character is named in the note, so that it can be searched for.
            note = f"is damaged {name.upper()} at byte {wrong_at}; � stands there"
            return Encoding(name, "replace", note, lines)
    if len(head) >= 4 and head.count(0) > len(head) // 4:
        # Text in UTF-16 without its mark: every other byte of plain letters is zero.
        name = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        lines, wrong_at = _try(file, name)
        if wrong_at is None:
            return Encoding(name, lines=lines)
    lines, wrong_at = _try(file, "utf-8")
    if wrong_at is None:
        return Encoding("utf-8", lines=lines)
    return _mixed(file, wrong_at)


def text_lines(file: BinaryIO, encoding: Encoding) -> Iterator[str]:
    """Give a file's lines with their ends, from its start."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding.name, encoding.errors, newline="")
    try:
        is_first = True
        while line := text.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
                piece = line
                while piece and piece[-1] not in "\r\n":
                    piece = text.readline(LONGEST_LINE)
                line += CUT
            if is_first:
                line, is_first = line.removeprefix("\ufeff"), False
            yield line
    finally:
        # The file is the caller's to close, and may be closed already.
        with suppress(ValueError):
            text.detach()


def _try(file: BinaryIO, name: str) -> tuple[int, int | None]:
    """Decode a file, in vain; return its lines and the byte at which it failed, None for never."""
    decoder = codecs.getincrementaldecoder(name)()
    file.seek(0)
    lines = done = 0
    while piece := file.read(_PIECE):
        try:
            lines += decoder.decode(piece).count("\n")
        except UnicodeDecodeError as error:
            pending = len(error.object) - len(piece)
            file.seek(0)
            return lines, max(0, done - pending + error.start)
        done += len(piece)
    file.seek(0)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return lines, done - len(error.object) + error.start
    return lines, None


def _mixed(file: BinaryIO, wrong_at: int) -> Encoding:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    has_utf8 = has_others = False
    lines = line = done = 0
    while piece := file.read(_PIECE):
        if done <= wrong_at < done + len(piece):
            line = lines + piece.count(b"\n", 0, wrong_at - done) + 1
        lines += piece.count(b"\n")
        done += len(piece)
        has_utf8 = has_utf8 or bool(_REAL_UTF8.search(decoder.decode(piece)))
        has_others = has_others or bool(_NOT_IN_1252.search(piece))
    line = line or lines + 1
    file.seek(0)
    if has_utf8:
        note = f"mixes encodings, first at line {line}; save it as UTF-8"
        return Encoding("utf-8", "surrogateescape", note, lines)
    name = "latin-1" if has_others else "windows-1252"
    note = f"is not UTF-8 (first at line {line}) and was read as {name}; check its accents"
    return Encoding(name, note=note, lines=lines)
