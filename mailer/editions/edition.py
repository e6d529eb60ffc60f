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
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

SLOTS = (
    "name",
    "greeting",
    "address",
    "unsubscribe_url",
    "preferences_url",
    "view_online_url",
)
"""What every reader has and a template may name; a roster's own fields come beside them."""


GREETINGS = ("Dear %(name)s,", "Dear reader,")
"""How a reader with a name and one without are addressed, in English."""


def greeting(name: str, greetings: tuple[str, str] = GREETINGS) -> str:
    """Return how a reader is addressed: by the whole name as given, which no rule can shorten."""
    named, nameless = greetings
    return named.replace("%(name)s", name.strip()) if name.strip() else nameless


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a reader's field; ``name`` is one of ``SLOTS``, or ``roster_slot`` made it.

    A roster's field has a ``column`` and a ``default``, None where the template gives none. One
    that is ``in_link`` stands inside an address and is percent-encoded.
    """

    name: str
    column: str = ""
    default: str | None = None
    in_link: bool = False

    def fill(self, held: Mapping[str, str]) -> str:
        """Return what stands in a roster field's place for a reader who has these fields."""
        value = str(held.get(self.column) or "").strip() or self.default or ""
        return quote(value.encode("utf-8", "replace"), safe="") if self.in_link else value


def roster_slot(column: str, default: str | None, *, in_link: bool = False) -> Slot:
    """Return the place of a roster's field; same field and default, same ``name``."""
    where = "link" if in_link else "field"
    name = f"{where}:{column}" + ("" if default is None else f"={default}")
    return Slot(name, column, default, in_link)


@dataclass(frozen=True, slots=True)
class Edge:
    """Where what may be left out for a reader begins, or ends.

    It is left out for whoever was sent all of its articles before; see ``Edition.without``.
    """

    article_ids: tuple[str, ...]
    is_start: bool


Segments = tuple[str | Slot | Edge, ...]
"""Literal text, slots and edges, in order; edges are nested."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One issue for one region.

    ``subject`` and ``preheader`` are plain text without slots. ``article_ids`` are the pieces it
    shows, in reading order: what a list has been sent once the issue went out. ``greetings`` are
    the language's, for the slot of that name.
    """

    issue_id: str
    region: str
    language: str
    subject: str
    preheader: str
    html: Segments
    text: Segments
    article_ids: tuple[str, ...]
    greetings: tuple[str, str] = GREETINGS

    def greeting(self, name: str) -> str:
        """Return how this edition addresses a reader; "" is one without a name."""
        return greeting(name, self.greetings)

    @property
    def checksum(self) -> str:
        """SHA-256 hex over everything a reader could see."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def separable(self) -> frozenset[str]:
        """The articles that can be left out for a reader, in the HTML and in the text alike."""
        html, text = (
            {part for part in parts if isinstance(part, Edge)} for parts in (self.html, self.text)
        )
        return frozenset(
            id_ for edge in html & text if len(edge.article_ids) == 1 for id_ in edge.article_ids
        )

    def without(self, withheld: frozenset[str]) -> Edition:
        """Return the edition for readers who were sent these articles before; it has no edges."""
        gone = withheld & self.separable
        return replace(
            self,
            html=_cut(self.html, gone),
            text=_cut(self.text, gone),
            article_ids=tuple(each for each in self.article_ids if each not in gone),
        )

    @property
    def roster_slots(self) -> frozenset[Slot]:
        """The slots that a roster's fields fill."""
        parts = (*self.html, *self.text)
        return frozenset(part for part in parts if isinstance(part, Slot) and part.column)

    @property
    def columns(self) -> frozenset[str]:
        """The roster's fields it names."""
        return frozenset(slot.column for slot in self.roster_slots)

    def roster_values(self, held: Mapping[str, str]) -> dict[str, str]:
        """Return a value for each of ``roster_slots``, for a reader who has these fields."""
        return {slot.name: slot.fill(held) for slot in self.roster_slots}

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
                "greetings": list(self.greetings),
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
            greetings=(data["greetings"][0], data["greetings"][1]),
        )


def merge_html(segments: Segments, fields: Mapping[str, str]) -> str:
    """Join an HTML part for one reader; values are escaped for text and attributes alike.

    A roster's field without a value gets its default, here as in ``merge_text``.
    """
    return "".join(
        html.escape(_value(part, fields), quote=True) if isinstance(part, Slot) else part
        for part in segments
        if not isinstance(part, Edge)
    )


def merge_text(segments: Segments, fields: Mapping[str, str]) -> str:
    """Join a text part for one reader; a value can never start a new line."""
    return "".join(
        " ".join(_value(part, fields).split()) if isinstance(part, Slot) else part
        for part in segments
        if not isinstance(part, Edge)
    )


def _value(slot: Slot, fields: Mapping[str, str]) -> str:
    if slot.column and slot.name not in fields:
        return slot.fill({})
    return fields[slot.name]


def _cut(segments: Segments, gone: frozenset[str]) -> Segments:
    kept: list[str | Slot | Edge] = []
    depth = 0
    for part in segments:
        if isinstance(part, Edge):
            if gone.issuperset(part.article_ids):
                depth += 1 if part.is_start else -1
        elif not depth:
            if kept and isinstance(part, str) and isinstance(before := kept[-1], str):
                kept[-1] = before + part
            else:
                kept.append(part)
    return tuple(kept)


def _plain(segments: Segments) -> list[object]:
    return [part if isinstance(part, str) else _described(part) for part in segments]


def _described(slot: Slot | Edge) -> dict[str, object]:
    if isinstance(slot, Edge):
        return {"edge": "start" if slot.is_start else "end", "articles": list(slot.article_ids)}
    if not slot.column:
        return {"slot": slot.name}
    kind = "link" if slot.in_link else "field"
    return {"slot": kind, "column": slot.column, "default": slot.default}


def _segments(data: list[object]) -> Segments:
    return tuple(_slot(part) if isinstance(part, dict) else str(part) for part in data)


def _slot(described: Mapping[str, Any]) -> Slot | Edge:
    if "edge" in described:
        return Edge(tuple(described["articles"]), described["edge"] == "start")
    if "column" not in described:
        return Slot(described["slot"])
    return roster_slot(
        described["column"], described["default"], in_link=described["slot"] == "link"
    )
