"""The small things every site has: its first page, style sheet, favicon and robots.txt."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mailer.web.doors import Access, Door
from mailer.web.frame import Frame

FOR_EVER = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"


def fittings(frame: Frame) -> list[Door]:
    """Return the doors."""
    own = _Fittings(frame)
    return [
        Door("/", own.home, Access.PAGE),
        Door("/style.css", own.style, Access.MACHINE),
        Door("/favicon.svg", own.favicon, Access.MACHINE),
        Door("/favicon.ico", own.favicon, Access.MACHINE),
        Door("/robots.txt", own.robots, Access.MACHINE),
    ]


class _Fittings:
    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._icon = frame.render(
            "favicon.svg.j2",
            frame.languages.words("en"),
            theme=frame.publication.theme,
        )

    def home(self, request: Request) -> Response:
        return self._frame.page(request, "home.html.j2")

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
