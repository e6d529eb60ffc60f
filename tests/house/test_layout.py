"""The rules that keep the tree readable, checked on the files git knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 400
BANNED_MODULES = {"utils", "util", "helpers", "common", "base", "misc"}
STAGES = {
    "articles",
    "selection",
    "issues",
    "editions",
    "audience",
    "delivery",
    "schedule",
    "reports",
    "storage",
    "inbox",
    "cli",
    "web",
}
MAKERS_OF_PATHS = "work|root|home|Users"


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    return sorted((ROOT / "mailer").rglob("*.py"))


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in tracked():
        try:
            found.append((path, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def test_every_stage_is_a_folder() -> None:
    assert {path.name for path in (ROOT / "mailer").iterdir() if path.is_dir()} >= STAGES


def test_basenames_are_unique_in_the_package() -> None:
    names = Counter(path.name for path in modules() if path.name != "__init__.py")
    assert [name for name, times in names.items() if times > 1] == []


def test_no_module_is_named_for_being_a_drawer() -> None:
    assert [path for path in modules() if path.stem in BANNED_MODULES] == []


def test_no_file_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in [*modules(), *(ROOT / "tools").glob("*.py")]
        if (lines := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_no_class_is_a_manager() -> None:
    names = [
        node.name
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    assert [name for name in names if name.endswith("Manager")] == []


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in modules() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert [path for path in silent if path.name != "__init__.py" and path.stat().st_size] == []


def test_test_files_have_names_of_their_own() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, times in names.items() if times > 1] == []


def test_nothing_is_left_for_later() -> None:
    # In two halves, so that this file does not find itself.
    words = "|".join(("TO" + "DO", "FIX" + "ME"))
    stub = "raise Not" + "Implemented"
    marks = r"pytest\.mark\.(?:ski" + r"p|xfai" + r"l)"
    left = re.compile(rf"#.*\b(?:{words})\b|{stub}|{marks}")
    assert [
        str(path.relative_to(ROOT))
        for path, text in texts()
        if path.suffix == ".py" and left.search(text)
    ] == []


def test_no_file_names_a_machine_or_a_package_host() -> None:
    machine = re.compile(rf"(?<![\w.:/~-])/(?:{MAKERS_OF_PATHS})/")
    host = re.compile(r"--(?:extra-)?index" + r"-url|https?://[^\s\"']*/(?:simple|packages)/")
    guilty = []
    for path, text in texts():
        for number, line in enumerate(text.splitlines(), 1):
            if machine.search(line) or host.search(line):
                guilty.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert guilty == []


def test_no_lock_file_with_addresses_is_kept() -> None:
    names = {path.name for path in tracked()}
    assert not names & {"uv.lock", "poetry.lock", "Pipfile.lock"}
    assert not [name for name in names if re.fullmatch(r"pylock.*\.toml", name)]


@pytest.mark.parametrize("name", ["runtime", "test"])
def test_every_requirement_is_locked_by_hash(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    joined = text.replace("\\\n", " ").splitlines()
    pinned = [line for line in joined if line.strip() and not line.startswith("#")]
    assert pinned
    assert [line for line in pinned if "==" not in line or "--hash=sha256:" not in line] == []


def test_the_layers_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
