"""Suppression: addresses that are never mailed again, with reason and evidence.

It is about an address, not about a list: it outranks every roster, every consent and every
region, and holds for addresses nobody has subscribed yet. Only an operator lifts one, and never
one that stands because the reader asked to be forgotten. Both are kept as events.
The functions work inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from mailer.errors import Fault, IllegalTransition, NotFound
from mailer.storage import schema

UNSUPPRESS_REMEDY = "if that is a mistake, `mailer subscribers unsuppress ADDRESS` first"


class SuppressionReason(StrEnum):
    """Why an address is never mailed."""

    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    ERASED = "erased"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Suppression:
    """A suppressed address; ``evidence`` is what was seen, in words; ``at`` is aware UTC."""

    address: str
    reason: SuppressionReason
    evidence: str
    at: datetime


def find_suppressions(
    connection: Connection, addresses: Sequence[str]
) -> dict[str, SuppressionReason]:
    """Return the suppressed ones of at most a few thousand normalised addresses."""
    table = schema.suppressions
    rows = connection.execute(
        select(table.c.address, table.c.reason).where(table.c.address.in_(addresses))
    )
    return {address: SuppressionReason(reason) for address, reason in rows}


def find_suppression(connection: Connection, address: str) -> Suppression | None:
    """Return an address's suppression, or None."""
    table = schema.suppressions
    row = connection.execute(select(table).where(table.c.address == address)).one_or_none()
    if row is None:
        return None
    return Suppression(row.address, SuppressionReason(row.reason), row.evidence, row.at)


def put_suppression(connection: Connection, suppression: Suppression) -> Suppression:
    """Suppress an address and return what stands; the first reason and its evidence are kept."""
    standing = find_suppression(connection, suppression.address)
    if standing is not None:
        return standing
    connection.execute(
        insert(schema.suppressions).values(
            address=suppression.address,
            reason=suppression.reason.value,
            evidence=suppression.evidence,
            at=suppression.at,
        )
    )
    _note(connection, "suppressed", suppression, by="", at=suppression.at)
    return suppression


def lift_suppression(
    connection: Connection, address: str, *, why: str, by: str, at: datetime
) -> Suppression:
    """Let an address be mailed again and return what stood.

    Raises:
        NotFound: the address is not suppressed.
        IllegalTransition: the reader asked to be forgotten.
    """
    standing = find_suppression(connection, address)
    if standing is None:
        raise NotFound(f"{address} is not suppressed")
    if standing.reason is SuppressionReason.ERASED:
        raise IllegalTransition(
            Fault(
                f"{address} asked to be forgotten",
                remedy="only the reader can come back, by signing up again",
            )
        )
    table = schema.suppressions
    connection.execute(delete(table).where(table.c.address == address))
    _note(connection, "unsuppressed", standing, by=by, at=at, why=why.strip())
    return standing


def _note(
    connection: Connection,
    kind: str,
    suppression: Suppression,
    *,
    by: str,
    at: datetime,
    why: str = "",
) -> None:
    detail = {
        "address": suppression.address,
        "reason": suppression.reason.value,
        "evidence": suppression.evidence,
    }
    if why:
        detail["why"] = why
    connection.execute(
        insert(schema.events).values(at=at, kind=kind, issue_id="", region="", by=by, detail=detail)
    )
