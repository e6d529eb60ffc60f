"""One SMTP connection: a channel, the session's opening, and the dialogue of its messages.

``open_connection`` returns a connection that is ready to take messages, or ``Trouble``; nothing
the network does is raised. ``Connection.drive`` sends what a ``Work`` has until it has no more.

A reply that is late (``PATIENCE``), a connection that is lost, an answer that makes no sense: each
ends the connection, which is never used again; what was under way is told to the work, in doubt
where the kernel had the final dot, deferred or untried where it had not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections import deque
from collections.abc import Sequence

from mailer.delivery.answers import Answer, AnswerReader
from mailer.delivery.awaited import WRITE_PATIENCE
from mailer.delivery.capabilities import Capabilities
from mailer.delivery.channel import Channel
from mailer.delivery.delivery import Trouble
from mailer.delivery.dialogue import Dialogue
from mailer.delivery.opening import START_TLS, RelayPolicy, open_session
from mailer.delivery.transaction import Work

QUIT_TIMEOUT_S = 5.0
"""How long to wait for the goodbye; the mail is settled by then."""

CONNECT_TIMEOUT_S = 60.0
"""How long to wait for one address to answer, and no longer than for a reply."""


_MOST_UNASKED = 100
"""So many replies that nobody asked for are enough."""

_MOST_UNDER_WAY = 4
"""A content, the envelope behind it, and one that a fall-back sends again; and one to spare."""


class Connection:
    """One SMTP session; made by ``open_connection``."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, policy: RelayPolicy
    ) -> None:
        self.dialogue = Dialogue(Capabilities())
        self._loop = loop
        self._policy = policy
        self._reader = AnswerReader()
        self._answers: deque[Answer] = deque()
        self._why = ""
        self._error: Exception | None = None
        self._awakened: asyncio.Future[None] | None = None
        self._is_driven = False
        self._moved_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._channel = Channel(
            loop, sock, heard=self._heard, failed=self._failed, moved=self._moved
        )

    @property
    def is_open(self) -> bool:
        """False once closed or lost."""
        return self._channel.is_open and not self._why

    async def drive(self, work: Work) -> Trouble | None:
        """Send until the work has no next message, or the connection ends.

        Returns:
            None when all is answered and the connection can be driven again; else why it ended.
        """
        if not self.is_open:
            self._channel.close()
            for answer in self._answers:
                self.dialogue.hear(answer)
            return self.dialogue.trouble or Trouble(f"{self._policy}: {self._why}", "reconnect")
        self._awakened = self._loop.create_future()
        self._is_driven = True
        self._error = None
        self._watch()
        try:
            self._begin(work)
            await self._awakened
        except BaseException:
            self._lose("the sending was cancelled")
            raise
        finally:
            self._is_driven = False
            self._unwatch()
        if self._error is not None:
            raise self._error
        return self.dialogue.trouble

    def _begin(self, work: Work) -> None:
        unasked, self._answers = self._answers, deque()
        try:
            if not unasked:
                self.dialogue.begin(work)
        except Exception as error:  # noqa: BLE001
            self._error = error
            self._lose("the sender failed")
            return
        # What the server said in the meantime was asked by nobody: it ends the session.
        self._hear(unasked)

    async def close(self) -> None:
        """Say QUIT, wait a little for the answer, close; never fails."""
        if self.is_open and not self.dialogue.is_over and self.dialogue.is_idle:
            with contextlib.suppress(TimeoutError, _Gone):
                async with asyncio.timeout(min(QUIT_TIMEOUT_S, self._policy.timeout_s)):
                    await self._ask(b"QUIT\r\n")
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        self._unwatch()
        self._channel.close()

    async def open(self, context: ssl.SSLContext | None, distrusted: set[str]) -> Trouble | None:
        """Go through greeting, hello, TLS and login."""
        try:
            async with asyncio.timeout(self._policy.timeout_s):
                if self._policy.tls == "implicit":
                    await self._encrypt(context)
            return await self._opened(context, distrusted)
        except ssl.SSLError as error:
            return untrusted(self._policy, error)
        except _Gone as error:
            return unreachable(self._policy, str(error))
        except OSError as error:
            return unreachable(self._policy, reason(error))

    async def _opened(self, context: ssl.SSLContext | None, distrusted: set[str]) -> Trouble | None:
        steps = open_session(self._policy)
        wish = next(steps)
        while True:
            async with asyncio.timeout(self._policy.timeout_s):
                if wish is START_TLS:
                    if self._answers or self._reader.has_part:
                        # Somebody in between slipped words in before the encryption.
                        raise _Gone("it spoke before TLS was agreed on")
                    await self._encrypt(context)
                    wish = next(steps)
                    continue
                answer = await self._ask(wish)
            try:
                wish = steps.send(answer)
            except StopIteration as end:
                if isinstance(end.value, Trouble):
                    return end.value
                offered: Capabilities = end.value.without(distrusted)
                self.dialogue = Dialogue(offered, name=str(self._policy), distrusted=distrusted)
                return None

    async def _encrypt(self, context: ssl.SSLContext | None) -> None:
        if context is None:
            raise ValueError("TLS needs a context")
        await self._channel.start_tls(context, self._policy.host)

    async def _ask(self, line: bytes) -> Answer:
        """Write a line, if any, and wait for a reply."""
        if line:
            self._channel.write((line,))
        while not self._answers:
            if self._why:
                raise _Gone(self._why)
            self._awakened = self._loop.create_future()
            await self._awakened
        return self._answers.popleft()

    def _heard(self, data: bytes) -> None:
        if not data:
            self._why = self._why or "it closed the connection"
        answers = self._reader.feed(data)
        if self._reader.fault:
            self._why = f"its answer makes no sense, {self._reader.fault}"
        if self._is_driven:
            self._hear(answers)
        else:
            self._answers.extend(answers)
            if len(self._answers) > _MOST_UNASKED:
                self._why = "it talks without being asked"
            if self._why:
                self._channel.close()
            self._wake()

    def _hear(self, answers: Sequence[Answer]) -> None:
        """Give the dialogue replies, write what it has to say; the only way it is driven."""
        self._moved()
        is_handed_over = self._channel.has_passed_mark
        try:
            self.dialogue.hear_all(answers, is_handed_over=is_handed_over)
        except Exception as error:  # noqa: BLE001
            self._error = self._error or error
            self._lose("the sender failed")
            return
        self._flush()

    def _flush(self) -> None:
        dialogue = self.dialogue
        if self._why or dialogue.is_over:
            self._lose(self._why)
            return
        pieces, mark = dialogue.take()
        if pieces:
            self._channel.write(pieces, mark)
        elif dialogue.is_idle:
            self._wake()
        else:
            self._channel.acknowledge()

    def _lose(self, why: str, *, is_timeout: bool = False) -> None:
        """Close, and account for what was under way, though the work may fail at it."""
        is_handed_over = self._channel.has_passed_mark
        self._why = self._why or why
        self._channel.close()
        for _ in range(_MOST_UNDER_WAY):
            try:
                self.dialogue.lost(self._why, is_handed_over=is_handed_over, is_timeout=is_timeout)
            except Exception as error:  # noqa: BLE001
                self._error = self._error or error
            else:
                break
        self._wake()

    def _failed(self, error: OSError) -> None:
        self._why = self._why or reason(error)
        if self._is_driven:
            self._lose(self._why)
        else:
            self._channel.close()
            self._wake()

    def _moved(self) -> None:
        self._moved_at = self._loop.time()

    def _wake(self) -> None:
        if self._awakened is not None and not self._awakened.done():
            self._awakened.set_result(None)

    def _watch(self) -> None:
        """Look at the time every fifth of the usual wait; a timer a message would cost more."""
        self._timer = self._loop.call_later(self._policy.timeout_s / 5, self._look)

    def _look(self) -> None:
        parts = WRITE_PATIENCE if self._channel.has_left else self.dialogue.patience
        if self._loop.time() - self._moved_at >= self._policy.timeout_s * parts:
            self._lose("no answer in time", is_timeout=True)
        else:
            self._watch()

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Gone(Exception):
    """The connection ended while a session was being opened or closed."""


async def open_connection(
    policy: RelayPolicy, context: ssl.SSLContext | None, distrusted: set[str]
) -> Connection | Trouble:
    """Connect and open a session; each address of the host is tried in turn.

    Args:
        policy: whom to call.
        context: for TLS; None with ``tls`` none.
        distrusted: capabilities not to believe in; more may be added later.
    """
    loop = asyncio.get_running_loop()
    try:
        sock = await _connected(loop, policy)
    except OSError as error:
        return unreachable(policy, reason(error))
    connection = Connection(loop, sock, policy)
    try:
        trouble = await connection.open(context, distrusted)
    except BaseException:
        connection.abort()
        raise
    if trouble is None:
        return connection
    connection.abort()
    return trouble


async def _connected(loop: asyncio.AbstractEventLoop, policy: RelayPolicy) -> socket.socket:
    last: OSError = OSError("it has no address")
    timeout_s = min(policy.timeout_s, CONNECT_TIMEOUT_S)
    async with asyncio.timeout(timeout_s):
        found = await loop.getaddrinfo(policy.host, policy.port, type=socket.SOCK_STREAM)
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            # Small commands must not wait for the acknowledgement of the ones before.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(timeout_s):
                await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            last = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise last


def unreachable(policy: RelayPolicy, why: str) -> Trouble:
    """Return the trouble of a relay that cannot be spoken to now."""
    return Trouble(
        f"{policy} cannot be reached: {why}",
        "check MAILER_RELAY_HOST and MAILER_RELAY_PORT and that it is up; what is not "
        "sent stays in the ledger, run the command again",
    )


def untrusted(policy: RelayPolicy, error: ssl.SSLError) -> Trouble:
    """Return the trouble of a relay whose TLS cannot be used."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"its certificate is not trusted ({error.verify_message or error.reason})"
        remedy = "put its authority into MAILER_RELAY_CA_FILE or mend MAILER_RELAY_HOST"
    else:
        why = f"TLS failed ({error.reason or error})"
        remedy = "check MAILER_RELAY_TLS and MAILER_RELAY_PORT"
    return Trouble(f"{policy} cannot be trusted: {why}; nothing was sent", remedy, is_lasting=True)


def reason(error: OSError) -> str:
    """Say in a few words what the network did."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if error.errno and error.errno > 0 and not isinstance(error, ssl.SSLError):
        # asyncio puts the address into the text of some.
        return os.strerror(error.errno)
    return " ".join(str(error.strerror or error).split()) or type(error).__name__
