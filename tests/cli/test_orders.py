"""Orders from another terminal reach a running `mailer send` within a second; progress and ledger.

What a second is worth is counted, not timed: the relay takes one message every ``PACE_S``, so what
it took after an order says how long the sender went on.
"""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.driving import FRIDAY, ISSUE, Mailer
from tests.cli.test_processes import PATIENCE_S, until
from tests.faults.chaos import ChaosServer

PROGRAM = (sys.executable, "-m", "mailer")
PACE_S = 0.04
A_SECOND = round(1 / PACE_S)
SLACK = 10
"""Messages: what is on the wire when an order comes, and what a busy machine adds."""


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChaosServer]:
    server = ChaosServer(pace_s=PACE_S)
    server.start()
    monkeypatch.setenv("MAILER_RELAY_PORT", str(server.port))
    yield server
    server.stop()


@pytest.fixture
def publication(friday: None, tmp_path: Path, ready_made: Path, request: Any) -> Path:
    """A publication of the test's own, whose issue is approved where the test wants that."""
    is_approved = "approved" in request.fixturenames
    root = tmp_path / "lantern"
    shutil.copytree(request.getfixturevalue("ready_approved") if is_approved else ready_made, root)
    return root


@pytest.fixture
def approved(publication: Path, relay: ChaosServer, monkeypatch: pytest.MonkeyPatch) -> None:
    # From here on the clock must run, or a sender's waits would take no time.
    monkeypatch.delenv("MAILER_FIXED_NOW")


@pytest.fixture
def sending(
    approved: None, publication: Path, relay: ChaosServer
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*PROGRAM, "--publication", str(publication), "send", ISSUE, "--yes", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: len(relay.taken) >= 5, process)
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, object], str]:
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, json.loads(out), err


def settled(relay: ChaosServer) -> int:
    """Wait until the relay has had nothing for a second; return how much it has in all."""
    seen = -1
    while seen != len(relay.taken):
        seen = len(relay.taken)
        time.sleep(1)
    return seen


def test_pause_and_resume_from_another_terminal(
    mailer: Mailer, relay: ChaosServer, sending: subprocess.Popen[str]
) -> None:
    assert mailer("issue", "pause", ISSUE, "--reason", "a wrong link").code == 0
    at_order = len(relay.taken)
    held = settled(relay)
    assert held - at_order <= A_SECOND + SLACK
    assert sending.poll() is None, "a pause ended the command"
    ledger = mailer("ledger", ISSUE, "--json").data
    assert "a wrong link" in ledger["order"]
    assert ledger["totals"]["accepted"] == held
    assert ledger["totals"]["planned"] == ledger["total"] - held > 0, "it kept what it had claimed"
    assert "a wrong link" in mailer("ledger", ISSUE).out

    assert mailer("issue", "resume", ISSUE).code == 0
    code, summary, err = ended(sending)
    assert code == 0, err
    assert "a wrong link" in err
    assert summary["totals"] == {"accepted": summary["total"]}
    assert set(relay.copies().values()) == {1}
    assert len(relay.taken) == summary["total"]


def test_cancel_from_another_terminal(
    mailer: Mailer, relay: ChaosServer, sending: subprocess.Popen[str]
) -> None:
    assert mailer("issue", "cancel", ISSUE, "--yes").code == 0
    at_order = len(relay.taken)
    code, summary, _err = ended(sending)
    assert len(relay.taken) - at_order <= A_SECOND + SLACK
    assert code == 8
    assert "cancelled" in str(summary["stopped"])
    accepted = len(relay.taken)
    assert summary["totals"] == {
        "accepted": accepted,
        "cancelled": int(str(summary["total"])) - accepted,
    }
    assert mailer("send", ISSUE, "--yes").code == 5
    assert len(relay.taken) == accepted


def test_a_second_sender_is_turned_away(
    mailer: Mailer, relay: ChaosServer, sending: subprocess.Popen[str]
) -> None:
    said = mailer("send", ISSUE, "--yes")
    assert said.code == 5
    assert said.error_lines == [
        "error: another process is sending from this database; wait for it, or stop it first"
    ]
    assert ended(sending)[0] == 0


def test_the_ledger_while_it_is_sent_and_one_readers_history(
    mailer: Mailer, relay: ChaosServer, sending: subprocess.Popen[str]
) -> None:
    first = relay.taken[0].recipient
    until(lambda: mailer("ledger", "--address", first, "--json").data[0]["state"] == "accepted")
    ledger = mailer("ledger", ISSUE, "--json").data
    assert 0 < ledger["totals"]["accepted"] < ledger["total"]
    assert sum(ledger["totals"].values()) == ledger["total"]
    for part in ("regions", "domains"):
        assert ledger[part], part
        assert all(row["total"] == sum(row["states"].values()) for row in ledger[part]), part
    assert sum(row["total"] for row in ledger["regions"]) == ledger["total"]
    (row,) = mailer("ledger", "--address", first, "--json").data
    assert (row["issue"], row["attempts"]) == (ISSUE, 1)
    (attempt,) = row["tries"]
    assert (attempt["number"], attempt["verdict"]) == (1, "accept")
    assert first in attempt["reply"]
    assert first in mailer("ledger", "--address", first).out


def test_a_terminal_shows_how_far_and_how_fast(
    approved: None, publication: Path, relay: ChaosServer
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "--publication", str(publication), "send", ISSUE, "--yes"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    shown = b""
    try:
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # The other side is closed.
                break
        assert process.wait(timeout=PATIENCE_S) == 0
    finally:
        process.kill()
        process.communicate()
        os.close(ours)
    text = shown.decode("utf-8", "replace")
    assert re.search(r"Sending [\d,]+/s, \d+ s left", text)
    places = [int(place) for place in re.findall(rf"(\d+)/{len(relay.taken)}\b", text)]
    assert len(set(places)) > 10, "the bar hardly moved"
    assert places == sorted(places)


class Greylisting(ChaosServer):
    """Puts off whoever's address has an even length."""

    is_greylisting = True

    def answer(self, stage: str, sender: str, recipient: str) -> str | tuple[bytes, ...]:
        if stage == "rcpt" and self.is_greylisting and len(recipient) % 2 == 0:
            return "450 4.2.0 come back later"
        return super().answer(stage, sender, recipient)


def test_the_ledger_says_what_waits_where_and_until_when(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Greylisting()
    relay.start()
    try:
        monkeypatch.setenv("MAILER_RELAY_PORT", str(relay.port))
        assert mailer("issue", "approve", ISSUE).code == 0
        sent = mailer("send", ISSUE, "--yes", "--json")
        assert sent.code == 8
        ledger = mailer("ledger", ISSUE, "--json").data
        assert {name: sent.data[name] for name in ledger} == ledger
        deferred = ledger["totals"]["deferred"]
        assert deferred == ledger["total"] - len(relay.taken) > 0
        assert sum(row["states"].get("deferred", 0) for row in ledger["regions"]) == deferred
        assert ledger["retries"]["waiting"] == deferred
        assert ledger["retries"]["due"] == 0
        assert ledger["retries"]["next_due_at"] == ledger["next_due_at"] > FRIDAY
        waiting = [row for row in ledger["domains"] if row["states"].get("deferred")]
        assert min(row["next_due_at"] for row in waiting) >= ledger["next_due_at"]
        assert ledger["troubles"][0]["reply"].startswith("deferred: 450")
        readers = mailer("ledger", ISSUE, "--state", "deferred", "--json").data
        assert len(readers) == deferred
        monkeypatch.setenv("MAILER_FIXED_NOW", "2026-11-27T13:00:00+00:00")
        assert mailer("ledger", ISSUE, "--json").data["retries"]["due"] == deferred
        relay.is_greylisting = False
        assert mailer("send", ISSUE, "--yes").code == 0
        (row,) = mailer("ledger", "--address", readers[0]["address"], "--json").data
        assert [attempt["verdict"] for attempt in row["tries"]] == ["defer", "accept"]
    finally:
        relay.stop()
