"""The supervisor with real processes: starts, restarts, ends, and leaves no orphan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailer.clock import SystemClock
from mailer.operating import supervising
from mailer.operating.supervising import Part, Supervisor

ROOT = Path(__file__).parents[2]

QUIET = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))\n"
STEADY = QUIET + "print('up', flush=True)\nwhile True: time.sleep(0.05)"
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)"
)


def part(name: str, program: str) -> Part:
    return Part(name, (sys.executable, "-c", program))


def until(is_so: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def supervise() -> Iterator[Callable[..., Supervisor]]:
    running: list[tuple[Supervisor, threading.Thread]] = []

    def start(*parts: Part, may_reload: Callable[[], bool] = lambda: True) -> Supervisor:
        supervisor = Supervisor(parts, clock=SystemClock(), may_reload=may_reload)
        thread = threading.Thread(target=supervisor.run)
        thread.start()
        running.append((supervisor, thread))
        return supervisor

    yield start
    for supervisor, thread in running:
        supervisor.stop()
        thread.join(30)
        assert not thread.is_alive()
        assert all(state.process is None or state.process.poll() is not None
                   for state in supervisor.states)  # fmt: skip


def pids(supervisor: Supervisor) -> list[int]:
    return [state.process.pid if state.process else 0 for state in supervisor.states]


def test_what_dies_is_started_again_and_its_neighbour_is_left_alone(
    supervise: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "SHORTEST_PAUSE_S", 0.05)
    running = supervise(part("one", STEADY), part("two", STEADY))
    until(lambda: all(pids(running)))
    first, second = pids(running)
    os.kill(first, signal.SIGKILL)
    until(lambda: running.states[0].restarts == 1 and pids(running)[0] not in {0, first})
    assert pids(running)[1] == second
    assert running.states[0].ended == "killed by SIGKILL"


def test_what_cannot_start_is_tried_again_more_and_more_slowly(
    supervise: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "SHORTEST_PAUSE_S", 0.01)
    running = supervise(part("broken", "raise SystemExit(3)"))
    until(lambda: running.states[0].restarts >= 3)
    assert running.states[0].deaths >= 3
    assert running.states[0].ended == "ended with exit code 3"


def test_what_does_not_listen_is_killed_in_time(
    supervise: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "PATIENCE_S", 0.3)
    running = supervise(part("deaf", DEAF), part("steady", STEADY))
    until(lambda: all(pids(running)))


def test_a_reload_starts_every_part_anew_and_a_bad_configuration_none(
    supervise: Callable[..., Supervisor],
) -> None:
    may = [False]
    running = supervise(part("one", STEADY), may_reload=lambda: may[0])
    until(lambda: all(pids(running)))
    [first] = pids(running)
    time.sleep(0.3)  # Until it listens: before that, the signal itself would end it.
    running._signals.put(signal.SIGHUP)
    until(running._signals.empty)
    assert pids(running) == [first]
    may[0] = True
    running._signals.put(signal.SIGHUP)
    until(lambda: pids(running)[0] not in {0, first})
    assert running.states[0].restarts == 0


ORPHANS = """
import sys
from mailer.clock import SystemClock
from mailer.operating.supervising import Part, Supervisor
child = '''
import sys, time
from mailer.operating.lifeline import hang_on
hang_on(int(sys.argv[1]))
print(__import__("os").getpid(), flush=True)
while True: time.sleep(0.05)
'''
Supervisor([Part("child", (sys.executable, "-c", child))], clock=SystemClock()).run()
"""


def test_a_killed_supervisor_leaves_no_orphan() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ORPHANS], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = 0
        for line in process.stdout:
            if line.strip().isdigit():
                child = int(line)
                break
        process.kill()
        # The child holds the other end of standard output until it has ended.
        process.stdout.read()
    assert child
