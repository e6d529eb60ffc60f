"""What cannot be undone is asked about first; where nobody can be asked, it needs ``--yes``."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from mailer.cli.commands import app
from mailer.inbox.store import Store
from tests.cli.driving import ISSUE, Mailer

ADDRESS = "zoe.abara@reader.example"
SPARE = "a-spare-piece"
COMMANDS = {
    ("send",): (ISSUE,),
    ("issue", "cancel"): (ISSUE,),
    ("issue", "amend"): (ISSUE, "--note", "The march is on the 12th."),
    ("subscribers", "remove"): (ADDRESS,),
    ("subscribers", "unsuppress"): (ADDRESS,),
    ("subscribers", "forget"): (ADDRESS,),
    ("inbox", "clear"): (),
    ("articles", "drop"): (SPARE,),
}
"""Every command that asks, and what it is given here."""

ASKING_WITH_JSON = {("send",), ("issue", "amend"), ("subscribers", "forget"), ("articles", "drop")}
PROGRAM = [sys.executable, "-m", "mailer", "--publication"]


def asking(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the commands that have ``--yes``."""
    if any("--yes" in option.opts for option in command.params):
        yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from asking(inner, (*path, name))


def test_every_command_that_asks_is_known_here() -> None:
    assert set(asking(typer.main.get_command(app))) == set(COMMANDS)


@pytest.fixture
def under_way(mailer: Mailer, drafted: Path, inbox: Store) -> None:
    """An issue that one region has, so that there is something to send, amend and throw away."""
    text = "---\ntitle: A spare piece\n---\nIt is spare.\n"
    (drafted.parents[1] / "articles" / "spare.md").write_text(text, encoding="utf-8")
    assert mailer("ingest").code == 0
    assert mailer("subscribers", "add", ADDRESS, "--region", "wales").code == 0
    assert mailer("issue", "approve", ISSUE).code == 0
    assert mailer("send", ISSUE, "--region", "wales", "--yes").code in {0, 8}


def everything(mailer: Mailer) -> list[str]:
    return [
        mailer(*words, "--json").out
        for words in (
            ("subscribers", "show", ADDRESS),
            ("issue", "show", ISSUE),
            ("ledger", ISSUE),
            ("inbox", "list"),
            ("articles",),
        )
    ]


@pytest.mark.parametrize("json", [(), ("--json",)], ids=["table", "json"])
def test_where_nobody_can_be_asked_nothing_is_done_without_yes(
    mailer: Mailer, under_way: None, json: tuple[str, ...]
) -> None:
    before = everything(mailer)
    for command, words in COMMANDS.items():
        if json and command not in ASKING_WITH_JSON:
            continue
        refused = mailer(*command, *words, *json)
        assert refused.code == 1, command
        assert len(refused.error_lines) == 1, command
        assert "--yes: there is no terminal to ask on" in refused.err
        assert refused.out == "" or command == ("issue", "amend")
        assert everything(mailer) == before, command


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("", 1), ("y", 0), ("Yes", 0)])
def test_a_terminal_is_asked_on_standard_error(publication: Path, answer: str, code: int) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        done = subprocess.run(
            [*PROGRAM, str(publication), "inbox", "clear"],
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == code, done.stderr
    assert "Throw away every message in the inbox? [y/N]" in done.stderr
    assert done.stdout == ("0 messages thrown away.\n" if code == 0 else "")


def test_a_list_tells_instants_to_the_minute(mailer: Mailer, drafted: Path) -> None:
    assert mailer("issue", "approve", ISSUE, "--by", "nora").code == 0
    (row,) = [line for line in mailer("issue", "list").out.splitlines() if ISSUE in line]
    assert row.split()[-3:] == ["nora", "2026-11-27", "12:00"]
