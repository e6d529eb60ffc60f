"""Messages a second over one connection to a server 20 ms away, beside the standard library's.

The distance is made by ``delay_proxy``: 10 ms each way. A client that waits for each answer
spends four round trips a message; pipelining can bring that to one.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import contest
from benchmarks.rig import (
    HERE,
    RIVALS,
    Broken,
    Options,
    Result,
    Row,
    Sink,
    Spread,
    free_port,
    main,
    ratio,
    run,
    say,
    scratch,
    table,
)

TARGET = 3.5
ROUND_TRIP_MS = 20


@contextmanager
def far_away(sink: Sink) -> Iterator[int]:
    """Give the port of a proxy before the sink."""
    port = free_port()
    command = [sys.executable, str(HERE / "delay_proxy.py"), str(port), str(sink.port)]
    command.append(str(ROUND_TRIP_MS / 2))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        if proxy.stdout is None or proxy.stdout.readline().strip() != "ready":
            raise Broken("the delaying proxy does not start")
        try:
            yield port
        finally:
            proxy.terminate()


def measure(options: Options) -> Result:
    """Measure both, turn and turn about."""
    readers, count = options.pick(400, 150), options.pick(150, 60)
    ours, theirs = [], []
    with scratch() as folder, Sink() as sink, far_away(sink) as port:
        lists = contest.Lists(folder)
        rival = [sys.executable, str(RIVALS / "smtplib_threads.py"), str(port), str(count), "1"]
        rival.append(str(lists.message()))
        for number in range(options.rounds):
            ours.append(contest.send(lists, sink, readers, port=port, connections=1))
            theirs.append(run(rival, sink=sink, expect=count))
            say(f"  round {number + 1}: ours {ours[-1].rate:.1f}, smtplib {theirs[-1].rate:.1f}")
    ratios = [one.rate / other.rate for one, other in zip(ours, theirs, strict=True)]
    text, is_met = ratio(ratios, TARGET, is_floor=True)
    figure = f"with {ROUND_TRIP_MS} ms added round-trip time, per connection, against smtplib"
    result = Result("Distance", [Row(figure, f">= {TARGET} x", text, is_met)])
    result.details.append(
        table(
            ["client", "messages a second, one connection", "round trips a message"],
            [
                [
                    name,
                    Spread.of([run.rate for run in runs]).text(1),
                    Spread.of([1000 / ROUND_TRIP_MS / run.rate for run in runs]).text(2),
                ]
                for name, runs in (("this engine", ours), ("smtplib", theirs))
            ],
        )
    )
    return result


if __name__ == "__main__":
    main(measure, __doc__ or "")
