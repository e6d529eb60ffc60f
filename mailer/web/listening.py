"""The public site on a port, until SIGINT or SIGTERM; requests under way are finished.

Plain HTTP: TLS is the business of the proxy before it. What such a proxy says of the reader
(``X-Forwarded-For`` and ``-Proto``) is believed only from the addresses that are named; from
anybody else it is a lie that costs nothing to tell.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from mailer.errors import ConfigurationError, Fault

PATIENCE_S = 3
"""How long requests under way may take to end after a signal."""


def listen(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    proxies: Sequence[str] = (),
    ready: Callable[[str], None],
) -> None:
    """Serve until stopped; ``ready`` is called with the address once the port is ours.

    Args:
        port: 0 takes a free one.
        proxies: addresses or networks whose forwarded headers are believed.

    Raises:
        ConfigurationError: the host or the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol left at 0 asyncio would not know it for TCP and leave Nagle's algorithm on:
    # every second answer would wait 40 ms for an acknowledgement.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1024)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                Fault(
                    f"{host}:{port} cannot be had: {why}",
                    field="MAILER_WEB_HOST, MAILER_WEB_PORT",
                    remedy="stop what uses it (perhaps another `mailer serve`) or choose another",
                )
            ) from None
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        ready(f"http://{shown}:{listener.getsockname()[1]}/")
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            timeout_graceful_shutdown=PATIENCE_S,
        )
        with _ended_by_a_signal():
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _ended_by_a_signal() -> Iterator[None]:
    """Let a signal that has ended the server be no more than its end.

    uvicorn raises it once more when it has stopped, which would end the process before whoever
    called could close what they opened.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, lambda _number, _frame: None)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
