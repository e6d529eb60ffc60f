"""The form of a roster: which columns a CSV file needs and which rows can be used.

No database is touched here; ``roster`` takes the rows in. A header is needed: one column named
email, e-mail, address, mail or "email address"; a name, or first and last name; a status, if there
is one, is believed when it says that the reader left. Other columns are ignored and named. What
makes the whole file unusable (missing, empty, no header, the column twice) is one ``InvalidInput``
with file, line and column; what is wrong with a row stays with the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailer.audience.addresses import clean_name, normalise
from mailer.audience.spreadsheet import (
    DELIMITERS,
    Row,
    decode,
    guess_delimiter,
    lines_of,
    read_rows,
)
from mailer.errors import Fault, InvalidInput

ADDRESS_COLUMNS = (
    "email",
    "e-mail",
    "address",
    "mail",
    "email address",
    "e-mail address",
    "mail address",
)
NAME_COLUMNS = ("name", "full name")
FIRST_NAME_COLUMNS = ("first name", "firstname", "given name", "forename")
LAST_NAME_COLUMNS = ("last name", "lastname", "surname", "family name")
STATUS_COLUMNS = ("status", "state")

CONSENTING = ("", "confirmed", "subscribed", "active")
"""What a status may say for the row to be taken; any other word is a reason to leave it out."""

LARGEST_OCTETS = 256 << 20
"""A roster of a million readers has about 50 MB; a file is read whole."""

_LONGEST_RAW = 200


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One row of a roster: an address and a name, or the fault that keeps it out.

    ``code`` is a word for the kind of fault: unreadable, address, name, columns, duplicate or
    status.
    """

    line: int
    raw: str
    address: str = ""
    name: str = ""
    code: str = ""
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster as it was read."""

    where: str
    encoding: str
    delimiter: str
    rows: tuple[RosterRow, ...]
    notes: tuple[str, ...] = ()
    """What a person should know although nothing is wrong with a row."""


def read_roster(source: Path | bytes, *, where: str = "") -> Roster:
    """Read and check a roster; no row is left unmentioned.

    Args:
        source: a file, or its content.
        where: the file's name in messages; the path itself when left out.

    Raises:
        InvalidInput: the file cannot be read, is empty or has no usable header.
    """
    where = where or (str(source) if isinstance(source, Path) else "roster")
    decoded = decode(_content(source, where))
    lines = lines_of(decoded.text.removeprefix("\ufeff"))
    start = next((at for at, line in enumerate(lines) if line.strip(" \t\r\n\x00")), None)
    if start is None:
        raise InvalidInput(
            Fault("the file is empty", where=where, line=1, remedy="begin it with: email,name")
        )
    delimiter = ""
    if lines[start].lower().startswith("sep=") and lines[start][4:5] in DELIMITERS:
        delimiter = lines[start][4:5]
        start += 1
    header_line = lines[start] if start < len(lines) else ""
    delimiter = delimiter or guess_delimiter(header_line, ADDRESS_COLUMNS)
    table = read_rows(lines, delimiter=delimiter, start=start)
    columns = _Columns(next(table, Row(start + 1, "")), where)
    seen: dict[str, int] = {}
    rows = tuple(
        _checked(row, columns, seen) for row in table if row.problem or any(map(_filled, row.cells))
    )
    notes = [decoded.note] if decoded.note else []
    if columns.ignored:
        notes.append(f"ignored the columns {', '.join(columns.ignored)}")
    if not rows:
        notes.append("has a header and no rows")
    return Roster(where, decoded.encoding, delimiter, rows, tuple(notes))


def shown(raw: str) -> str:
    """Return a row's text fit to print: at most 200 characters, undecodable bytes as ``\\xe9``."""
    if len(raw) > _LONGEST_RAW:
        raw = raw[: _LONGEST_RAW - 1] + "…"
    return raw.encode(errors="surrogateescape").decode(errors="backslashreplace")


class _Columns:
    """Where in a row the columns that matter stand."""

    def __init__(self, header: Row, where: str) -> None:
        if header.problem:
            raise InvalidInput(
                Fault(f"the header {header.problem}", where, header.line, remedy=header.remedy)
            )
        names = [" ".join(cell.strip(" \t\ufeff*:").casefold().split()) for cell in header.cells]
        self.width = len(names)
        addresses = [name for name in names if name.replace("_", " ") in ADDRESS_COLUMNS]
        # "address" beside "email" is where somebody lives.
        if len(addresses) > 1 and "address" in addresses:
            addresses.remove("address")
        if len(addresses) != 1:
            raise InvalidInput(_header_fault(header, addresses, where))
        self.address = names.index(addresses[0])
        self.name = self._find(names, NAME_COLUMNS)
        self.first_name = self._find(names, FIRST_NAME_COLUMNS)
        self.last_name = self._find(names, LAST_NAME_COLUMNS)
        self.status = self._find(names, STATUS_COLUMNS)
        used = {self.address, self.name, self.first_name, self.last_name, self.status}
        self.ignored = [
            cell.strip() or "(unnamed)"
            for at, cell in enumerate(header.cells)
            if at not in used and cell.strip()
        ]

    @staticmethod
    def _find(names: Sequence[str], wanted: Sequence[str]) -> int | None:
        return next((at for at, name in enumerate(names) if name.replace("_", " ") in wanted), None)

    @staticmethod
    def _cell(row: Row, at: int | None) -> str:
        return row.cells[at].strip() if at is not None and at < len(row.cells) else ""

    def address_of(self, row: Row) -> str:
        return self._cell(row, self.address)

    def status_of(self, row: Row) -> str:
        return self._cell(row, self.status).casefold()

    def name_of(self, row: Row) -> str:
        parts = (self._cell(row, self.first_name), self._cell(row, self.last_name))
        return self._cell(row, self.name) or " ".join(part for part in parts if part)


def _header_fault(header: Row, addresses: Sequence[str], where: str) -> Fault:
    if len(addresses) > 1:
        problem = f"the header names {' and '.join(repr(name) for name in addresses)}"
        remedy = "keep one column of mail addresses"
    elif any("@" in cell for cell in header.cells):
        problem = "there is no header: the first line is a reader already"
        remedy = "put a first line such as email,name above it"
    else:
        problem = f"the header has no column of mail addresses ({shown(header.raw)!r})"
        remedy = f"name one of its columns {', '.join(ADDRESS_COLUMNS[:4])} or email address"
    return Fault(problem, where=where, line=header.line, field="email", remedy=remedy)


def _checked(row: Row, columns: _Columns, seen: dict[str, int]) -> RosterRow:
    if row.problem:
        fault = Fault(row.problem, line=row.line, remedy=row.remedy)
        return RosterRow(row.line, row.raw, code="unreadable", fault=fault)
    if any(map(_filled, row.cells[columns.width :])):
        fault = Fault(
            f"has {len(row.cells)} columns where the header has {columns.width}",
            line=row.line,
            remedy="put a value that holds the delimiter in quotation marks",
        )
        return RosterRow(row.line, row.raw, code="columns", fault=fault)
    if not columns.address_of(row):
        fault = Fault("has no address", remedy="fill it in or remove the row")
        return RosterRow(row.line, row.raw, code="address", fault=fault)
    code = "address"
    try:
        address = normalise(columns.address_of(row))
        code = "name"
        name = clean_name(columns.name_of(row))
    except InvalidInput as error:
        return RosterRow(row.line, row.raw, code=code, fault=error.faults[0])
    status = columns.status_of(row)
    if status not in CONSENTING:
        fault = Fault(f"the roster says {status!r}", field="status", remedy="leave the row out")
        return RosterRow(row.line, row.raw, address, name, "status", fault)
    first = seen.setdefault(address, row.line)
    if first != row.line:
        fault = Fault(f"is the same address as line {first}", remedy="keep one of them")
        return RosterRow(row.line, row.raw, address, name, "duplicate", fault)
    return RosterRow(row.line, row.raw, address, name)


def _filled(cell: str) -> bool:
    return bool(cell.strip())


def _content(source: Path | bytes, where: str) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        with source.open("rb") as file:
            # Bounded also for what has no size, such as a pipe.
            content = file.read(LARGEST_OCTETS + 1)
        if len(content) <= LARGEST_OCTETS:
            return content
        fault = Fault(
            f"is larger than {LARGEST_OCTETS >> 20} MiB", where=where, remedy="import it in parts"
        )
    except FileNotFoundError:
        fault = Fault("the file is missing", where=where, remedy="check the name")
    except OSError as error:
        fault = Fault(f"cannot be read: {error.strerror}", where=where)
    raise InvalidInput(fault)
