"""The private listener: ``/healthz``, ``/readyz`` and ``/metrics`` for whoever watches the service.

It is apart from the public pages: figures are nobody else's business, and pages that are busy or
dead must not keep it from answering. Only GET and HEAD, nothing is read from a request but its
path, and it should be on loopback or a private network: there is no login.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import structlog

from mailer.errors import ConfigurationError, Fault
from mailer.operating.readiness import Probe, is_ready

log = structlog.get_logger()

SLOWEST_REQUEST_S = 5


class Listener:
    """Serves from a thread until it is closed.

    Args:
        host: where it listens.
        port: 0 takes a free one.
        is_alive: whether the service's own loop still turns.
        probes: asks what makes it ready.
        figures: the metrics in Prometheus's format.

    Raises:
        ConfigurationError: the address cannot be had.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        is_alive: Callable[[], bool],
        probes: Callable[[], Sequence[Probe]],
        figures: Callable[[], bytes],
    ) -> None:
        answers: dict[str, Callable[[], tuple[int, str, bytes]]] = {
            "/healthz": lambda: _health(is_alive()),
            "/readyz": lambda: _readiness(probes()),
            "/metrics": lambda: (200, "text/plain; version=0.0.4; charset=utf-8", figures()),
        }

        class Answering(_Handler):
            doors = answers

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        try:
            self._server = Server((host, port), Answering)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                Fault(
                    f"{host}:{port} cannot be had: {why}",
                    field="MAILER_HEALTH_LISTEN",
                    remedy="stop what uses it (perhaps another `mailer run`) or choose another",
                )
            ) from None
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    doors: dict[str, Callable[[], tuple[int, str, bytes]]]
    timeout = SLOWEST_REQUEST_S
    server_version = "mailer"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *_args: Any) -> None:
        """Say nothing: a watcher asks every few seconds."""

    def _answer(self, *, with_body: bool) -> None:
        door = self.doors.get(self.path.partition("?")[0])
        try:
            status, kind, body = door() if door else (404, "text/plain", b"no such thing\n")
        except Exception as error:  # noqa: BLE001  a figure that cannot be read must not end it
            log.warning("health.failed", path=self.path[:80], why=str(error))
            status, kind, body = 500, "text/plain", b"it could not be found out; see the log\n"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def _health(is_alive: bool) -> tuple[int, str, bytes]:
    return (200, "text/plain", b"ok\n") if is_alive else (503, "text/plain", b"stuck\n")


def _readiness(probes: Sequence[Probe]) -> tuple[int, str, bytes]:
    checks: dict[str, str] = {}
    for probe in probes:
        # A part and what it does have one name: the first trouble counts.
        if checks.get(probe.name, "ok") == "ok":
            checks[probe.name] = probe.trouble or "ok"
    said = {"ready": is_ready(probes), "checks": checks}
    body = (json.dumps(said, ensure_ascii=False) + "\n").encode()
    return 200 if said["ready"] else 503, "application/json", body
