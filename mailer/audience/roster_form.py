"""The form of a roster: a file in, checked rows out, one at a time.

CSV in any of its shapes, or the first sheet of an XLSX workbook; no database is touched here. A
header is needed. What makes the whole file unusable (missing, empty, no header, the column twice)
is one ``InvalidInput`` with file, line and column; what is wrong with a row stays with the row,
and no row is left unmentioned but blank ones. Memory does not grow with a CSV file.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from mailer.audience.addresses import clean_name, normalise
from mailer.audience.decoding import find_encoding, text_lines
from mailer.audience.roster_columns import ADDRESS_COLUMNS, Columns, cell
from mailer.audience.spreadsheet import DELIMITERS, Row, guess_delimiter, read_rows
from mailer.audience.stance import Stance, instant_of, is_no, is_yes, word_of
from mailer.audience.workbook import MAGIC, OLD_MAGIC, Sheet
from mailer.errors import Fault, InvalidInput
from mailer.segment import column_key

LARGEST_OCTETS = 1 << 30
"""A roster of a million readers has about 60 MB."""

_LONGEST_NOTE, _LONGEST_SAID = 500, 80
_PIECE = 1 << 20
_LONGEST_LANGUAGE = 20


class RosterRow(NamedTuple):
    """One row of a roster: what it says of a reader, or the fault that keeps it out.

    ``said`` is the file's own word for the stance, ``given_at`` when the consent was given or the
    objection made, ``fields`` the further columns as JSON, ``note`` why the reader left. ``code``
    is a word for the kind of fault: unreadable, address, name, columns or status.
    """

    line: int
    raw: str
    address: str = ""
    name: str = ""
    stance: Stance = Stance.CONFIRMED
    said: str = ""
    given_at: datetime | None = None
    language: str = ""
    fields: str = "{}"
    note: str = ""
    code: str = ""
    fault: Fault | None = None


@dataclass(slots=True)
class Roster:
    """A roster being read: ``rows`` can be gone through once, ``notes`` are whole after that.

    ``lines`` is how many lines it has, near enough for a progress bar.
    """

    where: str
    encoding: str
    delimiter: str
    exporter: str
    rows: Iterator[RosterRow]
    lines: int
    _columns: Columns
    _notes: list[str] = field(default_factory=list)
    count: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know although nothing is wrong with a row."""
        empty = [] if self.count else ["has a header and no rows"]
        return (*self._notes, *self._columns.notes(), *empty)


@contextmanager
def open_roster(source: Path | bytes, *, where: str = "") -> Iterator[Roster]:
    """Open a roster for reading.

    Args:
        source: a file, or its content.
        where: the file's name in messages; the path itself when left out.

    Raises:
        InvalidInput: the file cannot be read, is empty or has no usable header.
    """
    where = where or (str(source) if isinstance(source, Path) else "roster")
    with _content(source, where) as file:
        magic = file.read(4)
        file.seek(0)
        if magic == OLD_MAGIC:
            raise InvalidInput(
                Fault(
                    "is an old Excel file, or one under a password",
                    where=where,
                    remedy="save it as CSV UTF-8 or as .xlsx without a password",
                )
            )
        yield _of_sheet(file, where) if magic == MAGIC else _of_text(file, where)


def _of_sheet(file: BinaryIO, where: str) -> Roster:
    sheet = Sheet(file, where)
    rows = sheet.rows()
    header = next(rows, None)
    if header is None:
        raise InvalidInput(Fault("the first sheet is empty", where=where, remedy="fill it"))
    notes = []
    if sheet.others:
        notes.append(f"has {sheet.others + 1} sheets; the first, {sheet.name!r}, is read")
    return _roster(where, "xlsx", "", rows, header, sheet.height, notes)


def _of_text(file: BinaryIO, where: str) -> Roster:
    encoding = find_encoding(file)
    lines = text_lines(file, encoding)
    at, delimiter = 1, ""
    first = next(lines, None)
    while first is not None and not first.strip(" \t\r\n\x00"):
        at, first = at + 1, next(lines, None)
    if first is None:
        raise InvalidInput(
            Fault("the file is empty", where=where, line=1, remedy="begin it with: email,name")
        )
    if first.lower().startswith("sep=") and first[4:5] in DELIMITERS:
        delimiter = first[4:5]
        at, first = at + 1, next(lines, "")
    delimiter = delimiter or guess_delimiter(
        first, lambda name: column_key(name) in ADDRESS_COLUMNS
    )
    rows = read_rows(chain([first], lines), delimiter=delimiter, first_line=at)
    header = next(rows, Row(at, ""))
    notes = [encoding.note] if encoding.note else []
    return _roster(where, encoding.name, delimiter, rows, header, encoding.lines, notes)


def _roster(
    where: str,
    encoding: str,
    delimiter: str,
    table: Iterator[Row],
    header: Row,
    lines: int,
    notes: list[str],
) -> Roster:
    columns = Columns(header, where)
    roster = Roster(
        where, encoding, delimiter, columns.exporter.name, iter(()), lines, columns, notes
    )

    def rows() -> Iterator[RosterRow]:
        for row in table:
            if row.problem or any(map(str.strip, row.cells)):
                roster.count += 1
                yield _checked(row, columns)

    roster.rows = rows()
    return roster


def _checked(row: Row, columns: Columns) -> RosterRow:
    cells = row.cells
    if row.problem:
        fault = Fault(row.problem, line=row.line, remedy=row.remedy)
        return RosterRow(row.line, row.raw, code="unreadable", fault=fault)
    if len(cells) > columns.width and any(map(str.strip, cells[columns.width :])):
        fault = Fault(
            f"has {len(cells)} columns where the header has {columns.width}",
            line=row.line,
            remedy="put a value that holds the delimiter in quotation marks",
        )
        return RosterRow(row.line, row.raw, code="columns", fault=fault)
    written = cell(cells, columns.address)
    if not written:
        fault = Fault("has no address", remedy="fill it in or remove the row")
        return RosterRow(row.line, row.raw, code="address", fault=fault)
    code = "address"
    try:
        address = normalise(written)
        code = "name"
        name = clean_name(columns.name_of(cells))
    except InvalidInput as error:
        return RosterRow(row.line, row.raw, code=code, fault=error.faults[0])
    stance, said, at = _stance(cells, columns)
    if stance is None:
        fault = Fault(
            f"the roster says {said!r}, which is no status known here",
            field="status",
            remedy="write subscribed, pending, unsubscribed, bounced or complained",
        )
        return RosterRow(row.line, row.raw, address, name, code="status", fault=fault)
    language = cell(cells, columns.language).replace("_", "-")
    if len(language) > _LONGEST_LANGUAGE or not language.replace("-", "").isalnum():
        language = ""
    note = ""
    if stance > Stance.CONFIRMED:
        note = next(filter(None, (cell(cells, place) for place in columns.reasons)), "")
    return RosterRow(
        row.line,
        row.raw,
        address,
        name,
        stance,
        said,
        at,
        language,
        columns.fields_of(cells, row.line),
        note[:_LONGEST_NOTE],
    )


def _stance(cells: tuple[str, ...], columns: Columns) -> tuple[Stance | None, str, datetime | None]:
    """Return what a row says, in which word, and since when; no stance for an unknown word."""
    stance = Stance.CONFIRMED
    said = cell(cells, columns.status)[:_LONGEST_SAID]
    if said or (columns.status is not None and "" not in columns.exporter.words):
        known = columns.exporter.words.get(word_of(said))
        if known is None:
            return None, said, None
        stance = known
    given = _given(cells, columns)
    at = given
    if stance > Stance.CONFIRMED:
        at = next(filter(None, (instant_of(cell(cells, each)) for each in columns.since)), None)
    for place in columns.denied:
        if stance < Stance.LEFT and is_no(cell(cells, place)):
            stance, said, at = Stance.LEFT, f"{columns.keys[place]}: {cell(cells, place)}", None
    for place, objection in columns.objections:
        if objection >= stance and is_yes(cell(cells, place)):
            stance, said, at = objection, columns.keys[place], instant_of(cell(cells, place))
    if stance is Stance.CONFIRMED and columns.exporter.needs_date and given is None:
        return Stance.UNCONFIRMED, "no date of consent", None
    return stance, said, at


def _given(cells: tuple[str, ...], columns: Columns) -> datetime | None:
    for place in columns.given:
        if written := cell(cells, place):
            if at := instant_of(written):
                return at
            columns.undated += 1
    return None


@contextmanager
def _content(source: Path | bytes, where: str) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        file = cast("BinaryIO", source.open("rb"))
    except FileNotFoundError:
        raise InvalidInput(
            Fault("the file is missing", where=where, remedy="check the name")
        ) from None
    except OSError as error:
        raise InvalidInput(Fault(f"cannot be read: {error.strerror}", where=where)) from None
    with file:
        if file.seekable():
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            _refuse_large(size, where)
            yield file
            return
        with tempfile.TemporaryFile() as copy:
            # A pipe can be read only once, and it has no size.
            while (piece := file.read(_PIECE)) and copy.tell() <= LARGEST_OCTETS:
                copy.write(piece)
            _refuse_large(copy.tell(), where)
            copy.seek(0)
            yield cast("BinaryIO", copy)


def _refuse_large(size: int, where: str) -> None:
    if size > LARGEST_OCTETS:
        raise InvalidInput(
            Fault(
                f"is larger than {LARGEST_OCTETS >> 20} MiB",
                where=where,
                remedy="import it in parts",
            )
        )
