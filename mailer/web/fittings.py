"""What every site has: its first page, the page on privacy, style sheet, favicon, robots.txt."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mailer.usecases.shelf import Shelf
from mailer.web.doors import Access, Door
from mailer.web.frame import Frame

FOR_EVER = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"


def fittings(frame: Frame, shelf: Shelf) -> list[Door]:
    """Return the doors."""
    own = _Fittings(frame, shelf)
    return [
        Door("/", own.home, Access.PAGE),
        Door("/privacy", own.privacy, Access.PAGE),
        Door("/style.css", own.style, Access.MACHINE),
        Door("/favicon.svg", own.favicon, Access.MACHINE),
        Door("/favicon.ico", own.favicon, Access.MACHINE),
        Door("/robots.txt", own.robots, Access.MACHINE),
    ]


class _Fittings:
    def __init__(self, frame: Frame, shelf: Shelf) -> None:
        self._frame = frame
        self._shelf = shelf
        self._icon = frame.render(
            "favicon.svg.j2",
            frame.languages.words("en"),
            theme=frame.publication.theme,
        )

    def home(self, request: Request) -> Response:
        return self._frame.page(request, "home.html.j2", newest=self._shelf.newest())

    def privacy(self, request: Request) -> Response:
        return self._frame.page(
            request, "privacy.html.j2", audience=self._frame.publication.audience
        )

    def style(self, request: Request) -> Response:
        is_current = request.query_params.get("v") == self._frame.style_version
        return Response(
            self._frame.style,
            media_type="text/css",
            headers={"Cache-Control": FOR_EVER if is_current else "no-cache"},
        )

    def favicon(self, _request: Request) -> Response:
        return Response(self._icon, media_type="image/svg+xml", headers={"Cache-Control": A_DAY})

    def robots(self, _request: Request) -> Response:
        # Pages behind a token say noindex themselves; a crawler that may not fetch them could
        # not see it. Only what would send it in circles is closed.
        return PlainTextResponse(
            "User-agent: *\nDisallow: /*?q=\nAllow: /\n", headers={"Cache-Control": A_DAY}
        )
