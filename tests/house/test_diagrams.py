"""The drawings in the docs are those of the tables."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "diagrams.py"


def test_the_drawings_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(TOOL), "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_drawing_shows_starts_shared_arrows_and_ends() -> None:
    draw = runpy.run_path(str(TOOL))["drawing"]
    table = {("new", "go"): "gone", ("new", "run"): "gone", ("gone", "rest"): "still"}
    assert draw(table, (("make", "new"),)).splitlines() == [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> new: make",
        "    new --> gone: go, run",
        "    gone --> still: rest",
        "    still --> [*]",
        "```",
    ]


def test_a_machine_without_a_place_is_noticed() -> None:
    with pytest.raises(ValueError, match="no place for consent, delivery, slot"):
        runpy.run_path(str(TOOL))["redrawn"]("<!-- states: issue -->\n<!-- end -->")
