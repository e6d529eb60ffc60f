"""What the calendar did: one row a job, region and slot."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from mailer.storage.columns import metadata, one_of
from mailer.storage.instant import Instant

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
