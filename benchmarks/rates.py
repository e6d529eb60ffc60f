"""Messages a second over ten connections, ours beside Postfix's generator and three clients.

Every round sends to the same sink, one contestant after the other, in an order that turns from
round to round. The rivals are given one finished message and nothing to decide; smtp-source makes
its message once too. Ours makes each message for its reader and keeps its ledger. nodemailer is
measured twice: making the MIME itself, as its users have it do, and with finished bytes.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import contest
from benchmarks.rig import (
    CONNECTIONS,
    MESSAGE_BYTES,
    Measure,
    Missing,
    Options,
    Result,
    Row,
    Sink,
    Spread,
    fixed_work,
    main,
    ratio,
    run_source,
    say,
    scratch,
    table,
)

OURS = "this engine"
TARGETS = {
    "Postfix's smtp-source": 1.0,
    "smtplib, 10 threads": 2.5,
    "nodemailer's pool": 8.0,
    "aiosmtplib": 3.5,
}
EXTRA = "nodemailer's pool, finished bytes"

QUIET = 0.2
"""Cores that other programs may use before the result says that it is none."""

Contestant = Callable[[Sink], Measure]


def measure(options: Options) -> Result:
    """Measure all who are there."""
    result = Result(f"Messages a second, {CONNECTIONS} connections, {MESSAGE_BYTES // 1024} KB")
    with scratch() as folder, Sink() as sink:
        lists = contest.Lists(folder)
        runners, absent = _contestants(lists, options)
        found: dict[str, list[Measure]] = {name: [] for name in runners}
        noise = []
        for number in range(options.rounds):
            noise.append(fixed_work())
            names = list(runners)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                found[name].append(runners[name](sink))
                last = found[name][-1]
                say(f"  round {number + 1}: {name}: {last.rate:,.0f} msg/s, {last.cpu_ms:.3f} ms")
    for name, target in TARGETS.items():
        result.rows.append(_row(name, target, found, absent))
    result.details.append(_table(found))
    result.details.append(
        f"A fixed piece of work took {Spread.of([1000 * x for x in noise]).text(0, ' ms')} "
        "before each round: so much does the machine itself vary."
    )
    strangers = Spread.of([run.others for runs in found.values() for run in runs])
    if strangers.median > QUIET:
        result.details.append(
            f"**The machine was not quiet**: other programs used {strangers.text(1)} cores while "
            "this was measured. Who needs the most of it (two busy threads and the sink, for "
            "ours) loses the most; do not read the ratios as results."
        )
    return result


def _contestants(
    lists: contest.Lists, options: Options
) -> tuple[dict[str, Contestant], dict[str, str]]:
    message = lists.message()
    size = message.stat().st_size
    ours = options.pick(20_000, 5_000)
    lists.planned(ours)
    count = options.pick(6_000, 2_000)

    def rival(make: Callable[[], contest.Rival], messages: int) -> Callable[[], Contestant]:
        def made() -> Contestant:
            run = make()
            return lambda sink: run(sink, messages)

        return made

    parts = message.with_suffix(".json")
    makers: dict[str, Callable[[], Contestant]] = {
        "Postfix's smtp-source": lambda: lambda sink: run_source(sink, ours, size),
        "smtplib, 10 threads": rival(
            lambda: contest.python_rival("smtplib_threads.py", message), count
        ),
        "aiosmtplib": rival(lambda: contest.aiosmtplib(message), count),
        "nodemailer's pool": rival(lambda: contest.nodemailer(parts), count // 2),
        EXTRA: rival(lambda: contest.nodemailer(message), count // 2),
    }
    runners: dict[str, Contestant] = {OURS: lambda sink: contest.send(lists, sink, ours)}
    absent = {}
    for name, make in makers.items():
        try:
            runners[name] = make()
        except Missing as error:
            absent[name] = str(error)
            say(f"  left out: {error}")
    return runners, absent


def _row(name: str, target: float, found: dict[str, list[Measure]], absent: dict[str, str]) -> Row:
    figure = f"messages a second against {name}"
    wanted = f">= {target} x"
    if name in absent:
        return Row(figure, wanted, "not measured", None, absent[name])
    pairs = zip(found[OURS], found[name], strict=True)
    text, is_met = ratio([ours.rate / theirs.rate for ours, theirs in pairs], target, is_floor=True)
    return Row(figure, wanted, text, is_met, "" if is_met else _bound(found[OURS]))


def _bound(ours: list[Measure]) -> str:
    """Say how much of the cores the sink and ours had: who lacks a core is bound by that."""
    sink = Spread.of([100 * run.sink_share for run in ours]).median
    own = Spread.of([run.rate * run.cpu_ms / 10 for run in ours]).median
    return f"the sink had {sink:.0f} % of a core, two threads of ours {own:.0f} %"


def _table(found: dict[str, list[Measure]]) -> str:
    rows = []
    for name, runs in found.items():
        rows.append(
            [
                name,
                f"{runs[0].messages:,}",
                Spread.of([run.rate for run in runs]).text(0),
                Spread.of([run.cpu_ms for run in runs]).text(3),
                Spread.of([100 * run.sink_share for run in runs]).text(0, " %"),
                Spread.of([100 * run.others for run in runs]).text(0, " %"),
            ]
        )
    head = ["contestant", "messages a round", "messages a second", "its CPU, ms a message"]
    return table([*head, "the sink, of one core", "everything else, of one core"], rows)


if __name__ == "__main__":
    main(measure, __doc__ or "")
