"""Workbooks (XLSX): the rows of the first sheet as text, numbered as the sheet numbers them.

calamine reads the cells. It builds the whole sheet as one rectangle, so a hostile file of a few
kilobytes (a ZIP bomb, or two cells at opposite corners of the sheet) would take all memory: the
archive's true sizes and the sheet's corners are looked at first, and a file beyond the limits is
refused. So is XML that declares entities. Formulas give the value they had when the workbook was
saved; dates are written as ISO 8601, whole numbers without a point.

Limits: 32 MiB, 256 MiB unpacked, 200,000 rows, 4,000,000 cells. CSV has none of these.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, BinaryIO
from xml.parsers import expat

from mailer.audience.spreadsheet import Row
from mailer.errors import Fault, InvalidInput

MAGIC = b"PK\x03\x04"
OLD_MAGIC = b"\xd0\xcf\x11\xe0"
"""The container of Excel before 2007, and of workbooks under a password."""

LARGEST_OCTETS = 32 << 20
LARGEST_UNPACKED = 256 << 20
MOST_PARTS = 1000
MOST_ROWS = 200_000
MOST_CELLS = 4_000_000

_PIECE = 1 << 16
_PLACE = re.compile(r"\A([A-Z]{1,3})([1-9][0-9]{0,6})\Z")
_REMEDY = "save the sheet as CSV UTF-8, which has no such limit"
_CSV_REMEDY = "open it, save the sheet as CSV UTF-8 and import that"


class Sheet:
    """The first sheet of a workbook that is safe to read.

    Raises:
        InvalidInput: it is no workbook, is damaged, locked, or beyond the limits.
    """

    def __init__(self, file: BinaryIO, where: str) -> None:
        from python_calamine import CalamineError, CalamineWorkbook

        self._where = where
        content = file.read(LARGEST_OCTETS + 1)
        if len(content) > LARGEST_OCTETS:
            raise self._refused(f"is a workbook of more than {LARGEST_OCTETS >> 20} MiB")
        self._check(content)
        try:
            book = CalamineWorkbook.from_filelike(io.BytesIO(content))
            self.name = book.sheet_names[0]
            self._sheet = book.get_sheet_by_index(0)
        except (CalamineError, IndexError, OSError) as error:
            raise self._refused(f"cannot be read as a workbook: {error}", _CSV_REMEDY) from None
        self.others = len(book.sheet_names) - 1
        self.height = self._sheet.total_height

    def rows(self) -> Iterator[Row]:
        """Give the rows that hold something."""
        first = (self._sheet.start or (0, 0))[0]
        # calamine's iterator begins at the sheet's first row, filled or not.
        for line, values in enumerate(self._sheet.iter_rows(), 1):
            if line <= first:
                continue
            cells = tuple(map(_text, values))
            if any(cells):
                raw = ",".join(cells).replace("\n", " ").replace("\r", " ")
                if "\x00" in raw:
                    yield Row(line, raw, problem="has a NUL byte", remedy="type the row anew")
                else:
                    yield Row(line, raw, cells)

    def _check(self, content: bytes) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                parts = archive.infolist()
                if "xl/workbook.xml" not in archive.namelist():
                    raise self._refused(
                        "is a ZIP archive and no workbook", "unpack it and import the file inside"
                    )
                size = sum(part.file_size for part in parts)
                if size > LARGEST_UNPACKED or len(parts) > MOST_PARTS:
                    raise self._refused(
                        f"unpacks to more than {LARGEST_UNPACKED >> 20} MiB or {MOST_PARTS} parts"
                    )
                for part in parts:
                    # Reading to the end shows that the size given is the true one.
                    with archive.open(part) as stream:
                        if part.filename.startswith("xl/worksheets/"):
                            self._measure(stream)
                        while stream.read(_PIECE):
                            pass
        # RuntimeError also stands for what zipfile has not implemented: an unknown compression.
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as e:
            raise self._refused(f"is a damaged or locked workbook: {e}", _CSV_REMEDY) from None
        except expat.ExpatError as error:
            raise self._refused(f"has a sheet that is no XML: {error}", _CSV_REMEDY) from None

    def _measure(self, stream: IO[bytes]) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        extent = _Extent()

        def start(name: str, attributes: dict[str, str]) -> None:
            tag = name.rpartition(" ")[2]
            if tag == "c":
                extent.cell(attributes.get("r", ""))
            elif tag == "row":
                extent.row(attributes.get("r", ""))
            else:
                return
            if extent.is_too_large():
                raise self._refused(
                    f"has a sheet of more than {MOST_ROWS:,} rows or {MOST_CELLS:,} cells"
                )

        def refuse_entity(*_: object) -> None:
            raise self._refused("declares XML entities, which no workbook needs", _CSV_REMEDY)

        parser.StartElementHandler = start
        parser.EntityDeclHandler = refuse_entity
        while piece := stream.read(_PIECE):
            parser.Parse(piece)
        parser.Parse(b"", True)

    def _refused(self, problem: str, remedy: str = _REMEDY) -> InvalidInput:
        return InvalidInput(Fault(problem, where=self._where, remedy=remedy))


class _Extent:
    """How far a sheet reaches, as the places of its cells say."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._at = 0

    def row(self, place: str) -> None:
        number = int(place) if place.isdigit() and len(place) <= 8 else self.rows + 1
        self.rows = max(self.rows, number)
        self._at = 0

    def cell(self, place: str) -> None:
        self._at += 1
        if found := _PLACE.match(place):
            column = 0
            for letter in found.group(1):
                column = column * 26 + ord(letter) - 64
            self._at = column
            self.rows = max(self.rows, int(found.group(2)))
        self.columns = max(self.columns, self._at)

    def is_too_large(self) -> bool:
        return self.rows > MOST_ROWS or self.rows * self.columns > MOST_CELLS


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return (value.date() if midnight else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)
