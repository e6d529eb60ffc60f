"""What ran: one row a job, region and issue, and the heartbeat of the process that asks.

A slot is claimed by inserting its row; the primary key lets only one claim through. The key is the
issue and not the hour, so that an hour changed in publication.toml is no second slot. A row that is
there already may be claimed again unless it is done:

- ``held`` and ``failed`` slots are tried again, until the schedule says that it is too late; then
  they are ``missed``, which a clock that is set back may still undo;
- ``skipped`` is a decision (a holiday, a policy) and final, as ``done`` is;
- a ``started`` row found by the holder of the scheduler's lease was left by a process that died
  or was stopped half-way, because a living one would hold the lease. It is taken up again:
  drafting never overwrites an edited issue and sending never repeats an address, so doing a
  slot twice does nothing twice, while leaving it would forget readers.

A claim succeeds only where the row is still as the caller saw it, and every step is written under
the lease's ``guard``: a process that lost the lease writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, delete, insert, select, update

from mailer.clock import Clock
from mailer.errors import IllegalTransition
from mailer.schedule.calendar import JOBS, Slot
from mailer.storage.database import Database
from mailer.storage.schema import runs
from mailer.storage.upsert import insert_into


class RunState(StrEnum):
    """How far a slot has come."""

    STARTED = "started"
    DONE = "done"
    HELD = "held"
    FAILED = "failed"
    MISSED = "missed"
    SKIPPED = "skipped"


_S = RunState

TRANSITIONS: dict[tuple[RunState, str], RunState] = {
    (_S.STARTED, "claim"): _S.STARTED,
    (_S.STARTED, "stop"): _S.STARTED,
    (_S.STARTED, "finish"): _S.DONE,
    (_S.STARTED, "hold"): _S.HELD,
    (_S.STARTED, "fail"): _S.FAILED,
    (_S.STARTED, "skip"): _S.SKIPPED,
    (_S.HELD, "claim"): _S.STARTED,
    (_S.HELD, "miss"): _S.MISSED,
    (_S.FAILED, "claim"): _S.STARTED,
    (_S.FAILED, "miss"): _S.MISSED,
    (_S.MISSED, "claim"): _S.STARTED,
}
"""Every allowed step. A slot nobody has looked at has no row; ``claim`` makes it ``started`` and
``miss`` makes it ``missed``. A job that ``stop``s half-way stays
``started`` like one whose process died, and ``claim`` takes either up."""

FORBIDDEN: dict[tuple[RunState, str], str] = {
    (_S.DONE, "claim"): "it is done; a slot runs once",
    (_S.DONE, "miss"): "it is done; there is nothing to miss",
    (_S.SKIPPED, "claim"): "it was decided to leave it out; a person can still run the command",
    (_S.STARTED, "miss"): "it is under way, and is finished however late it is",
}
"""The steps a second scheduler would try, and why they are refused."""


def next_state(state: RunState, step: str) -> RunState:
    """Return the state after ``step``, or raise ``IllegalTransition``."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        why = FORBIDDEN.get((state, step), "the table of slot states does not have it")
        raise IllegalTransition(f"a slot that is {state} cannot {step}: {why}") from None


FINAL = frozenset({_S.DONE, _S.SKIPPED})
"""States in which nothing more happens to a slot."""

Key = tuple[str, str, str]
"""Job, region and issue: what makes a slot one slot."""


@dataclass(frozen=True, slots=True)
class Run:
    """A slot's row. ``note`` is one sentence for a person."""

    job: str
    region: str
    slot_at: datetime
    state: RunState
    issue_id: str
    note: str
    updated_at: datetime

    @property
    def key(self) -> Key:
        """What makes the slot one slot."""
        return (self.job, self.region, self.issue_id)


def key_of(slot: Slot) -> Key:
    """Return what makes the slot one slot."""
    return (slot.job, slot.region, slot.issue_id)


_HEARTBEAT: Key = ("tick", "", "")


class Runs:
    """The table of slots.

    Args:
        database: where it is.
        clock: when a row was changed.
        guard: called within every transaction that writes; raises when it must not be written.
    """

    def __init__(
        self, database: Database, clock: Clock, guard: Callable[[Connection], None] | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._guard = guard or (lambda _connection: None)

    def of(self, slots: Sequence[Slot]) -> dict[Key, Run]:
        """Return the rows of those slots that have one."""
        if not slots:
            return {}
        issues = [slot.issue_id for slot in slots]
        wanted = {key_of(slot) for slot in slots}
        with self._database.read() as connection:
            found = connection.execute(
                select(runs).where(runs.c.issue_id.between(min(issues), max(issues)))
            )
            return {run.key: run for run in map(_run, found) if run.key in wanted}

    def unfinished(self) -> list[Run]:
        """Return the slots that were started and never ended, oldest first."""
        with self._database.read() as connection:
            found = connection.execute(
                select(runs)
                .where(runs.c.state == RunState.STARTED, runs.c.job.in_(JOBS))
                .order_by(runs.c.slot_at, runs.c.region)
            )
            return [_run(row) for row in found]

    def latest(self, count: int) -> list[Run]:
        """Return the newest rows first, for people."""
        with self._database.read() as connection:
            found = connection.execute(
                select(runs)
                .where(runs.c.job.in_(JOBS))
                .order_by(runs.c.slot_at.desc(), runs.c.region)
                .limit(count)
            )
            return [_run(row) for row in found]

    def claim(self, slots: Iterable[Slot], *, seen: Mapping[Key, Run]) -> list[Slot]:
        """Mark the slots as started, all in one transaction; return those that were ours to take.

        Args:
            slots: what is due, in order.
            seen: the rows as they were read when the slots were found to be due. A slot whose
                row has changed since, or has appeared, is somebody else's and is left out.

        Raises:
            IllegalTransition: a seen row is done.
        """
        with self._writing() as connection:
            return [
                slot
                for slot in slots
                if self._step(connection, slot, seen.get(key_of(slot)), "claim", note="")
            ]

    def finish(self, slots: Iterable[Slot], note: str) -> None:
        """Mark claimed slots as done; they never run again."""
        self._record(slots, "finish", note)

    def hold(self, slots: Iterable[Slot], note: str) -> None:
        """Mark claimed slots as waiting for a person."""
        self._record(slots, "hold", note)

    def miss(self, slots: Iterable[Slot], note: str) -> None:
        """Mark slots as given up because it is too late, whether or not they were looked at."""
        self._record(slots, "miss", note)

    def skip(self, slots: Iterable[Slot], note: str) -> None:
        """Mark claimed slots as left out by decision; they never run."""
        self._record(slots, "skip", note)

    def stop(self, slots: Iterable[Slot], note: str) -> None:
        """Say why claimed slots were left half-way; they will be claimed again."""
        self._record(slots, "stop", note)

    def fail(self, slots: Iterable[Slot], note: str) -> None:
        """Mark claimed slots as failed."""
        self._record(slots, "fail", note)

    def once(self, job: str, name: str, *, note: str = "", forgets: bool = False) -> bool:
        """Note that something outside the calendar is done now; False when it was noted before.

        Args:
            job: what, such as an alert or an hour's ingestion.
            name: of which there is one each: an issue, or an hour.
            note: a sentence.
            forgets: only the last one is kept, for what comes again and again.
        """
        now = self._clock.now()
        with self._writing() as connection:
            is_new = _insert(connection, Run(job, "", now, RunState.DONE, name, note, now))
            if is_new and forgets:
                connection.execute(delete(runs).where(runs.c.job == job, runs.c.issue_id != name))
            return is_new

    def beat(self, now: datetime) -> None:
        """Remember that the schedule was looked at."""
        with self._writing() as connection:
            values = {"state": RunState.DONE, "note": "", "slot_at": now, "updated_at": now}
            if not _change(connection, _HEARTBEAT, values):
                job, region, issue_id = _HEARTBEAT
                connection.execute(
                    insert(runs).values(job=job, region=region, issue_id=issue_id, **values)
                )

    def last_beat(self) -> datetime | None:
        """Return when the schedule was last looked at, or None on a new publication."""
        with self._database.read() as connection:
            found = _find(connection, _HEARTBEAT)
        return None if found is None else found.updated_at

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._database.write() as connection:
            self._guard(connection)
            yield connection

    def _record(self, slots: Iterable[Slot], step: str, note: str) -> None:
        with self._writing() as connection:
            for slot in slots:
                self._step(connection, slot, _find(connection, key_of(slot)), step, note=note)

    def _step(
        self, connection: Connection, slot: Slot, found: Run | None, step: str, *, note: str
    ) -> bool:
        """Take one step of the table; False when another process was quicker."""
        now = self._clock.now()
        if found is None:
            state = {"claim": RunState.STARTED, "miss": RunState.MISSED}.get(step)
            if state is None:
                raise IllegalTransition(f"a slot nobody claimed cannot {step}")
            return _insert(
                connection,
                Run(slot.job, slot.region, slot.utc, state, slot.issue_id, note, now),
            )
        state = next_state(found.state, step)
        values = {"state": state, "slot_at": slot.utc, "note": note, "updated_at": now}
        return _change(connection, found.key, values, seen=found)


def _insert(connection: Connection, run: Run) -> bool:
    statement = insert_into(runs, is_sqlite=connection.dialect.name == "sqlite")
    # RETURNING, because psycopg does not count the rows of an INSERT here.
    inserted = connection.execute(
        statement.values(
            job=run.job,
            region=run.region,
            slot_at=run.slot_at,
            state=run.state,
            issue_id=run.issue_id,
            note=run.note,
            updated_at=run.updated_at,
        )
        .on_conflict_do_nothing()
        .returning(runs.c.job)
    )
    return inserted.first() is not None


def _change(
    connection: Connection, key: Key, values: dict[str, object], *, seen: Run | None = None
) -> bool:
    job, region, issue_id = key
    statement = update(runs).where(
        runs.c.job == job, runs.c.region == region, runs.c.issue_id == issue_id
    )
    if seen is not None:
        statement = statement.where(
            runs.c.state == seen.state, runs.c.updated_at == seen.updated_at
        )
    return connection.execute(statement.values(values)).rowcount == 1


def _find(connection: Connection, key: Key) -> Run | None:
    job, region, issue_id = key
    row = connection.execute(
        select(runs).where(runs.c.job == job, runs.c.region == region, runs.c.issue_id == issue_id)
    ).one_or_none()
    return None if row is None else _run(row)


def _run(row: Row[tuple[object, ...]]) -> Run:
    return Run(
        job=row.job,
        region=row.region,
        slot_at=row.slot_at,
        state=RunState(row.state),
        issue_id=row.issue_id,
        note=row.note,
        updated_at=row.updated_at,
    )
