"""The supervisor of ``mailer run``: starts parts, restarts what dies, ends all of them together.

A part is a child process, so that one that hangs or is killed takes no other with it, and a list
that is being sent does not slow the pages down. What dies is started again after a pause that
doubles with each death in a row, up to ``LONGEST_PAUSE_S``; a part that lived for ``SOUND_S`` has
proved itself and starts from the shortest again.

SIGTERM and SIGINT are passed on; whatever has not ended after ``PATIENCE_S`` is killed, which the
ledger survives as it survives a crash: a relay that takes minutes over one reply would otherwise
hold up a machine that shuts down. A second signal kills at once. SIGHUP asks ``may_reload`` and
starts every part anew, gracefully, with what stands in the files now.

Should the supervisor itself be killed, its parts notice that their lifeline is cut (see
``lifeline``) and end too: no orphan keeps a port or a lock.
"""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import structlog

from mailer.clock import Clock
from mailer.operating.lifeline import Lifeline

log = structlog.get_logger()

PATIENCE_S = 8.0
"""How long parts may take to end; an operator is promised ten seconds for the whole."""

SHORTEST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
SOUND_S = 60.0
POLL_S = 0.25

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the service: its name and the command that runs it.

    The number of its lifeline's file descriptor is added to the command.
    """

    name: str
    command: tuple[str, ...]


@dataclass(slots=True)
class PartState:
    """How a part is doing."""

    part: Part
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    starts_again_s: float = 0.0
    deaths: int = 0
    restarts: int = 0
    is_reloading: bool = False
    ended: str = "was not started yet"

    @property
    def is_up(self) -> bool:
        """True while its process is there."""
        return self.process is not None


def pause_s(deaths: int) -> float:
    """Return how long to wait before a start after so many deaths in a row, 1 or more."""
    return float(min(SHORTEST_PAUSE_S * 2 ** (min(deaths, 32) - 1), LONGEST_PAUSE_S))


class Supervisor:
    """Keeps parts running until it is told to stop.

    Args:
        parts: what to run.
        clock: for the pauses.
        may_reload: asked at SIGHUP; False keeps what runs.
        beat: called a few times a second while all is well.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        clock: Clock,
        may_reload: Callable[[], bool] = lambda: True,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self.states = [PartState(part) for part in parts]
        self._clock = clock
        self._may_reload = may_reload
        self._beat = beat
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()

    def run(self) -> None:
        """Run the parts until SIGTERM or SIGINT; call it from the main thread."""
        with Lifeline() as lifeline, self._listening():
            try:
                self._watch(lifeline)
            finally:
                self._end()

    def stop(self) -> None:
        """End as SIGTERM does; may be called from any thread."""
        self._signals.put(signal.SIGTERM)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._heard) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        self._signals.put(number)

    def _next_signal(self, timeout_s: float) -> int | None:
        try:
            return self._signals.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _watch(self, lifeline: Lifeline) -> None:
        while True:
            now = self._clock.monotonic()
            for state in self.states:
                self._look(state, now)
                if not state.is_up and now >= state.starts_again_s:
                    self._start(state, lifeline, now)
            self._beat()
            number = self._next_signal(POLL_S)
            if number == signal.SIGHUP:
                self._reload()
            elif number is not None:
                log.info("run.ending", signal=signal.Signals(number).name)
                return

    def _start(self, state: PartState, lifeline: Lifeline, now: float) -> None:
        command = [*state.part.command, str(lifeline.fileno())]
        state.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            pass_fds=[lifeline.fileno()],
            # A Ctrl-C of the terminal must reach the supervisor alone, which passes it on.
            start_new_session=True,
        )
        state.started_s = now
        state.is_reloading = False
        log.info("part.started", part=state.part.name, pid=state.process.pid)

    def _look(self, state: PartState, now: float) -> None:
        if state.process is None:
            return
        code = state.process.poll()
        if code is None:
            if state.deaths and now - state.started_s >= SOUND_S:
                state.deaths = 0
            if state.is_reloading and now - state.started_s >= PATIENCE_S:
                state.process.kill()
            return
        state.process = None
        state.ended = ending(code)
        if state.is_reloading:
            state.starts_again_s = now
            return
        lived_s = now - state.started_s
        state.deaths = 1 if lived_s >= SOUND_S else state.deaths + 1
        state.restarts += 1
        wait_s = pause_s(state.deaths)
        state.starts_again_s = now + wait_s
        log.error(
            "part.died",
            part=state.part.name,
            how=state.ended,
            lived_s=round(lived_s, 1),
            starts_again_in_s=wait_s,
        )

    def _reload(self) -> None:
        if not self._may_reload():
            return
        log.info("run.reloading")
        for state in self.states:
            state.deaths = 0
            state.starts_again_s = self._clock.monotonic()
            if state.process is not None:
                state.is_reloading = True
                # From here its patience counts.
                state.started_s = self._clock.monotonic()
                state.process.terminate()

    def _end(self) -> None:
        for state in self.states:
            if state.process is not None:
                state.process.terminate()
        deadline = self._clock.monotonic() + PATIENCE_S
        while any(self._is_alive(state) for state in self.states):
            is_late = self._clock.monotonic() >= deadline
            if is_late or self._next_signal(POLL_S / 5) in {signal.SIGTERM, signal.SIGINT}:
                self._kill()
                break
        log.info("run.ended")

    def _kill(self) -> None:
        for state in self.states:
            if self._is_alive(state):
                log.warning(
                    "part.killed",
                    part=state.part.name,
                    why="it had not ended in time; the next start settles what it left",
                )
                assert state.process is not None
                state.process.kill()
                state.process.wait()

    def _is_alive(self, state: PartState) -> bool:
        return state.process is not None and state.process.poll() is None


def ending(code: int) -> str:
    """Say how a process ended."""
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"ended with exit code {code}"
