"""What a preview costs: every region rendered, and the time from saving a file to the new picture.

A scratch publication with the sample articles and fourteen regions. Regions are rendered one after
the other, in two threads and in two processes, to see which is worth it. Then a line of a template
and of the issue's file is changed while the live page is shown (``benchmarks/saves``), and it is
printed how long the new picture took and where the time went.
"""

from __future__ import annotations

import multiprocessing
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from benchmarks.saves import STEPS, to_picture, watching
from mailer.app import App, make_publication, open_app
from mailer.cli.demonstration import edited
from mailer.resources import templates_dir
from mailer.usecases import editing, sourcing
from mailer.usecases.previewing import lay_out
from mailer.usecases.proofing import Ingredients, gather, render_region

ROUNDS = 15

_held: tuple[App, Ingredients] | None = None


def scratch(folder: Path) -> tuple[Path, str]:
    """Make the publication and draft its issue."""
    root = folder / "lantern"
    make_publication(root)
    with open_app(root) as app:
        sourcing.ingest(app, [])
        name = editing.draft(app, None).issue_id
    path = root / "issues" / f"{name}.md"
    path.write_text(edited(path.read_text()))
    return root, name


def render_some(slugs: Sequence[str]) -> int:
    assert _held is not None
    app, given = _held
    return sum(len(render_region(app, given, app.region(slug)).to_json()) for slug in slugs)


def rendering(root: Path, name: str) -> None:
    """Time all regions: alone, in threads, in processes; and with their sheets."""
    global _held  # noqa: PLW0603 - forked processes find it there
    with open_app(root) as app:
        given = gather(app, name)
        _held = (app, given)
        slugs = [region.slug for region in app.regions(None)]
        halves = [slugs[::2], slugs[1::2]]
        render_some(slugs)

        def pooled(make: Callable[[], Executor]) -> Callable[[], object]:
            def run() -> object:
                with make() as pool:
                    return list(pool.map(render_some, halves))

            return run

        fork = multiprocessing.get_context("fork")
        ways: dict[str, Callable[[], object]] = {
            "one after the other": lambda: render_some(slugs),
            "two threads": pooled(lambda: ThreadPoolExecutor(2)),
            "two processes": pooled(lambda: ProcessPoolExecutor(2, mp_context=fork)),
            "one after the other, with checks and sheets": lambda: [
                lay_out(app, given, region) for region in app.regions(None)
            ],
        }
        for label, run in ways.items():
            report(f"{len(slugs)} regions, {label}", [timed(run) for _ in range(ROUNDS)])


def timed(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - started)


def report(label: str, times: Sequence[float]) -> None:
    low, middle, high = min(times), statistics.median(times), max(times)
    print(f"{label}: {middle:.0f} ms ({low:.0f} to {high:.0f})", flush=True)


def report_steps(label: str, saves: Sequence[dict[str, float]]) -> None:
    """Print the whole and, for each step, the median of it."""
    report(label, [sum(save.values()) for save in saves])
    for name, what in STEPS.items():
        report(f"    {what}", [save[name] for save in saves])


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="mailer-bench-") as folder:
        root, name = scratch(Path(folder))
        rendering(root, name)
        own = root / "templates" / "briefing" / "parts" / "quote.mjml.j2"
        own.parent.mkdir(parents=True, exist_ok=True)
        shipped = (templates_dir() / "parts" / own.name).read_text()
        own.write_text(shipped)
        issue = root / "issues" / f"{name}.md"
        text = issue.read_text()
        text_of = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"
        line = text_of.format('<p id="bench">{}</p>')
        with watching(root, name) as watched:
            saves = to_picture(
                watched, own, lambda words: shipped + line.format(words), "#bench", ROUNDS
            )
            report_steps("from saving a template to the picture", saves)
            saves = to_picture(
                watched, issue, lambda words: re.sub(r"\Z", f"\n{words}\n", text), "body", ROUNDS
            )
            report_steps("from saving the issue to the picture", saves)


if __name__ == "__main__":
    main()
