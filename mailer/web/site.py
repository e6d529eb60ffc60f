"""The public site as an ASGI application: a frame, a table of doors, and the guards before them.

``make_site`` takes values and doors and knows no settings and no database; ``wiring`` says which
doors the program has. Every route is a ``Door`` with an access policy; there is no other way in,
no cookie, no script and nothing loaded from elsewhere.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from mailer.errors import ConfigurationError, MailerError
from mailer.web.doors import Doors
from mailer.web.frame import Frame
from mailer.web.guards import Bounded, Headed, Logged, OwnHost
from mailer.web.mishaps import Mishaps


def make_site(frame: Frame, doors: Doors) -> Starlette:
    """Return the application.

    Args:
        frame: what renders the pages; its web address says which host is ours.
        doors: every route there is.
    """
    mishaps = Mishaps(frame, doors)
    address = urlsplit(frame.web_url)

    async def refuse(scope: Scope, status: int) -> ASGIApp:
        headers = {"Connection": "close"} if status == 413 else None
        return mishaps.page(Request(scope), status, headers)

    async def answer(request: Request, error: Exception) -> ASGIApp:
        return mishaps.answer(request, error)

    handlers = dict.fromkeys((HTTPException, MailerError, ConfigurationError), answer)
    site = Starlette(
        routes=doors.routes(),
        middleware=[
            Middleware(_Rooted, root=frame.root),
            Middleware(Headed, doors=doors, is_https=address.scheme == "https"),
            Middleware(Logged, doors=doors, refuse=refuse),
            Middleware(OwnHost, host=address.hostname or "", refuse=refuse),
            Middleware(Bounded, refuse=refuse),
        ],
        exception_handlers=handlers,  # type: ignore[arg-type]
    )
    site.router.redirect_slashes = False
    site.state.doors = doors
    return site


class _Rooted:
    """Takes the web address's own path off a request's, where a proxy has left it on."""

    def __init__(self, app: ASGIApp, *, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and self._root and f"{path}/".startswith(f"{self._root}/"):
            scope = {**scope, "path": path.removeprefix(self._root) or "/"}
        await self._app(scope, receive, send)
