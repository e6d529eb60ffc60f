"""A new publication's folder: whole or not at all, and never over somebody's files."""

from __future__ import annotations

import os
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer import scaffold as scaffold_module
from mailer.errors import IllegalTransition, InvalidInput
from mailer.publication import load_publication
from mailer.scaffold import FOLDERS, replace_tokens, scaffold
from mailer.settings import load_settings

MONDAY = date(2026, 11, 30)
SECRET = "s" * 43


def make(target: Path, **options: bool) -> list[Path]:
    return scaffold(target, monday=MONDAY, secret=SECRET, **options)


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_new_folder_is_a_publication(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "lantern"
    made = make(target)
    assert load_publication(target).faults_before_sending() == []
    assert load_settings(target).faults_before_sending() == []
    assert load_settings(target).secret_key.get_secret_value() == SECRET
    assert all((target / folder).is_dir() for folder in FOLDERS)
    assert made == sorted(p for p in target.rglob("*") if p.is_file())
    assert (target / "templates" / "README.md").read_text().startswith("# Your own templates")
    assert [p.name for p in tmp_path.iterdir()] == ["deep"]
    assert [p.name for p in target.parent.iterdir()] == ["lantern"]


def test_secrets_and_readers_are_private(tmp_path: Path) -> None:
    make(tmp_path / "p")
    assert (tmp_path / "p" / ".env").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "p" / "var").stat().st_mode & 0o077 == 0
    ignored = (tmp_path / "p" / ".gitignore").read_text().splitlines()
    assert {"var/", ".env"} <= set(ignored)


def test_only_what_belongs_to_a_publication_is_copied(tmp_path: Path) -> None:
    make(tmp_path / "p")
    names = {p.name for p in (tmp_path / "p").rglob("*")}
    assert not names & {"draw.py", "opening.md", "notes.toml", "__pycache__"}


def test_an_empty_folder_and_a_fresh_repository_will_do(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    make(tmp_path)
    assert load_publication(tmp_path).title == "The Lantern"
    assert not list(tmp_path.glob(".mailer-init-*"))


def test_an_occupied_folder_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(IllegalTransition, match=r"not empty; .*--force") as caught:
        make(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert snapshot(tmp_path) == {"letter.txt": b"mine"}


def test_force_adds_what_is_missing_and_overwrites_nothing(tmp_path: Path) -> None:
    make(tmp_path / "whole")
    target = tmp_path / "p"
    (target / "articles").mkdir(parents=True)
    (target / "publication.toml").write_text("mine")
    (target / "articles" / "own.md").write_text("mine too")
    (target / ".env").symlink_to(tmp_path / "elsewhere")
    made = make(target, force=True)
    assert (target / "publication.toml").read_text() == "mine"
    assert (target / "articles" / "own.md").read_text() == "mine too"
    assert not (tmp_path / "elsewhere").exists()
    assert target / "publication.toml" not in made
    assert target / ".env" not in made
    whole = snapshot(tmp_path / "whole")
    rest = {n: b for n, b in snapshot(target).items() if n in whole and n != "publication.toml"}
    assert {n: whole[n] for n in rest} == rest
    assert set(whole) - set(rest) == {"publication.toml", ".env"}
    assert make(target, force=True) == []


@pytest.mark.parametrize("blocker", ["p", "p/articles"])
def test_a_file_in_the_way_is_one_clear_line(tmp_path: Path, blocker: str) -> None:
    (tmp_path / blocker).parent.mkdir(exist_ok=True)
    (tmp_path / blocker).write_text("mine")
    with pytest.raises(InvalidInput) as caught:
        make(tmp_path / "p", force=True)
    assert len(str(caught.value).splitlines()) == 1
    assert snapshot(tmp_path) == {blocker: b"mine"}


def test_below_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidInput, match="cannot be made"):
        make(tmp_path / "file" / "p")


@pytest.mark.parametrize("is_new", [True, False])
def test_a_failure_halfway_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    target = tmp_path / "a" / "b"
    if not is_new:
        target.mkdir(parents=True)
        (target / "own.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    rename, count = Path.rename, 0

    def failing(self: Path, other: Path) -> Path:
        nonlocal count
        count += 1
        if is_new or count == 20:
            raise OSError(28, "No space left on device")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(InvalidInput, match="No space left"):
        make(target, force=True)
    assert sorted(tmp_path.rglob("*")) == before


def test_bad_samples_are_all_named_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = tmp_path / "samples"
    shutil.copytree(scaffold_module.samples_dir() / "articles", samples / "articles")
    (samples / "publication.toml").write_text('title = "x"\n# %{today}\n')
    (samples / "articles" / "bad.md").write_text("---\ntitle: x\ndate: %{date-3 14:30}\n---\n")
    monkeypatch.setattr(scaffold_module, "samples_dir", lambda: samples)
    with pytest.raises(InvalidInput) as caught:
        make(tmp_path / "p")
    assert [(f.where, f.line) for f in caught.value.faults] == [
        ("publication.toml", 2),
        ("articles/bad.md", 3),
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["samples"]


@pytest.mark.parametrize("secret", ["short", "x" * 40 + "\nMAILER_RELAY_HOST=evil", "a b" * 20])
def test_an_unusable_secret_is_refused(tmp_path: Path, secret: str) -> None:
    with pytest.raises(InvalidInput, match="MAILER_SECRET_KEY") as caught:
        scaffold(tmp_path / "p", monday=MONDAY, secret=secret)
    assert secret not in str(caught.value)
    assert not (tmp_path / "p").exists()


def test_the_folders_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        make(tmp_path / "p")
    finally:
        os.umask(before)
    assert (tmp_path / "p").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(
    ("token", "written"),
    [
        ("%{date}", "2026-11-30"),
        ("%{date-3}", "2026-11-27"),
        ("%{datetime-3 14:30}", "2026-11-27T14:30:00+00:00"),
        ("%{datetime+2 00:01}", "2026-12-02T00:01:00+00:00"),
        ("%{day+12}", "Saturday 12 December"),
        ("%{long+12}", "Saturday 12 December 2026"),
        ("%{long+40}", "Saturday 9 January 2027"),
        ("100 %, {date-3}", "100 %, {date-3}"),
    ],
)
def test_a_token_becomes_a_date(token: str, written: str) -> None:
    assert replace_tokens(f"a {token} b", monday=MONDAY, where="x") == f"a {written} b"


@pytest.mark.parametrize(
    "token",
    [
        "%{}",
        "%{today}",
        "%{date 3}",
        "%{date-3 14:30}",
        "%{datetime-3}",
        "%{datetime-3 24:00}",
        "%{long+12",
        "%{DATE-3}",
        "%{date+99999}",
    ],
)
def test_an_unknown_token_is_named_with_its_line(token: str) -> None:
    text = f"one %{{date-1}}\ntwo {token}\nthree %{{nothing}}\n"
    with pytest.raises(InvalidInput) as caught:
        replace_tokens(text, monday=MONDAY, where="articles/x.md")
    assert [fault.line for fault in caught.value.faults] == [2, 3]
    assert caught.value.faults[0].where == "articles/x.md"
    assert "%{date-3}" in caught.value.faults[0].remedy


def test_a_day_beyond_the_calendar_is_a_fault() -> None:
    with pytest.raises(InvalidInput):
        replace_tokens("%{date+2}", monday=date.max, where="x")


@given(st.dates(date(1990, 1, 1), date(2200, 1, 1)), st.integers(-999, 999))
def test_dates_count_from_the_issue(monday: date, days: int) -> None:
    def write(name: str, rest: str = "") -> str:
        return replace_tokens(f"%{{{name}{days:+d}{rest}}}", monday=monday, where="x")

    day = monday + timedelta(days=days)
    assert date.fromisoformat(write("date")) == day
    moment = datetime.fromisoformat(write("datetime", " 23:59"))
    assert moment.date() == day
    assert moment.utcoffset() == timedelta(0)
    assert write("long") == f"{day:%A} {day.day} {day:%B} {day.year}"
    assert write("long") == f"{write('day')} {day.year}"
