"""The process itself: starts, works, stops on a signal, and does not mind company."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailer.clock import SystemClock
from mailer.schedule.runs import Runs, RunState
from mailer.storage.database import Database

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys, threading
from datetime import UTC, datetime
from pathlib import Path
from mailer.clock import FixedClock
from mailer.publication import Publication, Region, Section
from mailer.schedule.jobs import JobReport, Jobs, Runner
from mailer.storage.database import open_database

root, mode = Path(sys.argv[1]), sys.argv[2]
stop = threading.Event()

def say(word):
    print(word, flush=True)

def draft(on):
    say("draft")
    return JobReport("drafted")

def send(issue_id, regions):
    say("send " + ",".join(regions))
    if mode == "slow":
        # A long list: looks at `stop` between messages, as the sender does.
        while not stop.wait(0.05):
            pass
        say("stopping")
        return JobReport("stopped after some", is_complete=False)
    if mode == "deaf":
        threading.Event().wait(60)
    return JobReport("sent")

def retry():
    say("retry")
    return ""

publication = Publication(
    root=root, title="The Lantern", time_zone="Europe/London", regions=("wales",),
    sections=(Section(slug="news", title="News", quota=5),),
    region_map={"wales": Region(
        slug="wales", name="Wales", list_id="wales.lantern.example",
        reply_to="post@lantern.example", time_zone="Europe/London")},
)
runner = Runner(
    publication=publication, database=open_database("", root=root),
    clock=FixedClock(datetime(2026, 11, 30, 7, 1, tzinfo=UTC)),
    jobs=Jobs(draft=draft, send=send, retry=retry), stop=stop,
)
runner.run_forever()
say("end")
"""

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def run(mode: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path), mode],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], word: str) -> list[str]:
    """Return the lines up to the one that is ``word``; logs in between are skipped over."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.strip())
        if lines[-1] == word:
            return lines
    raise AssertionError(f"it ended without saying {word!r}: {lines}")


def end_of(process: subprocess.Popen[str], *, within_s: float) -> float:
    """Return how long the process took to end."""
    began = time.monotonic()
    process.wait(timeout=within_s)
    return time.monotonic() - began


def state(database: Database) -> RunState:
    [run] = [run for run in Runs(database, SystemClock()).latest(5) if run.job == "send"]
    return run.state


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_works_at_once_and_ends_on_a_signal(
    start: Start, database: Database, number: signal.Signals
) -> None:
    process = start("quick")
    read_until(process, "send wales")
    read_until(process, "retry")
    process.send_signal(number)
    read_until(process, "end")
    assert end_of(process, within_s=10) < 5
    assert process.returncode == 0
    assert state(database) is RunState.DONE


def test_a_long_job_is_stopped_half_way_and_taken_up_by_the_next_start(
    start: Start, database: Database
) -> None:
    first = start("slow")
    read_until(first, "send wales")
    first.send_signal(signal.SIGTERM)
    read_until(first, "end")
    assert end_of(first, within_s=10) < 5
    assert first.returncode == 0
    assert state(database) is RunState.STARTED
    second = start("quick")
    read_until(second, "send wales")
    read_until(second, "retry")
    assert state(database) is RunState.DONE


def test_a_killed_process_leaves_nothing_that_keeps_the_next_from_working(
    start: Start, database: Database
) -> None:
    first = start("slow")
    read_until(first, "send wales")
    first.kill()
    first.wait()
    second = start("quick")
    read_until(second, "send wales")
    read_until(second, "retry")
    assert state(database) is RunState.DONE


def test_a_second_start_is_harmless(start: Start, database: Database) -> None:
    first = start("slow")
    read_until(first, "send wales")
    second = start("quick")
    read_until_started(second)
    second.send_signal(signal.SIGTERM)
    lines = read_until(second, "end")
    assert "send wales" not in lines
    assert state(database) is RunState.STARTED
    first.send_signal(signal.SIGTERM)
    read_until(first, "end")


def test_a_second_signal_ends_a_job_that_does_not_listen(start: Start) -> None:
    process = start("deaf")
    read_until(process, "send wales")
    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    process.send_signal(signal.SIGTERM)
    assert end_of(process, within_s=5) < 5
    assert process.returncode == -signal.SIGTERM


def read_until_started(process: subprocess.Popen[str]) -> None:
    """Wait until the process has logged that it is at work."""
    assert process.stdout is not None
    for line in process.stdout:
        if "schedule.started" in line:
            return
    raise AssertionError("it ended without starting")
