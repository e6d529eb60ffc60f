"""Remains: where a publication's files still name an address, and taking it out of rosters.

The rosters under ``subscribers/`` are the editor's files; a forgotten reader's line is taken out of
them all the same, because the next import would find it refused and the file would keep what was
to be erased. All other bytes stay as they are. Any other file that names the address is only
found, never changed.

Known limits: what git keeps of earlier versions is not looked at; a row that is written over
several lines, and a file in UTF-16, is found and not changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mailer.audience.addresses import normalise
from mailer.audience.roster_columns import ADDRESS_COLUMNS, Columns
from mailer.audience.spreadsheet import DELIMITERS, Row, guess_delimiter, read_rows
from mailer.errors import InvalidInput
from mailer.segment import column_key
from mailer.storage.scrubbing import ERASED

_CHUNK = 1 << 20
_BEFORE = r"(?<![A-Za-z0-9._%+-])"
_AFTER = r"(?![A-Za-z0-9-]|\.[A-Za-z0-9])"
_PASSED_OVER = frozenset({".git", ".venv", "__pycache__"})


def spellings_of(address: str) -> tuple[str, ...]:
    """Return the ways a normalised address is written: with A-labels, and as people read it."""
    local, _, domain = address.rpartition("@")
    try:
        readable = domain.encode("ascii").decode("idna")
    except UnicodeError:
        readable = domain
    return tuple(dict.fromkeys((address, f"{local}@{readable}")))


class Trace:
    """Finds one address in texts and files, in any case, and not within a longer address."""

    def __init__(self, address: str) -> None:
        self.spellings = spellings_of(address)
        ways = {each for spelt in self.spellings for each in (spelt, spelt.upper())}
        either = "|".join(re.escape(each) for each in sorted(ways))
        self.pattern = re.compile(f"{_BEFORE}(?:{either}){_AFTER}", re.IGNORECASE)
        raw = b"|".join(re.escape(each.encode()) for each in sorted(ways))
        wide = [each.encode(code) for each in sorted(ways) for code in ("utf-16-le", "utf-16-be")]
        self._raw = re.compile(
            _BEFORE.encode() + b"(?:" + raw + b")" + _AFTER.encode()
            + b"|" + b"|".join(re.escape(each) for each in wide),
            re.IGNORECASE,
        )  # fmt: skip
        self._marks = {each.encode().lower() for each in ways} | {each.lower() for each in wide}
        self._longest = max(len(each) for each in wide) * 2

    def is_in_file(self, path: Path) -> bool:
        """Return whether a file holds it; one that cannot be read does not."""
        try:
            with path.open("rb") as handle:
                tail = b""
                while chunk := handle.read(_CHUNK):
                    # Quoted-printable cuts a long line with "=" wherever it happens to end.
                    window = (tail + chunk).replace(b"=\r\n", b"").replace(b"=\n", b"")
                    # The pattern costs a hundred times as much as looking for the bytes.
                    lowered = window.lower()
                    if any(each in lowered for each in self._marks) and self._raw.search(window):
                        return True
                    tail = chunk[-self._longest :]
        except OSError:
            return False
        return False

    def files(self, root: Path) -> list[Path]:
        """Return the files under a folder that hold it."""
        return [path for path in _files(root) if self.is_in_file(path)]


def take_out_of_rosters(folder: Path, address: str) -> list[tuple[Path, int]]:
    """Take a normalised address's lines out of the rosters in a folder; say how many of which.

    A line of somebody else that names it, as who recommended them, loses that cell only.
    """
    changed = []
    for path in sorted(folder.glob("*.csv")):
        lines = path.read_bytes().splitlines(keepends=True)
        kept = _without(lines, address)
        count = sum(before != after for before, after in zip(lines, kept, strict=True))
        if count:
            draft = path.with_name(f".{path.name}.part")
            draft.write_bytes(b"".join(kept))
            draft.replace(path)
            changed.append((path, count))
    return changed


def _without(lines: list[bytes], address: str) -> list[bytes]:
    """Return the lines, those of the address empty and other cells that are it struck out."""
    place, delimiter = _header_of(lines)
    kept = []
    for line in lines:
        # Latin-1 gives every byte back; delimiters and quotation marks are ASCII.
        body = line.rstrip(b"\r\n").decode("latin-1")
        if "@" not in body or body.count('"') % 2:
            kept.append(line)
            continue
        cells = _cells(body, delimiter)
        own = place if place is not None else next(n for n, cell in enumerate(cells) if "@" in cell)
        named = {n for n, cell in enumerate(cells) if _is(cell, address)}
        if own in named:
            kept.append(b"")
        elif named:
            struck = [ERASED if n in named else cell for n, cell in enumerate(cells)]
            ending = line[len(body) :]
            kept.append(delimiter.join(struck).encode("latin-1") + ending)
        else:
            kept.append(line)
    return kept


def _header_of(lines: list[bytes]) -> tuple[int | None, str]:
    """Return the column of the addresses, None without a header, and the delimiter."""
    texts = (line.decode("utf-8-sig", "replace").strip() for line in lines)
    written = (text for text in texts if text)
    first = next(written, "")
    delimiter = ""
    if first.lower().startswith("sep=") and first[4:5] in DELIMITERS:
        delimiter, first = first[4:5], next(written, "")
    delimiter = delimiter or guess_delimiter(
        first, lambda name: column_key(name) in ADDRESS_COLUMNS
    )
    try:
        header = next(read_rows(iter([first]), delimiter=delimiter), Row(1, ""))
        return Columns(header, "").address, delimiter
    except InvalidInput:
        return None, delimiter


def _cells(text: str, delimiter: str) -> list[str]:
    """Cut a line where a delimiter stands outside quotation marks; joined it is the same again."""
    if '"' not in text:
        return text.split(delimiter)
    cells = [""]
    is_quoted = False
    for char in text:
        is_quoted ^= char == '"'
        if char == delimiter and not is_quoted:
            cells.append("")
        else:
            cells[-1] += char
    return cells


def _is(cell: str, address: str) -> bool:
    text = cell.encode("latin-1").decode("utf-8-sig", "replace").strip().strip("\"' ")
    try:
        return "@" in text and normalise(text) == address
    except InvalidInput:
        return False


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - _PASSED_OVER)
        yield from (Path(folder) / name for name in sorted(names))
