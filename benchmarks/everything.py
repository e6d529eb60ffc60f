"""Every benchmark in one run, and the result as ``benchmarks/RESULTS.md``.

A benchmark that lacks a tool says so in its rows and the others run all the same. The machine is
described by what matters to the figures (processor, cores, memory, file system, versions) and by
nothing that names it.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import contest, distance, rates, scale, signing
from benchmarks.rig import (
    HERE,
    Broken,
    Missing,
    Options,
    Result,
    Row,
    find,
    read_options,
    say,
    show,
    table,
)

PARTS: dict[str, Callable[[Options], Result]] = {
    "Messages a second": rates.measure,
    "Signing with RSA-2048": signing.measure,
    "Distance": distance.measure,
    "A long list": scale.measure,
}


def run_all(options: Options) -> list[Result]:
    """Run every benchmark; one that cannot be measured becomes a row that says why."""
    results = []
    for title, measure in PARTS.items():
        say(title)
        try:
            results.append(measure(options))
        except (Missing, Broken) as error:
            say(f"  not measured: {error}")
            results.append(Result(title, [Row(title, "", "not measured", None, str(error))]))
    return results


def machine() -> list[list[str]]:
    """Return what the figures depend on, as rows."""
    cpu = _line("/proc/cpuinfo", "model name") or platform.processor() or platform.machine()
    memory = int((_line("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) / 1024 / 1024
    rows = [
        ["processor", f"{cpu}, {os.cpu_count()} cores for the program and the sink together"],
        ["memory", f"{memory:.0f} GB"],
        ["system", f"{platform.system()} {platform.release().split('-')[0]}"],
        ["file system of the ledger", _file_system(Path(tempfile.gettempdir()))],
        ["load when it began", f"{os.getloadavg()[0]:.1f}"],
        ["Python, SQLite", f"{platform.python_version()}, {sqlite3.sqlite_version}"],
    ]
    packages = ("uvloop", "aiosmtplib", "cryptography", "SQLAlchemy")
    rows.extend([name, _version(name)] for name in packages)
    rows.append(["nodemailer", contest.nodemailer_version() or "not installed"])
    rows.append(["Node.js", _said("node", "--version")])
    rows.append(["Postfix's tools", _said("dpkg-query", "-W", "-f=${Version}", "postfix")])
    return rows


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _said(tool: str, *words: str) -> str:
    try:
        path = find(tool, remedy="")
    except Missing:
        return "not installed"
    found = subprocess.run([path, *words], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _line(path: str, key: str) -> str:
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def _file_system(place: Path) -> str:
    """Return the type of the file system that holds a place."""
    best = ("", "unknown")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        inside = place == Path(mount) or Path(mount) in place.parents
        if inside and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]


def report(results: list[Result], options: Options, facts: list[list[str]], took_s: float) -> str:
    """Return the whole result as Markdown."""
    kind = "a quick look at small sizes: not a result" if options.is_quick else "a full run"
    head = (
        "# What was measured\n\n"
        f"`make bench` wrote this on {datetime.now(UTC):%Y-%m-%d}: {kind}, {options.rounds} "
        f"alternating rounds, {took_s / 60:.0f} minutes. Each figure is the median of the rounds "
        "with the lowest and the highest in brackets; a ratio is taken within its round. What each "
        "benchmark does, and what it does not show, stands in its file and in "
        "[docs/performance.md](../docs/performance.md), and so does what bounds a row that is "
        "not met."
    )
    summary = [
        [row.figure, row.target, row.measured, row.mark, row.note]
        for result in results
        for row in result.rows
    ]
    parts = [head, table(["figure", "target", "measured", "met", "note"], summary)]
    parts += ["## The machine", table(["what", "which"], facts)]
    parts += [
        "\n\n".join([f"## {result.title}", *result.details]) for result in results if result.details
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    options = read_options(__doc__ or "")
    facts = machine()
    begun = time.monotonic()
    results = run_all(options)
    text = report(results, options, facts, time.monotonic() - begun)
    # A quick look must not pass for a result.
    out = HERE / ("RESULTS.quick.md" if options.is_quick else "RESULTS.md")
    out.write_text(text)
    for result in results:
        print(show(result))
    say(f"written: benchmarks/{out.name}")


if __name__ == "__main__":
    main()
