"""The light table while somebody works: the page, and a stream of what a change made of it.

One task waits for changed files, another renders, and it begins anew when more was changed
meanwhile. First comes the picture of the region somebody looks at, with what was found of the one
before; then its checks and its messages; then, after the browser had time to draw, the other
regions. What came out the same is not sent. A mistake is told with file, line and remedy, once
nothing more is being saved, and the last good sheets stay.

For one person on this machine: a loopback address, a key in the path that no other user can guess,
and no answer under a foreign host name. Every route is GET; nothing here changes anything.
Standards: server-sent events (WHATWG HTML, section 9.2).
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from mailer.errors import ConfigurationError, Fault, MailerError
from mailer.inbox.serving import OwnHost
from mailer.lighttable.lightpage import Looked, make_page, picture_data
from mailer.lighttable.sheets import Sheet

STEP_MS = 5
"""How long to wait for more changes after one: an editor's save is several."""

HALF_SAVED_S = 0.1
"""How long what cannot be used may still be half of a save, before it is told."""

DRAWING_S = 0.15
"""How long a browser may need for the regions that are looked at, before the others' turn."""

SETTLING_S = 0.2
"""How long new watchers may need until they see everything."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
}


class Bench(Protocol):
    """What lays the sheets out."""

    @property
    def root(self) -> Path:
        """Return the publication's folder."""
        ...

    @property
    def looked(self) -> Looked:
        """Return the head of the page."""
        ...

    @property
    def images(self) -> Path:
        """Return the folder of prepared pictures."""
        ...

    def watched(self) -> tuple[list[Path], list[Path]]:
        """Return the folders to watch, and those to watch with all below them."""
        ...

    def prepare(self, changed: Collection[Path]) -> list[str]:
        """Read anew what changed; return the regions, in the publication's order.

        Raises:
            MailerError, ConfigurationError: what was written cannot be used.
        """
        ...

    def sketch(self, region: str) -> Sheet:
        """Render one region and lay out its sheet, without findings and messages.

        Raises:
            MailerError, ConfigurationError: what was written cannot be used.
        """
        ...

    def lay(self, region: str) -> Sheet:
        """Render one region and lay out its sheet.

        Raises:
            MailerError, ConfigurationError: what was written cannot be used.
        """
        ...


class Live:
    """The server's application and what it knows; ``path`` is where the page is."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.path = f"/{secrets.token_urlsafe(16)}/"
        self._regions: list[str] = []
        self._sheets: dict[str, tuple[int, Sheet, str]] = {}
        self._version = 0
        self._faults: Sequence[Fault] = ()
        self._listeners: dict[asyncio.Queue[str | None], str] = {}
        self._waiting: set[Path] = set()
        self._is_changed = asyncio.Event()
        self._is_ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def app(self) -> Starlette:
        """Return the application; its lifespan watches and renders."""
        return Starlette(
            routes=[
                Route(self.path, self._page),
                Route(f"{self.path}events", self._events),
                Route(f"{self.path}picture/{{name}}", self._picture),
            ],
            middleware=[Middleware(OwnHost)],
            lifespan=self._lifespan,
        )

    def end(self) -> None:
        """Let the streams end, so that the server need not wait for them; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._is_ending.set()
        for listener in self._listeners:
            listener.put_nowait(None)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        # Whoever opens the page finds every region there.
        await self._round(frozenset())
        tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._watch())]
        try:
            yield
        finally:
            self._end()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # --- Watching and rendering ------------------------------------------------------------

    async def _watch(self) -> None:
        is_again = False
        while not self._is_ending.is_set():
            flat, deep = self._bench.watched()
            stop = asyncio.Event()
            watchers = [
                asyncio.create_task(self._follow(folders, stop, is_deep=is_deep))
                for folders, is_deep in ((flat, False), (deep, True))
                if folders
            ]
            try:
                if is_again:
                    # What was written before the new watchers stood is looked at now.
                    await asyncio.sleep(SETTLING_S)
                    self._waiting |= set(deep)
                    self._is_changed.set()
                is_again = True
                # A folder that is made later (templates/, say) is watched from then on.
                await asyncio.wait(watchers, return_when=asyncio.FIRST_COMPLETED)
            finally:
                stop.set()
                for watcher in watchers:
                    watcher.cancel()
                await asyncio.gather(*watchers, return_exceptions=True)

    async def _follow(self, folders: list[Path], stop: asyncio.Event, *, is_deep: bool) -> None:
        from watchfiles import awatch

        before = self._bench.watched()
        changes = awatch(
            *folders, step=STEP_MS, debounce=20 * STEP_MS, stop_event=stop, recursive=is_deep
        )
        async for found in changes:
            self._waiting |= {Path(path) for _, path in found}
            self._is_changed.set()
            if self._bench.watched() != before:
                return

    async def _work(self) -> None:
        while True:
            await self._is_changed.wait()
            self._is_changed.clear()
            changed, self._waiting = frozenset(self._waiting), set()
            await self._round(changed)

    async def _round(self, changed: Collection[Path]) -> None:
        try:
            regions = await asyncio.to_thread(self._bench.prepare, changed)
            before, self._regions = self._regions, regions
            if before and before != regions:
                self._tell("reload", {})
            looked_at = set(self._listeners.values())
            for region in regions:
                if region in looked_at and region in self._sheets:
                    await self._sketch(region)
            for region in sorted(regions, key=lambda region: region not in looked_at):
                if self._listeners and region not in looked_at:
                    looked_at.update(regions)
                    await self._wait_for_more(DRAWING_S)
                if self._is_changed.is_set():
                    return
                await self._lay(region)
        except (MailerError, ConfigurationError) as error:
            await self._wait_for_more(HALF_SAVED_S)
            if not self._is_changed.is_set():
                self._trouble(error.faults)
        except Exception as error:  # noqa: BLE001 - the person at the page must learn of it
            remedy = "this is a fault of the program; the last good picture stays"
            self._trouble([Fault(f"{type(error).__name__}: {error}", remedy=remedy)])
        else:
            self._faults = ()
            self._tell("fine", {})

    async def _sketch(self, region: str) -> None:
        before = self._sheets[region][1]

        def sketch() -> tuple[Sheet, str]:
            sheet = self._bench.sketch(region).with_findings_of(before)
            return sheet, sheet.pack()

        self._put(region, *await asyncio.to_thread(sketch))

    async def _lay(self, region: str) -> None:
        def lay() -> tuple[Sheet, str]:
            sheet = self._bench.lay(region)
            return sheet, sheet.pack()

        self._put(region, *await asyncio.to_thread(lay))

    def _put(self, region: str, sheet: Sheet, packed: str) -> None:
        if region in self._sheets and self._sheets[region][2] == packed:
            return
        self._version += 1
        self._sheets[region] = (self._version, sheet, packed)
        self._tell("sheet", self._news(region))

    def _news(self, region: str) -> dict[str, object]:
        version, sheet, packed = self._sheets[region]
        return {"version": version, "row": sheet.row(), "packed": packed}

    async def _wait_for_more(self, longest_s: float) -> None:
        """Leave the machine to whoever draws or saves, until more was changed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_changed.wait(), longest_s)

    def _trouble(self, faults: Sequence[Fault]) -> None:
        # As the editor knows the files; who looks at the page need not learn where they lie.
        self._faults = [replace(f, where=_within(self._bench.root, f.where)) for f in faults]
        self._tell("trouble", [asdict(fault) for fault in self._faults])

    def _tell(self, event: str, data: object) -> None:
        for listener in self._listeners:
            listener.put_nowait(_event(event, data))

    # --- Answering -------------------------------------------------------------------------

    def _page(self, _request: Request) -> Response:
        laid = [self._sheets[name] for name in self._regions if name in self._sheets]
        page = make_page(
            self._bench.looked,
            [sheet for _, sheet, _ in laid],
            images=self._bench.images,
            live=self.path,
            version=max((version for version, _, _ in laid), default=0),
        )
        return HTMLResponse(page, headers=_HEADERS)

    def _picture(self, request: Request) -> Response:
        name = request.path_params["name"]
        known = frozenset().union(*(sheet.pictures for _, sheet, _ in self._sheets.values()))
        data = picture_data(self._bench.images / name) if name in known else ""
        return PlainTextResponse(data, status_code=200 if data else 404, headers=_HEADERS)

    async def _events(self, request: Request) -> Response:
        asked = request.query_params.get("since", "")
        since = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
        listener: asyncio.Queue[str | None] = asyncio.Queue()
        if self._is_ending.is_set():
            listener.put_nowait(None)
        self._listeners[listener] = request.query_params.get("region", "")
        missed = [*self._missed(since)]

        async def stream() -> AsyncIterator[str]:
            try:
                yield _event("hello", [asdict(fault) for fault in self._faults])
                for event in missed:
                    yield event
                while (news := await listener.get()) is not None:
                    yield news
            finally:
                with suppress(KeyError):
                    del self._listeners[listener]

        return StreamingResponse(stream(), media_type="text/event-stream", headers=_HEADERS)

    def _missed(self, since: int) -> Iterator[str]:
        for region in self._regions:
            if region in self._sheets and self._sheets[region][0] > since:
                yield _event("sheet", self._news(region))


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _within(root: Path, where: str) -> str:
    """Return a place as it is named from the publication's folder, if it lies there."""
    try:
        return str(Path(where).relative_to(root)) if where else ""
    except ValueError:
        return where
