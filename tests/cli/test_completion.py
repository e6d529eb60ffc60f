"""What the shell offers when the Tab key is pressed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.cli.options import complete_issue, complete_region
from tests.cli.driving import ISSUE


def test_regions_and_issues_of_the_folder(
    publication: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(publication / "issues")
    assert complete_region("north") == ["north-london", "north-yorkshire"]
    assert complete_issue("20") == [ISSUE]
    assert complete_issue("n") == ["next"]


def test_nothing_outside_a_publication(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert complete_region("") == []
