"""Every command is documented, and every command that is named anywhere exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from mailer.cli.commands import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md")


def commands() -> dict[str, Any]:
    """Return every command that does something, by its full name: ``issue draft``."""
    found: dict[str, Any] = {}

    def walk(command: Any, names: tuple[str, ...]) -> None:
        children = getattr(command, "commands", None)
        if children is None:
            found[" ".join(names)] = command
            return
        for name, child in children.items():
            walk(child, (*names, name))

    walk(typer.main.get_command(app), ())
    return found


COMMANDS = commands()


@pytest.mark.parametrize("name", COMMANDS)
def test_it_is_in_the_documents(name: str) -> None:
    text = "\n".join(path.read_text() for path in DOCUMENTS)
    assert re.search(rf"`mailer {name}\b", text), f"say what `mailer {name}` does in README.md"


@pytest.mark.parametrize("name", COMMANDS)
def test_it_explains_itself_and_each_of_its_options(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert "\x0b" not in command.help
    unexplained = [
        parameter.name
        for parameter in command.params
        if not getattr(parameter, "help", None) and parameter.opts[0].startswith("-")
    ]
    assert unexplained == []


def spoken_of() -> list[tuple[str, str]]:
    """Return every ```mailer …``` in the documents, the settings and the program's messages."""
    places = [*DOCUMENTS, ROOT / ".env.example", *sorted((ROOT / "mailer").rglob("*.py"))]
    return [
        (str(path.relative_to(ROOT)), " ".join(words.split()))
        for path in places
        for words in re.findall(r"`mailer ([a-z][^`]*)`", path.read_text())
    ]


def test_a_command_that_is_named_exists() -> None:
    first_words = {name.split()[0] for name in COMMANDS}
    groups = {name.split()[0] for name in COMMANDS if " " in name}
    wrong = []
    for place, words in spoken_of():
        head, *rest = words.split()
        if head not in first_words or (
            head in groups
            and rest
            and re.fullmatch(r"[a-z-]+", rest[0])
            and f"{head} {rest[0]}" not in COMMANDS
        ):
            wrong.append(f"{place}: mailer {words}")
    assert wrong == []


def test_an_option_that_is_named_exists() -> None:
    wrong = []
    for place, words in spoken_of():
        name = max(
            (name for name in COMMANDS if f"{words} ".startswith(f"{name} ")), key=len, default=""
        )
        if not name:
            continue
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        known |= {o for parameter in COMMANDS[name].params for o in parameter.secondary_opts}
        named = set(re.findall(r"(?<!\S)--[a-z-]+", words))
        wrong.extend(f"{place}: mailer {words}: {option}" for option in named - known - {"--help"})
    assert wrong == []
