"""The ledger: one row a promise, one row a try, and what senders are told."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from mailer.storage.columns import metadata, one_of, partial_index
from mailer.storage.instant import Instant

DELIVERY_STATES = (
    "planned", "claimed", "transmitting", "accepted", "deferred", "refused", "in_doubt",
    "skipped", "expired", "cancelled", "bounced", "complained",
)  # fmt: skip

WAITING = "state IN ('planned', 'deferred', 'in_doubt')"
CLAIMED = "state = 'claimed'"

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("issue_id", String(40), ForeignKey("issues.id"), nullable=False),
    Column("region", String(80), nullable=False),
    Column("subscriber_id", Integer, nullable=False),
    Column("address", String(254), nullable=False),
    Column("name", Text, nullable=False),
    Column("token", String(32), nullable=False, unique=True),
    Column("withheld", Text, nullable=False, server_default=""),
    Column("state", String(20), nullable=False),
    Column("dated_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reply_code", Integer),
    Column("reply_enhanced", String(20), nullable=False, server_default=""),
    Column("reply_text", Text, nullable=False, server_default=""),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("issue_id", "address"),
    one_of("state", DELIVERY_STATES),
    CheckConstraint("attempts >= 0", name="attempts_not_negative"),
    partial_index(
        "ix_deliveries_waiting", *("issue_id", "region", "state", "due_at", "id"), where=WAITING
    ),
    partial_index("ix_deliveries_claimed", "id", where=CLAIMED),
)
"""``withheld``: the ids, apart by spaces, of what its reader was sent before.

UNIQUE(issue_id, address) is why nobody gets two copies, whatever else goes wrong. What waits to
be tried is indexed in the order of claiming: a claim reads its rows off one end, however long the
list is, and what is settled costs no index at all. The other index holds a sender's claims alone,
so that recovery finds a dead one's without reading the rest. A statement uses one of them only
where it says its condition in these very words."""

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", Integer, ForeignKey("deliveries.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("ended_at", Instant, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("reply_code", Integer),
    Column("reply_enhanced", String(20), nullable=False),
    Column("reply_text", Text, nullable=False),
    Column("note", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""One SMTP transaction each, in one tree: without a rowid the key is not stored twice."""

kept_fields = Table(
    "kept_fields",
    metadata,
    Column("delivery_id", Integer, ForeignKey("deliveries.id", ondelete="CASCADE"),
           primary_key=True, autoincrement=False),
    Column("subscriber_id", Integer, ForeignKey("subscribers.id", ondelete="CASCADE"),
           nullable=False),
    Column("fields", JSON, nullable=False),
    Index(None, "subscriber_id"),
)  # fmt: skip
"""A reader's fields as they were when a delivery was planned: those its issue's templates name,
and no row where they name none. They go with the delivery and with the reader."""

orders = Table(
    "orders",
    metadata,
    Column("issue_id", String(40), primary_key=True),
    Column("word", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    one_of("word", ("pause", "cancel")),
)
"""What an operator, or the mailer itself, told an issue's sender; none means: go on."""

journals = Table(
    "journals",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("id", String(32), nullable=False),
    Column("opened_at", Instant, nullable=False),
)
"""Which journal the claims of a sender are accounted for in; see ``delivery/journal``."""
