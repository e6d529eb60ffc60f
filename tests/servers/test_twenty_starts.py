"""Two real schedulers started twenty times on one database: the issue that is due goes out once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailer.clock import FixedClock
from mailer.schedule.runs import Runs, RunState
from mailer.usecases import editing, sourcing
from tests.faults.chaos import ChaosServer
from tests.town import approve, got, make_town, open_town, write_article

ROOT = Path(__file__).parents[2]
ISSUE = "2026-11-30"
FRIDAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
STARTS = 20
READERS = 60


@pytest.fixture
def relay() -> Iterator[ChaosServer]:
    # At this pace the list takes several starts, each of which is stopped in the middle of it.
    server = ChaosServer(pace_s=0.1)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def town(tmp_path: Path, relay: ChaosServer) -> Path:
    root = make_town(
        tmp_path / "town",
        port=relay.port,
        schedule='remind = ""',
        regions={"national": {}},
        tables='[column]\nwhen_missing = "without"',
    )
    write_article(root, FRIDAY - timedelta(days=1), "The last ferry")
    with open_town(root, FixedClock(FRIDAY), readers=READERS) as app:
        sourcing.ingest(app, [])
        editing.draft(app, datetime.fromisoformat(ISSUE).date())
        approve(app, ISSUE)
    return root


PROGRAM = """
import os, random, signal, sys, time

# What a start costs is mostly the reading of modules; each process has them by being forked.
import apscheduler.schedulers.background, mailer.operating.service
from mailer.cli.commands import app

def start(root, ear, lifeline):
    child = os.fork()
    if not child:
        os.dup2(ear, 2)
        words = ["run", "--only", "schedule", "--lifeline", str(lifeline)]
        try:
            app(["--publication", root, *words], prog_name="mailer")
        except SystemExit as end:
            os._exit(end.code or 0)
        finally:
            os._exit(99)
    return child

def until(heard, is_enough):
    global said
    while not is_enough() and (line := heard.readline()):
        said += line

said = ""
root, starts = sys.argv[1], int(sys.argv[2])
lifeline, _kept = os.pipe()
dice = random.Random(20)
codes = []
for number in range(starts):
    mouth, ear = os.pipe()
    pair = [start(root, ear, lifeline), start(root, ear, lifeline)]
    os.close(ear)
    with os.fdopen(mouth, errors="replace") as heard:
        # Some are stopped before they look, some while they send; half-way one may finish, and
        # the later ones find nothing left to do.
        until(heard, lambda: said.count("schedule.started") == 2 * number + 2)
        if number == starts // 2:
            until(heard, lambda: "schedule.done" in said)
        if number == 1:
            while not os.path.exists(f"{root}/var/sending.journal"):
                time.sleep(0.01)
        time.sleep(dice.choice([0.0, 0.2, 0.6]))
        for child in dice.sample(pair, 2):
            os.kill(child, signal.SIGTERM)
        until(heard, lambda: False)
    codes += [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in pair]
sys.stderr.write(said)
print(*codes)
"""


def test_two_processes_started_twenty_times_send_one_issue_once(
    town: Path, relay: ChaosServer
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(town), str(STARTS)],
        cwd=ROOT,
        env=os.environ | {"MAILER_FIXED_NOW": f"{ISSUE}T07:01:00+00:00"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["0"] * 2 * STARTS, done.stderr
    # One was stopped while it sent, or nothing was tried here.
    assert done.stderr.count("schedule.stopped") >= 1
    assert done.stderr.count("schedule.done") == 1

    copies = Counter(address for address, _subject in got(relay))
    assert set(copies.values()) == {1}
    assert len(copies) == READERS
    with open_town(town, FixedClock(FRIDAY), readers=0) as app:
        (row,) = [run for run in Runs(app.database, app.clock).latest(9) if run.job == "send"]
        assert row.state is RunState.DONE
        assert app.archive.record(ISSUE).state == "sent"
