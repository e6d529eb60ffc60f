"""`mailer serve` as people run it: a process, a port, a signal, a proxy before it."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from pathlib import Path

import httpx2
import pytest

from tests.web.process import served


def test_it_says_where_it_is_answers_and_stops_at_once(publication: Path, tmp_path: Path) -> None:
    with served(publication, log=tmp_path / "log", MAILER_LOG_FORMAT="json") as server:
        assert httpx2.get(f"{server.url}/archive/wales?q=van").status_code == 200
        assert httpx2.get(f"{server.url}/unsubscribe/{'A' * 40}").status_code == 404
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) in {0, -signal.SIGTERM}
        assert time.monotonic() - started < 5
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(line["path"], line["status"]) for line in lines] == [
        ("/archive/wales", 200),
        ("/unsubscribe/…", 404),
    ]
    assert "127.0.0.1" not in (tmp_path / "log").read_text()


def test_a_sender_that_stops_in_the_middle_does_not_hold_up_its_end(
    publication: Path, tmp_path: Path
) -> None:
    with served(publication, log=tmp_path / "log") as server:
        host, port = re.findall(r"//([\d.]+):(\d+)", server.url)[0]
        with socket.create_connection((host, int(port))) as half:
            half.sendall(b"GET / HTTP/1.1\r\nHost: loc")
            assert httpx2.get(server.url).status_code == 200
            started = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(10)
            assert time.monotonic() - started < 6


def test_a_port_that_is_taken_is_said_in_one_line(publication: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "mailer", "-C", publication, "serve", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 3
    [line] = done.stderr.strip().splitlines()
    assert "MAILER_WEB_PORT" in line
    assert f"127.0.0.1:{port} cannot be had" in line


@pytest.mark.parametrize("proxies", ["", "10.0.0.0/8", "127.0.0.1 ::1"])
def test_what_a_proxy_says_is_believed_only_from_those_named(
    publication: Path, tmp_path: Path, proxies: str
) -> None:
    """The slash is taken off by a relative link, so that no scheme can be smuggled in."""
    with served(publication, log=tmp_path / "log", MAILER_WEB_PROXIES=proxies) as server:
        answer = httpx2.get(
            f"{server.url}/archive/",
            headers={"x-forwarded-proto": "gopher", "x-forwarded-for": "192.0.2.7"},
            follow_redirects=False,
        )
        assert (answer.status_code, answer.headers["location"]) == (308, "/archive")
        foreign = httpx2.get(server.url, headers={"x-forwarded-host": "evil.example"})
        assert foreign.status_code == 200
        assert "evil.example" not in foreign.text
