"""Every line of the operator's handbook that can be typed here is typed here.

A line that begins with ``mailer`` is typed in this process, because starting a hundred of them
would take minutes; the others are bash's.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mailer.cli.demonstration import edited
from tests.cli.conftest import driver
from tests.cli.driving import FRIDAY, ISSUE
from tests.counting import CountingServer
from tests.names import NameServer

ROOT = Path(__file__).parents[2]
HANDBOOK = (ROOT / "docs" / "operations.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", HANDBOOK, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
EXPECTED = re.compile(r"  # (\d+)$")


class Typist:
    """Types lines in a folder, and remembers what a variable was set to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self._mailer = driver(folder)
        self.newest = ""
        monkeypatch.chdir(folder)

    def type(self, line: str) -> tuple[int, str]:
        """Return how a line ended and what it said."""
        words = shlex.split(line.replace("$newest", self.newest), comments=True)
        if words[0] == "mailer":
            if ">" in words:
                words = words[: words.index(">")]
            said = self._mailer(*words[1:], folder=None)
            return said.code, said.out + said.err
        if words[0] == "cd":
            self._patch.chdir(words[1])
            return 0, ""
        if words[0] == "$EDITOR":
            path = Path(words[1])
            path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
            return 0, ""
        shell = subprocess.run(
            ["bash", "-c", f'set -eo pipefail; {line}\necho "$newest"'],
            capture_output=True,
            text=True,
        )
        if words[0].startswith("newest="):
            self.newest = shell.stdout.strip()
        return shell.returncode, shell.stderr


def test_every_line_ends_as_the_handbook_says(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    nowhere: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server: Any = request.getfixturevalue("postgresql")
    address = server.create_empty()
    folders = {
        "/srv/lantern": tmp_path / "srv" / "lantern",
        "/var/backups/mailer": tmp_path / "backups",
        "postgresql:///mailer": address,
    }
    (tmp_path / "backups").mkdir()
    (tmp_path / "srv").mkdir()
    typist = Typist(tmp_path, monkeypatch)
    with CountingServer() as relay, NameServer({}) as names:
        for name, value in {
            "MAILER_FIXED_NOW": FRIDAY,
            "MAILER_DNS_SERVER": names.address,
            "MAILER_WEB_URL": f"http://127.0.0.1:{nowhere}",
            # There is no relay yet when the doctor is asked first.
            "MAILER_RELAY_PORT": str(nowhere),
        }.items():
            monkeypatch.setenv(name, value)
        wrong = []
        for line in LINES:
            typed = line
            for here, there in folders.items():
                typed = typed.replace(here, str(there))
            code, said = typist.type(typed)
            found = EXPECTED.search(line)
            if code != int(found[1] if found else 0):
                wrong.append(f"{line} -> {code}: {said[-500:]}")
            if line.startswith("mailer doctor"):
                monkeypatch.setenv("MAILER_RELAY_PORT", str(relay.port))
            if line == "mailer status":
                monkeypatch.setenv("MAILER_FIXED_NOW", f"{ISSUE}T12:00:00+00:00")
    server.drop(address)
    assert wrong == []
    assert len(relay.taken) > 100


def test_the_lines_for_root_name_what_there_is() -> None:
    blocks = re.findall(r"^```shell\n(.*?)^```", HANDBOOK, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    for name in re.findall(r"\b(?:deploy|requirements)/[\w.-]+", "\n".join(blocks)):
        assert (ROOT / name).is_file(), name
