"""What docs/standards.md claims has a test, and the test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "standards.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda part: part.rsplit("/", 1)[-1])
def test_the_test_it_names_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_names_a_test() -> None:
    claims = TEXT.partition("## Not yet")[0]
    rows = [line for line in claims.splitlines() if line.startswith("| ")]
    body = [row for row in rows if not row.startswith("| standard")]
    assert len(body) > 20
    assert [row for row in body if not re.search(r"`tests/[\w/]+\.py::\w+`", row)] == []


def test_every_page_that_a_document_links_to_exists() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{path.name}: {target}"
        for path in documents
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text())
        if not target.startswith(("https://", "http://", "mailto:"))
        and not (path.parent / target).exists()
    ]
    assert broken == []
