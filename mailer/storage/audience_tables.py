"""Readers: who they are, what they agreed to, who may not be mailed, what is left of the gone."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from mailer.storage.columns import metadata, one_of
from mailer.storage.instant import Instant

SUBSCRIPTION_STATES = ("pending", "confirmed", "unsubscribed")

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
