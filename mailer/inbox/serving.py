"""The inbox's page on a loopback port, until SIGINT or SIGTERM."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from mailer.errors import ConfigurationError, Fault
from mailer.inbox.server import refuse_public


def serve_page(app: Starlette, *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve the page; ``ready`` is called with its address once the port is ours.

    Args:
        app: the page.
        host: a loopback address.
        port: 0 takes a free one.
        ready: told where the page is.

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
                    field="MAILER_INBOX_WEB_PORT",
                    remedy="stop what uses it (perhaps another inbox) or choose another port",
                )
            ) from None
        ready(f"http://{f'[{host}]' if family == socket.AF_INET6 else host}:{_port_of(listener)}/")
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=2
        )
        uvicorn.Server(config).run(sockets=[listener])


def _port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
