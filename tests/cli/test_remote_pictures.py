"""A picture at an address: fetched once from a real server, kept, served from here."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser.sampling import draw_picture
from tests.cli.driving import ISSUE, Mailer
from tests.faults.certificates import make_certificates

ARTICLE = """---
title: The quay at night
image: {url}
image_alt: "A quay under one lamp."
image_credit: "Drawing: Tidewater Studio"
---
Nobody was there, and the lamp was lit.
"""


class Server(ThreadingHTTPServer):
    picture: bytes
    asked: list[str]

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append(self.path)
        is_there = self.path == "/quay.png"
        self.send_response(200 if is_there else 404)
        self.send_header("Content-Length", str(len(self.server.picture) if is_there else 0))
        self.end_headers()
        self.wfile.write(self.server.picture if is_there else b"")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    certificates = make_certificates(tmp_path)
    draw_picture(tmp_path / "quay.png", (800, 500))
    made = Server(("127.0.0.1", 0), Handler)
    made.asked, made.picture = [], (tmp_path / "quay.png").read_bytes()
    made.socket = certificates.good.wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    # The authority that the test's certificate is signed by is trusted here alone.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    assert ssl.get_default_verify_paths().cafile == str(certificates.ca_file)
    monkeypatch.setenv("MAILER_FETCH_ALLOW", "127.0.0.0/8")
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def picked(mailer: Mailer, publication: Path, server: Server) -> Server:
    """An article with a picture at an address leads the issue."""
    lead(mailer, publication, server.url("/quay.png"))
    return server


def lead(mailer: Mailer, publication: Path, url: str) -> None:
    (publication / "articles" / "the-quay-at-night.md").write_text(ARTICLE.format(url=url))
    assert mailer("ingest").code == 0
    path = publication / "issues" / f"{ISSUE}.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("  lead:\n", "  lead:\n    - the-quay-at-night\n", 1), encoding="utf-8"
    )


def shown(mailer: Mailer) -> str:
    return str(mailer("preview", ISSUE, "--region", "wales", "--part", "html").out)


def test_it_is_fetched_once_and_readers_never_ask_for_it(mailer: Mailer, picked: Server) -> None:
    html = shown(mailer)
    assert 'alt="A quay under one lamp."' in html
    assert picked.url("/") not in html
    assert shown(mailer) == html
    assert picked.asked == ["/quay.png"]


def test_one_that_is_gone_is_left_out_with_a_warning(
    mailer: Mailer, publication: Path, server: Server
) -> None:
    lead(mailer, publication, server.url("/gone.png"))
    said = mailer("issue", "check", ISSUE, "--json")
    assert said.code == 0
    (warning,) = [f for f in said.data["findings"] if f["code"] == "picture-unusable"]
    assert "404" in warning["message"]
    assert "A quay under one lamp" not in shown(mailer)


def test_the_guard_is_shut_unless_opened(
    mailer: Mailer, picked: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_FETCH_ALLOW", "")
    assert "A quay under one lamp" not in shown(mailer)
    assert picked.asked == []
