"""The bench's rig: the sink, processes measured from outside, ratios with their spread.

Every contestant runs as a process of its own against Postfix's ``smtp-sink`` on loopback and
prints one line of JSON: how many messages were accepted, in how many seconds, at how many seconds
of CPU. What one round measures is compared within that round; the table shows the median of the
rounds' ratios with the lowest and the highest, so that a noisy neighbour shows as spread and not
as a result. Before each round a fixed piece of work is timed; its spread is the machine's noise.

Failures: ``Missing`` names a tool that is not there and the command that installs it; the rows
that need it say so, the others are measured all the same. Linux only (reads ``/proc``).
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import pwd
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RIVALS = HERE / "rivals"
NODE_MODULES = HERE / ".node" / "node_modules"

MESSAGE_BYTES = 40_960
"""What a message weighs on the wire, headers included."""

CONNECTIONS = 10

POSTFIX = "apt-get install postfix"
NODEMAILER = "npm install --prefix benchmarks/.node (with Node.js 18 or newer)"


class Missing(Exception):
    """A tool is not there; the text says which, and how to get it."""


class Broken(Exception):
    """A contestant failed or did not send every message; its figures would be lies."""


@dataclass(frozen=True, slots=True)
class Options:
    """How much to measure."""

    rounds: int = 5
    is_quick: bool = False

    def pick(self, full: int, quick: int) -> int:
        """Return a size for this run."""
        return quick if self.is_quick else full


@dataclass(slots=True)
class Measure:
    """What one process did; CPU is user and system time of that process alone.

    ``sink_share`` and ``others`` are cores: what the sink used, and everything that is neither.
    """

    messages: int
    seconds: float
    cpu_s: float
    peak_bytes: int = 0
    sink_share: float = 0.0
    others: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of CPU a message."""
        return 1000 * self.cpu_s / self.messages


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the lowest and highest of the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of some values, at least one."""
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits: int = 2, unit: str = "") -> str:
        """Return ``median unit (low to high)``."""
        form = f"{{:,.{digits}f}}"
        low, middle, high = (form.format(x) for x in (self.low, self.median, self.high))
        return f"{middle}{unit} ({low} to {high})"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the result: a figure, what it should be, what it was."""

    figure: str
    target: str
    measured: str
    is_met: bool | None
    note: str = ""

    @property
    def mark(self) -> str:
        """Return yes, no, or a dash where nothing was measured or nothing is asked."""
        return {True: "yes", False: "**no**", None: "-"}[self.is_met]


@dataclass(slots=True)
class Result:
    """What one benchmark found: rows of the table, and paragraphs or tables beneath it."""

    title: str
    rows: list[Row] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


def ratio(values: Sequence[float], target: float, *, is_floor: bool) -> tuple[str, bool]:
    """Return a ratio's text and whether its median meets the target."""
    found = Spread.of(values)
    is_met = found.median >= target if is_floor else found.median <= target
    return found.text(2, " x"), is_met


def find(tool: str, *, remedy: str) -> str:
    """Return a tool's path; Debian keeps Postfix's where users' paths do not lead."""
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin:/usr/local/sbin"
    found = shutil.which(tool, path=places)
    if found is None:
        raise Missing(f"{tool} is not installed: {remedy}")
    return found


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_of(pid: int) -> float:
    """Return the user and system seconds a live process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Whole:
    """The machine's CPU while a contestant ran, and whose it was."""

    def __init__(self, sink: Sink | None) -> None:
        self._sink = sink
        self._begun = self._now()

    def _now(self) -> tuple[float, float, float, float]:
        # Idle and waiting for the disk are the fourth and fifth figure of the first line.
        ticks = [
            int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
        ]
        busy_s = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        own = resource.getrusage(resource.RUSAGE_CHILDREN)
        sink_s = self._sink.cpu_s if self._sink else 0.0
        return time.perf_counter(), busy_s, own.ru_utime + own.ru_stime, sink_s

    def note(self, found: Measure) -> None:
        """Write down the sink's share and the others' since this was made."""
        seconds, busy_s, own_s, sink_s = (
            now - then for then, now in zip(self._begun, self._now(), strict=True)
        )
        found.sink_share = sink_s / found.seconds
        found.others = max(0.0, busy_s - own_s - sink_s) / seconds


def peak_rss(pid: int) -> int:
    """Return a live process's resident bytes at this moment; 0 when it is gone."""
    with contextlib.suppress(OSError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


class Sink:
    """Postfix's smtp-sink, which answers 250 to everything and keeps nothing."""

    def __init__(self) -> None:
        self.port = free_port()
        command = [find("smtp-sink", remedy=POSTFIX)]
        if os.geteuid() == 0:
            # It refuses to run as root, and says so only by leaving.
            command += ["-u", pwd.getpwnam("nobody").pw_name]
        self._process = subprocess.Popen([*command, f"127.0.0.1:{self.port}", "1024"])
        self._await()

    def _await(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        self._process.kill()
        raise Broken("smtp-sink does not start")

    @property
    def cpu_s(self) -> float:
        """CPU seconds it has used."""
        return cpu_of(self._process.pid)

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait()


def run(command: Sequence[str], *, sink: Sink | None = None, expect: int | None = None) -> Measure:
    """Run a contestant that prints its JSON last; sample its memory once it says ``sending``.

    Raises:
        Broken: it failed, or had fewer than ``expect`` messages accepted.
    """
    # A result names a file of ours, never a machine's paths.
    name = Path(command[1]).name
    whole = _Whole(sink)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    samples = _Samples(process.pid)
    last = ""
    with contextlib.closing(samples), process:
        if process.stdout is None:
            raise Broken("no pipe")
        for line in process.stdout:
            if line.strip() == "sending":
                samples.start()
            else:
                last = line
    if process.returncode:
        raise Broken(f"{name}: exit {process.returncode} {last}".strip())
    data = json.loads(last)
    known = {item.name for item in dataclasses.fields(Measure)}
    found = Measure(**{key: value for key, value in data.items() if key in known})
    found.extra = {key: value for key, value in data.items() if key not in known}
    found.peak_bytes = samples.peak
    whole.note(found)
    if expect is not None and found.messages != expect:
        raise Broken(f"{name}: {found.messages} of {expect} messages were accepted")
    return found


def run_source(sink: Sink, messages: int, size: int) -> Measure:
    """Run Postfix's generator, which prints nothing: it is timed from outside.

    Its start costs a few milliseconds and counts against it. ``-d`` keeps the connections.
    """
    tool = find("smtp-source", remedy=POSTFIX)
    command = [tool, "-d", "-s", str(CONNECTIONS), "-m", str(messages), "-l", str(size)]
    command += ["-f", "bounces@lantern.example", "-t", "reader@reader.example"]
    whole = _Whole(sink)
    begun = time.perf_counter()
    process = subprocess.Popen([*command, f"127.0.0.1:{sink.port}"])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Broken(f"smtp-source: exit {process.returncode}")
    cpu_s = usage.ru_utime + usage.ru_stime
    found = Measure(messages, seconds, cpu_s, usage.ru_maxrss * 1024)
    whole.note(found)
    return found


class _Samples:
    """The highest of a process's resident sizes, looked at twenty times a second."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid = pid
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.05):
            self.peak = max(self.peak, peak_rss(self._pid))


def fixed_work() -> float:
    """Return the seconds a fixed piece of work takes: how fast the machine is right now."""
    begun = time.perf_counter()
    data = b"x" * 65536
    for _ in range(2000):
        data = hashlib.sha256(data).digest() * 2048
    return time.perf_counter() - begun


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder for databases, on a real disk where one can be named by TMPDIR."""
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        yield Path(name)


def say(text: str) -> None:
    """Tell whoever watches; standard error, so that results can be piped."""
    print(text, file=sys.stderr, flush=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def show(result: Result) -> str:
    """Return a result as Markdown."""
    rows = [[row.figure, row.target, row.measured, row.mark, row.note] for row in result.rows]
    head = ["figure", "target", "measured", "met", "note"]
    return "\n\n".join([f"## {result.title}", table(head, rows), *result.details]) + "\n"


def main(measure: Callable[[Options], Result], about: str) -> None:
    """Run one benchmark alone and print what it found."""
    print(show(measure(read_options(about))))


def read_options(about: str) -> Options:
    """Read the command line that every benchmark shares."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes: a look, not a result")
    parser.add_argument("--rounds", type=int, help="alternating rounds; 5, or 3 with --quick")
    found = parser.parse_args()
    return Options(found.rounds or (3 if found.quick else 5), found.quick)
