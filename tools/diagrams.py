"""Draw the state machines into docs/ARCHITECTURE.md, from the tables the program runs on.

Each drawing stands between ``<!-- states: NAME -->`` and ``<!-- end -->``; what is between is
replaced. ``--check`` changes nothing and fails when a drawing is out of date. Steps between the
same two states share an arrow.
"""
# ruff: noqa: INP001

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from mailer.audience import consent
from mailer.delivery import delivery
from mailer.issues import issue
from mailer.schedule import runs

FILE = Path(__file__).parents[1] / "docs" / "ARCHITECTURE.md"

Table = Mapping[tuple[StrEnum | None, str], StrEnum]

TABLES: dict[str, tuple[Table, tuple[tuple[str, str], ...]]] = {
    "issue": (issue.TRANSITIONS, (("draft", "draft"),)),
    "delivery": (delivery.TRANSITIONS, (("plan", "planned"),)),
    "consent": (consent.TRANSITIONS, ()),
    "slot": (runs.TRANSITIONS, (("claim", "started"), ("miss", "missed"))),
}
"""Each machine's table, and the steps that begin a life where the table has no row for it."""


def drawing(table: Table, beginnings: tuple[tuple[str, str], ...]) -> str:
    """Return one machine as a fenced Mermaid block, in the table's order."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for step, state in beginnings:
        arrows.setdefault(("[*]", state), []).append(step)
    for (before, step), after in table.items():
        arrows.setdefault((str(before) if before else "[*]", str(after)), []).append(str(step))
    ends = [
        state
        for state in dict.fromkeys(str(state) for state in table.values())
        if state not in {str(before) for before, _ in table}
    ]
    lines = [f"    {a} --> {b}: {', '.join(steps)}" for (a, b), steps in arrows.items()]
    lines += [f"    {state} --> [*]" for state in ends]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def redrawn(text: str) -> str:
    """Return the document with every drawing made anew.

    Raises:
        KeyError: the document names a machine that does not exist.
        ValueError: a machine has no place in the document.
    """
    seen: set[str] = set()

    def draw(found: re.Match[str]) -> str:
        seen.add(found[1])
        return f"<!-- states: {found[1]} -->\n{drawing(*TABLES[found[1]])}\n<!-- end -->"

    text = re.sub(r"<!-- states: (\w+) -->\n.*?<!-- end -->", draw, text, flags=re.DOTALL)
    if seen != set(TABLES):
        raise ValueError(f"no place for {', '.join(sorted(set(TABLES) - seen))} in {FILE.name}")
    return text


def main(arguments: list[str]) -> int:
    """Redraw the document, or with ``--check`` say whether it is current."""
    before = FILE.read_text(encoding="utf-8")
    after = redrawn(before)
    if before == after:
        return 0
    if "--check" in arguments:
        sys.stderr.write(f"{FILE.name} is out of date: run `python tools/diagrams.py`\n")
        return 1
    FILE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
