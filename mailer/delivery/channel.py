"""A socket driven by the event loop, with or without TLS, that knows what the kernel has.

The difference between *deferred* and *in doubt* is whether the final dot of a message was handed
over whole. A transport hides that behind its buffer, so this is a small one of our own: what the
kernel does not take at once is kept, and ``has_passed_mark`` says whether everything up to the
marked octet was taken. With TLS the mark is moved to the record that carries the octet.

Limits: one mark at a time; a new write's mark takes the place of the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence

READ_SIZE = 64 * 1024

MOST_PIECES = 512
"""So many pieces the kernel is given at once; POSIX promises 16, systems of today take 1024."""

_QUICK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""Linux alone has it."""


class Channel:
    """An open connection.

    Args:
        loop: the running loop.
        sock: connected and non-blocking.
        heard: called with what arrived; with b"" at the end.
        failed: called once with why the connection is gone.
        moved: called whenever the kernel took more of what it had left over.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        *,
        heard: Callable[[bytes], None],
        failed: Callable[[OSError], None],
        moved: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._descriptor = sock.fileno()
        self._heard = heard
        self._failed = failed
        self._moved = moved
        self._left = memoryview(b"")
        self._mark_left = 0
        self._is_open = True
        self._is_writing = False
        self._tls: ssl.SSLObject | None = None
        self._arrived = ssl.MemoryBIO()
        self._leaving = ssl.MemoryBIO()
        self._shaken: asyncio.Future[None] | None = None
        loop.add_reader(self._descriptor, self._readable)

    @property
    def is_open(self) -> bool:
        """False once closed or failed."""
        return self._is_open

    @property
    def is_encrypted(self) -> bool:
        """True once TLS is agreed on."""
        return self._tls is not None and self._shaken is None

    @property
    def has_passed_mark(self) -> bool:
        """True when the kernel has everything up to the last mark."""
        return self._mark_left <= 0

    @property
    def has_left(self) -> bool:
        """True when the kernel has not taken everything."""
        return bool(self._left)

    async def start_tls(self, context: ssl.SSLContext, name: str) -> None:
        """Agree on TLS, verifying the server's certificate for ``name``.

        Raises:
            ssl.SSLError: it cannot be trusted or does not speak TLS.
            OSError: the connection was lost.
        """
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=name)
        self._shaken = self._loop.create_future()
        self._shake()
        try:
            await self._shaken
        finally:
            self._shaken = None
        # The server may have spoken in the same packet that ended the handshake.
        if plain := self._opened():
            self._hear(plain)

    def write(self, pieces: Sequence[bytes], mark: int = 0) -> None:
        """Write; ``mark`` octets of it are up to a final dot, 0 for none.

        The kernel gathers the pieces itself: joining them first would move each message twice.
        """
        if not self._is_open:
            return
        if self._tls is not None:
            try:
                data, mark = self._sealed(self._tls, memoryview(b"".join(pieces)), mark)
            except ssl.SSLError as error:
                self._mark_left = mark
                self._break(error)
                return
            pieces = (data,)
        if mark:
            self._mark_left = mark + len(self._left)
        if self._left:
            self._left = memoryview(b"".join((self._left, *pieces)))
            return
        try:
            sent = self._sock.sendmsg(pieces[:MOST_PIECES])
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._break(error)
            return
        self._mark_left -= sent
        if sent < sum(map(len, pieces)):
            self._left = memoryview(b"".join(pieces))[sent:]
            self._is_writing = True
            self._loop.add_writer(self._descriptor, self._writable)

    def acknowledge(self) -> None:
        """Acknowledge at once what was heard, though there is nothing to write.

        A server that writes its replies one by one, under Nagle's rule, holds each back until
        the one before is acknowledged: 40 ms a message where the kernel waits with that.
        """
        if _QUICK is not None and self._is_open:
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)

    def close(self) -> None:
        """Close at once; harmless when closed."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._descriptor)
        if self._is_writing:
            self._loop.remove_writer(self._descriptor)
        if self.is_encrypted and not self._left:
            self._say_goodbye()
        self._left = memoryview(b"")
        self._sock.close()

    def _say_goodbye(self) -> None:
        """Send TLS's close_notify, if the kernel takes it; the answer is not waited for."""
        if self._tls is None:
            return
        with contextlib.suppress(OSError):
            self._tls.unwrap()
        with contextlib.suppress(OSError):
            self._sock.send(self._leaving.read())

    def _readable(self) -> None:
        try:
            data = self._sock.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._break(error)
            return
        if self._tls is None or not data:
            self._hear(data)
            return
        self._arrived.write(data)
        if self._shaken is not None:
            self._shake()
        elif plain := self._opened():
            self._hear(plain)

    def _hear(self, data: bytes) -> None:
        if not data:
            # Left registered, an ended socket would be readable for ever.
            self._loop.remove_reader(self._descriptor)
            if self._shaken is not None:
                self._finish_shaking(ConnectionResetError("the connection was closed"))
                return
        self._heard(data)

    def _writable(self) -> None:
        try:
            sent = self._sock.send(self._left)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._break(error)
            return
        self._mark_left -= sent
        self._left = self._left[sent:]
        if not self._left:
            self._is_writing = False
            self._loop.remove_writer(self._descriptor)
        self._moved()

    def _break(self, error: OSError) -> None:
        """Read what the server still said, a 421 perhaps, then report the loss."""
        said = []
        with contextlib.suppress(OSError):
            while data := self._sock.recv(READ_SIZE):
                said.append(data)
        data = b"".join(said)
        if self._tls is not None:
            self._arrived.write(data)
            data = self._opened() if self._shaken is None else b""
        if self._shaken is not None:
            self._finish_shaking(error)
            return
        if data:
            self._heard(data)
        if self._is_open:
            self._failed(error)

    def _shake(self) -> None:
        if self._tls is None:
            return
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send_records()
        except OSError as error:
            self._send_records()
            self._finish_shaking(error)
        else:
            self._send_records()
            self._finish_shaking(None)

    def _finish_shaking(self, error: OSError | None) -> None:
        if self._shaken is None or self._shaken.done():
            return
        if error is None:
            self._shaken.set_result(None)
        else:
            self._shaken.set_exception(error)

    def _send_records(self) -> None:
        """Send what the handshake wants to say; it is short, the kernel takes it whole."""
        if records := self._leaving.read():
            with contextlib.suppress(OSError):
                self._sock.send(records)

    def _sealed(self, tls: ssl.SSLObject, data: memoryview, mark: int) -> tuple[bytes, int]:
        """Return the records of data, and how many octets carry it up to the mark."""
        sealed = 0
        while data:
            count = tls.write(data[:mark] if mark else data)
            data = data[count:]
            if mark:
                mark -= count
                sealed = self._leaving.pending
        return self._leaving.read(), sealed

    def _opened(self) -> bytes:
        """Return what arrived, deciphered; a broken record breaks the connection."""
        if self._tls is None:
            return b""
        pieces = []
        try:
            while piece := self._tls.read(READ_SIZE):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self._loop.call_soon(self._end)
        except ssl.SSLError as error:
            self._loop.call_soon(self._gone, error)
        return b"".join(pieces)

    def _end(self) -> None:
        if self._is_open:
            self._hear(b"")

    def _gone(self, error: OSError) -> None:
        if self._is_open:
            self._failed(error)
