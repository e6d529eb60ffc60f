"""The light table's rounds: what comes first, what is carried over, and when trouble is told."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailer.editions.finding import Finding, Level
from mailer.errors import Fault, RenderFailed
from mailer.lighttable import live as module
from mailer.lighttable.lightpage import Looked
from mailer.lighttable.live import Live
from mailer.lighttable.sheets import Sheet
from tests.unit.test_sheets import LOOKED, lay

REGIONS = ["national", "wales", "cardiff"]


class Bench:
    """Lays out sheets whose subject is what ``says`` is at the moment."""

    def __init__(self) -> None:
        self.says = "First"
        self.asked: list[str] = []
        self.trouble: Exception | None = None
        self.after: Callable[[str], None] = lambda _asked: None
        self.looked: Looked = LOOKED
        self.images = Path("nowhere")
        self.root = Path("/srv/lantern")
        self._sheet = lay(findings=[])

    def watched(self) -> tuple[list[Path], list[Path]]:
        return [], []

    def prepare(self, changed: Collection[Path]) -> list[str]:
        self._asked("prepare")
        if self.trouble:
            raise self.trouble
        return REGIONS

    def sketch(self, region: str) -> Sheet:
        self._asked(f"sketch {region}")
        return replace(self._sheet, region=region, subject=self.says)

    def lay(self, region: str) -> Sheet:
        self._asked(f"lay {region}")
        finding = Finding(Level.WARNING, "x", f"of {self.says}", region, "", "", None)
        return replace(
            self._sheet,
            region=region,
            subject=self.says,
            findings=(finding,),
            messages={"named": f"Subject: {self.says}\r\n\r\n".encode()},
        )

    def _asked(self, what: str) -> None:
        self.asked.append(what)
        self.after(what)


class Told:
    """What a page that looks at a region is told."""

    def __init__(self, live: Live, region: str) -> None:
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        live._listeners[self._queue] = region

    def events(self) -> list[tuple[str, Any]]:
        found = []
        while not self._queue.empty():
            name, data = (self._queue.get_nowait() or "").strip().split("\ndata: ", 1)
            found.append((name.removeprefix("event: "), json.loads(data)))
        return found


def opened(packed: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(packed)))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(module, "DRAWING_S", 0)
    monkeypatch.setattr(module, "HALF_SAVED_S", 0)
    return Bench()


def test_the_picture_on_show_comes_first_and_its_findings_follow(bench: Bench) -> None:
    async def run() -> list[tuple[str, Any]]:
        live = Live(bench)
        await live._round(())
        told = Told(live, "wales")
        bench.asked.clear()
        bench.says = "Second"
        await live._round(())
        return told.events()

    events = asyncio.run(run())
    assert bench.asked == ["prepare", "sketch wales", "lay wales", "lay national", "lay cardiff"]
    assert [name for name, _ in events] == ["sheet"] * 4 + ["fine"]
    sketch, whole = (opened(data["packed"]) for _, data in events[:2])
    assert [data["row"]["region"] for _, data in events[:2]] == ["wales", "wales"]
    assert (sketch["subject"], whole["subject"]) == ("Second", "Second")
    assert sketch["findings"][0]["message"] == "of First"
    assert whole["findings"][0]["message"] == "of Second"
    assert sketch["headers"] == {"named": "Subject: First"}
    assert whole["headers"] == {"named": "Subject: Second"}
    assert sketch["sizes"]["message"] == whole["sizes"]["message"]


def test_what_comes_out_the_same_is_not_sent(bench: Bench) -> None:
    async def run() -> list[tuple[str, Any]]:
        live = Live(bench)
        await live._round(())
        told = Told(live, "wales")
        await live._round(())
        return told.events()

    assert asyncio.run(run()) == [("fine", {})]


def test_a_fault_names_its_file_from_the_publications_folder(bench: Bench) -> None:
    faults = [
        Fault("is cut off", where="/srv/lantern/issues/2026-11-30.md", line=3),
        Fault("is cut off", where="/usr/share/body.mjml.j2"),
        Fault("is cut off"),
    ]
    bench.trouble = RenderFailed(faults)

    async def run() -> list[tuple[str, Any]]:
        live = Live(bench)
        told = Told(live, "wales")
        await live._round(())
        return told.events()

    [(name, said)] = asyncio.run(run())
    assert name == "trouble"
    assert [fault["where"] for fault in said] == [
        "issues/2026-11-30.md",
        "/usr/share/body.mjml.j2",
        "",
    ]


@pytest.mark.parametrize("after", ["sketch wales", "lay wales", "lay national"])
def test_a_round_ends_where_more_was_changed(bench: Bench, after: str) -> None:
    async def run() -> list[tuple[str, Any]]:
        live = Live(bench)
        await live._round(())
        told = Told(live, "wales")
        bench.asked.clear()
        bench.says = "Second"
        loop = asyncio.get_running_loop()

        def change(asked: str) -> None:
            if asked == after:
                loop.call_soon_threadsafe(live._is_changed.set)

        bench.after = change
        await live._round(())
        return told.events()

    events = asyncio.run(run())
    assert bench.asked[-1] == after
    # Nothing is called fine that was not looked at to its end.
    assert "fine" not in [name for name, _ in events]


def test_half_of_a_save_is_no_trouble(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(*, is_more: bool) -> list[str]:
        live = Live(bench)
        told = Told(live, "wales")
        loop = asyncio.get_running_loop()
        if is_more:
            bench.after = lambda _asked: loop.call_soon_threadsafe(live._is_changed.set)
        await live._round(())
        return [name for name, _ in told.events()]

    bench.trouble = RenderFailed(Fault("is cut off", where="body.mjml.j2", line=1))
    assert asyncio.run(run(is_more=False)) == ["trouble"]
    monkeypatch.setattr(module, "HALF_SAVED_S", 3600)
    assert asyncio.run(run(is_more=True)) == []
