"""How long a thousand feeds take: fetched, read and kept, and asked again.

A server on loopback has FEEDS feeds of ITEMS items, each item with its own words (two to three
hundred of them), an ETag and a Last-Modified. They are ingested twice: the first time everything is
new, the second time every answer must be 304.

    python benchmarks/feeds.py [--feeds 1000] [--items 50] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_WORDS = """
harbour council ferry lamp tenants spring library reading counter tide market stall button coat
dance winter roof school bus driver ticket bridge river mud bank allotment leek frost bakery oven
window valley railway signal ward nurse night shift meeting minutes paper ink press shovel quarry
laundry drum duvet owner share vote treasurer kettle lid heat borehole
"""
WORDS = _WORDS.split()
_JOINTS = "the a and of to in for with on by that which was is had will not but when after"
JOINTS = _JOINTS.split()


def sentence(dice: random.Random) -> str:
    words = [dice.choice(JOINTS if n % 2 else WORDS) for n in range(dice.randint(8, 22))]
    return f"{' '.join(words).capitalize()}."


def item(number: int, feed: int) -> str:
    dice = random.Random(feed * 1_000 + number)
    paragraphs = "".join(f"<p>{' '.join(sentence(dice) for _ in range(4))}</p>" for _ in range(4))
    title = f"{sentence(dice)[:-1]} {feed}-{number}"
    return (
        f"<item><title>{title}</title><link>https://f{feed}.example/{number}?utm_source=rss</link>"
        f"<guid isPermaLink='false'>f{feed}-{number}</guid><dc:creator>Ann Reed</dc:creator>"
        f"<pubDate>Thu, 26 Nov 2026 {number % 24:02d}:00:00 GMT</pubDate>"
        f"<category>News</category><description>{sentence(dice)}</description>"
        f"<content:encoded><![CDATA[{paragraphs}<p>The meeting is on {1 + number % 28} December at "
        f"7pm in the <a href='/hall'>hall</a>.</p>]]></content:encoded></item>"
    )


def feed_of(number: int, items: int) -> bytes:
    inside = "".join(item(n, number) for n in range(items))
    return (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0' "
        "xmlns:dc='http://purl.org/dc/elements/1.1/' "
        "xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
        f"<channel><title>Feed {number}</title><link>https://f{number}.example/</link>"
        f"<description>x</description>{inside}</channel></rss>"
    ).encode()


def serve(folder: Path) -> None:
    """Serve the feeds and print the port; a process of its own, as a site would be."""
    counts = {200: 0, 304: 0}
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/counts":
                self.answer(200, json.dumps(counts).encode())
                return
            tag = f'"{self.path}"'
            status = 304 if self.headers.get("If-None-Match") == tag else 200
            with lock:
                counts[status] += 1
            body = b"" if status == 304 else (folder / self.path.strip("/")).read_bytes()
            self.answer(status, body, tag)

        def answer(self, status: int, body: bytes, tag: str = '""') -> None:
            self.send_response(status)
            self.send_header("ETag", tag)
            self.send_header("Last-Modified", "Thu, 26 Nov 2026 09:00:00 GMT")
            self.send_header("Content-Type", "application/rss+xml")
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def publication(root: Path, port: int, feeds: int) -> None:
    from mailer.app import make_publication

    make_publication(root)
    path = root / "publication.toml"
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition("[[sources]]")
    tail = rest[rest.index("# --- The week") :]
    tables = "".join(
        f'[[sources]]\nname = "Feed {n}"\nurl = "http://127.0.0.1:{port}/{n}"\n\n'
        for n in range(feeds)
    )
    path.write_text(head + tables + tail, encoding="utf-8")
    (root / ".env").write_text(
        (root / ".env").read_text() + "\nMAILER_FETCH_ALLOW=127.0.0.1\n", encoding="utf-8"
    )


def used() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def run(feeds: int, items: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="mailer-feeds-") as scratch:
        folder = Path(scratch) / "served"
        folder.mkdir()
        for number in range(feeds):
            (folder / str(number)).write_bytes(feed_of(number, items))
        size = sum(path.stat().st_size for path in folder.iterdir())
        serving = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(folder)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert serving.stdout is not None
            port = int(serving.stdout.readline())
            root = Path(scratch) / "lantern"
            publication(root, port, feeds)
            return {
                "feeds": feeds,
                "items": feeds * items,
                "megabytes": round(size / 1e6, 1),
                "cores": len(os.sched_getaffinity(0)),
                "load": [round(load, 1) for load in os.getloadavg()],
                "first": ingest(root, port),
                "second": ingest(root, port),
            }
        finally:
            serving.terminate()
            serving.wait()


def ingest(root: Path, port: int) -> dict[str, object]:
    from urllib.request import urlopen

    from mailer.app import open_app
    from mailer.circles import look_seldom
    from mailer.usecases import sourcing

    def counts() -> dict[str, int]:
        with urlopen(f"http://127.0.0.1:{port}/counts") as answer:
            return json.load(answer)

    before, start, cpu = counts(), time.monotonic(), used()
    look_seldom()  # As the command line does.
    with open_app(root) as app:
        sources = [source.name for source in app.publication.sources]
        report = sourcing.ingest(app, [], sources=sources, is_now=True)
    seconds = time.monotonic() - start
    after = counts()
    told: dict[str, int] = {}
    for source in report.sources:
        for status, count in source.counts:
            told[status] = told.get(status, 0) + count
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used() - cpu, 1),
        "answers": {status: after[status] - before[status] for status in after},
        "statuses": {
            status: sum(source.status == status for source in report.sources)
            for status in sorted({source.status for source in report.sources})
        },
        "articles": told,
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "reader_memory_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=1_000)
    parser.add_argument("--items", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return
    found = run(given.feeds, given.items)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['feeds']} feeds, {found['items']:,} items, {found['megabytes']} MB")
    print(f"cores {found['cores']}, load before {found['load']}")
    for name in ("first", "second"):
        print(f"{name:>7}: {found[name]}")


if __name__ == "__main__":
    main()
