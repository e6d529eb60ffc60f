"""The inbox's SMTP server: takes everything, from this machine only.

It listens on a loopback address and refuses any other, so that nobody can use it as a relay and
no mail leaves. 250 is answered when the message is on the disk, not before; a disk that fails
gives 451 and the sender tries again. It runs in a thread of its own; port 0 picks a free one.

Standards: RFC 5321, 1870 (SIZE), 6531 (SMTPUTF8), 3207 (STARTTLS, with a context given).
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer.checked import is_loopback
from mailer.errors import ConfigurationError, Fault
from mailer.inbox.store import Store

SIZE_LIMIT_BYTES = 30_000_000


def refuse_public(host: str, *, field: str = "MAILER_INBOX_HOST") -> None:
    """Refuse a host that is not loopback.

    Raises:
        ConfigurationError: the inbox would be reachable from other machines.
    """
    if not is_loopback(host):
        raise ConfigurationError(
            Fault(
                f"{host!r} is not a loopback address; the inbox is for this machine only",
                field=field,
                remedy="use 127.0.0.1",
            )
        )


class InboxServer:
    """The server in its thread; ``with InboxServer(...) as server: server.port``.

    Raises:
        ConfigurationError: a host that is not loopback, or a port that cannot be had.
    """

    def __init__(
        self,
        store: Store,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        refuse_public(host)
        self.store = store
        self.host = host
        self.port = port
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="inbox-smtp", daemon=True)
        self._is_ready = threading.Event()
        self._fault: Exception | None = None

    def __enter__(self) -> InboxServer:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; returns when connections are taken."""
        self._thread.start()
        self._is_ready.wait()
        if self._fault is not None:
            self._thread.join()
            why = getattr(self._fault, "strerror", None) or self._fault
            raise ConfigurationError(
                Fault(
                    f"{self.host}:{self.port} cannot be had: {why}",
                    field="MAILER_INBOX_SMTP_PORT",
                    remedy="stop what uses it (perhaps another inbox) or choose another port",
                )
            )

    def stop(self) -> None:
        """Close every connection and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _serve(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        server: asyncio.Server | None = None
        try:
            server = loop.run_until_complete(
                loop.create_server(self._protocol, self.host, self.port)
            )
            self.port = server.sockets[0].getsockname()[1]
        except Exception as error:  # noqa: BLE001 - told to whoever called start()
            self._fault = error
        finally:
            # Whatever happened, whoever waits for the server must not wait for ever.
            self._is_ready.set()
        try:
            if server is not None:
                loop.run_forever()
                server.close()
            _finish(loop)
        finally:
            loop.close()

    def _protocol(self) -> SMTP:
        return SMTP(
            _Handler(self.store),
            hostname="inbox.localhost",
            ident="development inbox",
            data_size_limit=SIZE_LIMIT_BYTES,
            enable_SMTPUTF8=True,
            tls_context=self._tls,
            loop=self._loop,
        )


class _Handler:
    """aiosmtpd's hooks; their names are its own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content or b""
        data = content if isinstance(content, bytes) else content.encode()
        try:
            # The disk is waited for in a thread, so that other connections go on.
            name = await asyncio.to_thread(
                self._store.add, envelope.mail_from or "", envelope.rcpt_tos, data
            )
        except OSError as error:
            return f"451 4.3.0 the inbox cannot write: {error.strerror}"
        return f"250 2.0.0 kept as {name}"


def _finish(loop: asyncio.AbstractEventLoop) -> None:
    """End the connections' tasks before the loop closes, so that nothing is left behind."""
    tasks: set[asyncio.Task[Any]] = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
