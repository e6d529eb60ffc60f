"""A loopback proxy that keeps every byte for a while: distance without a network.

Usage: delay_proxy.py LISTEN_PORT TARGET_PORT DELAY_MS

Each direction is delayed by DELAY_MS, so that a round trip grows by twice as much. Bandwidth is
not limited and nothing is lost or reordered: what is measured is how often a client waits. Unlike
a real distance it has no slow start, which favours nobody here: all clients keep connections.
"""

from __future__ import annotations

import asyncio
import socket
import sys


class Pipe(asyncio.Protocol):
    """One side of a connection; what it receives is written to the other side later."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.transport: asyncio.Transport | None = None
        self.other: Pipe | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self.transport = transport
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for data in self._early:
            transport.write(data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        # Timers of equal delay fire in the order they were set, so no byte overtakes another.
        asyncio.get_running_loop().call_later(self.delay_s, self._pass_on, data)

    def connection_lost(self, _error: Exception | None) -> None:
        asyncio.get_running_loop().call_later(self.delay_s, self._hang_up)

    def _pass_on(self, data: bytes) -> None:
        if self.other is not None:
            self.other.send(data)

    def _hang_up(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def send(self, data: bytes) -> None:
        """Write now, or once connected."""
        if self.transport is None:
            self._early.append(data)
        elif not self.transport.is_closing():
            self.transport.write(data)


class Door(Pipe):
    """The client's side; opens the server's side when a client comes."""

    def __init__(self, delay_s: float, target: int) -> None:
        super().__init__(delay_s)
        self._target = target
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.other = Pipe(self.delay_s)
        self.other.other = self
        self._opening = asyncio.get_running_loop().create_task(self._open(self.other))

    async def _open(self, far: Pipe) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: far, "127.0.0.1", self._target)


async def serve(listen: int, target: int, delay_s: float) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Door(delay_s, target), "127.0.0.1", listen)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000))
