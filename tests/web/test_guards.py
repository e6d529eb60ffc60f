"""What every answer carries, what is refused before a door, and what the log says of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from mailer.app import App
from mailer.errors import NotFound, StorageFailed
from mailer.issues.published import PastIssues
from mailer.languages import load_languages
from mailer.usecases.shelf import Shelf
from mailer.web import guards
from mailer.web.doors import Access, Door, Doors
from mailer.web.fittings import fittings
from mailer.web.frame import Frame, load_pages
from mailer.web.guards import LARGEST_BODY_BYTES
from mailer.web.site import make_site
from tests.web.publishing import WEB_URL

KEY = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo"


async def read(request: Request) -> Response:
    form = await request.form()
    return PlainTextResponse(str(sorted(form.items())))


def fail(_request: Request) -> Response:
    raise ValueError("somebody@reader.example")


def locked(_request: Request) -> Response:
    raise StorageFailed("the database is locked; try again")


def gone(_request: Request) -> Response:
    raise NotFound("nothing of that name")


@pytest.fixture
def client(shared: App) -> TestClient:
    frame = Frame(
        shared.publication, web_url=WEB_URL, sources=load_pages(), languages=load_languages()
    )
    doors = Doors(
        [
            *fittings(frame, Shelf(PastIssues(shared.database))),
            Door("/unsubscribe/{token}", lambda _r: PlainTextResponse("ok"), Access.TOKEN),
            Door("/unsubscribe/{token}", read, Access.TOKEN, ("POST",)),
            Door("/join", read, Access.PAGE, ("POST",)),
            Door("/fail/{token}", fail, Access.TOKEN),
            Door("/locked", locked, Access.PAGE),
            Door("/gone", gone, Access.PAGE),
        ]
    )
    return TestClient(make_site(frame, doors), base_url=WEB_URL, follow_redirects=False)


ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=63072000",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/style.css", 200),
        ("GET", f"/unsubscribe/{KEY}", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/", 405),
        ("GET", "/locked", 503),
        ("GET", f"/fail/{KEY}", 500),
    ],
)
def test_every_answer_has_the_headers_that_keep_readers_safe(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert ALWAYS.items() <= dict(answer.headers).items()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert "set-cookie" not in answer.headers
    assert "server" not in answer.headers


def test_a_page_behind_a_token_is_neither_kept_nor_found(client: TestClient) -> None:
    for answer in (
        client.get(f"/unsubscribe/{KEY}"),
        client.post(f"/unsubscribe/{KEY}", data={"a": "b"}),
        client.put(f"/unsubscribe/{KEY}"),
        client.get(f"/unsubscribe/{KEY}/more"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert "x-robots-tag" not in client.get("/").headers
    assert client.get("/").headers["vary"] == "Accept-Language"


def test_http_has_no_hsts(shared: App) -> None:
    frame = Frame(
        shared.publication,
        web_url="http://localhost:8080",
        sources=load_pages(),
        languages=load_languages(),
    )
    client = TestClient(
        make_site(frame, Doors(fittings(frame, Shelf(PastIssues(shared.database))))),
        base_url="http://localhost:8080",
    )
    assert "strict-transport-security" not in client.get("/").headers


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
)
def test_a_body_that_is_too_large_is_refused_by_its_length(client: TestClient, kind: str) -> None:
    answer = client.post(
        "/join", content=b"x" * (LARGEST_BODY_BYTES + 1), headers={"content-type": kind}
    )
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert "That is too much" in answer.text


def test_a_body_that_is_too_large_is_refused_as_it_arrives(client: TestClient) -> None:
    def pieces() -> Any:
        for _ in range(100):
            yield b"a=" + b"x" * 1000

    answer = client.post(
        "/join",
        content=pieces(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413
    assert "That is too much" in answer.text


def test_a_body_as_large_as_allowed_is_read(client: TestClient) -> None:
    answer = client.post(
        "/join",
        content=b"a=" + b"x" * (LARGEST_BODY_BYTES - 2),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200
    assert len(answer.text) > LARGEST_BODY_BYTES - 10


def test_a_body_that_never_ends_is_given_up(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "SLOWEST_PIECE_S", 0.05)
    sent: list[Any] = []

    async def post() -> None:
        async def receive() -> Any:
            if not pieces:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": pieces.pop(), "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        pieces = [b"address="]
        kind = (b"content-type", b"application/x-www-form-urlencoded")
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/join",
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), kind],
        }
        await client.app(scope, receive, send)

    asyncio.run(post())
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


@pytest.mark.parametrize(
    "host", ["evil.example", "mail.lantern.example.evil.example", "", "a b", "[::"]
)
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "wrong name" in answer.text


@pytest.mark.parametrize(
    "host",
    ["mail.lantern.example", "MAIL.lantern.example:443", "127.0.0.1:8080", "[::1]:1", "localhost"],
)
def test_our_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


def test_an_error_page_says_one_thing_and_quotes_nothing(client: TestClient) -> None:
    answer = client.get("/<script>alert(1)</script>")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert "alert" not in answer.text
    assert "nothing of that name" not in client.get("/gone").text


def test_a_refused_method_says_which_are_taken(client: TestClient) -> None:
    answer = client.put(f"/unsubscribe/{KEY}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"
    assert client.get("/join").headers["allow"] == "POST"


def test_a_slash_too_many_leads_to_the_page_and_no_key_into_an_address(client: TestClient) -> None:
    answer = client.get("/gone/")
    assert (answer.status_code, answer.headers["location"]) == (308, "/gone")
    assert client.get(f"/unsubscribe/{KEY}/").status_code == 404
    assert client.post("/join/").status_code == 404


def test_the_log_names_no_key_no_query_and_no_address(client: TestClient) -> None:
    with capture_logs() as lines:
        client.get(f"/unsubscribe/{KEY}?to=somebody@reader.example")
        client.post(f"/unsubscribe/{KEY}", data={"address": "somebody@reader.example"})
        client.get(f"/unsubscribe/{KEY}/mistyped")
        client.get(f"/unsubscrib/{KEY}")
        client.get(f"/fail/{KEY}")
        client.get("/?q=private")
    text = str(lines)
    assert KEY[:10] not in text
    assert "somebody" not in text
    assert "private" not in text
    requests = [line for line in lines if line["event"] == "web.request"]
    assert [(line["path"], line["status"]) for line in requests] == [
        ("/unsubscribe/{token}", 200),
        ("/unsubscribe/{token}", 200),
        ("/unsubscribe/…", 404),
        ("/unsubscrib/…", 404),
        ("/fail/{token}", 500),
        ("/", 200),
    ]


def test_a_fault_of_ours_is_noted_with_its_place_and_answered_with_a_page(
    client: TestClient,
) -> None:
    with capture_logs() as lines:
        answer = client.get(f"/fail/{KEY}")
        later = client.get("/locked")
    assert (answer.status_code, later.status_code) == (500, 503)
    assert "our fault" in answer.text
    [fault, lock] = [line for line in lines if line["event"] == "web.failed"]
    assert fault["error"] == "ValueError"
    assert fault["at"][-1].endswith(" fail")
    assert "why" not in fault
    assert lock["why"] == "the database is locked; try again"
