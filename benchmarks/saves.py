"""From saving a file to the new picture, and where the time goes.

The live page is served by a process of its own, as ``mailer preview --watch`` serves it, and shown
by Chromium; the clock runs from the write to the frame after the one in which the changed words are
laid out. On the way marks are set, none of them in the program: around the page's bench and its
stream (``Marked``, ``Sending``), and by a script in the page around its event source (``HEARD``)
and its frame (``SEEN``). Needs ``chromium-headless-shell`` and Playwright.

    python -m benchmarks.saves ROOT ISSUE    # the server alone, as benchmarks/preview starts it
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailer.inbox import serving
from mailer.lighttable.live import Live
from mailer.lighttable.sheets import Sheet
from mailer.usecases.live_preview import HOST, Workbench

REGION = "wales"
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
STEPS = {
    "woke": "until the watcher woke",
    "read": "reading what changed",
    "laid": "rendering the region on show",
    "sent": "until it was sent",
    "had": "until the page had it",
    "shown": "until the words were in the frame",
    "painted": "until they were painted",
}
"""The marks in their order, and what passed before each."""

APART_MS = 5

HEARD = """(() => {
  const Source = window.EventSource;
  window.heard = [];
  window.EventSource = class extends Source {
    constructor(...given) {
      super(...given);
      this.addEventListener("sheet", (event) => {
        const at = performance.timeOrigin + performance.now();
        window.heard.push([JSON.parse(event.data).row.region, at]);
      });
    }
  };
})()"""
SEEN = """([selector, words]) => new Promise((done, fail) => {
  const now = () => performance.timeOrigin + performance.now();
  const until = now() + 30000;
  const look = () => {
    const frame = document.querySelector(".screen iframe:not(.coming)");
    const there = frame?.contentDocument?.querySelector(selector)?.textContent.includes(words);
    if (now() > until) return void fail(new Error(`${words} was never seen`));
    if (!there) return void setTimeout(look, 2);
    const shown = now();
    requestAnimationFrame(() => requestAnimationFrame(() => done({ shown, painted: now() })));
  };
  look();
})"""


def mark(name: str) -> None:
    print(json.dumps({"mark": name, "at": 1000 * time.time()}), flush=True)


class Marked(Workbench):
    """The bench, saying when it is asked and when it is done."""

    def prepare(self, changed: Collection[Path]) -> list[str]:
        mark("woke")
        regions = super().prepare(changed)
        mark("read")
        return regions

    def sketch(self, region: str) -> Sheet:
        sheet = super().sketch(region)
        if region == REGION:
            mark("laid")
        return sheet


class Sending:
    """Says when the stream has handed over the region on show."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            body = message.get("body", b"")
            if body.startswith(b"event: sheet") and f'"region": "{REGION}"'.encode() in body:
                mark("sent")
            await send(message)

        await self._app(scope, receive, told)


def serve(root: Path, issue_id: str) -> None:
    bench = Marked(root, issue_id, None)
    live = Live(bench)
    app = live.app()
    app.add_middleware(Sending)
    try:
        serving.serve_page(
            app,
            host=HOST,
            port=0,
            ready=lambda address: print(address.rstrip("/") + live.path, flush=True),
            on_exit=live.end,
        )
    finally:
        bench.close()


@dataclass
class Watching:
    """A page that follows the files; ``marks`` are the server's."""

    page: Any
    marks: list[tuple[str, float]] = field(default_factory=list)

    def save(self, path: Path, text: str, selector: str, words: str) -> dict[str, float]:
        """Save a file; return the milliseconds that passed before each mark."""
        started = 1000 * time.time()
        path.write_text(text)
        at = dict(self.page.evaluate(SEEN, [selector, words]))
        # The server's marks come through a pipe, and may be later than the picture.
        time.sleep(0.2)
        heard = self.page.evaluate("() => window.heard")
        marks = [*self.marks, *(("had", when) for region, when in heard if region == REGION)]
        known = [(name, when) for name, when in marks if when >= started]
        # A save may be several changes, so the way is followed back from what was seen; the page's
        # clock and the server's may be some milliseconds apart.
        latest = at["shown"]
        for name in ("had", "sent", "laid", "read", "woke"):
            found = [when for each, when in known if each == name and when <= latest + APART_MS]
            latest = at[name] = min(max(found), latest)
        before = started
        passed = {}
        for name in STEPS:
            passed[name], before = at[name] - before, at[name]
        return passed


@contextmanager
def watching(root: Path, name: str) -> Iterator[Watching]:
    """Open the live page in Chromium."""
    from playwright.sync_api import sync_playwright

    path = next((found for each in CHROMIUM if (found := shutil.which(each))), None)
    if path is None:
        sys.exit("Chromium is missing: apt-get install chromium-headless-shell")
    command = [sys.executable, "-m", "benchmarks.saves", str(root), name]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    lines = server.stdout
    assert lines is not None
    try:
        said = iter(lines)
        address = next(line.strip() for line in said if line.startswith("http"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.add_init_script(HEARD)
            watched = Watching(page)

            def listen() -> None:
                for line in said:
                    found = json.loads(line)
                    watched.marks.append((found["mark"], found["at"]))

            threading.Thread(target=listen, daemon=True).start()
            page.goto(f"{address}#{REGION}")
            page.wait_for_selector("body[data-drawn]")
            page.wait_for_selector("body[data-state=live]")
            yield watched
            browser.close()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)


def to_picture(
    watched: Watching, path: Path, write: Callable[[str], str], selector: str, rounds: int
) -> list[dict[str, float]]:
    """Save a file again and again; return what each save took, step by step."""
    passed = []
    for number in range(rounds):
        words = f"Picture number {number} of {path.name}"
        passed.append(watched.save(path, write(words), selector, words))
        # The other regions are rendered meanwhile; an editor does not save ten times a second.
        time.sleep(1.5)
    return passed


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
