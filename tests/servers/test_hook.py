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
from structlog.testing import capture_logs

from mailer.clock import FixedClock
from mailer.hook import ATTEMPTS, MOST_WAITING, Hook
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
    return [log["event"] for log in logs]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.stop()


@pytest.fixture
def hook(receiver: Receiver) -> Iterator[Callable[..., Hook]]:
    made: list[Hook] = []

    def make(*, wait_s: float = 0.0, **settings: object) -> Hook:
        usual = {"hook_url": receiver.url, "hook_secret": SECRET, "hook_private": True}
        made.append(
            Hook(Settings.model_validate(usual | settings), FixedClock(NOW), first_wait_s=wait_s)
        )
        return made[-1]

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
        ([500] * ATTEMPTS, ATTEMPTS, "hook.failed"),
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
        for _number in range(posts):
            assert receiver.came.acquire(timeout=30)
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


def test_the_end_of_the_process_waits_for_what_is_in_the_queue(
    receiver: Receiver, hook: Callable[..., Hook]
) -> None:
    receiver.may_answer.clear()
    one = hook()
    with capture_logs() as logs:
        one.post("first", {})
        assert receiver.came.acquire(timeout=10)
        for number in range(5):
            one.post(str(number), {})
        threading.Timer(0.1, receiver.may_answer.set).start()
        one.close(wait_s=60)
    assert [headers["mailer-delivery"] for headers, _body in receiver.posts] == [
        *("first", "0", "1", "2", "3", "4")
    ]
    assert events(logs) == ["hook.posted"] * 6


def test_the_end_of_the_process_cuts_a_pause_short_and_tries_once_more(
    receiver: Receiver, hook: Callable[..., Hook]
) -> None:
    receiver.answers = [503]
    one = hook(wait_s=3600.0)
    with capture_logs() as logs:
        one.post("a", {})
        assert receiver.came.acquire(timeout=10)
        one.close(wait_s=60)
    assert len(receiver.posts) == 2
    assert events(logs) == ["hook.posted"]


def test_what_nobody_answers_before_the_end_is_named(
    receiver: Receiver, hook: Callable[..., Hook]
) -> None:
    receiver.may_answer.clear()
    one = hook()
    with capture_logs() as logs:
        one.post("first", {})
        assert receiver.came.acquire(timeout=10)
        one.post("second", {})
        one.close(wait_s=0.1)
    (lost,) = logs
    assert (lost["event"], lost["keys"]) == ("hook.lost", ["first", "second"])


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
