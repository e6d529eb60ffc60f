"""The development inbox: what it takes, what it keeps, and what its page shows."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import pytest

from mailer.clock import FixedClock
from mailer.errors import ConfigurationError, NotFound
from mailer.inbox.page import inbox_app
from mailer.inbox.reading import Expected, read_back
from mailer.inbox.server import InboxServer, refuse_public
from mailer.inbox.store import Store

CLOCK = FixedClock(datetime(2026, 11, 30, 7, 0, tzinfo=UTC))
URL = "https://mail.lantern.example/u/abc"


def message(
    name: str = "Nora", *, to: str = "nora@reader.example", number: int = 1, region: str = "Wales"
) -> bytes:
    return (
        "From: The Lantern <briefing@lantern.example>\r\n"
        f"To: {name} <{to}>\r\n"
        "Subject: =?utf-8?q?The_week_in_B=C3=A2n?=\r\n"
        f"Message-ID: <m{number}@lantern.example>\r\n"
        "Date: Mon, 30 Nov 2026 07:00:00 +0000\r\n"
        f'List-Id: "The Lantern, {region}" <{region.lower()}.lantern.example>\r\n'
        f"List-Unsubscribe: <{URL}>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="=_b"\r\n'
        "\r\n"
        "--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"Dear {name}, b=C3=A2n\r\n{URL}\r\n"
        "\r\n--=_b\r\nContent-Type: text/html; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"<html><head></head><body><p>Dear {name}</p><script>alert(1)</script>\r\n"
        '<img src=3D"https://mail.lantern.example/images/ferry.png" alt=3D"">\r\n'
        '<img src=3D"https://elsewhere.example/track.png" alt=3D""></body></html>\r\n'
        "\r\n--=_b--\r\n"
    ).encode()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "inbox", CLOCK)


@pytest.fixture
def server(store: Store) -> Iterator[InboxServer]:
    with InboxServer(store) as running:
        yield running


def test_a_message_is_on_the_disk_when_250_is_said(server: InboxServer) -> None:
    with smtplib.SMTP("127.0.0.1", server.port, timeout=5) as client:
        client.ehlo("test.example")
        client.mail("b@lantern.example")
        client.rcpt("nora@reader.example")
        code, said = client.data(message())
        assert code == 250
        name = said.decode().rpartition(" ")[2]
        fresh = Store(server.store.folder, CLOCK)
        assert fresh.content(name) == message()
    stored = fresh.message(name)
    assert stored.received_at == CLOCK.now()
    assert stored.sender == "b@lantern.example"
    assert stored.recipients == ("nora@reader.example",)
    assert stored.subject == "The week in Bân"
    assert stored.list_id == "wales.lantern.example"
    assert stored.list_name == "The Lantern, Wales"
    assert stored.size_bytes == len(message())


def test_many_clients_at_once(server: InboxServer) -> None:
    import threading

    def send(number: int) -> None:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
            for _ in range(5):
                client.sendmail("b@lantern.example", [f"r{number}@reader.example"], message())

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.store.ids()) == 20


def test_a_full_disk_is_a_temporary_failure(
    server: InboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(server.store, "add", full)
    with smtplib.SMTP("127.0.0.1", server.port, timeout=5) as client:
        with pytest.raises(smtplib.SMTPDataError) as caught:
            client.sendmail("b@lantern.example", ["nora@reader.example"], message())
        assert caught.value.smtp_code == 451
    assert server.store.ids() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "mail.example", ""])
def test_only_loopback_is_listened_on(store: Store, host: str) -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        InboxServer(store, host=host)
    for good in ("127.0.0.1", "::1", "localhost"):
        refuse_public(good)


def test_a_port_in_use_is_explained(server: InboxServer, tmp_path: Path) -> None:
    other = InboxServer(Store(tmp_path / "other", CLOCK), port=server.port)
    with pytest.raises(ConfigurationError, match="cannot be had"):
        other.start()


@pytest.mark.parametrize("port", [70000, -1])
def test_a_port_that_is_none_is_explained_and_nobody_waits(store: Store, port: int) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be had: .*0-65535"):
        InboxServer(store, port=port).start()


def test_a_server_that_fails_in_any_way_does_not_keep_its_caller_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = InboxServer(store)
    monkeypatch.setattr(other._loop, "create_server", lambda *_given: 1 / 0)
    with pytest.raises(ConfigurationError, match="division by zero"):
        other.start()


def test_half_written_files_are_not_messages(store: Store) -> None:
    name = store.add("a@b.example", ["c@d.example"], message())
    (store.folder / "20261130T070000000000-1-9.eml.part").write_bytes(b"half")
    (store.folder / "20261130T070000000000-1-9.json").write_bytes(b"{}")
    (store.folder / "notes.eml").write_bytes(b"not ours")
    assert store.ids() == [name]


@pytest.mark.parametrize("name", ["../secret", "x", "", "20261130T070000000000-1-5", "a/../../b"])
def test_odd_names_find_nothing(store: Store, name: str) -> None:
    with pytest.raises(NotFound):
        store.content(name)
    with pytest.raises(NotFound):
        store.message(name)


def test_mail_the_parser_stumbles_over_is_still_listed(store: Store) -> None:
    store.add("", [], b"To: =?x\r\nSubject: =?utf-8?b?AA\r\nList-Id: <<\r\n\r\n\xff\xfe\r\n")
    store.add("", [], b"")
    store.add("", [], b"\x00\xff no headers at all")
    assert len(store.messages()) == 3
    assert store.clear() == 3
    assert store.messages() == []


def test_a_long_name_is_listed_as_it_was_written(store: Store) -> None:
    name = "Anahita Rahimi Abdi-Farah Tóth Nguyễn Thị Phượng, of the Pier and of the Long Strand"
    message = EmailMessage()
    message["To"] = Address(name, "nora", "reader.example")
    message["Subject"] = name
    content = bytes(message)
    assert content.partition(b"Subject")[0].count(b"=?utf-8?") == 2
    store.add("b@lantern.example", ["nora@reader.example"], content)
    [stored] = store.messages()
    assert stored.to.replace('"', "") == f"{name} <nora@reader.example>"
    assert stored.subject == name


EXPECTED = Expected(
    address="nora@reader.example",
    message_id="<m1@lantern.example>",
    subject="The week in Bân",
    list_id="wales.lantern.example",
    unsubscribe_url=URL,
    text_values=("Nora", URL),
    html_values=("Nora",),
)


def keep(store: Store, content: bytes, to: str = "nora@reader.example") -> None:
    store.add("b@lantern.example", [to], content)


def test_reading_back_an_intact_message(store: Store) -> None:
    keep(store, message())
    result = read_back(store, [EXPECTED])
    assert result.problems == []
    assert result.intact == 1
    assert result.is_intact


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda raw: raw.replace(b"Dear Nora, ", b"Dear Cora, "), "plain part lacks 'Nora'"),
        (lambda raw: raw.replace(b"<p>Dear Nora", b"<p>Dear"), "html part lacks 'Nora'"),
        (lambda raw: raw.replace(b"One-Click", b"Maybe"), "not one-click"),
        (lambda raw: raw.replace(b"<https://mail", b"<https://evil", 1), "leads to https://evil"),
        (lambda raw: raw.replace(b"List-Unsubscribe: ", b"X-Gone: "), "List-Unsubscribe is []"),
        (lambda raw: raw.replace(b"To: Nora <nora", b"To: Nora <cora"), "To is"),
        (lambda raw: raw.replace(b"\r\n--=_b--\r\n", b""), "Defect"),
        (lambda raw: raw.replace(b"b=C3=A2n", b"b=C3n"), "plain part does not decode"),
        (lambda raw: raw.replace(b"text/html", b"text/x-html"), "text/x-html"),
        (lambda raw: raw.replace(b"Subject:", b"Subject: x\r\nSubject:"), "Subject is"),
        (lambda raw: raw.replace(b"<wales.", b"<essex."), "List-Id is"),
    ],
)
def test_reading_back_finds_each_damage(
    store: Store, change: Callable[[bytes], bytes], problem: str
) -> None:
    keep(store, change(message()))
    result = read_back(store, [EXPECTED])
    assert any(problem in found for found in result.problems), result.problems
    assert result.intact == 0


def test_reading_back_counts(store: Store) -> None:
    assert read_back(store, [EXPECTED]).problems == [
        "nora@reader.example: no message <m1@lantern.example>"
    ]
    keep(store, message())
    keep(store, message())
    assert "2 times" in read_back(store, [EXPECTED]).problems[0]
    repeated = read_back(store, [EXPECTED], may_repeat=True)
    assert (repeated.is_intact, repeated.repeats) == (True, 1)
    keep(store, message("Eve", to="eve@reader.example", number=2), "eve@reader.example")
    assert "was not expected" in " ".join(read_back(store, [EXPECTED], may_repeat=True).problems)
    assert read_back(store, [EXPECTED], may_repeat=True, may_hold_others=True).is_intact
    keep(store, message().replace(b"Dear", b"Deer"))
    assert "that differ" in " ".join(read_back(store, [EXPECTED], may_repeat=True).problems)


def test_reading_back_compares_the_exact_bytes(store: Store) -> None:
    import hashlib
    from dataclasses import replace

    keep(store, message())
    right = hashlib.sha256(message()).hexdigest()
    assert read_back(store, [replace(EXPECTED, sha256=right)]).is_intact
    assert not read_back(store, [replace(EXPECTED, sha256="0" * 64)]).is_intact


class Page:
    """Asks the application without a socket."""

    def __init__(self, app: object) -> None:
        self._app = app

    def get(
        self, path: str, *, method: str = "GET", host: str = "127.0.0.1:8025"
    ) -> tuple[int, dict[str, str], str]:
        where, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": where,
            "raw_path": where.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", host.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8025),
        }
        status = 0
        headers: dict[str, str] = {}
        body = b""

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(event: dict[str, object]) -> None:
            nonlocal status, headers, body
            if event["type"] == "http.response.start":
                status = event["status"]  # type: ignore[assignment]
                headers = {k.decode(): v.decode() for k, v in event["headers"]}  # type: ignore[attr-defined]
            else:
                body += event.get("body", b"")  # type: ignore[operator]

        asyncio.run(self._app(scope, receive, send))  # type: ignore[operator]
        return status, headers, body.decode("utf-8", "replace")


@pytest.fixture
def page(store: Store, tmp_path: Path) -> Page:
    images = tmp_path / "images"
    images.mkdir()
    (images / "ferry.png").write_bytes(b"\x89PNG picture")
    (tmp_path / "secret.png").write_bytes(b"secret")
    return Page(inbox_app(store, images=images, web_url="https://mail.lantern.example"))


def test_the_list_shows_what_came_and_can_be_narrowed(page: Page, store: Store) -> None:
    status, headers, body = page.get("/")
    assert status == 200
    assert "No mail yet" in body
    keep(store, message())
    keep(store, message("Eve", to="eve@reader.example", region="Essex"), "eve@reader.example")
    _, headers, body = page.get("/")
    assert "The week in Bân" in body
    assert "nora@reader.example" in body
    assert "eve@reader.example" in body
    assert "default-src 'none'" in headers["content-security-policy"]
    _, _, body = page.get("/?list=essex.lantern.example")
    assert "eve@reader.example" in body
    assert "nora@reader.example" not in body
    _, _, body = page.get("/?q=NORA")
    assert "eve@reader.example" not in body


def test_a_long_list_has_pages(page: Page, store: Store) -> None:
    for number in range(120):
        store.add("", [f"r{number}@reader.example"], message(to=f"r{number}@reader.example"))
    _, _, first = page.get("/")
    assert "r119@reader.example" in first
    assert "r0@reader.example" not in first
    _, _, last = page.get("/?page=2")
    assert "r0@reader.example" in last
    for odd in ("0", "-1", "x", "999", "9" * 5000):
        assert page.get(f"/?page={odd}")[0] == 200


def test_a_message_page_and_its_parts(page: Page, store: Store) -> None:
    keep(store, message())
    (name,) = store.ids()
    status, _, body = page.get(f"/m/{name}")
    assert status == 200
    assert 'sandbox="' in body
    assert "Dear Nora, bân" in body
    assert "List-Unsubscribe-Post" in body
    assert "<script>alert" not in body
    status, headers, raw = page.get(f"/m/{name}.eml")
    assert headers["content-type"].startswith("message/rfc822")
    assert raw.encode() == message()
    assert page.get(f"/m/{name}/raw")[1]["content-type"].startswith("text/plain")


def test_the_html_is_shown_without_its_scripts_or_trackers(page: Page, store: Store) -> None:
    keep(store, message())
    (name,) = store.ids()
    _, headers, body = page.get(f"/m/{name}/html")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "https:" not in policy.replace("https://mail", "")
    assert 'src="/images/ferry.png"' in body
    assert headers["x-content-type-options"] == "nosniff"


def test_images_come_from_the_folder_and_nowhere_else(page: Page) -> None:
    status, headers, body = page.get("/images/ferry.png")
    assert status == 200
    assert headers["content-type"] == "image/png"
    assert "picture" in body
    for odd in ("../secret.png", quote("../secret.png", safe=""), "none.png", ".hidden", "a/b.png"):
        assert page.get(f"/images/{odd}")[0] == 404


def test_what_is_not_there_is_404_and_only_reading_is_possible(page: Page, store: Store) -> None:
    keep(store, message())
    (name,) = store.ids()
    for path in ("/m/none", "/m/20261130T070000000000-1-5", f"/m/{name}/none", "/none"):
        assert page.get(path)[0] == 404
    for path in ("/", f"/m/{name}"):
        assert page.get(path, method="POST")[0] == 405
    assert page.get("/", method="HEAD")[0] == 200


def test_another_host_name_is_refused(page: Page) -> None:
    # A page elsewhere could otherwise read the inbox through a DNS name of its own.
    assert page.get("/", host="evil.example")[0] == 400
    for own in ("localhost:8025", "127.0.0.1", "[::1]:8025", "[::1]"):
        assert page.get("/", host=own)[0] == 200
    for other in ("[2001:db8::1]:8025", "[::1", "::1.evil.example", "", "[", "localhost.evil"):
        assert page.get("/", host=other)[0] == 400


def test_hostile_mail_stays_text_on_the_page(page: Page, store: Store) -> None:
    store.add(
        "<script>@x.example",
        ["<b>@y.example"],
        b"Subject: <script>alert(1)</script>\r\nTo: <img src=x>\r\n\r\n<script>alert(2)</script>",
    )
    (name,) = store.ids()
    for path in ("/", f"/m/{name}"):
        _, _, body = page.get(path)
        assert "<script>alert" not in body
        assert "&lt;script&gt;" in body
