"""The one screen of an operator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.console import Console

from mailer.cli.status_commands import _bar, _screen
from mailer.operating.overview import overview
from tests.cli.driving import ISSUE, Mailer
from tests.counting import CountingServer


def test_an_empty_publication_says_so(mailer: Mailer, fresh: Path) -> None:
    said = mailer("status", folder=fresh)
    assert said.code == 0
    assert "Not running: it was never looked at." in said.out
    assert "There is none yet" in said.out
    assert "Nothing waits to be sent." in said.out
    assert "Last errors" not in said.out


def test_each_region_is_shown_at_its_own_hour(mailer: Mailer, drafted: Path) -> None:
    data = mailer("status", "--json").data
    sends = [row for row in data["next"] if row["job"] == "send"]
    regions = [region for row in sends for region in row["regions"]]
    assert len(regions) == len(set(regions)) == 14
    scotland = next(row for row in sends if "scotland" in row["regions"])
    assert scotland["local"].endswith("+00:00")
    assert scotland["issue"] == ISSUE
    assert [row["id"] for row in data["issues"]] == [ISSUE]


def test_a_sending_that_was_stopped_is_seen_with_its_queue_and_its_order(
    mailer: Mailer, drafted: Path, nowhere: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mailer("issue", "approve", "next").code == 0
    with CountingServer() as relay:
        monkeypatch.setenv("MAILER_RELAY_PORT", str(relay.port))
        assert mailer("send", ISSUE, "--region", "wales", "--yes").code in {0, 8}
        accepted = len(relay.taken)
    monkeypatch.setenv("MAILER_RELAY_PORT", str(nowhere))
    assert mailer("send", ISSUE, "--yes").code == 8
    assert mailer("issue", "pause", ISSUE, "--reason", "a word with the printer").code == 0
    data = mailer("status", "--json").data
    [issue] = data["issues"]
    assert issue["totals"]["accepted"] == accepted
    assert data["queue"]["planned"] == issue["total"] - accepted
    said = mailer("status").out
    assert "a word with the printer" in said
    assert f"{accepted} of {issue['total']}" in said
    assert f"{data['queue']['planned']} planned" in said


def test_what_went_wrong_is_said_once_for_all_regions(
    mailer: Mailer, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_FIXED_NOW", f"{ISSUE}T08:30:00+00:00")
    assert mailer("tick").code == 8
    data = mailer("status", "--json").data
    held = [row for row in data["errors"] if row["what"] == f"send {ISSUE} held"]
    assert len(held) == 1
    assert "not approved" in held[0]["why"]
    assert "Last errors" in mailer("status").out


def test_the_screen_fits_eighty_columns(mailer: Mailer, drafted: Path, publication: Path) -> None:
    from mailer.app import open_app

    with open_app(publication) as app:
        screen = _screen(overview(app))
    console = Console(width=80, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(screen)
    lines = captured.get().splitlines()
    assert max(len(line) for line in lines) <= 80
    assert len(lines) <= 24
    assert re.search(r"^send 2026-11-30 +Mon 30 Nov 07:00 +GMT ", captured.get(), re.MULTILINE)


def test_a_bar_is_full_only_at_the_end() -> None:
    assert _bar(0, 10) == "░" * 12
    assert _bar(1, 10_000).count("█") == 1
    assert _bar(9_999, 10_000).count("█") == 11
    assert _bar(10, 10) == "█" * 12


def test_watching_needs_a_terminal(mailer: Mailer) -> None:
    for words in (("status", "--watch"), ("status", "--watch", "--json")):
        said = mailer(*words)
        assert said.code == 2
        assert "needs a terminal" in said.err
