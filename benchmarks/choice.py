"""Drafting an issue for all regions out of a large library: seconds and memory of the command.

    python benchmarks/choice.py [--articles 100000] [--window 3000] [--rounds 5] [--keep FOLDER]

A publication is made with `mailer init`, and a library of invented articles of four years is
written into its database: news of 120 to 420 words in a vocabulary with the shape of a language's,
with places, sources, authors, sections and regions, one in twenty a copy of another with some words
changed; and what the lists had of two hundred issues. Then `mailer issue draft` runs as a process,
as an editor runs it, and its wall time, its CPU time and its largest memory are taken. Taking the
articles in is not part of it, but what an article costs there is told. A first round, not counted,
has the program compiled, as pip leaves it.

Bounded: it takes some minutes to write the library (`--keep` keeps it for the next run).
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from mailer.app import App, make_publication, open_app
from mailer.articles.article import Article, Kind, Picture
from mailer.articles.article_rows import values_of
from mailer.articles.gazetteer import gazetteer
from mailer.articles.stock import Stock
from mailer.storage import schema

YEARS = 4
SOURCES = 60
AUTHORS = 400
ISSUES = 200
SYLLABLES = "ba bel cor dan den el far gan hal im jor ka lin mar nor ol pen ra sel tor un ver wil"


def vocabulary(chance: random.Random, size: int = 12_000) -> list[str]:
    parts = SYLLABLES.split()
    found: dict[str, None] = {}
    while len(found) < size:
        found["".join(chance.choice(parts) for _ in range(chance.randint(1, 4)))] = None
    return list(found)


class Writer:
    """Invents articles, the same ones for the same seed."""

    def __init__(self, app: App, seed: int = 7) -> None:
        self.chance = random.Random(seed)
        self.words = vocabulary(self.chance)
        self.weights = [1 / (rank + 3) for rank in range(len(self.words))]
        self.sections = [section.slug for section in app.publication.sections]
        self.regions = list(app.publication.regions)
        self.places = [name.title() for name in gazetteer().spots]
        self.sources = [f"Paper {number}" for number in range(SOURCES)]

    def text(self, count: int) -> list[str]:
        return self.chance.choices(self.words, self.weights, k=count)

    def article(self, number: int, seen: datetime, model: Article | None) -> Article:
        chance = self.chance
        words = self.text(chance.randint(120, 420)) if model is None else model.body_text.split()
        if model is not None:
            for _ in range(len(words) // 40):
                words[chance.randrange(len(words))] = chance.choice(self.words)
        elif chance.random() < 0.6:
            for place in chance.sample(self.places, chance.randint(1, 4)):
                words[chance.randrange(len(words))] = f"in {place}"
        title = model.title if model else " ".join(self.text(7)).capitalize()
        named = chance.random() < 0.3
        return Article(
            id=f"piece-{number}",
            title=title,
            body_html=f"<p>{' '.join(words)}</p>",
            body_text=" ".join(words),
            content_hash=f"{number:064d}",
            first_seen_at=seen,
            published_at=seen - timedelta(minutes=chance.randint(0, 600)),
            kind=chance.choice(list(Kind)),
            standfirst=" ".join(self.text(14)),
            authors=(f"Author {chance.randrange(AUTHORS)}",),
            url=f"https://paper{number % SOURCES}.example/{number}",
            picture=Picture("images/a.jpg", "A view") if chance.random() < 0.5 else None,
            section=chance.choice([*self.sections, "", ""]),
            regions=(chance.choice(self.regions),) if named else (),
            source=chance.choice(self.sources),
            origin=f"feed:{number % SOURCES}",
        )


def write_library(app: App, articles: int, window: int, now: datetime) -> float:
    """Fill the database; return the seconds that an article's traits take."""
    writer = Writer(app)
    stock = Stock(app.database, app.placer)
    spent_s = 0.0
    model: Article | None = None
    for first in range(0, articles, 2000):
        found = []
        for number in range(first, min(first + 2000, articles)):
            left = articles - window - number
            if left > 0:
                age = timedelta(days=7) + timedelta(days=365 * YEARS) * (left / articles)
            else:
                age = timedelta(days=7) * ((articles - number) / (window + 1))
            copied = model if writer.chance.random() < 0.05 else None
            model = writer.article(number, now - age, copied)
            found.append(model)
        with app.database.write() as connection:
            connection.execute(insert(schema.articles), [values_of(each) for each in found])
            started_s = time.process_time()
            stock.note(connection, found)
            spent_s += time.process_time() - started_s
        print(f"\r{first + len(found)} articles", end="", file=sys.stderr)
    print(file=sys.stderr)
    return spent_s / articles


def write_past(app: App, articles: int, window: int, now: datetime) -> None:
    """Write what two hundred issues showed: thirteen stories to everybody, three to each list."""
    chance = random.Random(11)
    old = articles - window
    regions = list(app.publication.regions)
    rows: list[dict[str, Any]] = []
    for week in range(1, ISSUES + 1):
        end = max(old - round(old * week / (52 * YEARS)), 100)
        ids = [f"piece-{number}" for number in chance.sample(range(end - 100, end), 55)]
        at = now - timedelta(weeks=week)
        for place, region in enumerate(regions):
            shown = [*ids[:13], *ids[13 + place * 3 : 16 + place * 3]]
            rows += [
                {"region": region, "article_id": i, "issue_id": f"{at:%Y-%m-%d}", "sent_at": at}
                for i in shown
            ]
    with app.database.write() as connection:
        connection.execute(insert(schema.exposures), rows)


def draft(folder: Path) -> tuple[float, float, float]:
    """Run the command; return wall seconds, CPU seconds and the largest megabytes."""
    compiled = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    started_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "mailer", "-C", str(folder), "issue", "draft"],
        stdout=subprocess.DEVNULL,
        env=compiled,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"mailer issue draft failed with {process.returncode}")
    return wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--window", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a folder to keep the library in, or to use")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch) / "publication"
        if not (folder / "publication.toml").exists():
            make_publication(folder)
            with open_app(folder) as app:
                now = datetime.now(UTC)
                each_s = write_library(app, arguments.articles, arguments.window, now)
                write_past(app, arguments.articles, arguments.window, now)
            print(f"traits: {each_s * 1000:.2f} ms of CPU an article")
        draft(folder)
        rounds = [draft(folder) for _ in range(arguments.rounds)]
    for wall_s, cpu_s, largest_mb in rounds:
        print(f"{wall_s:.2f} s, CPU {cpu_s:.2f} s, {largest_mb:.0f} MB")
    wall, cpu, memory = (list(figures) for figures in zip(*rounds, strict=True))
    print(
        f"median {statistics.median(wall):.2f} s, CPU {statistics.median(cpu):.2f} s, "
        f"largest {max(memory):.0f} MB"
    )


if __name__ == "__main__":
    main()
