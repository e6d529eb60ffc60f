"""Guarded fetching, against servers on loopback that do their worst."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailer.articles.destinations import read_networks
from mailer.articles.fetching import Answer, Fetcher, FetchPolicy, Trouble
from mailer.clock import SystemClock
from tests.servers.hostile import Hostile, answer, hostile_server

OPEN = FetchPolicy(allowed=read_networks("127.0.0.0/8"), timeout_s=1.0)


@pytest.fixture
def server() -> Iterator[Hostile]:
    with hostile_server() as made:
        yield made


def fetch(url: str, policy: FetchPolicy = OPEN, **extra: object) -> Answer | Trouble:
    fetcher = Fetcher(policy, SystemClock(), **extra)  # type: ignore[arg-type]
    try:
        return fetcher.fetch(url)
    finally:
        fetcher.close()


def trouble(url: str, policy: FetchPolicy = OPEN, **extra: object) -> Trouble:
    found = fetch(url, policy, **extra)
    assert isinstance(found, Trouble)
    return found


def moved(to: str, status: str = "302 Found") -> bytes:
    return answer(status=status, headers=(f"Location: {to}",))


def test_a_body_comes_with_its_headers(server: Hostile) -> None:
    server.pages["/feed?a=1"] = answer(b"<rss/>", headers=('ETag: "x"', "X-Two: 1", "x-two: 2"))
    found = fetch(server.url("/feed?a=1#top"))
    assert isinstance(found, Answer)
    assert (found.status, found.body, found.moved_to) == (200, b"<rss/>", "")
    assert found.headers["etag"] == '"x"'
    assert found.headers["x-two"] == "2"
    (request,) = server.heard
    assert f"Host: 127.0.0.1:{server.port}" in request
    assert "Accept-Encoding: gzip, deflate" in request
    assert "cookie" not in request.lower()


def test_the_guard_is_shut_unless_opened(server: Hostile) -> None:
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        for port in (server.port, 80):
            found = trouble(f"http://{host}:{port}/", FetchPolicy())
            assert found.code == "refused", found
    assert server.heard == []


def test_a_name_is_judged_by_each_number_it_has(server: Hostile) -> None:
    for numbers in (["10.0.0.7"], ["93.184.216.34", "169.254.169.254"], ["::1"], ["fd00::1"]):
        found = trouble("http://feeds.example/", FetchPolicy(), resolve=lambda _h, _p, n=numbers: n)
        assert found.code == "refused"
        assert "leads to" in found.problem
    assert trouble("http://feeds.example/", resolve=lambda _h, _p: []).code == "unreachable"


def test_the_number_that_was_judged_is_the_one_connected_to(server: Hostile) -> None:
    """A name that turns inward when it is asked again is never asked again."""
    server.pages["/"] = answer(b"fine")
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    asked = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    fetcher = Fetcher(OPEN, SystemClock(), resolve=rebinding)
    found = fetcher.fetch(server.url(host="rebinding.example"))
    assert isinstance(found, Answer)
    assert asked == ["rebinding.example"]
    assert f"Host: rebinding.example:{server.port}" in server.heard[0]
    again = fetcher.fetch(server.url(host="rebinding.example"))
    fetcher.close()
    assert isinstance(again, Trouble)
    assert again.code == "refused"
    assert "169.254.169.254" in again.problem


def test_a_resolver_that_hangs_costs_the_deadline_and_no_more() -> None:
    policy = replace(OPEN, timeout_s=0.2)
    found = trouble("http://feeds.example/", policy, resolve=lambda _h, _p: time.sleep(2) or [])
    assert found.code == "timeout"


@pytest.mark.parametrize(
    "to",
    [
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://2852039166/",
        "//192.168.0.1/",
        "http://me:word@feeds.example/",
        "gopher://feeds.example/",
    ],
)
def test_a_redirect_is_judged_like_an_address(server: Hostile, to: str) -> None:
    server.pages["/"] = moved(to)
    found = trouble(server.url())
    assert found.code == "refused"
    assert found.problem.startswith("redirects to an address that ")
    assert len(server.heard) == 1


def test_redirects_end(server: Hostile) -> None:
    server.pages["/a"] = moved("/b")
    server.pages["/b"] = moved("/a")
    assert trouble(server.url("/a")).problem == "redirects in a circle"
    for number in range(9):
        server.pages[f"/{number}"] = moved(f"/{number + 1}")
    assert trouble(server.url("/0")).problem == "redirects more than 5 times"
    server.pages["/nowhere"] = answer(status="301 Moved")
    assert trouble(server.url("/nowhere")).problem == "redirects to nowhere"


def test_only_what_moved_for_good_is_to_be_remembered(server: Hostile) -> None:
    server.pages |= {
        "/old": moved("/older", "301 Moved Permanently"),
        "/older": moved("/today", "308 Permanent Redirect"),
        "/today": moved("/feed", "302 Found"),
        "/feed": answer(b"<rss/>"),
        "/new": moved("/old", "302 Found"),
    }
    found = fetch(server.url("/old"))
    assert isinstance(found, Answer)
    assert (found.url, found.moved_to) == (server.url("/feed"), server.url("/today"))
    found = fetch(server.url("/new"))
    assert isinstance(found, Answer)
    assert found.moved_to == ""


def drip(connection: socket.socket, _path: str) -> None:
    """Send one byte of a header at a time, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(200):
        connection.sendall(b"a")
        time.sleep(0.05)


def drip_body(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b"a")
        time.sleep(0.05)


def silence(connection: socket.socket, _path: str) -> None:
    time.sleep(2)


def endless(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")


def endless_headers(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Header: " + b"y" * 8_000 + b"\r\n")


def for_ever_later(connection: socket.socket, _path: str) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.01)


@pytest.mark.parametrize("handler", [drip, drip_body, silence, for_ever_later])
def test_slowness_ends_at_the_deadline(server: Hostile, handler: object) -> None:
    server.pages["/"] = handler  # type: ignore[assignment]
    found = trouble(server.url(), replace(OPEN, timeout_s=0.3))
    assert (found.code, found.problem) == ("timeout", "did not answer whole within 0.3 seconds")


@pytest.mark.parametrize(
    ("page", "code", "says"),
    [
        (endless, "too-large", "is over 5,000,000 bytes large"),
        (endless_headers, "protocol", "does not answer as a web server does"),
        (answer(headers=tuple(f"X-{n}: 1" for n in range(150))), "too-large", "more headers"),
        (answer(headers=("X: " + "y" * 40_000,)), "too-large", "more headers"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "too-large",
            "is over 5,000,000 bytes large",
        ),
        (
            answer(gzip.compress(b"\x00" * 9_000_000), headers=("Content-Encoding: gzip",)),
            "too-large",
            "unpacks to over",
        ),
        (answer(b"\x0b", headers=("Content-Encoding: br",)), "packing", "not asked for"),
        (answer(b"\x28", headers=("Content-Encoding: zstd",)), "packing", "not asked for"),
        (
            answer(gzip.compress(b"abc")[:-4], headers=("Content-Encoding: gzip",)),
            "packing",
            "was cut short",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "protocol", "does not answer as"),
        (b"220 mail.example ESMTP\r\n", "protocol", "does not answer as a web server does"),
        (b"", "protocol", "does not answer as a web server does"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "protocol", ""),
        (answer(status="404 Not Found"), "status", "answers that it is not there (404)"),
        (answer(status="410 Gone"), "status", "gone for good"),
        (answer(status="500 Oops"), "status", "answers with status 500"),
        (answer(status="206 Partial Content"), "status", "answers with status 206"),
    ],
    ids=range(17),
)
def test_what_cannot_be_used_is_one_sentence(
    server: Hostile, page: object, code: str, says: str
) -> None:
    server.pages["/"] = page  # type: ignore[assignment]
    found = trouble(server.url(), replace(OPEN, timeout_s=8))
    assert found.code == code
    assert says in found.problem
    assert "\n" not in found.problem


@pytest.mark.parametrize(
    ("header", "wait"), [("120", 120.0), ("99999999999", 604_800.0), ("soon", None), ("", None)]
)
def test_retry_after_is_told(server: Hostile, header: str, wait: float | None) -> None:
    server.pages["/"] = answer(status="429 Too Many", headers=(f"Retry-After: {header}",))
    found = trouble(server.url())
    assert (found.status, found.retry_after_s) == (429, wait)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert trouble(f"http://127.0.0.1:{port}/").code == "unreachable"


def test_a_connection_is_kept_and_a_closed_one_replaced(server: Hostile) -> None:
    kept = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def twice(connection: socket.socket, _path: str) -> None:
        connection.sendall(kept)
        connection.recv(4096)
        # The server closes instead of answering the second request on this connection.

    server.pages["/"] = twice
    fetcher = Fetcher(OPEN, SystemClock())
    for _ in range(3):
        assert isinstance(fetcher.fetch(server.url()), Answer)
    fetcher.close()
