"""Every table, with the promises a database can keep written as constraints.

One schema for SQLite and PostgreSQL. Instants are stored as UTC through ``Instant``; lists and
maps as JSON. States are checked against the enums' words by the database itself, so that not
even a hand-written UPDATE can invent one. Changes go through Alembic (``storage/migrations``).
"""

from __future__ import annotations

from mailer.storage.article_tables import (
    article_traits,
    articles,
    diary_entries,
    directory_entries,
)
from mailer.storage.audience_tables import (
    SUBSCRIPTION_STATES,
    confirmations,
    consent_events,
    erasures,
    peppers,
    sign_ups,
    subscribers,
    subscriptions,
    suppressions,
    tallies,
)
from mailer.storage.columns import metadata
from mailer.storage.delivery_tables import (
    CLAIMED,
    DELIVERY_STATES,
    WAITING,
    attempts,
    deliveries,
    journals,
    kept_fields,
    orders,
)
from mailer.storage.instant import Instant
from mailer.storage.issue_tables import (
    ISSUE_STATES,
    amended_editions,
    amendments,
    decisions,
    editions,
    events,
    exposures,
    inputs,
    issues,
    last_approvals,
    locks,
)
from mailer.storage.origin_tables import (
    article_marks,
    article_origins,
    article_versions,
    source_states,
)
from mailer.storage.schedule_tables import leases, runs

__all__ = [
    "CLAIMED",
    "DELIVERY_STATES",
    "ISSUE_STATES",
    "SUBSCRIPTION_STATES",
    "WAITING",
    "Instant",
    "amended_editions",
    "amendments",
    "article_marks",
    "article_origins",
    "article_traits",
    "article_versions",
    "articles",
    "attempts",
    "confirmations",
    "consent_events",
    "decisions",
    "deliveries",
    "diary_entries",
    "directory_entries",
    "editions",
    "erasures",
    "events",
    "exposures",
    "inputs",
    "issues",
    "journals",
    "kept_fields",
    "last_approvals",
    "leases",
    "locks",
    "metadata",
    "orders",
    "peppers",
    "runs",
    "sign_ups",
    "source_states",
    "subscribers",
    "subscriptions",
    "suppressions",
    "tallies",
]
