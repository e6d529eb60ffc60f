"""``mailer articles drop``: what came by mistake goes; what was sent or is named stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import driver
from tests.cli.driving import ISSUE, Mailer

SPARE = (
    "---\ntitle: A spare piece\nbriefing:\n"
    "  events: [{title: Spare fair, date: 2026-12-20}]\n---\nIt is spare.\n"
)


@pytest.fixture
def spare(mailer: Mailer, publication: Path) -> Path:
    """The file of an article that no issue names."""
    path = publication / "articles" / "spare.md"
    path.write_text(SPARE, encoding="utf-8")
    assert mailer("ingest").code == 0
    return path


def ids(mailer: Mailer, *words: str) -> list[str]:
    return [row["id"] for row in mailer(*words, "--json").data]


def test_it_goes_with_what_it_announced_and_comes_back_with_its_file(
    mailer: Mailer, spare: Path
) -> None:
    assert "2026-12-20-spare-fair" in ids(mailer, "diary", "list")
    said = mailer("articles", "drop", "a-spare", "--yes", "--json")
    assert said.data == {
        "id": "a-spare-piece",
        "title": "A spare piece",
        "origins": ["articles/spare.md"],
        "diary": ["2026-12-20-spare-fair"],
        "files": ["articles/spare.md"],
    }
    assert "a-spare-piece" not in ids(mailer, "articles")
    assert "2026-12-20-spare-fair" not in ids(mailer, "diary", "list")
    assert mailer("articles", "drop", "a-spare-piece", "--yes").code == 4
    mailer("ingest")
    assert "a-spare-piece" in ids(mailer, "articles")
    said = mailer("articles", "drop", "a-spare-piece", "--yes")
    assert said.out == "Dropped: a-spare-piece (A spare piece), and 1 diary entry with it\n"
    assert "articles/spare.md stands there still; `mailer ingest` would" in said.err
    spare.unlink()
    mailer("ingest")
    assert "a-spare-piece" not in ids(mailer, "articles")


@pytest.mark.parametrize("named", ["a-spare-piece", "2026-12-20-spare-fair", "broken"])
def test_what_an_issue_names_that_is_not_sent_stays(
    mailer: Mailer, publication: Path, spare: Path, named: str
) -> None:
    path = publication / "issues" / f"{ISSUE}.md"
    text = path.read_text(encoding="utf-8")
    if named.startswith("2026"):
        text = text.replace("\ndiary:\n", f'\ndiary:\n  - "{named}"\n', 1)
    else:
        text = text.replace("  news:\n", "  news:\n    - a-spare-piece\n", 1)
    if named == "broken":
        text = text.replace("  news:\n", "  news:\n    - no-such-piece\n", 1)
    assert text != path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    said = mailer("articles", "drop", "a-spare-piece", "--yes")
    assert said.code == 5
    [line] = said.error_lines
    assert f"issue {ISSUE}, which is not sent, names" in line
    assert f"take it out of {ISSUE}.md" in line
    assert "a-spare-piece" in ids(mailer, "articles")


def test_what_was_sent_stays(friday: None, ready_sent: Path, tmp_path: Path) -> None:
    shutil.copytree(ready_sent, tmp_path / "sent")
    mailer = driver(tmp_path / "sent")
    first = mailer("issue", "show", ISSUE, "--json").data["blocks"][0]["picks"][0]["article"]
    said = mailer("articles", "drop", first, "--yes")
    assert said.code == 5
    [line] = said.error_lines
    assert f"{first} was sent in {ISSUE} and stays; `mailer issue amend {ISSUE}`" in line
    assert first in ids(mailer, "articles")
