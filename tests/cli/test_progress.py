"""What a person at a terminal sees while a command works."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from mailer.checkup import examine
from mailer.cli import output


def test_a_terminal_sees_how_many_looks_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    monkeypatch.setattr(output, "err", lambda: console)
    with output.progress("Looking") as bar:
        bar(2, 9, "Looking at DNS")
    assert "Looking at DNS" in written.getvalue()
    assert "2/9" in written.getvalue()
    with output.progress("Copying"):
        pass
    assert "/?" not in written.getvalue()


def test_every_look_is_told_with_its_number(publication: Path) -> None:
    told: list[tuple[int, int, str]] = []
    examine(publication, step=lambda *step: told.append(step))
    assert [done for done, _total, _what in told] == list(range(len(told)))
    assert {total for _done, total, _what in told} == {len(told)}
