"""What front matter can say, and how its values are read: dates, near misses, names of types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from rapidfuzz import process

from mailer.articles.article import Flag, Kind, Picture
from mailer.errors import Fault

_COVERS = frozenset({"cover", "featured", "feature", "header", "image"})


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of ``briefing.events``."""

    title: str
    on: date
    at: time | None = None
    place: str = ""
    url: str = ""
    regions: tuple[str, ...] = ()


@dataclass(slots=True)
class Fields:
    """What the front matter says; None and empty where it says nothing."""

    title: str = ""
    slug: str = ""
    authors: tuple[str, ...] = ()
    author_note: str = ""
    published_at: datetime | None = None
    embargo_until: datetime | None = None
    expires_at: datetime | None = None
    deadline: date | None = None
    is_draft: bool = False
    kind: Kind | None = None
    section: str = ""
    regions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    priority: int = 0
    standfirst: str = ""
    url: str = ""
    source: str = ""
    picture: Picture | None = None
    events: tuple[Event, ...] = ()
    flags: list[Flag] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


def moment_of(value: Any) -> datetime | date | None:
    """Return the date or instant a value writes, or None."""
    if isinstance(value, datetime | date):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip()
    # Jekyll writes "2026-11-27 14:30:00 +0000", Pelican "2026-11-27 14:30".
    text = re.sub(r"^(\d{4}-\d\d-\d\d)[ T]+(\d\d:\d\d(?::\d\d)?)\s*", r"\1T\2", text)
    text = re.sub(r"\s*(?:UTC|GMT)$", "+00:00", text)
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


def stems_of(key: str) -> Iterable[str]:
    """Return a dotted key and the keys above it, nearest first."""
    parts = key.split(".")
    return (".".join(parts[:end]) for end in range(len(parts), 0, -1))


def near_miss(word: str, known: Iterable[str]) -> str:
    """Return what to do about an unknown word: the nearest known one, or all of them."""
    names = [str(name) for name in known]
    best = process.extractOne(word, names, score_cutoff=60)
    return f"did you mean {best[0]}?" if best else f"use one of {', '.join(names)}"


def type_of(value: Any) -> str:
    """Return a word for a value's type that a person understands."""
    names = {bool: "true or false", list: "a list", dict: "a list of keys", int: "a number"}
    return names.get(type(value), f"{value!r}"[:40])


def printable(text: str) -> str:
    """Replace control characters by spaces."""
    return "".join(ch if ch.isprintable() or ch.isspace() else " " for ch in text)


def is_cover(item: Mapping[str, Any]) -> bool:
    """True for the page resource that Hugo's themes show as the article's picture."""
    return str(item.get("name", "")).lower() in _COVERS
