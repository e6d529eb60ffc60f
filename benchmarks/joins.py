"""Sign-ups under load: `mailer serve` as a process, a load generator beside it, on loopback.

    python benchmarks/joins.py [--per-second 1000] [--seconds 20] [--generators 2]

Posts leave at fixed instants whether or not earlier ones were answered, and a time counts from the
instant at which its post was due, so that a server which stalls is not spared the queue it made.
Every fifth post names an address that was posted before. The limits an hour are switched off, for
all of it comes from one address; what is left of the rules is one confirmation a day. Afterwards
every answered post is looked for in the database, and the confirmations are counted.

Bounded: it runs for the given seconds plus a few, and ends what it started.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from sqlalchemy import func, select

from mailer.app import make_publication, open_app
from mailer.storage import schema

CONNECTIONS = 50
"""For each generator: more than can be under way at once when the server keeps up."""

SHORTEST_WAIT_S = 2.5
LIMIT = re.compile(r"^((?:per_network|per_address|per_domain|overall) = )\d+", re.MULTILINE)


def address_of(number: int) -> str:
    """Return the address of a post; every fifth is one of before."""
    which = number - number % 5 - 3 if number % 5 == 4 and number > 5 else number
    return f"reader{which}@d{which % 997}.example"


def body_of(number: int, key: str) -> bytes:
    fields = {
        "address": address_of(number),
        "name": f"Reader {number}",
        "region": "wales",
        "key": key,
    }
    return urlencode(fields).encode()


async def generate(
    url: str, key: str, numbers: range, per_second: float, start_s: float
) -> tuple[list[float], Counter[str]]:
    """Post at fixed instants; return the times in seconds and what was answered."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    due: asyncio.Queue[tuple[int, float] | None] = asyncio.Queue()
    times: list[float] = []
    answers: Counter[str] = Counter()

    async def worker() -> None:
        reader = writer = None
        while (item := await due.get()) is not None:
            number, due_s = item
            body = body_of(number, key)
            head = (
                f"POST /join HTTP/1.1\r\nHost: {host}:{port}\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(host, port)
                assert reader is not None
                writer.write(head.encode() + body)
                answer = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
                if length and int(length[1]):
                    await reader.readexactly(int(length[1]))
                answers[answer[9:12].decode()] += 1
            except (OSError, asyncio.IncompleteReadError) as error:
                answers[type(error).__name__] += 1
                if writer is not None:
                    writer.close()
                reader = writer = None
            times.append(time.monotonic() - due_s)
        if writer is not None:
            writer.close()

    workers = [asyncio.create_task(worker()) for _ in range(CONNECTIONS)]
    for place, number in enumerate(numbers):
        due_s = start_s + place / per_second
        if (wait_s := due_s - time.monotonic()) > 0:
            await asyncio.sleep(wait_s)
        due.put_nowait((number, due_s))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return times, answers


def run_generator(
    url: str, key: str, numbers: range, per_second: float, start_s: float, out: str
) -> None:
    times, answers = asyncio.run(generate(url, key, numbers, per_second, start_s))
    used = resource.getrusage(resource.RUSAGE_SELF)
    data = {"times": times, "answers": answers, "cpu_s": used.ru_utime + used.ru_stime}
    Path(out).write_text(json.dumps(data))


def form_key(url: str) -> str:
    with urllib.request.urlopen(f"{url}/join", timeout=10) as page:
        found = re.search(r'name="key" value="([\w-]+)"', page.read().decode())
    assert found is not None
    return found[1]


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else 0.0


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(folder: Path, *, per_second: int, seconds: int, generators: int, level: str) -> None:
    root = folder / "lantern"
    make_publication(root)
    toml = root / "publication.toml"
    text, count = LIMIT.subn(r"\g<1>0", toml.read_text())
    assert count == 4
    toml.write_text(text)
    total = per_second * seconds
    # No relay listens: confirmations wait in the outbox, where they are counted.
    environment = {**os.environ, "MAILER_RELAY_PORT": "1", "MAILER_LOG_LEVEL": level}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "mailer", "-C", str(root), "serve", "--port", "0"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as server,
    ):
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+(?=/)", server.stdout.readline())
            assert found is not None, (folder / "log").read_text()
            url = found[0]
            key = form_key(url)
            time.sleep(SHORTEST_WAIT_S)
            start_s = time.monotonic() + 1.0
            cpu_before = cpu_of(server.pid)
            share = per_second / generators
            children = [
                multiprocessing.Process(
                    target=run_generator,
                    args=(
                        url,
                        key,
                        range(at, total, generators),
                        share,
                        start_s + at / per_second,
                        str(folder / f"{at}.json"),
                    ),
                )
                for at in range(generators)
            ]
            for child in children:
                child.start()
            for child in children:
                child.join(seconds * 3 + 30)
            took_s = time.monotonic() - start_s
            cpu_s = cpu_of(server.pid) - cpu_before
            memory = memory_of(server.pid)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(120)
    report(root, folder, total=total, took_s=took_s, cpu_s=cpu_s, memory=memory)


def report(
    root: Path, folder: Path, *, total: int, took_s: float, cpu_s: float, memory: float
) -> None:
    results = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    times = [each for result in results for each in result["times"]]
    answers: Counter[str] = Counter()
    for result in results:
        answers.update(result["answers"])
    wanted = {address_of(number) for number in range(total)}
    with open_app(root) as app, app.database.read() as connection:
        people, asked, posts = schema.subscribers, schema.confirmations, schema.sign_ups
        kept = set(connection.execute(select(people.c.address)).scalars())
        kept |= set(connection.execute(select(posts.c.address)).scalars())
        confirmations = connection.execute(select(func.count()).select_from(asked)).scalar_one()
        most = connection.execute(
            select(func.count())
            .select_from(asked)
            .group_by(asked.c.subscriber_id)
            .order_by(func.count().desc())
        ).scalar()
        left = connection.execute(select(func.count()).select_from(posts)).scalar_one()
    rows = [
        ("posts", f"{total:,}"),
        ("answered 303", f"{answers['303']:,}"),
        ("answered otherwise", ", ".join(f"{n} x {a}" for a, n in answers.items() if a != "303")),
        ("posts a second", f"{total / took_s:,.0f}"),
        *(
            (f"p{share * 100:g} in ms", f"{percentile(times, share) * 1000:.1f}")
            for share in (0.5, 0.9, 0.99, 0.999)
        ),
        ("longest in ms", f"{max(times) * 1000:.1f}"),
        ("addresses posted", f"{len(wanted):,}"),
        ("addresses lost", f"{len(wanted - kept):,}"),
        ("confirmations asked", f"{confirmations:,}"),
        ("most for one address", str(most or 0)),
        ("posts not looked at yet", str(left)),
        ("server's CPU a post in ms", f"{cpu_s / total * 1000:.3f}"),
        ("server's CPU in cores", f"{cpu_s / took_s:.2f}"),
        ("generators' CPU in cores", f"{sum(r['cpu_s'] for r in results) / took_s:.2f}"),
        ("server's memory in MB", f"{memory:.0f}"),
    ]
    for name, value in rows:
        print(f"{name:28} {value or '-':>14}")
    if wanted - kept or confirmations > len(wanted) or answers["303"] != total:
        sys.exit("something was lost, refused, or asked too often")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--per-second", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--generators", type=int, default=2)
    parser.add_argument("--log-level", default="info")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(
            Path(folder),
            per_second=given.per_second,
            seconds=min(given.seconds, 60),
            generators=given.generators,
            level=given.log_level,
        )


if __name__ == "__main__":
    main()
