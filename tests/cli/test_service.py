"""`mailer run` as people run it: a process with its parts, a port to ask, a signal in mid-send."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from mailer.delivery.delivery import DeliveryState
from tests.cli.driving import ISSUE, Mailer
from tests.counting import CountingServer

MONDAY = f"{ISSUE}T12:01:00+00:00"


@contextmanager
def running(root: Path, *words: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `mailer run` until the block ends; its log goes to a file as JSON lines."""
    environment = {**os.environ, "MAILER_HEALTH_LISTEN": "127.0.0.1:0", "MAILER_LOG_FORMAT": "json"}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "mailer", "-C", str(root), "run", *words],
            env=environment,
            stdout=errors,
            stderr=errors,
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(20)


def lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def said(log: Path, event: str, within_s: float = 60) -> dict[str, object]:
    """Wait until the log has an event, and return it."""
    deadline = time.monotonic() + within_s
    while not (found := [line for line in lines(log) if line["event"] == event]):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    return found[-1]


def test_a_stop_in_mid_send_ends_in_time_and_the_next_start_goes_on(
    mailer: Mailer,
    publication: Path,
    drafted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert mailer("issue", "approve", "next").code == 0
    monkeypatch.setenv("MAILER_FIXED_NOW", MONDAY)
    words = ("--only", "schedule", "--only", "sending")
    with CountingServer(pause_s=0.02) as relay:
        monkeypatch.setenv("MAILER_RELAY_PORT", str(relay.port))
        with running(publication, *words, log=tmp_path / "first") as process:
            relay.wait_for(5)
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert process.wait(20) == 0
            assert time.monotonic() - began < 10
        had = len(relay.taken)
        total = sum(row["total"] for row in mailer("ledger", ISSUE, "--json").data["regions"])
        assert 5 <= had < total
        relay.pause_s = 0
        with running(publication, *words, log=tmp_path / "second"):
            relay.wait_for(total)
            said(tmp_path / "second", "schedule.done")
        assert set(relay.counts.values()) == {1}
    totals = mailer("ledger", ISSUE, "--json").data["totals"]
    assert totals == {DeliveryState.ACCEPTED: total}


def test_it_answers_watchers_and_starts_again_what_dies(
    publication: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    with running(publication, "--only", "schedule", log=log) as process:
        url = f"http://127.0.0.1:{said(log, 'health.open')['port']}"
        said(log, "schedule.started")
        assert httpx2.get(f"{url}/healthz").text == "ok\n"
        deadline = time.monotonic() + 30
        while (ready := httpx2.get(f"{url}/readyz")).status_code != 200:
            assert time.monotonic() < deadline, ready.text
            time.sleep(0.05)
        assert ready.json()["checks"]["schedule"] == "ok"
        assert re.search(r'^mailer_part_up\{part="schedule"\} 1', httpx2.get(f"{url}/metrics").text,
                         re.MULTILINE)  # fmt: skip
        assert httpx2.get(f"{url}/elsewhere").status_code == 404
        os.kill(int(str(said(log, "part.started")["pid"])), signal.SIGKILL)
        assert said(log, "part.died")["how"] == "killed by SIGKILL"
        deadline = time.monotonic() + 30
        while [line["event"] for line in lines(log)].count("part.started") < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_it_is_ready_when_the_pages_can_be_asked(
    publication: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("MAILER_WEB_PORT", str(port))
    log = tmp_path / "log"
    with running(publication, "--only", "pages", log=log) as process:
        url = f"http://127.0.0.1:{said(log, 'health.open')['port']}"
        deadline = time.monotonic() + 60
        while (ready := httpx2.get(f"{url}/readyz")).status_code != 200:
            assert time.monotonic() < deadline, ready.text
            time.sleep(0.02)
        assert ready.json()["checks"]["pages"] == "ok"
        assert httpx2.get(f"http://127.0.0.1:{port}/healthz").text.strip() == "ok"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_listener_that_cannot_be_had_is_said_in_one_line(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_HEALTH_LISTEN", "203.0.113.7:9180")
    said = mailer("run")
    assert said.code == 3
    [line] = said.error_lines
    assert "MAILER_HEALTH_LISTEN" in line


@pytest.mark.parametrize("address", ["9180", "localhost:", ":80:x", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("MAILER_HEALTH_LISTEN", address)
    said = mailer("regions")
    assert said.code == 3
    assert "127.0.0.1:9180" in said.err


def test_one_look_does_what_is_due_and_says_so(
    mailer: Mailer, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mailer("issue", "approve", "next").code == 0
    monkeypatch.setenv("MAILER_FIXED_NOW", MONDAY)
    with CountingServer() as relay:
        monkeypatch.setenv("MAILER_RELAY_PORT", str(relay.port))
        first = mailer("tick", "--json")
        assert first.code == 0
        assert {row["state"] for row in first.data["results"]} == {"done"}
        assert "Nothing was due." in mailer("tick").out
        assert set(relay.counts.values()) == {1}
