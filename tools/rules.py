"""Write the list of preflight's findings into docs/preflight.md, from the rulebook.

What stands between ``<!-- rules -->`` and ``<!-- end -->`` is replaced. ``--check`` changes nothing
and fails when the list is out of date.
"""
# ruff: noqa: INP001

from __future__ import annotations

import re
import sys
from pathlib import Path

from mailer.editions.checks.rulebook import RULES

FILE = Path(__file__).parents[1] / "docs" / "preflight.md"


def listing() -> str:
    """Return the tables, one a concern, in the rulebook's order."""
    lines: list[str] = []
    about = ""
    for code, rule in RULES.items():
        if rule.about != about:
            about = rule.about
            lines += [
                "",
                f"### {about}",
                "",
                "| code | level | finds | what to do |",
                "|---|---|---|---|",
            ]
        lines.append(f"| `{code}` | {rule.level} | {_cell(rule.finds)} | {_cell(rule.remedy)} |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    # Braces and angles are code to a reader, and markup to a renderer.
    text = text.replace("|", "\\|")
    return re.sub(r"(\{\{.*?\}\}|<[a-z][^>]*>|\w+=\"[^\"]*\")", r"`\1`", text)


def rewritten(text: str) -> str:
    """Return the document with its list made anew.

    Raises:
        ValueError: it has no place for the list.
    """
    text, count = re.subn(
        r"<!-- rules -->\n.*?<!-- end -->",
        lambda _: f"<!-- rules -->\n{listing()}\n<!-- end -->",
        text,
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"{FILE.name} has {count} places for the list; it needs one")
    return text


def main(arguments: list[str]) -> int:
    """Rewrite the document, or with ``--check`` say whether it is current."""
    before = FILE.read_text(encoding="utf-8")
    after = rewritten(before)
    if before == after:
        return 0
    if "--check" in arguments:
        sys.stderr.write(f"{FILE.name} is out of date: run `python tools/rules.py`\n")
        return 1
    FILE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
