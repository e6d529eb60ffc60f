"""What goes wrong on the public site, as pages: one for each status.

The sentence a reader gets stands in ``templates/web/error.html.j2`` and says what they can do; it
never quotes the request or an error's own words, which are for the operator.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from mailer.errors import RenderFailed
from mailer.web.doors import Doors
from mailer.web.frame import Frame
from mailer.web.statuses import status_of

TEMPLATE = "error.html.j2"


class Mishaps:
    """Makes the answers for errors."""

    def __init__(self, frame: Frame, doors: Doors) -> None:
        self._frame = frame
        self._doors = doors

    def answer(self, request: Request, error: Exception) -> Response:
        """Return the page for an error that a door raised.

        Raises:
            Exception: the error itself where it is ours to mend; the log has to know it.
        """
        status = status_of(error)
        if status in {500, 503}:
            _raise(error)
        path = request.scope["path"]
        headers: dict[str, str] = {}
        if status == HTTPStatus.NOT_FOUND and (better := self._without_slash(request, path)):
            return RedirectResponse(self._frame.link(better), 308)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(self._allowed(path))
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or status == HTTPStatus.REQUEST_TIMEOUT:
            # The rest of the body is not read: another request cannot follow on this connection.
            headers["Connection"] = "close"
        return self.page(request, status, headers)

    def page(
        self, request: Request, status: int, headers: dict[str, str] | None = None
    ) -> Response:
        """Return the page for a status; in plain words when even the page cannot be rendered."""
        try:
            return self._frame.page(
                request, TEMPLATE, status=status, headers=headers, error_status=status
            )
        except RenderFailed:
            phrase = HTTPStatus(status).phrase
            return PlainTextResponse(f"{status} {phrase}\n", status, headers=headers)

    def _without_slash(self, request: Request, path: str) -> str:
        bare = path.rstrip("/")
        if request.method not in {"GET", "HEAD"} or bare == path or not bare:
            return ""
        door = self._doors.find(bare, request.method)
        return bare if door is not None and not door.is_secret else ""

    def _allowed(self, path: str) -> list[str]:
        methods = {method for door in self._doors.matching(path) for method in door.methods}
        return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def _raise(error: Exception) -> NoReturn:
    raise error
