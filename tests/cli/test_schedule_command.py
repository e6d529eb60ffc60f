"""``mailer schedule`` on a narrow terminal: an issue at a time, regions of one hour on one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.app import open_app
from mailer.errors import Fault, StorageFailed
from mailer.schedule.calendar import Slot
from mailer.schedule.runs import Runs
from mailer.usecases import sourcing
from tests.cli.driving import ISSUE, Mailer, change

AT = datetime(2026, 11, 23, 7, tzinfo=UTC)


def test_what_is_to_come_stands_by_issue_and_hour(
    mailer: Mailer, publication: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.cli.output._plain_width", lambda: 80)
    change(publication / "subscribers" / "wales.toml", r"\A", 'time_zone = "Asia/Kolkata"\n')
    said = mailer("schedule", "--until", ISSUE).out
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines[0] == f"{ISSUE}: draft"
    assert "send Mon 30 Nov 06:45 GMT Mon 06:45 UTC north-london, south-london" in lines
    assert "send Mon 30 Nov 07:15 IST Mon 01:45 UTC wales" in lines
    assert max(len(line) for line in said.splitlines()) <= 80
    # No name of a region is broken in the middle.
    assert "north-yorkshire" in said
    assert "essex-and-suffolk" in said


def test_what_is_past_says_why(mailer: Mailer, publication: Path) -> None:
    assert mailer("schedule", "--past").out == "Nothing has run yet.\n"
    slots = [Slot("send", region, "2026-11-23", AT, AT) for region in ("wales", "scotland")]
    with open_app(publication) as app:
        Runs(app.database, app.clock).miss(slots, "missed: nothing was running")
    said = " ".join(mailer("schedule", "--past").out.split())
    assert "2026-11-23 07:00 send 2026-11-23 missed" in said
    assert "missed: nothing was running" in said
    assert "wales" in said
    assert "scotland" in said


def test_nothing_to_come_is_said(mailer: Mailer) -> None:
    assert mailer("schedule", "--until", "2026-11-01").out == "Nothing is to come.\n"


def test_a_tick_that_cannot_take_articles_in_ends_with_8_and_one_line(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object) -> None:
        raise StorageFailed(Fault("the database refused: database or disk is full"))

    monkeypatch.setattr(sourcing, "ingest", refuse)
    monkeypatch.setenv("MAILER_LOG_FORMAT", "json")
    said = mailer("tick")
    assert said.code == 8
    lines = [json.loads(line) for line in said.err.splitlines()]
    (failed,) = [line for line in lines if line["event"] == "schedule.ingest_failed"]
    assert "disk is full" in failed["why"]
    assert mailer("tick").code == 0


def test_a_tick_says_that_articles_could_not_be_read(mailer: Mailer, publication: Path) -> None:
    (publication / "articles" / "broken.md").write_text(
        "---\ntitle: [\n---\nNo way to read this.\n"
    )
    first = mailer("tick")
    assert "1 file or source could not be read" in first.out
    assert first.code == 0
    assert mailer("tick").out == "Nothing was due.\n"
