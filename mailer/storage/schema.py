"""Every table, with the promises a database can keep written as constraints.

One schema for SQLite and PostgreSQL. Instants are stored as UTC through ``Instant``; lists and
maps as JSON. States are checked against the enums' words by the database itself, so that not
even a hand-written UPDATE can invent one. Changes go through Alembic (``storage/migrations``).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from mailer.storage.columns import metadata, one_of
from mailer.storage.instant import Instant

__all__ = ["Instant", "metadata"]

ISSUE_STATES = ("draft", "approved", "scheduled", "sending", "sent", "cancelled")
SUBSCRIPTION_STATES = ("pending", "confirmed", "unsubscribed")
DELIVERY_STATES = (
    "planned", "claimed", "transmitting", "accepted", "deferred", "refused", "in_doubt",
    "skipped", "expired", "cancelled", "bounced", "complained",
)  # fmt: skip

articles = Table(
    "articles",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("title", Text, nullable=False),
    Column("standfirst", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("authors", JSON, nullable=False),
    Column("author_note", Text, nullable=False),
    Column("body_html", Text, nullable=False),
    Column("body_text", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("url", Text, nullable=False),
    Column("picture", JSON),
    Column("credits", JSON, nullable=False),
    Column("section", String(80), nullable=False),
    Column("regions", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("published_at", Instant),
    Column("first_seen_at", Instant, nullable=False),
    Column("embargo_until", Instant),
    Column("expires_at", Instant),
    Column("deadline", Date),
    Column("is_draft", Boolean, nullable=False),
    Column("flags", JSON, nullable=False),
    Index(None, "content_hash"),
    Index(None, "first_seen_at"),
    Index(None, "origin"),
)

diary_entries = Table(
    "diary_entries",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("title", Text, nullable=False),
    Column("held_on", Date, nullable=False),
    Column("held_at", String(5), nullable=False),
    Column("place", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("regions", JSON, nullable=False),
    Column("article_id", String(80), nullable=False),
    Column("origin", Text, nullable=False),
    Column("flags", JSON, nullable=False),
    Index(None, "held_on"),
)

directory_entries = Table(
    "directory_entries",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("address", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("region", String(80), nullable=False),
    Column("origin", Text, nullable=False),
)

issues = Table(
    "issues",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("audience_rule", Text, nullable=False, server_default=""),
    Column("drafted_checksum", String(64), nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", Instant),
    Column("window_from", Instant),
    Column("window_until", Instant),
    Column("frozen", Text),
    one_of("state", ISSUE_STATES),
    CheckConstraint(
        "state NOT IN ('approved', 'scheduled', 'sending', 'sent') OR checksum <> ''",
        name="approval_has_checksum",
    ),
)
"""``frozen`` is the issue file's text as it was approved, ``audience_rule`` who was to get it."""

decisions = Table(
    "decisions",
    metadata,
    Column("issue_id", String(40), primary_key=True),
    Column("article_id", String(80), primary_key=True),
    Column("block", String(90), primary_key=True),
    Column("is_chosen", Boolean, nullable=False),
    Column("rank", Integer),
    Column("score", Float, nullable=False),
    Column("terms", JSON, nullable=False),
    Column("rule", String(40), nullable=False),
    Column("reasons", JSON, nullable=False),
    Index(None, "article_id"),
)

editions = Table(
    "editions",
    metadata,
    Column("issue_id", String(40), ForeignKey("issues.id"), primary_key=True),
    Column("region", String(80), primary_key=True),
    Column("checksum", String(64), nullable=False),
    Column("content", Text, nullable=False),
)
"""``content`` is ``Edition.to_json()``: what was approved is what is sent, whatever changed."""

exposures = Table(
    "exposures",
    metadata,
    Column("region", String(80), primary_key=True),
    Column("article_id", String(80), primary_key=True),
    Column("issue_id", String(40), primary_key=True),
    Column("sent_at", Instant, nullable=False),
)
"""Which list has been shown which article; written when a region's sending starts."""

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("address", String(254), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("language", String(20), nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("paused_until", Instant),
    sqlite_autoincrement=True,
)
"""A number is never given twice, not even after its reader was erased: links that were mailed
carry it. ``fields`` are a roster's other columns, text by name; ``paused_until`` is the reader's
own wish to be left alone for a while, on every list."""

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("subscriber_id", Integer, ForeignKey("subscribers.id"), primary_key=True),
    Column("region", String(80), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("source", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    one_of("state", SUBSCRIPTION_STATES),
    Index(None, "region", "state"),
)

consent_events = Table(
    "consent_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("subscriber_id", Integer, ForeignKey("subscribers.id"), nullable=False),
    Column("region", String(80), nullable=False),
    Column("step", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("basis", String(40), nullable=False, server_default=""),
    Column("form_version", String(40), nullable=False, server_default=""),
    Column("came_from", String(64), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("evidence_at", Instant),
    one_of("state", SUBSCRIPTION_STATES),
    Index(None, "subscriber_id"),
    Index(None, "at"),
)
"""``basis`` is what an import stated, ``form_version`` the text seen, ``came_from`` a network
address, ``note`` why a reader left; ``evidence_at`` when, says a roster, they agreed or left."""

sign_ups = Table(
    "sign_ups",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("address", String(254), nullable=False),
    Column("name", Text, nullable=False),
    Column("regions", JSON, nullable=False),
    Column("language", String(20), nullable=False),
    Column("source", String(40), nullable=False),
    Column("form_version", String(40), nullable=False),
    Column("came_from", String(64), nullable=False),
    Column("at", Instant, nullable=False),
)
"""Posts answered and not yet looked at: before the answer every address costs the same."""

confirmations = Table(
    "confirmations",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("seed", String(32), nullable=False),
    Column("subscriber_id", Integer, ForeignKey("subscribers.id"), nullable=False),
    Column("regions", JSON, nullable=False),
    Column("form_version", String(40), nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("dated_at", Instant),
    Column("sent_at", Instant),
    Column("used_at", Instant),
    Index(None, "subscriber_id", "created_at"),
    Index(None, "due_at"),
)
"""Single use; the token is the ``seed`` signed with the mailer's secret, and only its hash is kept.
``created_at`` is when it was last asked for, ``due_at`` the next try (None: accepted or given up),
``dated_at`` the Date of every try, ``sent_at`` when a relay took it."""

erasures = Table(
    "erasures",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("reason", String(40), nullable=False),
    Column("at", Instant, nullable=False),
)
"""Who asked to be forgotten: a keyed hash of the address, and nothing else of them."""

peppers = Table(
    "peppers",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
)
"""Random keys, each sealed by MAILER_SECRET_KEY; see ``audience/erasure``."""

tallies = Table(
    "tallies",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("key", String(120), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("count", Integer, nullable=False),
)
"""Totals that outlive what they counted: pruned deliveries, erased consents, refused posts."""

suppressions = Table(
    "suppressions",
    metadata,
    Column("address", String(254), primary_key=True),
    Column("reason", String(20), nullable=False),
    Column("evidence", Text, nullable=False),
    Column("at", Instant, nullable=False),
    one_of("reason", ("complaint", "bounce", "erased", "manual")),
)

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
    Index(
        "ix_deliveries_waiting",
        *("issue_id", "region", "state", "due_at", "id"),
        sqlite_where=text(WAITING),
        postgresql_where=text(WAITING),
    ),
    Index(
        "ix_deliveries_claimed",
        "id",
        sqlite_where=text(CLAIMED),
        postgresql_where=text(CLAIMED),
    ),
)
"""UNIQUE(issue_id, address) is why nobody gets two copies, whatever else goes wrong. What waits to
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

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("issue_id", String(40), nullable=False),
    Column("region", String(80), nullable=False),
    Column("by", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "issue_id", "at"),
)
"""Append-only facts about issues and runs."""

runs = Table(
    "runs",
    metadata,
    Column("job", String(40), primary_key=True),
    Column("region", String(80), primary_key=True),
    Column("slot_at", Instant, primary_key=True),
    Column("state", String(20), nullable=False),
    Column("issue_id", String(40), nullable=False),
    Column("note", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    one_of("state", ("started", "done", "held", "failed")),
)
"""One row a job, region and slot: two schedulers, a restart and a clock jump are harmless."""
