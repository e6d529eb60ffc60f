"""What was taken in: articles, and what articles announce."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from mailer.storage.columns import metadata
from mailer.storage.instant import Instant

articles = Table(
    "articles",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("title", Text, nullable=False),
    Column("standfirst", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("authors", JSON, nullable=False),
    Column("author_note", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("url", Text, nullable=False),
    Column("picture", JSON),
    Column("credits", JSON, nullable=False),
    Column("section", String(80), nullable=False),
    Column("regions", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("quotes", JSON, nullable=False),
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
    # Last, so that whoever wants none of the text does not read past it.
    Column("body_html", Text, nullable=False),
    Column("body_text", Text, nullable=False),
    Index(None, "content_hash"),
    Index(None, "first_seen_at"),
    Index(None, "published_at"),
    Index(None, "embargo_until"),
    Index(None, "origin"),
)

article_traits = Table(
    "article_traits",
    metadata,
    Column(
        "article_id", String(80), ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("version", String(60), nullable=False),
    Column("word_count", Integer, nullable=False),
    Column("is_excerpt", Boolean, nullable=False),
    Column("places", JSON, nullable=False),
    Column("words", LargeBinary, nullable=False),
    Column("counts", LargeBinary, nullable=False),
    Column("runs", LargeBinary, nullable=False),
)
"""What choosing compares, worked out of the texts; ``version`` says by which rules."""

diary_entries = Table(
    "diary_entries",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("title", Text, nullable=False),
    Column("held_on", Date, nullable=False),
    Column("held_at", String(5), nullable=False),
    Column("ends_at", String(5), nullable=False),
    Column("held_until", Date),
    Column("repeats", String(40), nullable=False),
    Column("place", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("regions", JSON, nullable=False),
    Column("article_id", String(80), nullable=False),
    Column("origin", Text, nullable=False),
    Column("flags", JSON, nullable=False),
    Column("is_hidden", Boolean, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index(None, "held_on"),
    Index(None, "origin"),
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
