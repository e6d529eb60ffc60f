"""The report of an import: figures, and each row a person should look at, in the file's order.

The figures are few; the rows may be as many as the file has, so they are spooled: a few thousand
in memory, the rest in a temporary file that nobody else can open.
"""

from __future__ import annotations

import json
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from mailer.audience.joining import Verdict
from mailer.errors import Fault

_IN_MEMORY_OCTETS = 4 << 20


@dataclass(frozen=True, slots=True)
class RowReport:
    """A row to look at: one that was not taken, or one that took a confirmed reader off.

    ``code`` is a word for why, ``reason`` and ``remedy`` say it in a sentence, ``raw`` is the row
    as it stands.
    """

    line: int
    address: str
    verdict: Verdict
    code: str
    reason: str
    remedy: str
    raw: str

    def to_data(self) -> dict[str, Any]:
        """Return the row for ``--json``."""
        return {
            "line": self.line,
            "address": self.address,
            "verdict": self.verdict.value,
            "code": self.code,
            "reason": self.reason,
            "remedy": self.remedy,
            "raw": self.raw,
        }


class Spool:
    """Rows put away, to be gone through as often as need be; ``len`` says how many."""

    def __init__(self, rows: Iterable[RowReport] = ()) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY_OCTETS)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._count = 0
        for row in rows:
            data = [
                row.line,
                row.address,
                row.verdict.value,
                row.code,
                row.reason,
                row.remedy,
                row.raw,
            ]
            self._file.write(json.dumps(data).encode() + b"\n")
            self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[RowReport]:
        self._file.seek(0)
        for line in self._file:
            number, address, verdict, *rest = json.loads(line)
            yield RowReport(number, address, Verdict(verdict), *rest)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file; ``counts`` has every verdict, ``exporter`` whose export it is."""

    where: str
    region: str
    basis: str
    is_dry_run: bool
    encoding: str
    delimiter: str
    exporter: str
    rows: int
    counts: dict[str, int]
    problems: Spool
    notes: tuple[str, ...] = field(default=())

    @property
    def faults(self) -> Iterator[Fault]:
        """One fault for each row to look at."""
        return map(self._fault, self.problems)

    def to_data(self) -> dict[str, Any]:
        """Return the figures; the rows are ``problem_data``, one at a time."""
        return {
            "file": self.where,
            "region": self.region,
            "basis": self.basis,
            "dry_run": self.is_dry_run,
            "exporter": self.exporter,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "notes": list(self.notes),
            "rows": self.rows,
            **self.counts,
        }

    def problem_data(self) -> Iterator[dict[str, Any]]:
        """Return each row to look at for ``--json``, with the line a person reads."""
        for row in self.problems:
            yield row.to_data() | {"message": str(self._fault(row))}

    def _fault(self, row: RowReport) -> Fault:
        return Fault(f"{row.reason} ({row.raw!r})", self.where, row.line, remedy=row.remedy)
