"""What a preview costs: every region rendered, and the time from saving a file to the new picture.

A scratch publication with the sample articles and fourteen regions. Regions are rendered one after
the other, in two threads and in two processes, to see which is worth it. Then ``mailer preview
--watch`` runs in a process of its own, Chromium shows its page, and a line of a template and of the
issue's file is changed; the clock runs from the write to the frame after the one in which the
changed words are laid out. Needs ``chromium-headless-shell`` and Playwright.
"""

from __future__ import annotations

import multiprocessing
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mailer.app import App, make_publication, open_app
from mailer.cli.demonstration import edited
from mailer.resources import templates_dir
from mailer.usecases import editing, sourcing
from mailer.usecases.previewing import lay_out
from mailer.usecases.proofing import Ingredients, gather, render_region

ROUNDS = 15
REGION = "wales"
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SEEN = """([selector, words]) => new Promise((done) => {
  const look = () => {
    const frame = document.querySelector(".screen iframe:not(.coming)");
    const there = frame?.contentDocument?.querySelector(selector)?.textContent.includes(words);
    if (!there) return void setTimeout(look, 2);
    const painted = () => done(performance.timeOrigin + performance.now());
    requestAnimationFrame(() => requestAnimationFrame(painted));
  };
  look();
})"""

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


@contextmanager
def watching(root: Path, name: str) -> Iterator[Any]:
    """Open the live page in Chromium."""
    from playwright.sync_api import sync_playwright

    path = next((found for each in CHROMIUM if (found := shutil.which(each))), None)
    if path is None:
        sys.exit("Chromium is missing: apt-get install chromium-headless-shell")
    command = [sys.executable, "-m", "mailer", "--publication", str(root)]
    server = subprocess.Popen(
        [*command, "preview", name, "--watch", "--json"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        address = ""
        while not (found := re.search(r'"(http://[^"]+)"', address)):
            address += server.stdout.readline()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{found[1]}#{REGION}")
            page.wait_for_selector("body[data-drawn]")
            page.wait_for_selector("body[data-state=live]")
            yield page
            browser.close()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)


def to_picture(page: Any, path: Path, write: Callable[[str], str], selector: str) -> list[float]:
    """Save a file again and again; return the milliseconds until each change was seen."""
    times = []
    for number in range(ROUNDS):
        words = f"Picture number {number} of {path.name}"
        changed = write(words)
        started = 1000 * time.time()
        path.write_text(changed)
        times.append(page.evaluate(SEEN, [selector, words]) - started)
        # The other regions are rendered meanwhile; an editor does not save ten times a second.
        time.sleep(1.5)
    return times


def report(label: str, times: Sequence[float]) -> None:
    low, middle, high = min(times), statistics.median(times), max(times)
    print(f"{label}: {middle:.0f} ms ({low:.0f} to {high:.0f})", flush=True)


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
        with watching(root, name) as page:
            saves = to_picture(page, own, lambda words: shipped + line.format(words), "#bench")
            report("from saving a template to the picture", saves)
            saves = to_picture(
                page, issue, lambda words: re.sub(r"\Z", f"\n{words}\n", text), "body"
            )
            report("from saving the issue to the picture", saves)


if __name__ == "__main__":
    main()
