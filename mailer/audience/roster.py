"""Rosters: a region's list as a file, taken in and given out.

``Rosters.take`` takes a file in: all of it in one transaction, or nothing when the database fails.
A row that cannot be taken never stops the rest and never disappears: the report lists it with its
physical line, the reason and the text as it stands. Whoever unsubscribed, is suppressed or asked
to be forgotten is never added again. Nothing is taken without a lawful basis.

The file is read and staged first, which keeps no other writer waiting; then the rows are decided
and written by the database in one transaction. Time grows with the rows, memory does not.

What a file must look like is in ``roster_form``, the rules are in ``verdicts``. An import cannot be
taken back as a whole: whom it added may have read, changed or left since. The dry run is the guard;
``past`` says what was taken in, when and on what ground.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, func, insert, or_, select

from mailer.audience.basis import LawfulBasis
from mailer.audience.erasure import Pepper, digest
from mailer.audience.import_report import ImportReport, RowReport, Spool
from mailer.audience.joining import Verdict
from mailer.audience.roster_form import Roster, open_roster
from mailer.audience.roster_intake import Intake, take_staged
from mailer.audience.staging import STAGED, Digest, Progress, stage, staging_connection
from mailer.audience.turns import in_turn
from mailer.audience.verdicts import TAKEN_OFF, decide_staged, settled_verdict
from mailer.clock import Clock
from mailer.errors import Fault, InvalidInput, NotFound, StorageFailed
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database

DigestOf = Callable[[Connection], Digest | None]
"""Gives the keyed hash of erased addresses, or None while nobody was ever erased."""

_IMPORTED = "roster_imported"


def digest_with(pepper: Pepper, connection: Connection) -> Digest | None:
    """Return the keyed hash of erased addresses, or None while nobody was ever erased.

    Raises:
        ConfigurationError: somebody was, and no secret opens the key.
    """
    key = pepper.key(connection)
    return None if key is None else partial(digest, key=key)


@dataclass(frozen=True, slots=True)
class PastImport:
    """A roster that was taken in; ``counts`` by verdict, ``at`` aware UTC."""

    at: datetime
    region: str
    file: str
    exporter: str
    basis: str
    by: str
    rows: int
    counts: Mapping[str, int]


class Rosters:
    """Takes rosters in.

    Args:
        database: where the audience is kept.
        clock: when things happen.
        regions: by slug, in the publication's order.
        digest_of: how an erased address is known again.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        regions: Mapping[str, Region],
        *,
        digest_of: DigestOf | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._regions = dict(regions)
        self._digest_of = digest_of

    def take(
        self,
        source: Path | bytes,
        region: str,
        basis: LawfulBasis,
        *,
        where: str = "",
        by: str = "operator",
        is_dry_run: bool = False,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Take a roster into a region's list, whole or not at all.

        Args:
            source: a file, or its content.
            region: slug of the list's region.
            basis: on what ground its people may be mailed.
            where: the file's name in messages and as the source of the consent.
            by: who does it, for the record.
            is_dry_run: say what would happen and change nothing.
            progress: called with rows done, rows in all and what is being done.

        Raises:
            InvalidInput: the file as a whole cannot be used.
            NotFound: there is no such region.
            StorageFailed: the database failed; nothing was taken.
        """
        self._require(region)
        with (
            open_roster(source, where=where) as roster,
            staging_connection(self._database) as connection,
        ):
            intake = Intake(region, f"roster {Path(roster.where).name}", basis, self._clock.now())
            keyed = self._digest(connection)
            stage(
                connection,
                roster.rows,
                total=roster.lines,
                now=intake.now,
                digest=keyed,
                progress=progress,
            )
            if progress is not None:
                progress(roster.count, roster.count, "Deciding")
            if is_dry_run:
                with self._database.trial(connection):
                    decide_staged(connection, region)
                    return _report(connection, roster, intake, is_dry_run=True)
            with in_turn(self._database, using=connection):
                if keyed is None and self._digest(connection) is not None:
                    # The first erasure ever came while the file was read.
                    raise StorageFailed("a reader was erased meanwhile; run the import again")
                decide_staged(connection, region)
                report = _report(connection, roster, intake, is_dry_run=False)
                take_staged(connection, intake, total=roster.count, progress=progress)
                _record(connection, report, intake, by)
            return report

    def take_every(
        self,
        root: Path,
        basis: LawfulBasis,
        *,
        by: str = "operator",
        is_dry_run: bool = False,
        progress: Progress | None = None,
    ) -> list[ImportReport]:
        """Take in ``root/subscribers/<region>.csv`` of every region that has one, each atomically.

        Every file is looked at before the first is taken in, so that an unusable one stops all of
        them with nothing half-done.

        Raises:
            InvalidInput: one fault for each unusable file.
        """
        files = [(slug, root / "subscribers" / f"{slug}.csv") for slug in self._regions]
        files = [(slug, path) for slug, path in files if path.exists()]
        faults = [fault for _, path in files for fault in _faults_of(path)]
        if faults:
            raise InvalidInput(faults)
        return [
            self.take(path, slug, basis, by=by, is_dry_run=is_dry_run, progress=progress)
            for slug, path in files
        ]

    def past(self, *, limit: int | None = None) -> tuple[PastImport, ...]:
        """Return the imports that were made, the newest first."""
        table = schema.events
        statement = (
            select(table).where(table.c.kind == _IMPORTED).order_by(table.c.id.desc()).limit(limit)
        )
        with self._database.read() as connection:
            return tuple(
                PastImport(
                    row.at,
                    row.region,
                    row.detail["file"],
                    row.detail["exporter"],
                    row.detail["basis"],
                    row.by,
                    row.detail["rows"],
                    row.detail["counts"],
                )
                for row in connection.execute(statement)
            )

    def _require(self, region: str) -> None:
        if region not in self._regions:
            raise NotFound(
                Fault(
                    f"there is no region {region!r}",
                    field="region",
                    remedy=f"use one of {', '.join(self._regions)}",
                )
            )

    def _digest(self, connection: Connection) -> Digest | None:
        if self._digest_of is None:
            return None
        with self._database.trial(connection):
            return self._digest_of(connection)


def _faults_of(path: Path) -> Iterable[Fault]:
    try:
        with open_roster(path):
            return ()
    except InvalidInput as error:
        return error.faults


def _report(
    connection: Connection, roster: Roster, intake: Intake, *, is_dry_run: bool
) -> ImportReport:
    verdict = settled_verdict().label("verdict")
    counts = dict.fromkeys((each.value for each in Verdict), 0)
    for word, number in connection.execute(select(verdict, func.count()).group_by(verdict)):
        counts[word] = number
    return ImportReport(
        where=roster.where,
        region=intake.region,
        basis=intake.basis.value,
        is_dry_run=is_dry_run,
        encoding=roster.encoding,
        delimiter=roster.delimiter,
        exporter=roster.exporter,
        rows=roster.count,
        counts=counts,
        problems=Spool(_problems(connection)),
        notes=roster.notes,
    )


def _problems(connection: Connection) -> Iterator[RowReport]:
    columns = STAGED.c
    left_out = columns.verdict.in_([Verdict.KEPT_OUT.value, Verdict.REJECTED.value])
    statement = (
        select(
            columns.line,
            columns.address,
            columns.verdict,
            columns.code,
            columns.reason,
            columns.remedy,
            columns.raw,
        )
        .where(or_(left_out, columns.code == TAKEN_OFF))
        .order_by(columns.n)
        .execution_options(yield_per=2000)
    )
    for line, address, verdict, *rest in connection.execute(statement):
        yield RowReport(line, address, Verdict(verdict), *rest)


def _record(connection: Connection, report: ImportReport, intake: Intake, by: str) -> None:
    connection.execute(
        insert(schema.events).values(
            at=intake.now,
            kind=_IMPORTED,
            issue_id="",
            region=intake.region,
            by=by,
            detail={
                "file": Path(report.where).name,
                "exporter": report.exporter,
                "basis": report.basis,
                "rows": report.rows,
                "counts": report.counts,
            },
        )
    )
