"""The issues that have gone out, as rows: what the public archive is made of.

A region's edition is public once a first reader has it, and the whole issue when it was sent; a
draft, an approved issue that waits for its hour, one that is held before anybody got it, and one
that was cancelled are not. What was frozen is what is shown, or the latest amendment of it (see
``amending``). A correction that was mailed has a page and stands in no list: the page of the issue
it corrects is where the matter is set right. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    type_coerce,
    union_all,
)

from mailer.issues.amending import WITHDRAWN
from mailer.issues.issue import IssueState
from mailer.storage.database import Database
from mailer.storage.schema import (
    amended_editions,
    amendments,
    deliveries,
    editions,
    events,
    issues,
)


@dataclass(frozen=True, slots=True)
class PastIssue:
    """One region's edition of an issue that went out; ``sent_at`` is when its sending began.

    ``amended_at`` is when its page was last corrected or a note taken back, None if never;
    ``checksum`` is of what is shown.
    """

    issue_id: str
    number: int
    region: str
    checksum: str
    sent_at: datetime
    amended_at: datetime | None = None

    @property
    def changed_at(self) -> datetime:
        """When what is shown was last changed."""
        return max(self.sent_at, self.amended_at or self.sent_at)


@dataclass(frozen=True, slots=True)
class Note:
    """What was wrong in a past issue, as its page says it; ``at`` is when it was corrected."""

    at: datetime
    text: str


class PastIssues:
    """Reads what went out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_region(self, region: str) -> list[PastIssue]:
        """Return a region's past issues, newest first."""
        query = _past().where(editions.c.region == region, _IS_WEEKLY).order_by(issues.c.id.desc())
        with self._database.read() as connection:
            return [_to_past(row) for row in connection.execute(query)]

    def find(self, issue_id: str, region: str) -> PastIssue | None:
        """Return one region's edition of an issue, or None when it has not gone out."""
        query = _past().where(editions.c.region == region, issues.c.id == issue_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return _to_past(row) if row is not None else None

    def newest(self) -> dict[str, PastIssue]:
        """Return the newest past issue of each region that has one."""
        last = (
            select(editions.c.region, func.max(issues.c.id).label("id"))
            .join(issues, issues.c.id == editions.c.issue_id)
            .where(_is_public(), _IS_WEEKLY)
            .group_by(editions.c.region)
            .subquery()
        )
        query = _past().join(
            last, (last.c.region == editions.c.region) & (last.c.id == editions.c.issue_id)
        )
        with self._database.read() as connection:
            return {row.region: _to_past(row) for row in connection.execute(query)}

    def notes(self, issue_id: str) -> list[Note]:
        """Return what was corrected in an issue since it was sent, oldest first."""
        query = (
            select(amendments.c.at, amendments.c.note)
            .where(amendments.c.issue_id == issue_id)
            .order_by(amendments.c.id)
        )
        with self._database.read() as connection:
            return [Note(row.at, row.note) for row in connection.execute(query)]

    def contents(self, region: str, issue_ids: Collection[str]) -> dict[str, str]:
        """Return what is shown, as JSON, by issue."""
        query = (
            select(
                editions.c.issue_id,
                func.coalesce(_AMENDED.c.content, editions.c.content).label("content"),
            )
            .select_from(editions.outerjoin(_AMENDED, _is_latest()))
            .where(editions.c.region == region, editions.c.issue_id.in_(issue_ids))
        )
        with self._database.read() as connection:
            return {row.issue_id: row.content for row in connection.execute(query)}


_AMENDED = amended_editions.alias("amended")
_IS_WEEKLY = issues.c.id.not_like("%-correction%")


def _is_latest() -> ColumnElement[bool]:
    """Join an edition with the newest edition that was put in its place, where there is one."""
    later = amended_editions.alias("later")
    newest = (
        select(func.max(later.c.amendment_id))
        .where(later.c.issue_id == editions.c.issue_id, later.c.region == editions.c.region)
        .correlate(editions)
        .scalar_subquery()
    )
    return and_(
        _AMENDED.c.issue_id == editions.c.issue_id,
        _AMENDED.c.region == editions.c.region,
        _AMENDED.c.amendment_id == newest,
    )


def _is_public() -> ColumnElement[bool]:
    has_reader = exists().where(
        deliveries.c.issue_id == issues.c.id,
        deliveries.c.region == editions.c.region,
        deliveries.c.state == "accepted",
    )
    return or_(
        issues.c.state == IssueState.SENT.value,
        and_(issues.c.state == IssueState.SENDING.value, has_reader),
    )


def _past() -> Select[Any]:
    began = (
        select(func.min(events.c.at))
        .where(events.c.issue_id == issues.c.id, events.c.kind == "send")
        .scalar_subquery()
    )
    # The page changes as well when a note is taken back, and then no row of the note is left.
    changes = union_all(
        select(amendments.c.issue_id, amendments.c.at),
        select(events.c.issue_id, events.c.at).where(events.c.kind == WITHDRAWN),
    ).subquery()
    amended = (
        select(func.max(changes.c.at))
        .where(changes.c.issue_id == issues.c.id)
        .correlate(issues)
        .scalar_subquery()
    )
    return (
        select(
            issues.c.id,
            issues.c.number,
            editions.c.region,
            func.coalesce(_AMENDED.c.checksum, editions.c.checksum).label("checksum"),
            type_coerce(amended, amendments.c.at.type).label("amended_at"),
            func.coalesce(began, issues.c.approved_at, type_=events.c.at.type).label("sent_at"),
        )
        .select_from(
            issues.join(editions, editions.c.issue_id == issues.c.id).outerjoin(
                _AMENDED, _is_latest()
            )
        )
        .where(_is_public())
    )


def _to_past(row: Row[Any]) -> PastIssue:
    return PastIssue(
        issue_id=row.id,
        number=row.number,
        region=row.region,
        checksum=row.checksum,
        sent_at=row.sent_at,
        amended_at=row.amended_at,
    )
