"""Rosters: a region's list as a CSV file, taken in and given out.

``import_roster`` takes a file in: all of it in one transaction, or nothing when the database fails.
A row that cannot be taken never stops the rest and never disappears: the report lists it with its
physical line, the reason and the text as it stands. Whoever unsubscribed or is suppressed is never
added again. ``export_roster`` writes a file that ``import_roster`` reads back to the same list.

What a file must look like is in ``roster_form``; ``read_roster`` is given on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from mailer.audience.register import Entry, Register, Verdict
from mailer.audience.roster_form import Roster, RosterRow, read_roster, shown
from mailer.audience.spreadsheet import write_rows
from mailer.audience.subscriber import SubscriptionState
from mailer.errors import Fault, InvalidInput
from mailer.segment import Node

__all__ = [
    "ImportReport",
    "Progress",
    "Roster",
    "RosterRow",
    "RowReport",
    "export_roster",
    "import_roster",
    "import_rosters",
    "read_roster",
]

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one row.

    ``verdict`` is added, confirmed (a pending sign-up the roster vouches for), already, kept out
    (left earlier or suppressed) or rejected; for the last two ``code``, ``reason`` and
    ``remedy`` say why, and ``raw`` is the row as it stands.
    """

    line: int
    address: str
    verdict: Verdict
    code: str = ""
    reason: str = ""
    remedy: str = ""
    raw: str = ""

    def to_data(self) -> dict[str, Any]:
        """Return the row for ``--json``."""
        data: dict[str, Any] = {
            "line": self.line,
            "address": self.address,
            "verdict": self.verdict.value,
        }
        if self.is_problem:
            data |= {
                "code": self.code,
                "reason": self.reason,
                "remedy": self.remedy,
                "raw": self.raw,
            }
        return data

    @property
    def is_problem(self) -> bool:
        """True when the row was not taken."""
        return self.verdict in {Verdict.KEPT_OUT, Verdict.REJECTED}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file, one ``RowReport`` for each of its rows, in the file's order."""

    where: str
    region: str
    is_dry_run: bool
    encoding: str
    delimiter: str
    rows: tuple[RowReport, ...]
    notes: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    """By verdict; every verdict is there."""

    @property
    def problems(self) -> tuple[RowReport, ...]:
        """The rows that were not taken."""
        return tuple(row for row in self.rows if row.is_problem)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """One fault for each row that was not taken."""
        return tuple(self._fault(row) for row in self.problems)

    def to_data(self) -> dict[str, Any]:
        """Return the report for ``--json``: the figures, the problems, and every row's verdict."""
        return {
            "file": self.where,
            "region": self.region,
            "dry_run": self.is_dry_run,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "notes": list(self.notes),
            "rows": len(self.rows),
            **self.counts,
            "problems": [
                row.to_data() | {"message": str(self._fault(row))} for row in self.problems
            ],
            "lines": [row.to_data() for row in self.rows],
        }

    def _fault(self, row: RowReport) -> Fault:
        return Fault(f"{row.reason} ({row.raw!r})", self.where, row.line, remedy=row.remedy)


def import_roster(
    register: Register,
    source: Path | bytes,
    region: str,
    *,
    where: str = "",
    is_dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Take a roster into a region's list, whole or not at all.

    Args:
        register: where the list is kept.
        source: a file, or its content.
        region: slug of the list's region.
        where: the file's name in messages and as the source of the consent.
        is_dry_run: say what would happen and change nothing.
        progress: called with rows done and rows in all.

    Raises:
        InvalidInput: the file as a whole cannot be used.
        NotFound: there is no such region.
        StorageFailed: the database failed; nothing was taken.
    """
    register.require_region(region)
    roster = read_roster(source, where=where)
    good = [row for row in roster.rows if row.fault is None]
    decisions = register.take_in(
        [Entry(row.address, row.name) for row in good],
        region=region,
        source=f"roster {Path(roster.where).name}",
        is_dry_run=is_dry_run,
        progress=progress,
    )
    reports = {
        row.line: RowReport(
            line=row.line,
            address=row.address,
            verdict=decision.verdict,
            code=decision.code,
            reason=decision.reason,
            remedy=decision.remedy,
            raw=shown(row.raw) if decision.code else "",
        )
        for row, decision in zip(good, decisions, strict=True)
    }
    rows = tuple(reports.get(row.line) or _rejected(row) for row in roster.rows)
    counts = dict.fromkeys((verdict.value for verdict in Verdict), 0)
    for report in rows:
        counts[report.verdict.value] += 1
    return ImportReport(
        where=roster.where,
        region=region,
        is_dry_run=is_dry_run,
        encoding=roster.encoding,
        delimiter=roster.delimiter,
        rows=rows,
        notes=roster.notes,
        counts=counts,
    )


def import_rosters(
    register: Register,
    root: Path,
    regions: Iterable[str],
    *,
    is_dry_run: bool = False,
    progress: Progress | None = None,
) -> list[ImportReport]:
    """Take in ``root/subscribers/<region>.csv`` of every region that has one, each atomically.

    Every file is read before the first is taken in, so that an unusable one stops all of them
    with nothing half-done.

    Raises:
        InvalidInput: one fault for each unusable file.
        NotFound: a region is not the publication's.
    """
    files = [(slug, root / "subscribers" / f"{slug}.csv") for slug in regions]
    files = [(slug, path) for slug, path in files if path.exists()]
    faults: list[Fault] = []
    for slug, path in files:
        register.require_region(slug)
        try:
            read_roster(path)
        except InvalidInput as error:
            faults.extend(error.faults)
    if faults:
        raise InvalidInput(faults)
    return [
        import_roster(register, path, slug, is_dry_run=is_dry_run, progress=progress)
        for slug, path in files
    ]


def export_roster(
    register: Register,
    region: str,
    out: TextIO,
    *,
    state: SubscriptionState | None = SubscriptionState.CONFIRMED,
    where: Node | None = None,
) -> int:
    """Write a region's list as CSV, ordered by address, and return the number of rows.

    ``where`` narrows it to a segment.

    Suppressed addresses are left out. With ``state=None`` everybody on the list is written; the
    status column keeps those who left from being taken in anywhere as readers.

    Raises:
        NotFound: there is no such region.
    """
    register.require_region(region)

    def rows() -> Iterator[Sequence[str]]:
        yield ("email", "name", "status")
        for address, name, status in register.roll(region, state=state, where=where):
            yield (address, name, status.value)

    return write_rows(out, rows()) - 1


def _rejected(row: RosterRow) -> RowReport:
    fault = row.fault or Fault("was not taken")
    reason = f"{fault.field}: {fault.problem}" if fault.field else fault.problem
    return RowReport(
        line=row.line,
        address=row.address,
        verdict=Verdict.REJECTED,
        code=row.code,
        reason=reason,
        remedy=fault.remedy,
        raw=shown(row.raw),
    )
