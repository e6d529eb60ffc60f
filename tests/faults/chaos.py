"""A chaos SMTP server: the recipient's local part chooses the verdict, raw bytes are the truth.

A local part like ``drop-dot.7`` asks for the fault ``drop`` at the stage ``dot``; any other local
part is served properly. ``FAULTS`` lists them. A fault strikes each recipient once, so that a
retry gets through, save those in ``LASTING``. What has no recipient yet (greeting, EHLO, MAIL) and
what is to happen several times is put into ``script``. ``greylist.N`` refuses until the same
envelope sender comes back for the same recipient.

``taken`` holds every message whose final dot arrived and which the server kept, in order, whether
or not the client could learn of it; ``raw`` holds what each connection received, as it came.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

LIMIT = 64 * 1024 * 1024
"""The largest message the server takes."""

DROP = "drop"
"""Close the connection at that point."""
RESET = "reset"
"""Reset it, as a crashed server's kernel does."""
SILENCE = "silence"
"""Keep the connection open without a word."""

STRAY = re.compile(r"(?P<fault>[a-z0-9]+)-(?P<stage>rcpt|data|content|dot)\.")

FAULTS: dict[str, str | tuple[bytes, ...]] = {
    "drop": DROP,
    "reset": RESET,
    "silent": SILENCE,
    "421": "421 4.3.2 closing on {who}",
    "450": "450 4.2.0 come back later, {who}",
    "550": "550 5.1.1 no such user, {who}",
    "gibberish": "gibberish",
    "binary": (b"\x00\xff\x80\r\n",),
    "mixed": (b"250-2.0.0 well\r\n550 5.0.0 or not\r\n",),
    "odd": "999 9.9.9 what",
    "wrong": "220 2.0.0 hello again",
    # Never a line end, never the last line: a client that collects it all runs out of memory.
    "endless": tuple([b"250-" + b"x" * 60_000] * 40),
    "babbling": tuple([b"250-and another thing\r\n" * 2000] * 40),
    # From here on a client should understand.
    "overlong": ("{code} " + "2.0.0 " * 100).rstrip(),
    "bare": "{code}",
    "multiline": "{code}-2.0.0 one\r\n{code}-2.0.0 two\r\n{code} 2.0.0 three",
    "split": "{split}",
    "slow": "{slow}",
}
"""What each fault answers; ``{code}`` is the code that belongs there, ``{who}`` the recipient, so
that a reply that was matched to another reader's message is seen in the ledger."""

LASTING = frozenset({"550", "slow"})
"""The faults that strike at every try."""

UNDERSTOOD = ("overlong", "bare", "multiline", "split")
"""The faults that are none: a client that reads replies as RFC 5321 says is not disturbed."""

NO_ANSWER = tuple(
    name for name in FAULTS if name not in {*UNDERSTOOD, *LASTING, "421", "450", "silent"}
)
"""The faults that close the connection or say what means nothing, without a wait."""

USUAL = {"rcpt": "250 2.1.5 ok", "data": "354 go on", "dot": "250 2.0.0 kept for {who}"}


@dataclass(frozen=True, slots=True)
class Taken:
    """A message the server kept; ``is_answered`` when its 250 was written in full."""

    connection: int
    sender: str
    recipient: str
    content: bytes
    is_answered: bool


class Dropped(Exception):
    """The session is over."""


@dataclass
class ChaosServer:
    """The server, in a thread of its own.

    ``script[stage, recipient]`` is a list of answers to give instead, used up one by one; stages
    are greeting, ehlo, auth, mail, rcpt, data, content and dot; the recipient is "" before RCPT.
    An answer is one of the words above or a reply line. ``watch`` is called in the server's
    thread at each stage reached, before it is answered. ``slow_s`` is what the fault "slow" takes,
    ``pace_s`` what every final dot does.
    """

    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME")
    tls: ssl.SSLContext | None = None
    is_implicit: bool = False
    script: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    slow_s: float = 0.2
    pace_s: float = 0.0
    watch: Callable[[str, str], None] | None = None
    taken: list[Taken] = field(default_factory=list)
    raw: list[list[bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0

    def start(self) -> None:
        """Listen on a free port of the loopback; on the same one when it is started again."""
        self._seen: set[tuple[str, str]] = set()
        self._struck: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = listener.getsockname()[1]
        self._thread = threading.Thread(target=self._work, args=(listener,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close everything and wait for the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def connections(self) -> int:
        """How many were opened."""
        return len(self.raw)

    @property
    def accepted(self) -> list[tuple[str, bytes]]:
        """Recipient and content of what was kept."""
        return [(item.recipient, item.content) for item in self.taken]

    def copies(self) -> Counter[str]:
        """How many messages each recipient has."""
        return Counter(item.recipient for item in self.taken)

    def answer(self, stage: str, sender: str, recipient: str) -> str | tuple[bytes, ...]:
        """Choose what to answer; "" for the usual."""
        if queue := self.script.get((stage, recipient)):
            return queue.pop(0)
        if stage == "rcpt" and recipient.startswith("greylist."):
            if (sender, recipient) in self._seen:
                return ""
            self._seen.add((sender, recipient))
            return "450 4.7.1 greylisted, come back"
        found = STRAY.match(recipient)
        if not found or found["stage"] != stage or found["fault"] not in FAULTS:
            return ""
        if recipient in self._struck and found["fault"] not in LASTING:
            return ""
        self._struck.add(recipient)
        return FAULTS[found["fault"]]

    def _work(self, listener: socket.socket) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._serve(listener))
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            gathered = asyncio.gather(*self._tasks, return_exceptions=True)
            self._loop.run_until_complete(gathered)
            self._loop.run_until_complete(asyncio.sleep(0.01))
            self._loop.close()

    async def _serve(self, listener: socket.socket) -> asyncio.Server:
        def protocol() -> asyncio.StreamReaderProtocol:
            reader = _Recorder(limit=LIMIT, loop=self._loop)
            self.raw.append(reader.chunks)
            number = len(self.raw)

            def connected(_reader: object, writer: asyncio.StreamWriter) -> None:
                task = self._loop.create_task(Session(self, number, reader, writer).run())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

            return asyncio.StreamReaderProtocol(reader, connected, loop=self._loop)

        return await self._loop.create_server(
            protocol, sock=listener, ssl=self.tls if self.is_implicit else None
        )


class _Recorder(asyncio.StreamReader):
    """A reader that keeps what it was fed."""

    def __init__(self, *, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=limit, loop=loop)
        self.chunks: list[bytes] = []

    def feed_data(self, data: bytes) -> None:
        self.chunks.append(bytes(data))
        super().feed_data(data)


class Session:
    """One connection's conversation."""

    def __init__(
        self,
        server: ChaosServer,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._server = server
        self._number = number
        self._reader = reader
        self._writer = writer
        self._sender: str | None = None
        self._recipient = ""
        self._is_tls = server.is_implicit

    async def run(self) -> None:
        """Talk until somebody hangs up."""
        try:
            with contextlib.suppress(Dropped, OSError, asyncio.IncompleteReadError):
                await self._say("greeting", "220 chaos.example ESMTP")
                while True:
                    line = await self._reader.readuntil(b"\n")
                    command = line.decode("utf-8", "replace").rstrip("\r\n")
                    self._server.commands.append(command)
                    await self._obey(command)
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        finally:
            # A server that is stopped under way cuts its connections off.
            self._writer.transport.abort()

    async def _obey(self, command: str) -> None:
        match command.split(" ", 1)[0].upper():
            case "EHLO" | "HELO":
                lines = ["chaos.example", *self._server.extensions]
                if self._server.tls and not self._is_tls:
                    lines.append("STARTTLS")
                marks = ["-"] * (len(lines) - 1) + [" "]
                both = zip(marks, lines, strict=True)
                await self._say("ehlo", "\r\n".join(f"250{mark}{line}" for mark, line in both))
            case "STARTTLS" if self._server.tls:
                await self._write(b"220 2.0.0 go ahead\r\n")
                await self._writer.start_tls(self._server.tls)
                self._is_tls = True
            case "AUTH":
                await self._say("auth", "235 2.7.0 welcome")
            case "MAIL":
                self._recipient = ""
                said = await self._say("mail", "250 2.1.0 ok")
                self._sender = _path(command) if said.startswith("2") else None
            case "RCPT":
                await self._rcpt(_path(command))
            case "DATA":
                await self._data()
            case "RSET":
                self._sender, self._recipient = None, ""
                await self._write(b"250 2.0.0 ok\r\n")
            case "QUIT":
                await self._write(b"221 2.0.0 bye\r\n")
                raise Dropped
            case _:
                await self._write(b"500 5.5.1 what?\r\n")

    async def _rcpt(self, recipient: str) -> None:
        if self._sender is None:
            await self._write(b"503 5.5.1 MAIL first\r\n")
            return
        self._recipient = recipient
        said = await self._say("rcpt", USUAL["rcpt"])
        if not said.startswith("2"):
            self._recipient = ""

    async def _data(self) -> None:
        if not self._recipient:
            await self._write(b"503 5.5.1 RCPT first\r\n")
            return
        said = await self._say("data", USUAL["data"])
        if not said.startswith("354"):
            self._recipient = ""
            return
        if fault := self._server.answer("content", self._sender or "", self._recipient):
            await self._reader.readuntil(b"\n")
            await self._vanish(fault if isinstance(fault, str) else RESET)
        content = b""
        # The dot may stand at the very start; it is told from a doubled one by what follows.
        first = await self._reader.readexactly(3)
        if first != b".\r\n":
            content = first + await self._reader.readuntil(b"\r\n.\r\n")
            content = content[:-3]
        await self._end(content)

    async def _end(self, content: bytes) -> None:
        server, sender, recipient = self._server, self._sender or "", self._recipient
        if content.startswith(b"."):
            content = content[1:]
        content = content.replace(b"\r\n..", b"\r\n.")
        if server.watch:
            server.watch("dot", recipient)
        if server.pace_s:
            await asyncio.sleep(server.pace_s)
        fault = server.answer("dot", sender, recipient)
        # Who says 4xx or 5xx does not keep it; who says nothing sensible may well have.
        is_refused = isinstance(fault, str) and fault[:1] in {"4", "5"} and fault[:3].isdigit()
        if is_refused:
            await self._give("dot", fault, USUAL["dot"])
            self._sender, self._recipient = None, ""
            return
        place = len(server.taken)
        server.taken.append(Taken(self._number, sender, recipient, content, is_answered=False))
        said = await self._give("dot", fault, USUAL["dot"])
        if said.startswith("250"):
            server.taken[place] = Taken(self._number, sender, recipient, content, is_answered=True)
        self._sender, self._recipient = None, ""

    async def _say(self, stage: str, usual: str) -> str:
        if self._server.watch:
            self._server.watch(stage, self._recipient)
        fault = self._server.answer(stage, self._sender or "", self._recipient)
        return await self._give(stage, fault, usual)

    async def _give(self, stage: str, fault: str | tuple[bytes, ...], usual: str) -> str:
        """Answer as the fault wants; return the reply that the client could read."""
        usual = usual.replace("{who}", self._recipient)
        if isinstance(fault, tuple):
            for piece in fault:
                await self._write(piece)
            return ""
        if fault in {DROP, RESET, SILENCE}:
            await self._vanish(fault)
        if fault == "{slow}":
            await asyncio.sleep(self._server.slow_s)
        if fault == "{split}":
            for byte in f"{usual}\r\n".encode():
                await self._write(bytes((byte,)))
                await asyncio.sleep(0.001)
            return usual
        said = (
            usual if fault in {"", "{slow}"} else fault.format(code=usual[:3], who=self._recipient)
        )
        await self._write(f"{said}\r\n".encode())
        if said.startswith("421"):
            await self._hang_up()
        return said

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def _hang_up(self) -> None:
        """Close so that what was said is still read, whatever the client sent meanwhile."""
        if self._writer.can_write_eof():
            self._writer.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while await self._reader.read(65536):
                    pass
        raise Dropped

    async def _vanish(self, how: str) -> None:
        if how == SILENCE:
            while await self._reader.read(65536):
                pass
        elif how == RESET:
            handle = self._writer.get_extra_info("socket")
            linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._writer.transport.abort()
        raise Dropped


def _path(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]
