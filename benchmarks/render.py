"""How long the editions of an issue take to render, and how large the HTML part is.

A publication of the samples with twenty regions and an issue of fourteen stories: one render a
region, from values to segments, the templates loaded once. Runs alone:

    .venv/bin/python benchmarks/render.py [--quick] [--set briefing]

Targets: 20 regions in 0.5 s or less; the HTML part under 100 kB in quoted-printable.
"""

from __future__ import annotations

import argparse
import binascii
import statistics
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mailer.app import open_app
from mailer.cli.demonstration import edited
from mailer.editions.edition import merge_html
from mailer.editions.preview import sample_fields
from mailer.editions.rendering import render_edition
from mailer.issues.issue import Pick
from mailer.scaffold import scaffold
from mailer.settings import Settings
from mailer.usecases import editing, proofing, sourcing

REGIONS = 20
STORIES = 14
TARGET_S = 0.5
TARGET_BYTES = 100_000
MONDAY = date(2026, 11, 30)
FRIDAY = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def measure(set_name: str, rounds: int) -> dict[str, Any]:
    """Render every region's edition ``rounds`` times; seconds of each round and the sizes."""
    with tempfile.TemporaryDirectory(prefix="mailer-render-") as scratch:
        root = Path(scratch) / "publication"
        scaffold(root, monday=MONDAY, secret="only-for-a-measurement" * 3)
        with open_app(root, settings=Settings(fixed_now=FRIDAY)) as app:
            sourcing.ingest(app, [])
            name = editing.draft(app, None, template=set_name).issue_id
            path = root / "issues" / f"{name}.md"
            path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
            given = proofing.gather(app, name)
            issue, articles = given.issue, dict(given.articles)
            missing = STORIES - sum(len(picks) for picks in issue.sections.values())
            spare = [a for a in app.library.articles() if a.id not in issue.article_ids]
            last = list(issue.sections)[-1]
            issue.sections[last] += tuple(Pick(article.id) for article in spare[:missing])
            articles |= {article.id: article for article in spare[:missing]}
            some = list(app.publication.region_map.values())
            regions = [some[number % len(some)] for number in range(REGIONS)]
            seconds, cpu, sizes = [], [], []
            for _ in range(rounds):
                started, used = time.perf_counter(), time.process_time()
                editions = [
                    render_edition(
                        issue,
                        region=region,
                        publication=app.publication,
                        articles=articles,
                        diary=given.diary,
                        images=given.prepared.pictures,
                        web_url=app.web_url,
                        templates=given.templates,
                    )
                    for region in regions
                ]
                seconds.append(time.perf_counter() - started)
                cpu.append(time.process_time() - used)
            for edition, region in zip(editions, regions, strict=True):
                html = merge_html(edition.html, sample_fields(app.publication, region))
                sizes.append(len(binascii.b2a_qp(html.encode(), istext=True)))
    return {
        "set": set_name,
        "stories": sum(len(picks) for picks in issue.sections.values()),
        "seconds": statistics.median(seconds),
        "fastest": min(seconds),
        "slowest": max(seconds),
        "cpu": statistics.median(cpu),
        "largest": max(sizes),
    }


def main() -> int:
    """Print the figures; 1 when a target was missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="three rounds instead of fifteen")
    parser.add_argument("--set", default="briefing", help="the template set")
    options = parser.parse_args()
    found = measure(options.set, 3 if options.quick else 15)
    print(
        f"{found['set']}: {REGIONS} regions, {found['stories']} stories and the region's: "
        f"{found['seconds']:.3f} s ({found['fastest']:.3f} to {found['slowest']:.3f}), "
        f"{found['cpu']:.3f} s of CPU; "
        f"the largest HTML part has {found['largest'] / 1000:.1f} kB encoded"
    )
    return int(found["seconds"] > TARGET_S or found["largest"] >= TARGET_BYTES)


if __name__ == "__main__":
    raise SystemExit(main())
