"""TOML files with line numbers for their faults.

``tomllib`` says the line of a syntax error but forgets where a good key stood. Validation finds
most mistakes, so ``find_line`` looks the key up in the text again: the nearest line that assigns
the last named part, below its table's header. It is a reading aid; a key it cannot find (a
dotted or inline form) gives None and the fault names the file and key alone.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mailer.errors import ConfigurationError, Fault
from mailer.mistakes import said_of


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return a TOML file's data and its text.

    Raises:
        ConfigurationError: missing, not UTF-8, or not TOML; one fault with file and line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(
            Fault(
                "the file is missing",
                where=str(path),
                remedy="create it, or run `mailer init DIR` for a working publication",
            )
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            Fault(f"not UTF-8 at byte {error.start}", where=str(path), remedy="save it as UTF-8")
        ) from None
    except OSError as error:
        raise ConfigurationError(
            Fault(f"cannot be read: {error.strerror}", where=str(path))
        ) from None
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = re.search(r"at line (\d+), column \d+", message)
        raise ConfigurationError(
            Fault(
                re.sub(r"\s*\(at (line \d+, column \d+|end of document)\)", "", message),
                where=str(path),
                line=int(found[1]) if found else text.count("\n") + 1,
                remedy="mend the TOML there",
            )
        ) from None


def find_line(text: str, location: Sequence[str | int]) -> int | None:
    """Return the line, from 1, where the key at ``location`` is assigned, or None.

    ``location`` is pydantic's: names and, for arrays of tables, indexes from 0.
    """
    names = [part for part in location if isinstance(part, str)]
    indexes = {
        location[i - 1]: part for i, part in enumerate(location) if isinstance(part, int) and i
    }
    if not names:
        return None
    header: list[str] = []
    seen: dict[str, int] = {}
    fallback: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        table = re.match(r"(\[\[?)\s*([^\]]+?)\s*\]\]?", stripped)
        if table:
            header = [part.strip(" \"'") for part in table[2].split(".")]
            if table[1] == "[[":
                seen[header[-1]] = seen.get(header[-1], -1) + 1
            # A key that is absent is reported at its table's header.
            if header == names[: len(header)] and _is_here(header, seen, indexes):
                fallback = number
            if header == names and _is_here(header, seen, indexes):
                return number
            continue
        if header != names[: len(header)] or not _is_here(header, seen, indexes):
            continue
        rest = names[len(header) :]
        if rest and re.match(rf"[\"']?{re.escape(rest[0])}[\"']?\s*[.=]", stripped):
            return number
    return fallback


def _is_here(header: list[str], seen: dict[str, int], indexes: dict[str | int, int]) -> bool:
    return all(
        seen.get(name, wanted) == wanted for name, wanted in indexes.items() if name in header
    )


def faults_of(error: ValidationError, *, where: str, text: str = "") -> list[Fault]:
    """Translate pydantic's errors into faults, one each, in the file's order."""
    faults = []
    items = error.errors(include_url=False)
    for item in items:
        location = item["loc"]
        is_echo = any(location == other["loc"][: len(location)] for other in items if other != item)
        if item["type"] == "too_short" and is_echo:
            # A list whose items are at fault is not also too short.
            continue
        problem, remedy = said_of(item)
        if item["type"] not in {"missing", "extra_forbidden"}:
            value = item.get("input")
            if isinstance(value, str | int | float | bool) and repr(value) not in problem:
                problem = f"{problem} (got {value!r})"
        faults.append(
            Fault(
                problem,
                where=where,
                line=find_line(text, location) if text else None,
                field=".".join(str(part) for part in location),
                remedy=remedy,
            )
        )
    return sorted(faults, key=lambda fault: fault.line or 0)
