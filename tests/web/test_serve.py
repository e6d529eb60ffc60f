"""`mailer serve` as people run it: a process, a port, a signal, a proxy before it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.web.process import served


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_answers_and_stops_at_once(
    publication: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with served(publication, log=tmp_path / "log", MAILER_LOG_FORMAT="json") as server:
        assert httpx2.get(f"{server.url}/archive/wales?q=van", timeout=60).status_code == 200
        assert httpx2.get(f"{server.url}/unsubscribe/{'A' * 40}", timeout=60).status_code == 404
        server.process.send_signal(number)
        # Half a second on an idle machine; a test must not fail because another is busy.
        assert server.process.wait(20) == 0
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
            assert httpx2.get(server.url, timeout=60).status_code == 200
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(20) == 0


def test_a_port_that_is_taken_is_said_in_one_line(publication: Path, tmp_path: Path) -> None:
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


ECHO = """
import sys
from mailer.web.listening import listen

async def echo(scope, receive, send):
    said = f"{scope['client'][0]} {scope['scheme']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said})

listen(echo, host="127.0.0.1", port=0, proxies=sys.argv[1:], ready=lambda at: print(at, flush=True))
"""


@pytest.mark.parametrize(
    ("proxies", "believed"),
    [((), False), (("10.0.0.0/8",), False), (("127.0.0.1",), True), (("::1", "127.0.0.0/8"), True)],
)
def test_what_a_proxy_says_is_believed_only_from_those_named(
    proxies: tuple[str, ...], believed: bool
) -> None:
    command = [sys.executable, "-c", ECHO, *proxies]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = httpx2.get(
                process.stdout.readline().strip(),
                headers={"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https"},
                timeout=60,
            ).text
        finally:
            process.terminate()
            process.wait(10)
    assert said == ("192.0.2.7 https" if believed else "127.0.0.1 http")
