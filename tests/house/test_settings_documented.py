"""Every setting stands in .env.example with its meaning, and nothing else does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailer.settings import PREFIX, Settings, load_settings

FILE = Path(__file__).parents[2] / ".env.example"
FROM_THE_ENVIRONMENT_ALONE = {"MAILER_PUBLICATION"}
"""Read by the command line to find the folder; no field of Settings."""


@dataclass(frozen=True)
class Entry:
    name: str
    value: str
    is_active: bool
    comment: str

    def said(self, label: str) -> str:
        found = re.search(rf"^# {label}: (.+)$", self.comment, re.MULTILINE)
        return found[1] if found else ""


def entries() -> list[Entry]:
    found = []
    for block in FILE.read_text().split("\n\n"):
        *comment, last = block.strip().splitlines() or [""]
        matched = re.fullmatch(r"(# )?(MAILER_[A-Z_]+)=(.*)", last)
        if matched:
            found.append(Entry(matched[2], matched[3], not matched[1], "\n".join(comment)))
    return found


def known() -> set[str]:
    return {f"{PREFIX}{name}".upper() for name in Settings.model_fields}


def test_the_file_and_the_settings_name_the_same_variables() -> None:
    names = [entry.name for entry in entries()]
    assert len(names) == len(set(names))
    assert set(names) == known() | FROM_THE_ENVIRONMENT_ALONE
    assert set(re.findall(r"MAILER_[A-Z_]+(?==)", FILE.read_text())) == set(names)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_each_has_its_meaning_its_default_and_an_example(entry: Entry) -> None:
    assert not entry.comment.startswith(("# Default", "# Example"))
    assert entry.said("Default")
    assert entry.said("Example")


def test_copied_whole_it_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(FILE.read_text())
    assert load_settings(tmp_path) == load_settings(None)


@pytest.mark.parametrize(
    "entry", [e for e in entries() if e.name in known()], ids=lambda entry: entry.name
)
def test_the_default_named_is_the_default_and_the_example_is_accepted(
    entry: Entry, tmp_path: Path
) -> None:
    field = entry.name.removeprefix(PREFIX).lower()
    default = Settings.model_fields[field].default
    told = entry.said("Default")
    if default is None:
        assert not entry.is_active
        assert told.startswith("not set")
    elif hasattr(default, "get_secret_value") or default == "":
        assert (entry.value, told.split(",")[0]) == ("", "empty")
    else:
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        assert told.split(",")[0] == entry.value == shown
    (tmp_path / ".env").write_text(f"{entry.name}={entry.said('Example')}\n")
    assert getattr(load_settings(tmp_path), field) != default
