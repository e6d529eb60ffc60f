"""Reading a file's values one by one, each fault kept with its line and key.

``FieldReader`` knows the forms of values (a text, keys, names, ids) and nothing of what an issue
is; ``manifest`` builds on it. It never guesses: what is faulty reads as empty.

Refused beyond wrong types: line breaks, control characters and marks that turn the reading
direction in one-line fields, which would end in a header.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import Any

from mailer.errors import Fault
from mailer.issues.remarks import nearest, shown

_TURNING = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class FieldReader:
    """Reads one file's data and gathers its faults."""

    def __init__(
        self, data: dict[str, Any], lines: dict[str, int], *, where: str, title: str
    ) -> None:
        """``lines`` are by dotted key; ``title`` is whose sections and regions are named."""
        self.faults: list[Fault] = []
        self.data = data
        self.lines = lines
        self.where = where
        self._title = title

    def fault(self, problem: str, key: str, remedy: str, *, line: int | None = None) -> None:
        """Note a fault at a dotted key, or at the nearest key above it that has a line."""
        place = key
        while line is None and place:
            line = self.lines.get(place)
            place = place.rpartition(".")[0]
        self.faults.append(
            Fault(problem, where=self.where, line=line or 1, field=key, remedy=remedy)
        )

    def has_fault(self, key: str) -> bool:
        """Say whether a fault was noted at this very key."""
        return any(fault.field == key for fault in self.faults)

    def text(self, value: Any, key: str, *, lines: bool = True) -> str:
        """Return a text without outer white space; note what may not stand in it."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault(f"is {shown(value)}, not text", key, "put it in quotes")
            return ""
        text = value.strip()
        for ch in text:
            if unicodedata.category(ch) not in {"Cc", "Cs", "Zl", "Zp"} and ch not in _TURNING:
                continue
            if ch in "\n\t" and lines:
                continue
            what = "a line break" if ch in "\n\r\x85\u2028\u2029" else "a control character"
            remedy = "take it out" if lines else "keep it on one line of plain text"
            self.fault(f"holds {what} (U+{ord(ch):04X})", key, remedy)
            return ""
        return text

    def mapping(self, key: str, value: Any, known: tuple[str, ...]) -> dict[str, Any]:
        """Return a mapping with known keys."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            form = ", ".join(f"{name}: …" for name in known)
            self.fault(f"is {shown(value)}, not a list of keys", key, f"write {{{form}}}")
            return {}
        for name in value:
            self.is_known(name, known, f"{key}.{name}", "key")
        return {name: inner for name, inner in value.items() if name in known}

    def named(self, key: str, known: Collection[str], what: str) -> dict[str, Any]:
        """Return a mapping from known slugs."""
        value = self.data.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(
                f"is {shown(value)}, not {what}s by name",
                key,
                f"write the name of a {what} and a colon on a line of its own",
            )
            return {}
        return {
            name: inner
            for name, inner in value.items()
            if self.is_known(name, known, f"{key}.{name}", what)
        }

    def is_known(self, name: str, known: Collection[str], key: str, what: str) -> bool:
        """Say whether a name is one of those; note the nearest where it is not."""
        if name in known:
            return True
        near = nearest(name, known)
        self.fault(
            f"{name!r} is not a {what} of " + ("an issue" if what == "key" else self._title),
            key,
            f"did you mean {near}?" if near else f"use one of {', '.join(sorted(known))}",
        )
        return False

    def identifier(self, value: Any, key: str, known: Collection[str] | None, what: str) -> str:
        """Return an id, or "" once its fault is noted."""
        if not isinstance(value, str) or not value.strip():
            self.fault(f"is {shown(value)}, not the id of an {what}", key, "put the id in quotes")
            return ""
        found = value.strip()
        if known is None or found in known:
            return found
        near = nearest(found, known)
        hint = "`mailer articles` lists the ids"
        self.fault(f"there is no {what} {found!r}", key, f"did you mean {near}?" if near else hint)
        return ""
