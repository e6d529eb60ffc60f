"""SIGKILL at two hundred random moments, under both policies for what is in doubt.

Promised: nobody is forgotten, nobody suppressed is mailed, and a kill repeats one message a
connection at most, byte for byte. Counted: what the server took.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailer.clock import SystemClock
from mailer.delivery.delivery import DeliveryState
from mailer.storage.database import Database
from tests.faults.accounts import take_account
from tests.faults.chaos import ChaosServer
from tests.faults.world import ISSUE, World, make_world

ROOT = Path(__file__).parents[2]
S = DeliveryState
DUE_AT = SystemClock().now() - dt.timedelta(hours=1)
KILLS = 200
CONNECTIONS = 4
STAGES_A_RUN = 60
"""A sender is killed after so many stages of the protocol at the latest, four or five a message."""
READERS_A_KILL = STAGES_A_RUN // 2
EARLY_S = 0.12
"""Starting up, recovering and claiming take about so long."""


@dataclass
class Killer:
    """Starts a sender and kills it: at a stage of the protocol, or after a while."""

    process: subprocess.Popen[str]
    chance: random.Random
    hits: dict[str, int] = field(default_factory=dict)
    _pid: int = 0
    _stages: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, stage: str, _recipient: str) -> None:
        """Hear from the server that the client reached a stage."""
        with self._lock:
            self._stages -= 1
            if self._stages <= 0 and self._pid:
                self.hits[stage] = self.hits.get(stage, 0) + 1
                self._kill()

    def once(self) -> None:
        """Start one sender and kill it at a random moment."""
        is_early = self.chance.random() < 0.4
        self._stages = self.chance.randint(1, STAGES_A_RUN)
        pid = self._start()
        with self._lock:
            self._pid = pid
            if self._stages <= 0:
                self._kill()
        timer = threading.Timer(self.chance.uniform(0, EARLY_S), self._late)
        if is_early:
            timer.start()
        status, _ = self._end()
        timer.cancel()
        assert status == -signal.SIGKILL, "it ended before it could be killed"

    def undisturbed(self) -> str:
        """Let a sender come to its end; return what it says."""
        self._start()
        status, said = self._end()
        assert status == 0, said
        return said

    def _late(self) -> None:
        with self._lock:
            if self._pid:
                self.hits["time"] = self.hits.get("time", 0) + 1
                self._kill()

    def _kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self._pid = 0

    def _start(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("send\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def _end(self) -> tuple[int, str]:
        assert self.process.stdout is not None
        status, _, said = self.process.stdout.readline().partition(" ")
        self._pid = 0
        return int(status), said


Arena = Callable[..., tuple[World, ChaosServer, Killer]]


@pytest.fixture
def arena(database: Database, tmp_path: Path, faulty) -> Iterator[Arena]:
    processes: list[subprocess.Popen[str]] = []

    def make(readers: int, *, in_doubt: str) -> tuple[World, ChaosServer, Killer]:
        addresses = [f"r{number}@reader.example" for number in range(readers)]
        world = make_world(database, SystemClock(), addresses, due_at=DUE_AT)
        server = faulty()
        command = [sys.executable, str(Path(__file__).with_name("kill_server.py")), str(tmp_path)]
        process = subprocess.Popen(
            [*command, str(server.port), in_doubt, str(CONNECTIONS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        processes.append(process)
        killer = Killer(process, random.Random())
        server.watch = killer.watch
        return world, server, killer

    yield make
    for process in processes:
        process.communicate(timeout=30)


def test_after_two_hundred_kills_everybody_has_the_message(arena: Arena, counted) -> None:
    world, server, killer = arena(KILLS * READERS_A_KILL, in_doubt="resend")
    gone: dict[str, int] = {}
    for number in range(KILLS):
        killer.once()
        if number % 20 == 10:
            waiting = [row.address for row in world.ledger.deliveries(ISSUE, state=S.PLANNED)]
            for address in waiting[:: len(waiting) // 5][:5]:
                world.register.suppress(address, "manual", "asked by letter")
                gone[address] = server.copies()[address]
    assert len(killer.hits) >= 4, killer.hits
    assert "every delivery is settled" in killer.undisturbed()

    states = world.states()
    assert {who for who, state in states.items() if state is S.SKIPPED} == set(gone)
    assert set(states.values()) == {S.ACCEPTED, S.SKIPPED}
    account = take_account(world, server)
    counted(f"{KILLS} kills at {killer.hits}; {account}")
    assert (account.lost, account.strange, account.mismatched) == (0, 0, 0), account
    assert account.repeated <= KILLS * CONNECTIONS, account
    copies = server.copies()
    assert all(copies[address] == before for address, before in gone.items())
    answered = {item.recipient for item in server.taken if item.is_answered}
    assert {who for who, state in states.items() if state is S.ACCEPTED} <= answered


def test_what_is_in_doubt_can_be_held_and_then_nothing_is_repeated(arena: Arena, counted) -> None:
    kills = 20
    world, server, killer = arena(kills * READERS_A_KILL, in_doubt="hold")
    for _ in range(kills):
        killer.once()
    killer.undisturbed()
    account = take_account(world, server)
    counted(f"{kills} kills; {account}")
    assert (account.repeated, account.strange) == (0, 0), account
    assert account.lost == 0, account
    assert account.held <= kills * CONNECTIONS, account
    assert set(world.states().values()) <= {S.ACCEPTED, S.IN_DOUBT}
