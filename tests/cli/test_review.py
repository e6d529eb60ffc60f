"""The review of a paper, typed at a terminal; what was answered is kept and done again."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.driving import Mailer

PAPER = Path(__file__).parents[1] / "fixtures" / "articles" / "lantern-paper.txt"
ASKED = re.compile(rb"(?:> |title: |paragraph: |words\): )$")


@pytest.fixture
def paper(publication: Path) -> Path:
    path = publication / "articles" / "paper.txt"
    path.write_text(PAPER.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def type_at(publication: Path, *answers: str) -> tuple[str, int]:
    """Type answers at a real terminal, one for each question; then hang up."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mailer", "-C", str(publication), "ingest", "--review"]
    env = {**os.environ, "TERM": "dumb"}
    with subprocess.Popen(
        [*command, str(publication / "articles" / "paper.txt")],
        stdin=theirs, stdout=theirs, stderr=theirs, env=env,
    ) as process:  # fmt: skip
        os.close(theirs)
        said = b""
        left = list(answers)
        while True:
            if not select.select([ours], [], [], 60)[0]:
                process.kill()
                break
            try:
                heard = os.read(ours, 65_536)
            except OSError:
                # The other end is closed: the command has ended.
                break
            if not heard:
                break
            said += heard
            if ASKED.search(said):
                # Control-D at the beginning of a line is the end of input.
                os.write(ours, left.pop(0).encode() + b"\n" if left else b"\x04")
                said += b"\0"
        code = process.wait(30)
    os.close(ours)
    return said.decode(), code


def kept(publication: Path) -> list[dict[str, str]]:
    path = publication / "articles" / "review.toml"
    rows: list[dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))["ruling"]
    return rows


def of_paper(mailer: Mailer) -> dict[str, float]:
    rows = mailer("articles", "--json").data
    return {row["title"]: row["words"] for row in rows if row["origin"] == "articles/paper.txt"}


def test_a_sitting_is_kept_and_done_again(mailer: Mailer, publication: Path, paper: Path) -> None:
    before = mailer("ingest", str(paper), "--json").data
    assert {row["title"] for row in before["articles"]} >= {"Sir, the bins"}
    said, code = type_at(publication, "?", "s", "9", "", "s", "5", "The roof", "r", "Stairs", "d")
    assert code == 0
    assert "Type one of the letters in brackets." in said
    assert "there is no paragraph 9 to split at; choose one from 2 to 6" in said
    assert "joined: … the meeting agreed that | no family would pay …" in said
    assert "-15% text-rejoined" in said
    assert "That was all that is unsure." in said
    assert [row["do"] for row in kept(publication)] == ["split", "retitle", "drop"]
    first = of_paper(mailer)
    assert {"Stairs", "The roof"} <= first.keys()
    # What was dropped is gone although the file still holds it.
    assert "Sir, the bins" not in first
    again = mailer("ingest", str(paper), "--review", "--json").data
    assert again["unsure"] == []
    assert {row["status"] for row in again["articles"]} == {"unchanged"}
    assert of_paper(mailer) == first
    assert paper.read_text(encoding="utf-8") == PAPER.read_text(encoding="utf-8")


def test_hanging_up_keeps_what_was_answered(publication: Path, paper: Path) -> None:
    _, code = type_at(publication, "a")
    assert code == 0
    assert [row["do"] for row in kept(publication)] == ["accept"]


def test_without_a_terminal_nothing_is_asked(
    mailer: Mailer, publication: Path, paper: Path
) -> None:
    said = mailer("ingest", str(paper), "--review")
    assert said.code == 1
    (line,) = said.error_lines
    assert line.startswith("error: --review: there is no terminal to ask on; run it in a terminal")
    assert not (publication / "articles" / "review.toml").exists()
    listed = mailer("ingest", str(paper), "--review", "--json").data["unsure"]
    assert [piece["title"] for piece in listed] == [
        "The landlord who counted the stairs",
        "Sir, the bins",
    ]
    assert listed[0]["confidence"] < 0.8
    assert listed[0]["begins"] == "The bill came on a Tuesday, in a"
    assert listed[1]["previous"] == "Five questions for a lamplighter"
    everything = mailer("ingest", "--review", "--json").data["unsure"]
    assert {piece["title"] for piece in listed} <= {piece["title"] for piece in everything}
    one = str(publication / "articles" / "nothing.txt")
    assert mailer("ingest", one, "--review", "--json").data["unsure"] == []


def test_a_broken_review_file_stops_before_anything_is_kept(
    mailer: Mailer, publication: Path, paper: Path
) -> None:
    (publication / "articles" / "review.toml").write_text('[[ruling]]\nfile = "x"\n')
    said = mailer("ingest", str(paper))
    assert said.code == 1
    assert "review.toml" in said.err
    assert of_paper(mailer) == {}
