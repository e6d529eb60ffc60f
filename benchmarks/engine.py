"""This project's engine as a contestant: a real publication, its database, its sender.

Usage, each command a process of its own so that it can be measured from outside::

    python benchmarks/engine.py prepare ROOT --readers 10000
    python benchmarks/engine.py message ROOT OUT
    python benchmarks/engine.py plan ROOT
    python benchmarks/engine.py send ROOT --port 2525 [--connections 10] [--dkim] [--seconds 60]

The readers are spread over every region of the sample publication and over fifty mail domains.
Everything a real sending does is done: eligibility is asked again, each message is made for its
reader with signed links, the ledger is durable (SQLite, WAL, synchronous=FULL). This file alone
knows the program's interfaces; the other benchmarks see JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks.rig import MESSAGE_BYTES
from mailer.app import open_app
from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.delivery.frozen import FrozenEdition
from mailer.delivery.message import compile_edition, letterhead
from mailer.delivery.planning import plan
from mailer.editions.edition import Edition, Segments, Slot
from mailer.scaffold import scaffold

ISSUE = "2026-11-30"
DATED_AT = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
DOMAINS = 50
SECRET = "a-secret-for-measuring-with-nothing-behind-it"

WINDOWS = 10
"""Into so many parts a sending is cut, to see whether its end costs more than its beginning."""

_SENTENCE = (
    "The council’s drainage survey, published on Thursday, found that forty of the "
    "ninety culverts under the old railway have not been inspected since 1998. "
)
_LINKS = ("preferences_url", "view_online_url")


def prepare(root: Path, readers: int) -> None:
    """Make a publication with an issue under way and ``readers`` confirmed readers."""
    scaffold(root, monday=date.fromisoformat(ISSUE), secret=SECRET)
    (root / ".env").write_text(
        f"MAILER_SECRET_KEY={SECRET}\nMAILER_WEB_URL=https://mail.lantern.example\n"
    )
    with open_app(root) as app:
        _ = app.database
        slugs = list(app.publication.region_map)
        frozen = {
            region.slug: FrozenEdition(
                make_edition(region.slug), letterhead(app.publication, region), app.web_url
            )
            for region in app.regions(None)
        }
    with closing(sqlite3.connect(root / "var" / "mailer.db", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute(
            "INSERT INTO issues (id, number, state, checksum, drafted_checksum, approved_by)"
            " VALUES (?, 1, 'sending', 'x', 'x', 'bench')",
            (ISSUE,),
        )
        connection.executemany(
            "INSERT INTO editions (issue_id, region, checksum, content) VALUES (?, ?, ?, ?)",
            ((ISSUE, slug, item.checksum, item.to_json()) for slug, item in frozen.items()),
        )
        at = "2026-01-01 00:00:00.000000"
        connection.executemany(
            "INSERT INTO subscribers (id, address, name, fields, created_at)"
            " VALUES (?, ?, ?, '{}', ?)",
            (
                (number, f"r{number}@d{number % DOMAINS}.example", f"Reader {number}", at)
                for number in range(1, readers + 1)
            ),
        )
        connection.executemany(
            "INSERT INTO subscriptions (subscriber_id, region, state, source, changed_at)"
            " VALUES (?, ?, 'confirmed', 'bench', ?)",
            ((number, slugs[number % len(slugs)], at) for number in range(1, readers + 1)),
        )
        connection.execute("COMMIT")


def make_edition(slug: str) -> Edition:
    """Return an edition that weighs ``MESSAGE_BYTES`` on the wire, with a real one's slots."""
    html: list[str | Slot] = ["<!doctype html><html><body><p>", Slot("greeting"), "</p>\n"]
    text: list[str | Slot] = [Slot("greeting"), "\n\n"]
    # The paragraphs were counted once: QP, boundaries and headers bring them to 40 KB.
    html.append("".join(f'<p style="margin:0 0 16px">{_SENTENCE}</p>\n' for _ in range(158)))
    text.append("".join(f"{_SENTENCE}\n\n" for _ in range(40)))
    postal = "Lantern Press Co-operative, 12 Harbour Street, Exbridge EX0 0XX"
    for part, form in ((html, '<p><a href="{}">here</a></p>\n'), (text, "{}\n")):
        before, after = form.split("{}")
        for name in _LINKS:
            part.extend((before, Slot(name), after))
        part.extend((before, Slot("unsubscribe_url"), after, f"{postal}\nSent to "))
        part.extend((Slot("address"), "\n"))
    html.append("</body></html>\n")
    return Edition(
        issue_id=ISSUE,
        region=slug,
        language="en-GB",
        subject="The week in drains: what lies under the old railway",
        preheader="",
        html=tuple(html),
        text=tuple(text),
        article_ids=(),
    )


def write_message(root: Path, out: Path) -> dict[str, Any]:
    """Write one finished message, and beside it the parts as JSON, for the rivals to send."""
    with open_app(root) as app:
        from mailer.usecases.readers import reader_fields

        region = app.regions(None)[0]
        edition = make_edition(region.slug)
        delivery = Delivery(
            id=1,
            issue_id=ISSUE,
            region=region.slug,
            subscriber_id=1,
            address="r1@d1.example",
            name="Reader 1",
            token="a" * 26,
            dated_at=DATED_AT,
            due_at=DATED_AT,
            state=DeliveryState.CLAIMED,
        )
        fields = reader_fields(app, delivery, web_url=app.web_url)
        compiled = compile_edition(edition, letterhead(app.publication, region))
        message = compiled.render(delivery, fields)
    out.write_bytes(message)
    parts = {
        "subject": edition.subject,
        "html": _filled(edition.html, fields),
        "text": _filled(edition.text, fields),
    }
    out.with_suffix(".json").write_text(json.dumps(parts))
    return {"bytes": len(message), "aim": MESSAGE_BYTES}


def _filled(segments: Segments, fields: dict[str, str]) -> str:
    return "".join(fields[part.name] if isinstance(part, Slot) else part for part in segments)


def make_plan(root: Path) -> dict[str, Any]:
    """Plan the issue for everybody; say how long it took."""
    with open_app(root) as app:
        app.ledger.open_count(ISSUE)
        print("sending", flush=True)
        begun, cpu = time.perf_counter(), time.process_time()
        report = plan(
            app.ledger,
            issue_id=ISSUE,
            recipients=app.register.audience(),
            due_at=dict.fromkeys(app.publication.region_map, app.clock.now()),
        )
        return {
            "messages": report.planned_count,
            "seconds": time.perf_counter() - begun,
            "cpu_s": time.process_time() - cpu,
        }


def send(root: Path, *, seconds: float, total: int) -> dict[str, Any]:
    """Send what is planned, for so long at most; say what it cost, in all and part by part."""
    from mailer.usecases.mailing import frozen_editions, make_sender

    with open_app(root) as app:
        total = total or app.ledger.open_count(ISSUE)
        sender = make_sender(app, frozen_editions(app, ISSUE))
        watch = _Watch(total, seconds)
        print("sending", flush=True)
        watch.start()
        report = sender.run(ISSUE, progress=watch.progress, should_stop=watch.is_over)
        spent = time.perf_counter() - watch.begun, time.process_time() - watch.cpu
        if report.trouble or not report.counts:
            sys.exit(f"nothing was sent: {report.sentence()}")
        states = app.ledger.summary(ISSUE).values()
        return {
            "messages": sum(counts.get(DeliveryState.ACCEPTED, 0) for counts in states),
            "seconds": spent[0],
            "cpu_s": spent[1],
            "planned": total,
            "windows": list(watch.windows()),
        }


class _Watch:
    """Notes the CPU used at each tenth of the list."""

    def __init__(self, total: int, seconds: float) -> None:
        self._step = max(1, total // WINDOWS)
        self._seconds = seconds
        self._marks: list[tuple[int, float, float]] = []
        self._next = 0
        self.begun = self.cpu = 0.0

    def start(self) -> None:
        self.begun, self.cpu = time.perf_counter(), time.process_time()
        self.progress(0, 0)

    def progress(self, done: int, _total: int) -> None:
        if done >= self._next:
            self._marks.append((done, time.perf_counter(), time.process_time()))
            self._next = done - done % self._step + self._step

    def is_over(self) -> bool:
        return self._seconds > 0 and time.perf_counter() - self.begun > self._seconds

    def windows(self) -> Iterator[dict[str, float]]:
        """Yield each part's messages, seconds and CPU seconds."""
        for before, after in zip(self._marks, self._marks[1:], strict=False):
            done, seconds, cpu_s = (b - a for a, b in zip(before, after, strict=True))
            yield {"messages": done, "seconds": seconds, "cpu_s": cpu_s}


def _set(root: Path, arguments: argparse.Namespace) -> None:
    """Set the relay in the environment, which outranks the publication's file."""
    os.environ["MAILER_RELAY_PORT"] = str(arguments.port)
    os.environ["MAILER_RELAY_CONNECTIONS"] = str(arguments.connections)
    if arguments.dkim:
        os.environ |= {"MAILER_DKIM_SELECTOR": "bench", "MAILER_DKIM_KEY_FILE": "dkim.pem"}
        if not (root / "dkim.pem").exists():
            (root / "dkim.pem").write_bytes(new_key())


def new_key() -> bytes:
    """Return a fresh RSA-2048 private key in PEM form."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Run one part of the engine, print JSON.")
    parser.add_argument("command", choices=("prepare", "message", "plan", "send"))
    parser.add_argument("root", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--dkim", action="store_true")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so many; 0: never")
    parser.add_argument("--total", type=int, default=0, help="what is planned, where known")
    found = parser.parse_args()
    result: dict[str, Any] = {}
    if found.command == "prepare":
        prepare(found.root, found.readers)
    elif found.command == "message":
        result = write_message(found.root, found.out)
    elif found.command == "plan":
        result = make_plan(found.root)
    else:
        _set(found.root, found)
        result = send(found.root, seconds=found.seconds, total=found.total)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
