"""What approval freezes for one region: the edition, who writes it, and where its links lead.

The letterhead comes from the publication and the link base from the settings; both may change
while an issue is on its way. A message that is repeated must be the same to the byte, and what
was approved is what is sent, so they are kept with the edition and under its checksum.

Known limit: the DKIM key and the secret that signs links are not kept; a repeat after either was
changed differs in its signature or its links.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from mailer.delivery.message import Letterhead
from mailer.editions.edition import Edition


@dataclass(frozen=True, slots=True)
class FrozenEdition:
    """One region's edition as it is, or would be, approved."""

    edition: Edition
    head: Letterhead
    web_url: str

    @property
    def checksum(self) -> str:
        """SHA-256 hex over everything that goes into a reader's message but the reader."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Return the canonical form."""
        return json.dumps(
            {
                "edition": json.loads(self.edition.to_json()),
                "letterhead": asdict(self.head),
                "web_url": self.web_url,
            },
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> FrozenEdition:
        """Read the canonical form back."""
        data = json.loads(text)
        return cls(
            edition=Edition.from_json(json.dumps(data["edition"])),
            head=Letterhead(**data["letterhead"]),
            web_url=data["web_url"],
        )
