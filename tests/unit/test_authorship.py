"""Who edited an issue's file, and when two names may be one person."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mailer.issues.authorship import Editor, is_same_person, last_editor, read_editor


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture
def issue(tmp_path: Path) -> Path:
    path = tmp_path / "2026-11-30.md"
    path.write_text("one\n")
    return path


@pytest.fixture
def committed(issue: Path) -> Path:
    git(issue.parent, "init", "-q")
    git(issue.parent, "config", "user.name", "Bo Quill")
    git(issue.parent, "config", "user.email", "bo@lantern.example")
    git(issue.parent, "add", ".")
    author = "Nora Whitfield <nora@lantern.example>"
    git(issue.parent, "commit", "-q", "-m", "draft", "--author", author)
    return issue


def test_the_author_of_the_last_commit_edited_it(committed: Path) -> None:
    assert last_editor(committed) == Editor("Nora Whitfield", "nora@lantern.example", "git")


def test_a_change_since_is_the_work_of_whoever_is_here(committed: Path) -> None:
    committed.write_text("two\n")
    assert last_editor(committed) == Editor("Bo Quill", "bo@lantern.example", "git, not committed")


def test_a_file_git_does_not_know_is_likewise(committed: Path) -> None:
    other = committed.with_name("2026-12-07.md")
    other.write_text("new\n")
    assert last_editor(other).name == "Bo Quill"


def test_without_git_it_is_the_files_owner(issue: Path) -> None:
    assert last_editor(issue) == Editor(issue.owner(), source="the file's owner")


def test_a_file_that_is_not_there_was_edited_by_nobody(tmp_path: Path) -> None:
    assert last_editor(tmp_path / "gone" / "2026-11-30.md").name == ""


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Nora Whitfield <nora@lantern.example>", "nora@lantern.example", True),
        ("Nora Whitfield <nora@lantern.example>", "NORA@lantern.example", True),
        ("Nora Whitfield <nora@lantern.example>", "nora", True),
        ("Nora Whitfield <nora@lantern.example>", "Nora", True),
        ("Nora Whitfield", "whitfield, nora", True),
        ("Nora Whitfield", "Nora Quill", False),
        ("Nora Whitfield <nora@lantern.example>", "bo", False),
        ("Nora Whitfield <nora@lantern.example>", "Bo Quill <bo@lantern.example>", False),
        ("Nora Whitfield <desk@lantern.example>", "Bo Quill <desk@lantern.example>", True),
    ],
)
def test_in_doubt_it_is_one_person(one: str, other: str, is_same: bool) -> None:
    assert is_same_person(read_editor(one), read_editor(other)) is is_same
    assert is_same_person(read_editor(other), read_editor(one)) is is_same
