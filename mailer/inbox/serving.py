"""A developer's page on a loopback port, until SIGINT or SIGTERM."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import FrameType
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mailer.checked import is_loopback
from mailer.errors import ConfigurationError, Fault
from mailer.inbox.server import refuse_public


def serve_page(
    app: Starlette,
    *,
    host: str,
    port: int,
    ready: Callable[[str], None],
    field: str = "MAILER_INBOX_WEB_PORT",
    on_exit: Callable[[], object] = lambda: None,
) -> None:
    """Serve the page; ``ready`` is called with its address once the port is ours.

    Args:
        app: the page.
        host: a loopback address.
        port: 0 takes a free one.
        ready: told where the page is.
        field: what sets the port, for messages.
        on_exit: called at the signal, before what is still open is waited for.

    Raises:
        ConfigurationError: a host that is not loopback, or a port that cannot be had.
    """
    refuse_public(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            # From here on a browser waits for the page instead of being refused.
            listener.listen()
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                Fault(
                    f"{host}:{port} cannot be had: {why}",
                    field=field,
                    remedy="stop what uses it or choose another port",
                )
            ) from None
        ready(f"http://{f'[{host}]' if family == socket.AF_INET6 else host}:{_port_of(listener)}/")
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=2
        )
        _Server(config, on_exit).run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn waits for open answers before it ends; a stream must be told to end itself."""

    def __init__(self, config: uvicorn.Config, on_exit: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_exit = on_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_exit()
        super().handle_exit(sig, frame)


class OwnHost:
    """Refuses a request under a name that is not this machine's (DNS rebinding).

    Starlette's own check cuts the name at its first colon, so it can know no IPv6 address.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_own(Headers(scope=scope).get("host", "")):
            refusal = PlainTextResponse("not a name of this machine\n", status_code=400)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_own(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname)
    except ValueError:
        return False


def _port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
