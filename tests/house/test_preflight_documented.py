"""Every finding that preflight can make is in its rulebook and in the docs, and nothing else is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from mailer.editions.checks.rulebook import RULES

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs" / "preflight.md"


def named_codes() -> set[str]:
    """Codes that the program's source gives to a finding, both of a choice."""
    found: set[str] = set()
    for path in (ROOT / "mailer").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            place = {"Hit": 0, "found": 0, "Finding": 1}.get(node.func.id) if is_call else None
            if place is None or len(node.args) <= place:
                continue
            code = node.args[place]
            choices = [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
            found |= {
                each.value
                for each in choices
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            }
    return found


def test_every_code_in_the_source_is_a_rule() -> None:
    assert named_codes() - set(RULES) == set()


def test_every_rule_is_documented_with_its_level_and_remedy() -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (\w+) \|", DOC.read_text(), re.MULTILINE))
    assert rows == {code: str(rule.level) for code, rule in RULES.items()}
    assert all(rule.remedy for rule in RULES.values())


def test_the_list_is_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "rules.py"), "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
