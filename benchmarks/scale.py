"""A million readers: how long planning takes, what sending costs and holds, against 10,000.

One list of a million is planned and sent whole (or for as long as the clock allows, and then the
row says how far it came); lists of 10,000 are planned and sent before and after it. The cost is
CPU a message of the sending process; memory is its resident size, looked at twenty times a second
while it sends, program and interpreter included. The long run is also cut into tenths of the
list, which shows whether its end costs more than its beginning.
"""

from __future__ import annotations

from benchmarks import contest
from benchmarks.rig import (
    Measure,
    Options,
    Result,
    Row,
    Sink,
    Spread,
    main,
    ratio,
    say,
    scratch,
    table,
)

SMALL = 10_000
MIB = 1 << 20
PLAN_S, MEMORY_RATIO, MEMORY_MB, COST_RATIO = 15.0, 1.2, 120, 1.1
LONGEST_S = 270
"""How long the large list may be sent for; a slow engine must not stop the whole bench."""


def measure(options: Options) -> Result:
    """Measure the large list between the small ones."""
    large = options.pick(1_000_000, 100_000)
    half = max(1, (options.rounds + 1) // 2)
    small: list[Measure] = []
    with scratch() as folder, Sink() as sink:
        lists = contest.Lists(folder)

        def send_small(count: int) -> None:
            for _ in range(count):
                small.append(contest.send(lists, sink, SMALL))
                say(f"  {SMALL:,}: {small[-1].cpu_ms:.4f} ms, {_mb(small[-1])}")

        root = lists.prepared(large)
        planned = contest.plan(root)
        say(f"  planned {large:,} in {planned.seconds:.1f} s, {_mb(planned)}")
        send_small(half)
        longest = options.pick(LONGEST_S, 40)
        big = contest.send_root(root, sink, large, seconds=longest)
        say(f"  {large:,}: {big.messages:,} sent, {big.cpu_ms:.4f} ms, {_mb(big)}")
        send_small(half)
    return Result(
        f"A list of {large:,}",
        [_plan_row(planned), *_memory_rows(big, small), _cost_row(big, small)],
        [_table(big, small), _parts(big)],
    )


def _plan_row(planned: Measure) -> Row:
    # A shorter list is held to its share of the target.
    target = PLAN_S * planned.messages / 1_000_000
    figure = f"planning {planned.messages:,} deliveries, one transaction"
    text = f"{planned.seconds:.1f} s ({1e6 * planned.seconds / planned.messages:.1f} µs each)"
    note = f"peak {_mb(planned)}"
    return Row(figure, f"<= {target:g} s", text, planned.seconds <= target, note)


def _memory_rows(big: Measure, small: list[Measure]) -> list[Row]:
    size = f"{big.extra['planned']:,}"
    text, is_met = ratio([big.peak_bytes / run.peak_bytes for run in small], 1.2, is_floor=False)
    note = _how_far(big)
    return [
        Row(
            f"peak memory while sending {size} against {SMALL:,}",
            f"<= {MEMORY_RATIO} x",
            text,
            is_met,
            note,
        ),
        Row(
            f"peak memory while sending {size}",
            f"< {MEMORY_MB} MB",
            _mb(big),
            big.peak_bytes < MEMORY_MB * MIB,
            note,
        ),
    ]


def _cost_row(big: Measure, small: list[Measure]) -> Row:
    text, is_met = ratio([big.cpu_ms / run.cpu_ms for run in small], COST_RATIO, is_floor=False)
    figure = f"CPU a message at {big.extra['planned']:,} planned against {SMALL:,}"
    return Row(figure, f"<= {COST_RATIO} x", text, is_met, _how_far(big))


def _how_far(big: Measure) -> str:
    planned = int(big.extra["planned"])
    if big.messages == planned:
        return "the whole list was sent"
    return f"{big.messages:,} of {planned:,} were sent in the time allowed"


def _table(big: Measure, small: list[Measure]) -> str:
    rows = [
        [
            f"{SMALL:,}, {len(small)} times",
            Spread.of([run.cpu_ms for run in small]).text(4),
            Spread.of([run.rate for run in small]).text(0),
            Spread.of([run.peak_bytes / MIB for run in small]).text(1),
        ],
        [
            f"{big.extra['planned']:,}, once",
            f"{big.cpu_ms:.4f}",
            f"{big.rate:,.0f}",
            f"{big.peak_bytes / MIB:.1f}",
        ],
    ]
    return table(["list", "CPU, ms a message", "messages a second", "peak memory, MB"], rows)


def _parts(big: Measure) -> str:
    costs = [
        f"{1000 * part['cpu_s'] / part['messages']:.4f}"
        for part in big.extra["windows"]
        if part["messages"]
    ]
    return f"CPU a message, in ms, through the large list, tenth by tenth: {', '.join(costs)}."


def _mb(found: Measure) -> str:
    return f"{found.peak_bytes / MIB:.1f} MB"


if __name__ == "__main__":
    main(measure, __doc__ or "")
