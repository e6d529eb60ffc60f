"""Issues, what was decided about them, their editions, and what happened to them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from mailer.storage.columns import metadata, one_of
from mailer.storage.instant import Instant

ISSUE_STATES = ("draft", "approved", "scheduled", "sending", "sent", "cancelled")

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
    Column("tools", Text, nullable=False, server_default=""),
    one_of("state", ISSUE_STATES),
    CheckConstraint(
        "state NOT IN ('approved', 'scheduled', 'sending', 'sent') OR checksum <> ''",
        name="approval_has_checksum",
    ),
)
"""``frozen`` is the issue file's text as it was approved, ``audience_rule`` who was to get it,
``tools`` the versions of what rendered it."""

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
    Column("nearest", String(80), nullable=False, server_default=""),
    Column("measure", String(20), nullable=False, server_default=""),
    Column("likeness", Float, nullable=False, server_default="0"),
    Column("needed", Float),
    Column("steps", Integer, nullable=False, server_default="0"),
    Index(None, "article_id"),
)
"""``nearest`` is the article it is most like, by ``measure``; ``needed`` the score it wanted,
``steps`` how far up its ladder a region's block took it from."""

editions = Table(
    "editions",
    metadata,
    Column("issue_id", String(40), ForeignKey("issues.id"), primary_key=True),
    Column("region", String(80), primary_key=True),
    Column("checksum", String(64), nullable=False),
    Column("content", Text, nullable=False),
)
"""``content`` is ``Edition.to_json()``: what was approved is what is sent, whatever changed."""

amendments = Table(
    "amendments",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("issue_id", String(40), ForeignKey("issues.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index(None, "issue_id"),
)
"""What was wrong in an issue that went out, as its page says it."""

amended_editions = Table(
    "amended_editions",
    metadata,
    Column("amendment_id", Integer, ForeignKey("amendments.id"), primary_key=True,
           autoincrement=False),
    Column("region", String(80), primary_key=True),
    Column("issue_id", String(40), ForeignKey("issues.id"), nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Index(None, "issue_id", "region"),
)  # fmt: skip
"""What the archive shows since an amendment; what readers were sent stays in ``editions``."""

inputs = Table(
    "inputs",
    metadata,
    Column("checksum", String(64), primary_key=True),
    Column("content", Text, nullable=False),
)
"""What editions were made of, kept once by its checksum: templates, articles, the publication."""

locks = Table(
    "locks",
    metadata,
    Column("issue_id", String(40), ForeignKey("issues.id"), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("name", String(400), primary_key=True),
    Column("checksum", String(64), ForeignKey("inputs.checksum"), nullable=False),
    Index(None, "checksum"),
)
"""Which inputs an approved issue's editions were made of; see ``issues/lock``."""

last_approvals = Table(
    "last_approvals",
    metadata,
    Column("issue_id", String(40), ForeignKey("issues.id"), primary_key=True),
    Column("content", Text, nullable=False),
)
"""What was approved before a change voided it, as JSON; see ``issues/last_approval``."""

exposures = Table(
    "exposures",
    metadata,
    Column("region", String(80), primary_key=True),
    Column("article_id", String(80), primary_key=True),
    Column("issue_id", String(40), primary_key=True),
    Column("sent_at", Instant, nullable=False),
    Index(None, "article_id"),
)
"""Which list has been shown which article; written when a region's sending starts."""

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
