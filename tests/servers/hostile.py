"""A web server on loopback that misbehaves by name, and the answers it is told to give."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Handler = Callable[[socket.socket, str], None]


def answer(
    body: bytes = b"", *, status: str = "200 OK", headers: tuple[str, ...] = (), length: bool = True
) -> bytes:
    """Return the bytes of one answer."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body


@dataclass
class Hostile:
    """Answers each path as told; ``heard`` are the requests, headers and all."""

    port: int = 0
    pages: dict[str, bytes | Handler] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            request = b""
            while b"\r\n\r\n" not in request:
                chunk = connection.recv(4096)
                if not chunk:
                    return
                request += chunk
            self.heard.append(request.decode("latin-1"))
            path = self.heard[-1].split(" ", 2)[1]
            page = self.pages.get(path, answer(b"", status="404 Not Found"))
            if callable(page):
                page(connection, path)
            else:
                connection.sendall(page)


@contextlib.contextmanager
def hostile_server() -> Iterator[Hostile]:
    """Run one on a random port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Hostile(listener.getsockname()[1])

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=server.serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
