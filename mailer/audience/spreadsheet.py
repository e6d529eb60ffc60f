"""Tables as spreadsheets write them: lines in, rows with line numbers out, and back.

Reads what office programs really produce: comma, semicolon or tab, a ``sep=`` line, quoted line
breaks, numbers kept as text by ``="0123"``. A row's line is the physical line it starts at. A row
that cannot be read is given with its fault and reading goes on at the next physical line: one
stray quotation mark never swallows the rows after it. No more of the file is held than one row.

Writing guards against formula injection (OWASP "CSV Injection"): a value that starts with
``= + - @`` or a tab or line break gets a leading single quote, which reading takes off again, so
that a table survives the round trip. A value that already looks guarded is guarded once more.

Known limits: a quoted value may span 50 lines and hold 131,072 characters (the csv module's own
bound); a line may have a mebibyte.

Standard: RFC 4180, read leniently about line ends and strictly about quotation marks.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TextIO

LONGEST_ROW_LINES = 50
"""A value with more lines than this is a quotation mark nobody closed."""

DELIMITERS = (",", ";", "\t")

_RISKY = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
_FAULTY = re.compile("[\x00\udfff]|[\udc80-\udcff]")
_QUOTED_NUMBER = re.compile(r'\A="([^"]*)"\Z')
_LONGEST_RAW = 200


class Row(NamedTuple):
    """One row: its cells, or the problem that kept it from being read.

    ``raw`` is the text as it stands in the file.
    """

    line: int
    raw: str
    cells: tuple[str, ...] = ()
    problem: str = ""
    remedy: str = ""


def guess_delimiter(line: str, is_wanted: Callable[[str], bool]) -> str:
    """Return the delimiter with which a header line holds a wanted column, else the commonest."""

    def rank(delimiter: str) -> tuple[bool, int]:
        try:
            cells = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            cells = []
        return any(map(is_wanted, cells)), len(cells)

    return max(DELIMITERS, key=rank)


def lines_of(text: str) -> Iterator[str]:
    """Split at CR, LF and CRLF only, keeping the ends; an exotic separator stays in its cell."""
    return iter(io.StringIO(text, newline=""))


def read_rows(lines: Iterable[str], *, delimiter: str, first_line: int = 1) -> Iterator[Row]:
    """Read rows from physical lines, of which the first is number ``first_line``.

    Blank lines are passed over. Every other line belongs to exactly one row given.
    """
    feed = _Feed(iter(lines))
    at = first_line
    while not feed.is_empty():
        feed.begin()
        reader = csv.reader(feed, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                taken = feed.row
                raw = taken[0] if len(taken) == 1 else "".join(taken)
                if not raw.isspace():
                    yield _row(at, raw, cells)
                at += len(taken)
                feed.begin()
        except csv.Error as error:
            yield Row(
                line=at,
                raw=feed.row[0].rstrip("\r\n"),
                problem=_problem(str(error), has_ended=feed.has_stopped),
                remedy='write a quotation mark inside a quoted value twice: ""',
            )
            at += 1
            feed.put_back_all_but_the_first()


def shown(raw: str) -> str:
    """Return a row's text fit to print and to store: at most 200 characters, on any database.

    Undecodable bytes are written as ``\\xe9`` and NUL as ``\\x00``.
    """
    if len(raw) > _LONGEST_RAW:
        raw = raw[: _LONGEST_RAW - 1] + "…"
    if raw.isascii() and "\x00" not in raw:
        return raw
    text = raw.replace("\x00", "\\x00").replace("\udfff", "…")
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


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
    """Hands physical lines to a csv reader and keeps those of the row at hand."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.row: list[str] = []
        self.has_stopped = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if len(self.row) >= LONGEST_ROW_LINES:
            self.has_stopped = True
            raise StopIteration
        try:
            line = self._again.popleft() if self._again else next(self._lines)
        except StopIteration:
            self.has_stopped = True
            raise
        self.row.append(line)
        return line

    def begin(self) -> None:
        self.row = []

    def is_empty(self) -> bool:
        if not self._again:
            line = next(self._lines, None)
            if line is None:
                return True
            self._again.append(line)
        self.has_stopped = False
        return False

    def put_back_all_but_the_first(self) -> None:
        self._again.extendleft(reversed(self.row[1:]))


def _row(line: int, raw: str, cells: list[str]) -> Row:
    raw = raw.rstrip("\r\n")
    if raw.isascii():
        if "\x00" in raw:
            return Row(line, raw, problem="has a NUL byte", remedy="save the table anew as UTF-8")
    elif fault := _FAULTY.search(raw):
        match fault.group():
            case "\x00":
                return Row(
                    line, raw, problem="has a NUL byte", remedy="save the table anew as UTF-8"
                )
            case "\udfff":
                return Row(
                    line,
                    raw[: _LONGEST_RAW * 2],
                    problem="has a line too long for any row",
                    remedy="look for a quotation mark or a line end that is missing",
                )
            case _:
                return Row(line, raw, problem="is not UTF-8", remedy="save the whole file as UTF-8")
    if "'" in raw or '="' in raw:
        cells = [_QUOTED_NUMBER.sub(r"\1", unguard(cell)) for cell in cells]
    return Row(line, raw, tuple(cells))


def _problem(reason: str, *, has_ended: bool) -> str:
    if "field larger" in reason:
        return "has a value too long for any column, or a quotation mark that is never closed"
    if has_ended or "unexpected end" in reason:
        return "opens a quotation mark that is never closed"
    return "has text after a closing quotation mark"
