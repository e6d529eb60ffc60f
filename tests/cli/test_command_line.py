"""A word the command line cannot understand is one clear line and exit code 2."""

from __future__ import annotations

import os
import sys
from subprocess import run

import pytest

WRONG = [
    (("issue", "draft", "2026-99-99"), "'2026-99-99'", "mailer issue draft --help"),
    (("articles", "--cuont", "3"), "--cuont", "mailer articles --help"),
    (("isue",), "'issue'", "mailer --help"),
    (("--fast", "articles"), "--fast", "mailer --help"),
    (("subscribers", "import", "--regon", "x"), "--region", "mailer subscribers import --help"),
    (("select", "--simulate", "0"), "--simulate", "mailer select --help"),
    (("issue", "show"), "ISSUE", "mailer issue show --help"),
]


def typed(*words: str) -> tuple[int, str, str]:
    done = run(
        [sys.executable, "-m", "mailer", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "60"},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("words", "named", "remedy"), WRONG)
def test_a_wrong_word_is_one_line(words: tuple[str, ...], named: str, remedy: str) -> None:
    code, out, err = typed(*words)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert named in err
    assert err.endswith(f"`{remedy}` shows how\n")


def test_without_words_it_shows_its_help() -> None:
    code, out, err = typed()
    assert code == 2
    assert "Commands" in out + err
