"""Guarded fetching: the only way in which articles come over a network.

``Fetcher.fetch`` asks one address and gives an ``Answer`` or a ``Trouble``; neither a hostile
server nor a hostile address raises. The guard, in the order in which it bites:

- the address is judged as text, and again at each redirect (``destinations``);
- its name is resolved once, every number it gives is judged, and the connection is made to one
  of *those* numbers; TLS and the Host header still carry the name. A name that answers otherwise
  the second time is not asked a second time;
- one deadline covers everything from resolving to the last byte, however slowly it drips;
- headers, bytes, unpacked bytes and redirects have caps; nothing but gzip and deflate is unpacked;
- no cookies, no credentials, no proxy, no way from https back to http.

Connections to one host are few (``per_host``), and kept for the next address on it.

Failures: a ``Trouble``, whose ``problem`` is the end of a sentence about the address.
Standards: RFC 9110 (conditional requests, redirects, Retry-After), RFC 9111 (max-age).
Known limits: HTTP/1.1 alone; proxies are not supported, since they resolve names themselves; a
resolver of the system that hangs is left hanging in a thread of its own.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import httpcore2

from mailer.articles.destinations import Destination, Network, read_destination, refusal_of
from mailer.articles.unpacking import ACCEPTED, Unpacker
from mailer.clock import Clock
from mailer.errors import in_words

Code = Literal[
    "refused", "unreachable", "timeout", "too-large", "packing", "redirects", "protocol", "status"
]
Resolve = Callable[[str, int], Sequence[str]]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_GOOD = frozenset({301, 308})
_MOST_HEADERS = 100
_MOST_HEADER_BYTES = 32_768


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """Caps of a fetch. ``allowed`` networks may be asked although they are not public."""

    user_agent: str = "briefing-mailer"
    timeout_s: float = 30.0
    connect_s: float = 10.0
    most_bytes: int = 5_000_000
    most_ratio: int = 100
    most_redirects: int = 5
    per_host: int = 2
    allowed: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address gave: 200 with a body, or 304 without.

    ``url`` is where the body came from; ``moved_to`` where the address has moved for good, or "".
    ``headers`` have lower-case names; of a header that came twice, the last.
    """

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    moved_to: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an address gave nothing. ``status`` is 0 where no answer came."""

    code: Code
    problem: str
    status: int = 0
    retry_after_s: float | None = None


class _Ended(Exception):
    """Carries a trouble out of the depths of a request."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.problem)
        self.trouble = trouble


def resolve_by_system(host: str, port: int) -> list[str]:
    """Ask the system for a host's numbers, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class Fetcher:
    """Fetches under one policy; safe to use from several threads. ``close`` it afterwards."""

    def __init__(
        self,
        policy: FetchPolicy,
        clock: Clock,
        *,
        resolve: Resolve = resolve_by_system,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._deadline = threading.local()
        self._turns: dict[str, threading.Semaphore] = defaultdict(
            lambda: threading.Semaphore(policy.per_host)
        )
        self._lock = threading.Lock()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls or ssl.create_default_context(),
            max_connections=64,
            max_keepalive_connections=16,
            keepalive_expiry=15,
            network_backend=_Backend(self._policy, resolve, self._left),
        )

    def close(self) -> None:
        """Close every kept connection."""
        self._pool.close()

    def _left(self) -> float:
        """Return how many seconds this thread's fetch still has."""
        return float(self._deadline.at - self._clock.monotonic())

    def fetch(
        self, url: str, *, headers: Mapping[str, str] | None = None, accept: str = "*/*"
    ) -> Answer | Trouble:
        """Ask for an address, and for those it redirects to.

        Args:
            url: the address.
            headers: of a conditional request, such as ``If-None-Match``.
            accept: media types that are wanted.
        """
        self._deadline.at = self._clock.monotonic() + self._policy.timeout_s
        asked = {
            "User-Agent": self._policy.user_agent,
            "Accept": accept,
            "Accept-Encoding": ACCEPTED,
            **(headers or {}),
        }
        seen: set[str] = set()
        moved_to = ""
        is_for_good = True
        base = ""
        try:
            for _hop in range(self._policy.most_redirects + 1):
                destination = read_destination(url, base=base, allowed=self._policy.allowed)
                if isinstance(destination, str):
                    via = "redirects to an address that " if base else ""
                    return Trouble("refused", f"{via}{destination}")
                if base.startswith("https:") and destination.scheme == "http":
                    return Trouble("refused", "redirects from https to plain http")
                if destination.url in seen:
                    return Trouble("redirects", "redirects in a circle")
                seen.add(destination.url)
                moved_to = destination.url if base and is_for_good else moved_to
                answer, location = self._ask(destination, asked, moved_to)
                if answer is not None:
                    return answer
                is_for_good = is_for_good and location[0] in _FOR_GOOD
                base, url = destination.url, location[1]
        except _Ended as ended:
            return ended.trouble
        return Trouble("redirects", f"redirects more than {self._policy.most_redirects} times")

    def _ask(
        self, destination: Destination, headers: Mapping[str, str], moved_to: str
    ) -> tuple[Answer | None, tuple[int, str]]:
        """Ask one address; give the answer, or the status and target of a redirect."""
        with self._lock:
            turn = self._turns[destination.host]
        if not turn.acquire(timeout=max(0.0, self._left())):
            raise _Ended(Trouble("timeout", self._too_long()))
        try:
            return self._exchange(destination, headers, moved_to)
        except _Ended:
            raise
        except httpcore2.TimeoutException:
            raise _Ended(Trouble("timeout", self._too_long())) from None
        except httpcore2.NetworkError as error:
            problem = f"cannot be reached: {_reason(error)}"
            raise _Ended(Trouble("unreachable", problem)) from None
        except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol) as error:
            problem = f"does not answer as a web server does: {_reason(error)}"
            raise _Ended(Trouble("protocol", problem)) from None
        finally:
            turn.release()

    def _exchange(
        self, destination: Destination, headers: Mapping[str, str], moved_to: str
    ) -> tuple[Answer | None, tuple[int, str]]:
        host = urlsplit(destination.url).netloc
        for is_last in (False, True):
            try:
                with self._pool.stream(
                    "GET",
                    destination.url,
                    headers=[("Host", host), *headers.items()],
                    extensions={"timeout": {"connect": self._policy.connect_s}},
                ) as response:
                    return self._read(destination, response, moved_to)
            except httpcore2.RemoteProtocolError as error:
                # A kept connection may be closed by its server just as it is used again.
                if is_last or "disconnected without" not in str(error):
                    raise
        raise AssertionError

    def _too_long(self) -> str:
        return f"did not answer whole within {self._policy.timeout_s:g} seconds"

    def _read(
        self, destination: Destination, response: httpcore2.Response, moved_to: str
    ) -> tuple[Answer | None, tuple[int, str]]:
        size = sum(len(name) + len(value) for name, value in response.headers)
        if size > _MOST_HEADER_BYTES or len(response.headers) > _MOST_HEADERS:
            raise _Ended(Trouble("too-large", "sends more headers than any web server needs"))
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers
        }
        status = response.status
        if status in _REDIRECTS:
            if not headers.get("location", "").strip():
                raise _Ended(Trouble("redirects", "redirects to nowhere", status))
            return None, (status, headers["location"])
        if status == 304:
            return Answer(destination.url, status, headers, b"", moved_to), (0, "")
        if status != 200:
            wait = _retry_after(headers, self._clock.now())
            raise _Ended(Trouble("status", f"answers {_status(status)}", status, wait))
        body = self._body(response, headers)
        return Answer(destination.url, status, headers, body, moved_to), (0, "")

    def _body(self, response: httpcore2.Response, headers: Mapping[str, str]) -> bytes:
        most = self._policy.most_bytes
        claimed = headers.get("content-length", "")
        if claimed.isdecimal() and int(claimed) > most:
            raise _Ended(Trouble("too-large", f"is over {most:,} bytes large"))
        unpacker = Unpacker(
            headers.get("content-encoding", ""),
            most_bytes=most,
            most_ratio=self._policy.most_ratio,
        )
        for chunk in response.iter_stream():
            if not unpacker.feed(chunk):
                break
            if self._left() <= 0:
                raise _Ended(Trouble("timeout", self._too_long()))
        body = unpacker.close()
        if unpacker.trouble:
            is_large = "bytes" in unpacker.trouble or "times its size" in unpacker.trouble
            raise _Ended(Trouble("too-large" if is_large else "packing", unpacker.trouble))
        return body


class _Backend(httpcore2.NetworkBackend):
    """Connects to a number that was judged, and to no other."""

    def __init__(self, policy: FetchPolicy, resolve: Resolve, left: Callable[[], float]) -> None:
        self._policy = policy
        self._resolve = resolve
        self._left = left
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        numbers = self._numbers(host, port)
        for number in numbers:
            # One that is not public among those that are is how a name is turned against us.
            if why := refusal_of(number, port=port, allowed=self._policy.allowed):
                raise _Ended(Trouble("refused", why))
        failure: Exception | None = None
        for number in numbers[:4]:
            left = min(self._left(), timeout or self._policy.connect_s)
            if left <= 0:
                raise httpcore2.ConnectTimeout
            try:
                stream = self._sockets.connect_tcp(number, port, timeout=left)
                return _Timed(stream, self._left)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError("its name has no address")

    def _numbers(self, host: str, port: int) -> list[str]:
        """Resolve a name within what is left of the time."""
        found: list[str] = []
        failures: list[Exception] = []

        def ask() -> None:
            try:
                found.extend(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                failures.append(error)

        asking = threading.Thread(target=ask, daemon=True, name="resolver")
        asking.start()
        asking.join(max(0.0, min(self._left(), self._policy.connect_s)))
        if asking.is_alive():
            raise httpcore2.ConnectTimeout
        if failures or not found:
            raise httpcore2.ConnectError("its name has no address")
        return list(found)


class _Timed(httpcore2.NetworkStream):
    """A stream whose every wait is cut to what is left of its fetch's time."""

    def __init__(self, stream: httpcore2.NetworkStream, left: Callable[[], float]) -> None:
        self._stream = stream
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._within(httpcore2.ReadTimeout, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._within(httpcore2.WriteTimeout, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._within(httpcore2.ConnectTimeout, timeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _within(self, kind: type[Exception], timeout: float | None) -> float:
        left = self._left()
        if left <= 0:
            raise kind
        return left if timeout is None else min(left, timeout)


def _reason(error: Exception) -> str:
    text = in_words(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not trusted"
    return text[:120]


def _status(status: int) -> str:
    words = {
        401: "that it wants a password (401)",
        403: "that it may not be read (403)",
        404: "that it is not there (404)",
        410: "that it is gone for good (410)",
        429: "that it is asked too often (429)",
        503: "that it is overloaded (503)",
    }
    return words.get(status, f"with status {status}")


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds a server asks to be left alone, at most a week.

    Source: RFC 9110 section 10.2.3: seconds, or a date.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text), 604_800.0)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if at.tzinfo is None:
        return None
    return min(max(0.0, (at - now).total_seconds()), 604_800.0)
