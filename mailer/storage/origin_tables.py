"""Where articles come from: origins, marks to know them by, versions, and the state of sources."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from mailer.storage.columns import metadata
from mailer.storage.instant import Instant

article_origins = Table(
    "article_origins",
    metadata,
    # One row for each document that shows the article; ``said`` is what it says, whole, where it
    # is not the only one. Where it is, the article's own row says it.
    Column("id", Integer, primary_key=True),
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("standing", Integer, nullable=False),
    Column("guid", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("said", JSON),
    Column("first_seen_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("article_id", "origin"),
    Index(None, "origin"),
)

article_marks = Table(
    "article_marks",
    metadata,
    # Numbers by which another sighting of the article is found (articles/identity).
    Column("mark", BigInteger, primary_key=True, autoincrement=False),
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "article_id"),
    # Up to eight come with an article: without a rowid their key is not stored twice.
    sqlite_with_rowid=False,
)

article_versions = Table(
    "article_versions",
    metadata,
    # What an origin said before it was changed; the newest words are not here.
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("replaced_at", Instant, nullable=False),
    Column("said", JSON, nullable=False),
)

source_states = Table(
    "source_states",
    metadata,
    # What is remembered of a source between two visits, by the place publication.toml names.
    Column("place", String(2_000), primary_key=True),
    Column("moved_to", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("last_modified", Text, nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("asked_at", Instant),
    Column("succeeded_at", Instant),
    Column("due_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("trouble", Text, nullable=False),
    Column("items", Integer, nullable=False),
    Column("articles", Integer, nullable=False),
)
