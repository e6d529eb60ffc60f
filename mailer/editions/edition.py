"""An edition: one issue rendered once for one region, with slots where a reader's fields go.

A rendered part is a sequence of literal strings and ``Slot`` values. Rendering uses unguessable
tokens in the slots' places and splits at them afterwards, so that no article text can ever
imitate one. The canonical form (JSON of the segments) is what the checksum covers: two renders
of the same issue give the same bytes although the tokens differ.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass

SLOTS = (
    "name",
    "greeting",
    "address",
    "unsubscribe_url",
    "preferences_url",
    "view_online_url",
)
"""Every field of a reader that a template may name."""


def greeting(name: str) -> str:
    """Return how a reader is addressed: by the whole name as given, which no rule can shorten."""
    return f"Dear {name.strip()}," if name.strip() else "Dear reader,"


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a reader's field; ``name`` is one of ``SLOTS``."""

    name: str


Segments = tuple[str | Slot, ...]
"""Literal text and slots, in order."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One issue for one region.

    ``subject`` and ``preheader`` are plain text without slots. ``article_ids`` are the pieces it
    shows, in reading order: what a list has been sent once the issue went out.
    """

    issue_id: str
    region: str
    language: str
    subject: str
    preheader: str
    html: Segments
    text: Segments
    article_ids: tuple[str, ...]

    @property
    def checksum(self) -> str:
        """SHA-256 hex over everything a reader could see."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Return the canonical form: sorted keys, no spaces, slots as ``{"slot": name}``."""
        return json.dumps(
            {
                "issue_id": self.issue_id,
                "region": self.region,
                "language": self.language,
                "subject": self.subject,
                "preheader": self.preheader,
                "html": _plain(self.html),
                "text": _plain(self.text),
                "article_ids": list(self.article_ids),
            },
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Edition:
        """Read the canonical form back."""
        data = json.loads(text)
        return cls(
            issue_id=data["issue_id"],
            region=data["region"],
            language=data["language"],
            subject=data["subject"],
            preheader=data["preheader"],
            html=_segments(data["html"]),
            text=_segments(data["text"]),
            article_ids=tuple(data["article_ids"]),
        )


def merge_html(segments: Segments, fields: Mapping[str, str]) -> str:
    """Join an HTML part for one reader; values are escaped for text and attributes alike."""
    return "".join(
        html.escape(fields[part.name], quote=True) if isinstance(part, Slot) else part
        for part in segments
    )


def merge_text(segments: Segments, fields: Mapping[str, str]) -> str:
    """Join a text part for one reader; a value can never start a new line."""
    return "".join(
        " ".join(fields[part.name].split()) if isinstance(part, Slot) else part for part in segments
    )


def _plain(segments: Segments) -> list[object]:
    return [{"slot": part.name} if isinstance(part, Slot) else part for part in segments]


def _segments(data: list[object]) -> Segments:
    return tuple(Slot(part["slot"]) if isinstance(part, dict) else str(part) for part in data)
