"""What stands between a visitor and every door: the headers, the log, the host, the size.

Four layers of ASGI, outermost first:

- ``Headed`` gives every answer the headers that its door's access asks for.
- ``Logged`` writes one line a request: method, door, status, milliseconds. No address, no query
  and no key. An error that nobody caught becomes the page for it and a line with the places in
  the code it came through; neither the values there nor the message of a foreign error are
  logged, because both may hold a reader's address or key.
- ``OwnHost`` refuses a request under a name that is not the publication's or this machine's.
- ``Bounded`` refuses a body over ``LARGEST_BODY_BYTES`` by its length or as it arrives, and a
  sender that stops in the middle of one.

``Referrer-Policy: no-referrer`` has a consequence for forms: a browser then posts with
``Origin: null``, also to the page's own site. Whoever checks where a form came from looks at
``Sec-Fetch-Site`` first.

Standards: CSP level 3, RFC 6797 (HSTS), RFC 9110 section 15.5 (413, 421), Fetch section 3.2.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailer.checked import is_loopback
from mailer.errors import MailerError
from mailer.web.doors import Access, Doors
from mailer.web.statuses import status_of

log = structlog.get_logger()

LARGEST_BODY_BYTES = 64 * 1024
SLOWEST_PIECE_S = 15.0
"""How long the next piece of a body may take; a form is a few hundred bytes."""

HSTS = "max-age=63072000"
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""What a page of ours needs: its style sheet, its pictures, its forms. No script at all."""

WATCHED = frozenset({"/healthz", "/readyz"})

Refuse = Callable[[Scope, int], Awaitable[ASGIApp]]
"""Makes the page for a status, for a request that no door has seen."""


class Logged:
    """Writes the access log, and turns what nobody caught into the page for it."""

    def __init__(self, app: ASGIApp, *, doors: Doors, refuse: Refuse) -> None:
        self._app = app
        self._doors = doors
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        told = {"method": scope["method"], "path": self._doors.told(scope["path"], scope["method"])}
        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the last place that can answer
            log.error("web.failed", **told, **described(error))  # noqa: TRY400 - no values
            if status == 0:
                await (await self._refuse(scope, status_of(error)))(scope, receive, watched)
        spent_ms = round((time.perf_counter() - started) * 1000, 1)
        # A watcher asks every few seconds, and would be most of the log.
        tell = log.debug if scope["path"] in WATCHED and status == 200 else log.info
        tell("web.request", **told, status=status, ms=spent_ms)


def described(error: BaseException) -> dict[str, Any]:
    """Return an error for the log: its kind and its way through the code, no values."""
    frames = traceback.extract_tb(error.__traceback__)
    found: dict[str, Any] = {
        "error": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if isinstance(error, MailerError):
        found["why"] = str(error)
    return found


class Headed:
    """Adds the headers of the door's access; what an answer says itself is kept where it may."""

    def __init__(self, app: ASGIApp, *, doors: Doors, is_https: bool) -> None:
        self._app = app
        self._doors = doors
        self._is_https = is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        door = self._doors.find(scope["path"], scope["method"])

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["X-Frame-Options"] = "DENY"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
                headers.setdefault("Content-Security-Policy", PAGE_POLICY)
                if self._is_https:
                    headers["Strict-Transport-Security"] = HSTS
                if door is None or door.is_secret or message["status"] >= 400:
                    headers["Cache-Control"] = "no-store"
                    headers["X-Robots-Tag"] = "noindex, nofollow"
                elif door.access is Access.PAGE:
                    headers.setdefault("Cache-Control", "no-cache")
                    headers.add_vary_header("Accept-Language")
                else:
                    headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        await self._app(scope, receive, headed)


class OwnHost:
    """Refuses a request under a foreign name: no link or redirect can be made to lead there."""

    def __init__(self, app: ASGIApp, *, host: str, refuse: Refuse) -> None:
        self._app = app
        self._host = host.lower()
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_own(Headers(scope=scope).get("host", "")):
            await (await self._refuse(scope, 421))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_own(self, given: str) -> bool:
        try:
            name = urlsplit(f"//{given}").hostname
        except ValueError:
            return False
        return name is not None and (name == self._host or is_loopback(name))


class Bounded:
    """Refuses a body that is too large or never ends."""

    def __init__(self, app: ASGIApp, *, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        # Many digits are more than the limit, whatever number they are.
        if told.isdigit() and (len(told) > 9 or int(told) > LARGEST_BODY_BYTES):
            await (await self._refuse(scope, 413))(scope, receive, send)
            return
        taken = 0
        is_whole = False

        async def counted() -> Message:
            nonlocal taken, is_whole
            if is_whole:
                # Only the end of the connection can follow; waiting for it is no fault.
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), SLOWEST_PIECE_S)
            except TimeoutError:
                raise HTTPException(408) from None
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                is_whole = not message.get("more_body", False)
                if taken > LARGEST_BODY_BYTES:
                    raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
