"""The hook posts what people are told, signed, beside the work and never in its way."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import stamina
from structlog.testing import capture_logs

from mailer.clock import FixedClock
from mailer.hook import MOST_WAITING, Hook
from mailer.settings import Settings

SECRET = "a-secret-of-the-hook"
NOW = datetime(2026, 11, 29, 18, tzinfo=UTC)


class Receiver:
    """An HTTP server that answers from a list, then 200, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.came = threading.Semaphore(0)
        self.may_answer = threading.Event()
        self.may_answer.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append(({k.lower(): v for k, v in self.headers.items()}, body))
                receiver.came.release()
                receiver.may_answer.wait(10)
                status = receiver.answers.pop(0) if receiver.answers else 200
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/lantern"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()


def events(logs: list[Any]) -> list[str]:
    """Return the hook's own events; the library that retries has some as well."""
    return [log["event"] for log in logs if log["event"].startswith("hook.")]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.stop()


@pytest.fixture
def hook(receiver: Receiver) -> Iterator[Callable[..., Hook]]:
    made: list[Hook] = []

    def make(**settings: object) -> Hook:
        usual = {"hook_url": receiver.url, "hook_secret": SECRET, "hook_private": True}
        made.append(Hook(Settings.model_validate(usual | settings), FixedClock(NOW)))
        return made[-1]

    with stamina.set_testing(True, attempts=3):
        yield make
        receiver.may_answer.set()
        for each in made:
            each.close(wait_s=0.2)


def test_what_is_posted_is_signed_and_named(receiver: Receiver, hook: Callable[..., Hook]) -> None:
    one = hook()
    one.post("reminder:2026-11-30", {"kind": "reminder", "issue": "2026-11-30", "title": "Môr"})
    one.close()
    ((headers, body),) = receiver.posts
    assert json.loads(body) == {
        "id": "reminder:2026-11-30",
        "kind": "reminder",
        "issue": "2026-11-30",
        "title": "Môr",
    }
    assert headers["content-type"] == "application/json"
    assert headers["mailer-delivery"] == "reminder:2026-11-30"
    at, _, code = headers["mailer-signature"].partition(",")
    assert at == f"t={int(NOW.timestamp())}"
    signed = at.removeprefix("t=").encode() + b"." + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert code == f"v1={expected}"


@pytest.mark.parametrize(
    ("answers", "posts", "event"),
    [
        ([204], 1, "hook.posted"),
        ([503, 429], 3, "hook.posted"),
        ([500, 500, 500], 3, "hook.failed"),
        # What will not be otherwise in a minute is not asked again, and nobody follows elsewhere.
        ([400], 1, "hook.failed"),
        ([302], 1, "hook.failed"),
    ],
)
def test_answers(
    receiver: Receiver, hook: Callable[..., Hook], answers: list[int], posts: int, event: str
) -> None:
    receiver.answers = answers
    one = hook()
    with capture_logs() as logs:
        one.post("a", {})
        one.close()
    assert len(receiver.posts) == posts
    assert events(logs) == [event]


def test_a_receiver_that_hangs_holds_nobody_up_and_a_full_queue_drops(
    receiver: Receiver, hook: Callable[..., Hook]
) -> None:
    receiver.may_answer.clear()
    one = hook()
    one.post("first", {})
    assert receiver.came.acquire(timeout=10)
    with capture_logs() as logs:
        for number in range(MOST_WAITING + 2):
            one.post(str(number), {})
    assert [log["event"] for log in logs] == ["hook.dropped", "hook.dropped"]
    # The same is posted once, however often it is told.
    one.post("first", {})
    assert len(receiver.posts) == 1


def test_one_that_cannot_be_reached_is_given_up(
    receiver: Receiver, hook: Callable[..., Hook]
) -> None:
    receiver.stop()
    one = hook()
    with capture_logs() as logs:
        one.post("a", {})
        one.close()
    assert events(logs) == ["hook.failed"]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"hook_private": False}, "is this machine"),
        ({"hook_private": False, "hook_url": "https://127.0.0.1/x"}, "is this machine"),
        ({"hook_private": False, "hook_url": "https://10.1.2.3/x"}, "is private"),
        ({"hook_private": False, "hook_url": "http://192.0.2.7/x"}, "not https"),
        ({"hook_secret": "short"}, "MAILER_HOOK_SECRET"),
    ],
)
def test_what_is_not_posted(
    receiver: Receiver, hook: Callable[..., Hook], settings: dict[str, Any], why: str
) -> None:
    one = hook(**settings)
    with capture_logs() as logs:
        one.post("a", {})
        one.close()
    assert receiver.posts == []
    assert why in str(logs)


def test_without_an_address_nothing_happens(hook: Callable[..., Hook]) -> None:
    one = hook(hook_url="")
    with capture_logs() as logs:
        one.post("a", {})
        one.close()
    assert logs == []
