"""What the ways in need to know about the publication, and the words every reader of text shares.

``IngestPolicy`` is a small value made from the publication by the composition root, so that this
stage needs neither the publication's model nor a clock.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class IngestPolicy:
    """How documents are read for one publication.

    ``now`` is an aware instant; ``time_zone`` an IANA name for dates without one; ``regions``
    maps a slug to the names and places that mean it; ``sections`` are the known slugs; ``root``
    is the publication's folder, which pictures and origins are relative to.
    """

    now: datetime
    time_zone: str
    root: Path
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sections: tuple[str, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.time_zone)

    @property
    def today(self) -> date:
        """The publication's local date."""
        return self.now.astimezone(self.zone).date()

    def instant(self, day: date, at: time | None = None) -> datetime:
        """Return the aware UTC instant of a local date, at midnight unless a time is given."""
        local = datetime.combine(day, at or time(0, 0), tzinfo=self.zone)
        return local.astimezone(self.now.tzinfo)

    def local_date(self, instant: datetime) -> date:
        """Return the publication's local date of an aware instant."""
        return instant.astimezone(self.zone).date()


def hash_of(title: str, text: str) -> str:
    """Return the SHA-256 hex of a piece: NFKC, casefolded, white space collapsed."""
    joined = f"{title}\n{text}"
    plain = " ".join(unicodedata.normalize("NFKC", joined).casefold().split())
    return hashlib.sha256(plain.encode()).hexdigest()
