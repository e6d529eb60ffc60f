"""An SMTP server on loopback that counts, as slowly as a test wants it.

``taken`` holds each message that was answered with 250: recipient and instant, in order. With
``pause_s`` every final dot waits; after ``hold_after`` messages every further one waits for ``go``.
"""

from __future__ import annotations

import socketserver
import threading
import time
from collections import Counter
from typing import Any, Self


class CountingServer:
    """Serves from threads until the block ends."""

    def __init__(self, *, pause_s: float = 0.0, hold_after: int | None = None) -> None:
        self.taken: list[tuple[str, float]] = []
        self.pause_s = pause_s
        self.hold_after = hold_after
        self.go = threading.Event()
        self.is_held = threading.Event()
        self._lock = threading.Lock()
        counting = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                counting._serve(self.rfile, self.wfile)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.go.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def counts(self) -> Counter[str]:
        """How often each address was accepted."""
        return Counter(address for address, _at in self.taken)

    def wait_for(self, count: int, within_s: float = 60) -> None:
        """Wait until so many messages were accepted."""
        deadline = time.monotonic() + within_s
        while len(self.taken) < count:
            assert time.monotonic() < deadline, f"only {len(self.taken)} came"
            time.sleep(0.01)

    def _serve(self, reading: Any, writing: Any) -> None:
        def say(line: str) -> None:
            writing.write(line.encode() + b"\r\n")
            writing.flush()

        recipient = ""
        say("220 counting.example ESMTP")
        try:
            while line := reading.readline():
                verb = line[:4].upper()
                if verb == b"EHLO":
                    say("250-counting.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8")
                elif verb == b"RCPT":
                    recipient = line.decode().partition("<")[2].partition(">")[0]
                    say("250 2.1.5 ok")
                elif verb == b"DATA":
                    say("354 go on")
                    while (part := reading.readline()) not in (b".\r\n", b""):
                        pass
                    if part:
                        self._take(recipient, say)
                elif verb == b"QUIT":
                    say("221 2.0.0 bye")
                    return
                else:
                    say("250 2.0.0 ok")
        except OSError:
            return

    def _take(self, recipient: str, say: Any) -> None:
        if self.hold_after is not None and len(self.taken) >= self.hold_after:
            self.is_held.set()
            self.go.wait()
        time.sleep(self.pause_s)
        with self._lock:
            self.taken.append((recipient, time.time()))
        say("250 2.0.0 kept")
