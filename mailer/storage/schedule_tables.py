"""What the calendar did: one row a job, region and issue; and which process may do it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, String, Table, Text

from mailer.storage.columns import metadata, one_of
from mailer.storage.instant import Instant

runs = Table(
    "runs",
    metadata,
    Column("job", String(40), primary_key=True),
    Column("region", String(80), primary_key=True),
    Column("issue_id", String(40), primary_key=True),
    Column("slot_at", Instant, nullable=False),
    Column("state", String(20), nullable=False),
    Column("note", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    one_of("state", ("started", "done", "held", "failed", "missed", "skipped")),
)
"""One row a job, region and issue (a database is one publication's): two schedulers, a restart, a
clock jump and an hour that was changed in publication.toml are harmless."""

leases = Table(
    "leases",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    CheckConstraint("fence >= 0", name="fence_not_negative"),
)
"""Who may do a job at the moment; ``fence`` grows with each new holder, see ``schedule/lease``."""
