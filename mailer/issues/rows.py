"""Between an issue's values and its rows: names and types of the columns stand here alone."""

from __future__ import annotations

from typing import Any

from rapidfuzz import process
from sqlalchemy import Connection, Row, select, update

from mailer.errors import Fault, NotFound
from mailer.issues.issue import IssueRecord, IssueState, is_correction, is_issue_id
from mailer.selection.reasons import Decision, Likeness
from mailer.storage.schema import issues


def to_record(row: Row[Any]) -> IssueRecord:
    """Read a row of ``issues``."""
    return IssueRecord(
        id=row.id,
        number=row.number,
        state=IssueState(row.state),
        checksum=row.checksum,
        audience_rule=row.audience_rule,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        drafted_checksum=row.drafted_checksum,
        window_from=row.window_from,
        window_until=row.window_until,
    )


def record_values(record: IssueRecord) -> dict[str, Any]:
    """Return the columns of ``issues``, save ``frozen``."""
    return {
        "id": record.id,
        "number": record.number,
        "state": record.state.value,
        "checksum": record.checksum,
        "audience_rule": record.audience_rule,
        "drafted_checksum": record.drafted_checksum,
        "approved_by": record.approved_by,
        "approved_at": record.approved_at,
        "window_from": record.window_from,
        "window_until": record.window_until,
    }


def to_decision(row: Row[Any]) -> Decision:
    """Read a row of ``decisions``."""
    return Decision(
        article_id=row.article_id,
        block=row.block,
        is_chosen=row.is_chosen,
        score=row.score,
        terms=dict(row.terms),
        rank=row.rank,
        rule=row.rule,
        reasons=tuple(row.reasons),
        nearest=Likeness(row.nearest, row.measure, row.likeness) if row.nearest else None,
        needed=row.needed,
        steps=row.steps,
    )


def decision_values(issue_id: str, decision: Decision) -> dict[str, Any]:
    """Return the columns of ``decisions``."""
    nearest = decision.nearest
    return {
        "issue_id": issue_id,
        "article_id": decision.article_id,
        "block": decision.block,
        "is_chosen": decision.is_chosen,
        "rank": decision.rank,
        "score": decision.score,
        "terms": decision.terms,
        "rule": decision.rule,
        "reasons": list(decision.reasons),
        "nearest": nearest.article_id if nearest else "",
        "measure": nearest.measure if nearest else "",
        "likeness": nearest.value if nearest else 0.0,
        "needed": decision.needed,
        "steps": decision.steps,
    }


def find_issue(connection: Connection, issue_id: str, *, lock: bool = False) -> IssueRecord | None:
    """Return an issue's row or None; ``lock`` keeps it from others until the commit."""
    query = select(issues).where(issues.c.id == issue_id)
    # SQLite's writer is alone already and has no row locks; SQLAlchemy leaves the words out.
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return to_record(row) if row is not None else None


def require_issue(connection: Connection, issue_id: str, *, lock: bool = False) -> IssueRecord:
    """Return an issue's row.

    Raises:
        NotFound: there is none; names the nearest.
    """
    found = find_issue(connection, issue_id, lock=lock)
    if found is not None:
        return found
    known = list(connection.execute(select(issues.c.id).order_by(issues.c.id)).scalars())
    near = [str(match[0]) for match in process.extract(issue_id, known, limit=3, score_cutoff=60)]
    is_to_come = is_issue_id(issue_id) and issue_id > max(known, default="")
    if is_to_come and not is_correction(issue_id):
        remedy = f"`mailer issue draft {issue_id}` makes it"
    else:
        remedy = f"did you mean {' or '.join(near)}?" if near else "`mailer issue list` names them"
    raise NotFound(Fault(f"there is no issue {issue_id!r}", remedy=remedy))


def update_issue(connection: Connection, found: IssueRecord, **changes: Any) -> None:
    """Change columns of an issue's row."""
    connection.execute(update(issues).where(issues.c.id == found.id).values(**changes))
