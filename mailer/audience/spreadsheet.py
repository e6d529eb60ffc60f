"""Tables as spreadsheets write them: bytes in, rows with line numbers out, and back.

Reads what office programs really produce: UTF-8 with or without a byte order mark, UTF-16 either
way round, Windows-1252 (flagged), comma, semicolon or tab, a ``sep=`` line, quoted line breaks.
A row's line is the physical line it starts at. A row that cannot be read is given with its
fault and reading goes on at the next physical line: one stray quotation mark never swallows
the rows after it.

Writing guards against formula injection (OWASP "CSV Injection"): a value that starts with
``= + - @`` or a tab or line break gets a leading single quote, which reading takes off again, so
that a table survives the round trip. A value that already looks guarded is guarded once more.

Known limits: a quoted value may span 50 lines and hold 131,072 characters (the csv module's own
bound); the whole file is held in memory.

Standard: RFC 4180, read leniently about line ends and strictly about quotation marks.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

LONGEST_ROW_LINES = 50
"""A value with more lines than this is a quotation mark nobody closed."""

DELIMITERS = (",", ";", "\t")

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""UTF-32's little-endian mark starts with UTF-16's, so it is asked first."""

_RISKY = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")


@dataclass(frozen=True, slots=True)
class Text:
    """A decoded file; ``note`` says what a person should look at, "" when nothing."""

    text: str
    encoding: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells, or the problem that kept it from being read.

    ``raw`` is the text as it stands in the file.
    """

    line: int
    raw: str
    cells: tuple[str, ...] = ()
    problem: str = ""
    remedy: str = ""


def decode(data: bytes) -> Text:
    """Return the text of a file, whatever an office program saved it as.

    Bytes that are not UTF-8 in a file that otherwise is come back as lone surrogates, and the
    rows that hold them are given as unreadable.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return Text(data.decode(encoding), encoding)
            except UnicodeDecodeError as error:
                text = data.decode(encoding, errors="replace")
                note = f"is damaged {encoding.upper()} at byte {error.start}; � stands there"
                return Text(text, encoding, note)
    sample = data[:4096]
    if len(sample) >= 4 and sample.count(0) > len(sample) // 4:
        # Text in UTF-16 without its mark: every other byte of plain letters is zero.
        encoding = "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
        try:
            return Text(data.decode(encoding), encoding)
        except UnicodeDecodeError:
            pass
    try:
        return Text(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        first = error.start
    text = data.decode("utf-8", errors="surrogateescape")
    line = data.count(b"\n", 0, first) + 1
    if any(ch > "\x7f" and not "\udc80" <= ch <= "\udcff" for ch in text):
        return Text(text, "utf-8", f"mixes encodings, first at line {line}; save it as UTF-8")
    try:
        text, encoding = data.decode("windows-1252"), "windows-1252"
    except UnicodeDecodeError:
        text, encoding = data.decode("latin-1"), "latin-1"
    note = f"is not UTF-8 (first at line {line}) and was read as {encoding}; check its accents"
    return Text(text, encoding, note)


def guess_delimiter(line: str, wanted: Iterable[str]) -> str:
    """Return the delimiter with which a header line holds a wanted column, else the commonest."""
    names = set(wanted)

    def rank(delimiter: str) -> tuple[bool, int]:
        try:
            cells = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            cells = []
        return any(cell.strip(" \t\ufeff").casefold() in names for cell in cells), len(cells)

    return max(DELIMITERS, key=rank)


def lines_of(text: str) -> list[str]:
    """Split at CR, LF and CRLF only, keeping the ends; an exotic separator stays in its cell."""
    return list(io.StringIO(text, newline=""))


def read_rows(lines: Sequence[str], *, delimiter: str, start: int = 0) -> Iterator[Row]:
    """Read rows from physical lines, beginning with the one at index ``start``.

    Blank lines are passed over. Every other line belongs to exactly one row given.
    """
    at = start
    while at < len(lines):
        feed = _Feed(lines, at)
        reader = csv.reader(feed, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                raw = "".join(lines[at : feed.at])
                if raw.strip():
                    yield _row(at + 1, raw, cells)
                at = feed.next_row()
        except csv.Error as error:
            yield Row(
                line=at + 1,
                raw=lines[at].rstrip("\r\n"),
                problem=_problem(str(error), has_ended=feed.has_stopped),
                remedy='write a quotation mark inside a quoted value twice: ""',
            )
            at += 1


def guard(value: str) -> str:
    """Return a value that no spreadsheet takes for a formula."""
    return f"'{value}" if _RISKY.match(value) else value


def unguard(value: str) -> str:
    """Take off the quote that ``guard`` put before a value."""
    return value[1:] if _GUARDED.match(value) else value


def write_rows(out: TextIO, rows: Iterable[Sequence[str]]) -> int:
    """Write guarded rows as RFC 4180 and return how many."""
    writer = csv.writer(out, lineterminator="\r\n")
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        writer.writerow([guard(cell) for cell in row])
    return count


class _Feed:
    """Hands physical lines to a csv reader, knowing where each row began."""

    def __init__(self, lines: Sequence[str], at: int) -> None:
        self._lines = lines
        self._row_start = at
        self.at = at
        self.has_stopped = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        is_too_long = self.at - self._row_start >= LONGEST_ROW_LINES
        if self.at >= len(self._lines) or is_too_long:
            self.has_stopped = True
            raise StopIteration
        self.at += 1
        return self._lines[self.at - 1]

    def next_row(self) -> int:
        self._row_start = self.at
        return self.at


def _row(line: int, raw: str, cells: list[str]) -> Row:
    raw = raw.rstrip("\r\n")
    if "\x00" in raw:
        return Row(line, raw, problem="has a NUL byte", remedy="save the table anew as UTF-8")
    if any("\udc80" <= ch <= "\udcff" for ch in raw):
        return Row(line, raw, problem="is not UTF-8", remedy="save the whole file as UTF-8")
    return Row(line, raw, tuple(unguard(cell) for cell in cells))


def _problem(reason: str, *, has_ended: bool) -> str:
    if "field larger" in reason:
        return "has a value too long for any column, or a quotation mark that is never closed"
    if has_ended or "unexpected end" in reason:
        return "opens a quotation mark that is never closed"
    return "has text after a closing quotation mark"
