"""Real processes of the program: started, looked at, stopped and killed."""

from __future__ import annotations

import os
import random
import signal
import smtplib
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mailer.clock import SystemClock
from mailer.inbox.server import InboxServer
from mailer.inbox.store import Store
from tests.cli.driving import FRIDAY, ISSUE, Mailer

KILLS = 20
PATIENCE_S = 60


UNWOKEN = (
    "import signal, threading, time\n"
    "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\n"
    "from mailer.__main__ import main\n"
    "main()\n"
)
"""The program where a thread that sleeps takes the Ctrl-C, so that it ends no wait of the main one.

So it is, by chance, when it comes just before the main thread begins to wait.
"""


def start(
    root: Path, *words: str, program: Sequence[str] = ("-m", "mailer"), **settings: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *program, "--publication", str(root), *words],
        env={**os.environ, "MAILER_FIXED_NOW": FRIDAY, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(is_so: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for something; fail after a minute, or at once when the process ends before it."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it never came"
        if process is not None and process.poll() is not None and not is_so():
            _, err = process.communicate()
            pytest.fail(f"the process ended with {process.returncode}: {err}")
        time.sleep(0.002)


def test_ctrl_c_while_the_program_is_read_is_quiet() -> None:
    # The modules take a third of a second to read; here the key is pressed in the middle of it.
    program = (
        "import sys\n"
        "class Pressed:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'mailer.cli.output':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "from mailer.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("how", [("-m", "mailer"), ("-c", UNWOKEN)], ids=["woken", "unwoken"])
def test_ctrl_c_ends_the_chromium_that_takes_a_picture(
    publication: Path, drafted: Path, tmp_path: Path, how: Sequence[str]
) -> None:
    # Tests that a shell started in the background are deaf to it, and so is what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began = tmp_path / "began"
    program = tmp_path / "bin" / "chromium-headless-shell"
    program.parent.mkdir()
    # It starts another, as Chromium does.
    program.write_text(f'#!/bin/sh\nsleep 600 &\necho "$$ $!" >> {began}\nwait\n')
    program.chmod(0o755)
    process = start(
        publication, "preview", "next", "-r", "wales", "--png", "--out", str(tmp_path / "out"),
        program=how, PATH=str(program.parent) + os.pathsep + os.environ["PATH"],
    )  # fmt: skip
    until(lambda: began.is_file() and began.read_text().endswith("\n"), process)
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    for number in map(int, began.read_text().split()):
        until(lambda number=number: not is_alive(number))  # type: ignore[misc]


def is_alive(number: int) -> bool:
    """Say whether a process runs; one that ended and was not asked after does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class SlowStore(Store):
    """A store that takes its time, so that a kill finds the sender at every step."""

    def add(self, sender: str, recipients: Sequence[str], content: bytes) -> str:
        time.sleep(random.uniform(0, 0.02))
        name = super().add(sender, recipients, content)
        time.sleep(random.uniform(0, 0.02))
        return name


def test_twenty_kills_lose_nobody_and_repeat_one_each(
    mailer: Mailer, publication: Path, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SlowStore(publication / "var" / "inbox", SystemClock())
    leaver = ""
    with InboxServer(store) as server:
        monkeypatch.setenv("MAILER_RELAY_PORT", str(server.port))
        readers = [
            reader["address"]
            for row in mailer("send", "next", "--dry-run", "--json").data["regions"]
            for reader in row["readers"]
        ]
        leaver = readers[-1]
        assert mailer("issue", "approve", "next").code == 0
        for kill in range(KILLS):
            before = len(store.ids())
            wanted = before + random.randint(1, 6)
            process = start(publication, "send", ISSUE, "--yes", MAILER_RELAY_PORT=str(server.port))
            until(lambda wanted=wanted: len(store.ids()) >= wanted, process)  # type: ignore[misc]
            time.sleep(random.uniform(0, 0.03))
            process.kill()
            process.communicate()
            if kill == KILLS // 2:
                assert mailer("subscribers", "remove", leaver, "--yes").code == 0
        last = mailer("send", ISSUE, "--yes", "--json")
        assert last.code == 0, last.err
    assert last.data["state"] == "sent"

    copies = Counter(m.recipients[0] for m in store.messages())
    assert set(copies) == set(readers) - {leaver}
    assert sum(copies.values()) - len(copies) <= KILLS
    bodies: dict[str, set[bytes]] = {}
    for message in store.messages():
        bodies.setdefault(message.recipients[0], set()).add(store.content(message.id))
    assert all(len(contents) == 1 for contents in bodies.values())
    states = {
        address: mailer("ledger", "--address", address, "--json").data[0]["state"]
        for address in (*list(copies)[:5], leaver)
    }
    assert states.pop(leaver) == "skipped"
    assert set(states.values()) == {"accepted"}


def test_ctrl_c_finishes_the_message_under_way(
    mailer: Mailer, publication: Path, drafted: Path
) -> None:
    store = SlowStore(publication / "var" / "inbox", SystemClock())
    with InboxServer(store) as server:
        port = {"MAILER_RELAY_PORT": str(server.port)}
        assert mailer("issue", "approve", "next").code == 0
        process = start(publication, "send", ISSUE, "--yes", **port)
        until(lambda: len(store.ids()) >= 5, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 8
        assert "run the command again" in err
        caught = len(store.ids())
        again = start(publication, "send", ISSUE, "--yes", **port)
        again.communicate(timeout=PATIENCE_S)
        assert again.returncode == 0
    copies = Counter(m.recipients[0] for m in store.messages())
    assert caught < len(copies)
    assert set(copies.values()) == {1}


def test_the_inbox_as_a_process(publication: Path) -> None:
    process = start(publication, "inbox", "serve", "--smtp-port", "0", "--web-port", "0")
    assert process.stdout is not None
    try:
        smtp = process.stdout.readline().split(":")[1].split(",")[0]
        page = process.stdout.readline().split()[4]
        with smtplib.SMTP("127.0.0.1", int(smtp)) as client:
            client.sendmail("a@b.example", ["c@d.example"], "Subject: Seen\r\n\r\nText\r\n")
        with urllib.request.urlopen(page, timeout=10) as answer:
            assert b"Seen" in answer.read()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode in {0, -signal.SIGTERM}


def test_the_demonstration(tmp_path: Path) -> None:
    output = tmp_path / "output"
    done = subprocess.run(
        [sys.executable, "-m", "mailer", "demo", "--output", str(output)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    messages = list((output / "messages").glob("*.eml"))
    assert f"{len(messages)} of {len(messages)} messages intact" in done.stdout
    pages = {path.stem for path in (output / "editions").glob("*.html")}
    regions = {path.stem for path in (output / "editions").glob("*.txt")}
    assert len(regions) == 14
    assert pages == regions | {"index"}
    (output / ".made-by-mailer-demo").unlink()
    refused = subprocess.run(
        [sys.executable, "-m", "mailer", "demo", "--output", str(output)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert refused.returncode == 1
    assert "--output" in refused.stderr
