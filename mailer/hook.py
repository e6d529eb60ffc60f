"""The hook: what people are told by mail is posted to an address of the operator's as well.

JSON by POST, signed. ``Mailer-Signature: t=SECONDS,v1=HEX`` is HMAC-SHA256 with
``MAILER_HOOK_SECRET`` over ``SECONDS.BODY``; ``Mailer-Delivery`` names the message for good, so
that a repeat can be known for one. An answer of 2xx is success, 408, 429 and 5xx are tried again
with growing pauses, anything else is given up. Redirects are not followed.

It never holds anything up: a thread of its own posts, from a queue that drops what it cannot hold.
The address is the operator's and may be private only where ``MAILER_HOOK_PRIVATE`` says so.

A process that ends posts what still waits, once and at once, for ``LAST_S`` seconds, which is
within what a service may take to stop. Known limits: what nobody has answered by then is lost and
named in the log; the mail and the row stay. A name is judged when it is resolved and resolved once
more to connect.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import structlog

from mailer.articles.destinations import refusal_of
from mailer.checked import is_loopback
from mailer.clock import Clock, SystemClock
from mailer.errors import in_words
from mailer.settings import Settings

log = structlog.get_logger()

MOST_WAITING = 100
ATTEMPTS = 6
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
LAST_S = 5.0
"""For what waits when the process ends; a part is killed after eight seconds."""

TRIED_AGAIN = frozenset({408, 425, 429})
"""Answers below 500 that may be another one in a minute."""

_LEAST_SECRET = 16


def signature(secret: str, body: bytes, *, at_s: int) -> str:
    """Return the value of ``Mailer-Signature`` for a body posted at that time."""
    signed = f"{at_s}.".encode() + body
    return f"t={at_s},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class _Again(Exception):
    """An answer after which it is worth trying again."""


class Hook:
    """Posts to the address of the settings; without one it does nothing.

    Args:
        settings: the address and its secret.
        clock: what the signature says.
        first_wait_s: before the second try; each further one waits longer.
    """

    def __init__(
        self, settings: Settings, clock: Clock, *, first_wait_s: float = FIRST_WAIT_S
    ) -> None:
        self._url = settings.hook_url
        self._secret = settings.hook_secret.get_secret_value()
        self._may_be_private = settings.hook_private
        self._timeout_s = settings.hook_timeout_s
        self._clock = clock
        # Networks take real time, in a rehearsal too.
        self._seconds = SystemClock()
        self._first_wait_s = first_wait_s
        self._waiting: queue.Queue[tuple[str, bytes] | None] = queue.Queue(MOST_WAITING)
        self._posted: set[str] = set()
        self._thread: threading.Thread | None = None
        self._unanswered: dict[str, None] = {}
        self._is_closing = threading.Event()
        self._is_last_try = False
        self._ends_s = 0.0

    def post(self, key: str, data: Mapping[str, Any]) -> None:
        """Have the data posted soon, once for each key; returns at once."""
        if not self._url or key in self._posted:
            return
        if len(self._secret) < _LEAST_SECRET:
            log.error("hook.unsigned", remedy="set MAILER_HOOK_SECRET to 16 characters or more")
            return
        self._posted.add(key)
        body = json.dumps({"id": key, **data}, ensure_ascii=False, default=str).encode()
        if self._waiting.full():
            log.error("hook.dropped", key=key, why=f"{MOST_WAITING} are waiting already")
            return
        self._unanswered[key] = None
        self._waiting.put((key, body))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="hook", daemon=True)
            self._thread.start()

    def close(self, *, wait_s: float = LAST_S) -> None:
        """Have what waits posted now, without pauses; what is left after so long is lost."""
        if self._thread is None:
            return
        self._ends_s = self._seconds.monotonic() + wait_s
        self._is_closing.set()
        # A full queue needs no end to be woken by.
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(wait_s)
        self._thread = None
        if lost := list(self._unanswered):
            log.error("hook.lost", keys=lost, why="the process ended before they were answered")

    def _work(self) -> None:
        while (item := self._next()) is not None and not self._is_over():
            key, body = item
            try:
                self._deliver(key, body)
            except Exception as error:
                log.exception("hook.failed", key=key, why=f"{type(error).__name__}: {error}")
            self._unanswered.pop(key, None)

    def _next(self) -> tuple[str, bytes] | None:
        if not self._is_closing.is_set():
            return self._waiting.get()
        try:
            return self._waiting.get_nowait()
        except queue.Empty:
            return None

    def _is_over(self) -> bool:
        return self._is_closing.is_set() and self._seconds.monotonic() >= self._ends_s

    def _deliver(self, key: str, body: bytes) -> None:
        import httpx2
        from tenacity import (
            Retrying,
            retry_if_exception_type,
            sleep_using_event,
            wait_exponential,
        )

        if refusal := self._refusal():
            log.error("hook.refused", key=key, why=refusal)
            return
        # The end of the process cuts a pause short, and the try that begins then is the last.
        trying = Retrying(
            retry=retry_if_exception_type((httpx2.HTTPError, _Again)),
            stop=lambda state: self._is_last_try or state.attempt_number >= ATTEMPTS,
            wait=wait_exponential(multiplier=self._first_wait_s, max=LONGEST_WAIT_S),
            sleep=sleep_using_event(self._is_closing),
            reraise=True,
        )
        try:
            status = trying(self._try, key, body)
        except (httpx2.HTTPError, _Again) as error:
            log.error("hook.failed", key=key, why=in_words(error))  # noqa: TRY400  no fault of ours to trace
            return
        if 200 <= status < 300:
            log.info("hook.posted", key=key)
        else:
            log.error("hook.failed", key=key, why=f"it answered {status}")

    def _try(self, key: str, body: bytes) -> int:
        import httpx2

        at_s = int(self._clock.now().timestamp())
        timeout_s = self._timeout_s
        self._is_last_try = self._is_closing.is_set()
        if self._is_last_try:
            timeout_s = max(0.1, min(timeout_s, self._ends_s - self._seconds.monotonic()))
        # No proxy and no credentials of this machine's environment.
        with httpx2.Client(timeout=timeout_s, trust_env=False) as client:
            answer = client.post(
                self._url,
                content=body,
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": "briefing-mailer",
                    "Mailer-Delivery": key,
                    "Mailer-Signature": signature(self._secret, body, at_s=at_s),
                },
            )
        if answer.status_code >= 500 or answer.status_code in TRIED_AGAIN:
            raise _Again(f"it answered {answer.status_code}")
        return int(answer.status_code)

    def _refusal(self) -> str:
        """Say why the address may not be posted to; "" when it may."""
        parts = urlsplit(self._url)
        if parts.scheme != "https" and not (self._may_be_private or is_loopback(parts.hostname)):
            return "it is not https; readers' issues are named in what would go in the clear"
        if self._may_be_private:
            return ""
        try:
            found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
        except OSError as error:
            return f"its name cannot be resolved: {error}"
        for number in {str(item[4][0]) for item in found}:
            if why := refusal_of(number):
                return f"it {why}; MAILER_HOOK_PRIVATE=true allows that"
        return ""
