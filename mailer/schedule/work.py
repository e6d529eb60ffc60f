"""The work of the schedule as values: what the jobs are, and what a look at the schedule did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from mailer.schedule.calendar import Job, Slot
from mailer.schedule.runs import RunState

AlarmKind = Literal["held", "failed", "missed", "skipped"]


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a job did, in one sentence; ``is_complete`` is False when it stopped half-way.

    ``left_out`` are regions that do not get the issue by decision, each with its reason. ``notes``
    are what is to be said of single regions instead of ``note``, which is of all.
    """

    note: str
    is_complete: bool = True
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    def note_on(self, region: str) -> str:
        """Return what is to be said of a region."""
        return self.notes.get(region, self.note)


@dataclass(frozen=True, slots=True)
class Alarm:
    """What people must be told of: slots that are held or failed, are missed or were skipped.

    One sentence a slot in ``whys``, in the same order.
    """

    kind: AlarmKind
    slots: tuple[Slot, ...]
    whys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Jobs:
    """The work itself, given by the composition root.

    Each must be harmless to repeat. They raise what a person reads: ``IllegalTransition`` or
    ``NotFound`` for an issue that is not approved or not there (the slot is held), anything
    else for a failure. ``send`` gets every region of the issue that is due, in order, and is
    complete when each delivery was tried once; ``retry`` tries what is due again and returns
    "" when there was nothing. ``before`` does what comes before an issue: freeze, column, remind,
    approve. ``ingest`` takes articles in and returns a sentence; ``alarm`` tells people, once each.
    """

    draft: Callable[[date], JobReport]
    send: Callable[[str, Sequence[str]], JobReport]
    retry: Callable[[], str]
    before: Callable[[Job, str], JobReport] = lambda _job, _issue_id: JobReport("")
    ingest: Callable[[], str] = lambda: ""
    alarm: Callable[[Alarm], None] = lambda _alarm: None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one job of a tick: its slots, their state now and why."""

    slots: tuple[Slot, ...]
    state: RunState
    note: str


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one look at the schedule did.

    ``is_leader`` is False when another process has the lease; then nothing was done, or what was
    done is that one's to finish. ``is_ingest_failed``: taking articles in broke off, and
    ``ingested`` says why; a file or source that cannot be read is no such failure.
    """

    now: datetime
    is_leader: bool = True
    results: tuple[Result, ...] = ()
    missed: tuple[Slot, ...] = ()
    retried: str = ""
    ingested: str = ""
    is_ingest_failed: bool = False
