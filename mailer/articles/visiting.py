"""When a source is asked again: a pure question of its cadence, its failures and what it asks for.

A source that answers is due again after ``every_minutes``, later if it says so (Cache-Control's
max-age, at most a day). One that fails is left alone twice as long each time, up to a day, and as
long as its Retry-After wants; one that is gone for good, a week. Nothing is given up without an
editor: a source that fails stays in the reports until it is mended or taken out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailer.sources import Source

_LONGEST_WISH = timedelta(days=1)
_LONGEST_BACK_OFF = timedelta(days=1)
_GONE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is remembered of a source between two visits; ``place`` is its url or file.

    ``moved_to`` is where its address has moved for good. ``trouble`` is why the last visit failed,
    "" after a good one.
    """

    place: str
    moved_to: str = ""
    etag: str = ""
    last_modified: str = ""
    body_hash: str = ""
    asked_at: datetime | None = None
    succeeded_at: datetime | None = None
    due_at: datetime | None = None
    failures: int = 0
    trouble: str = ""
    items: int = 0
    articles: int = 0


def is_due(source: Source, state: SourceState, now: datetime) -> bool:
    """Say whether a source is to be asked; a file of our own always is."""
    if source.file or state.due_at is None or state.asked_at is None:
        return True
    # A clock that was ahead must not silence a source for as long as it was.
    longest = max(_GONE, timedelta(minutes=source.every_minutes))
    return now >= min(state.due_at, state.asked_at + longest) or state.asked_at > now


def due_after_success(source: Source, headers: Mapping[str, str], now: datetime) -> datetime:
    """Return when a source that answered is due again. Source: RFC 9111 section 5.2.2.1."""
    wish = re.search(r"max-age\s*=\s*\"?(\d{1,9})", headers.get("cache-control", ""))
    wished = min(timedelta(seconds=int(wish[1])), _LONGEST_WISH) if wish else timedelta()
    return now + max(timedelta(minutes=source.every_minutes), wished)


def due_after_failure(
    source: Source,
    now: datetime,
    *,
    failures: int,
    status: int = 0,
    retry_after_s: float | None = None,
) -> datetime:
    """Return when a source that failed is asked again.

    Args:
        source: which.
        now: aware UTC.
        failures: how often it failed in a row, this time included.
        status: what it answered, 0 for nothing.
        retry_after_s: how long it asked to be left alone.
    """
    usual = timedelta(minutes=source.every_minutes)
    longest = max(usual, _LONGEST_BACK_OFF)
    # 2**20 of the shortest cadence is past any limit, and no number grows beyond reason.
    wait = min(usual * (1 << min(max(failures - 1, 0), 20)), longest)
    if status == 410:
        wait = max(wait, _GONE)
    return now + max(wait, timedelta(seconds=retry_after_s or 0))
