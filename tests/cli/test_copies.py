"""Backup, restore and upgrade, typed as an operator does; a backup in the middle of a sending."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mailer.app import open_app
from mailer.delivery.delivery import DeliveryState
from mailer.storage import database as databases
from mailer.storage.database import open_database
from tests.cli.conftest import driver
from tests.cli.driving import ISSUE, Mailer
from tests.counting import CountingServer
from tests.newer import make_newer

MONDAY = f"{ISSUE}T12:01:00+00:00"
CONNECTIONS = 3

Send = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


def sending(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mailer", "-C", str(root), "send", ISSUE, "--yes"],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("is_told", [False, True], ids=["resumed", "with the relay's log"])
def test_a_backup_in_mid_send_forgets_nobody_and_repeats_no_more_than_the_bound(
    mailer: Mailer,
    publication: Path,
    drafted: Path,
    backups: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_told: bool,
) -> None:
    assert mailer("issue", "approve", "next").code == 0
    monkeypatch.setenv("MAILER_FIXED_NOW", MONDAY)
    monkeypatch.setenv("MAILER_RELAY_CONNECTIONS", str(CONNECTIONS))
    readers = {row["address"] for region in mailer("send", ISSUE, "--dry-run", "--json")
               .data["regions"] for row in region["readers"]}  # fmt: skip
    with CountingServer(hold_after=12) as relay:
        monkeypatch.setenv("MAILER_RELAY_PORT", str(relay.port))
        process = sending(publication)
        try:
            assert relay.is_held.wait(60)
            made = mailer("backup", backups, "--json")
            assert made.code == 0
            assert made.data["under_way"] == [ISSUE]
            before = set(relay.counts)
            # The sending goes on after the backup; then the machine dies.
            relay.pause_s = 0.01
            relay.go.set()
            relay.wait_for(len(before) + CONNECTIONS + 8)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        after = set(relay.counts) - before
        assert readers - set(relay.counts), "the test wants a sending cut short"

        restored = tmp_path / "restored"
        said = mailer("restore", made.data["path"], restored)
        assert said.code == 0
        assert f"Issue {ISSUE} is paused" in said.out
        assert "Put back what the backup leaves out: .env" in said.out
        shutil.copy(publication / ".env", restored / ".env")
        again = driver(restored)
        refused = again("send", ISSUE, "--yes")
        assert refused.code == 5
        assert "restored from a backup of" in refused.err
        if is_told:
            log = tmp_path / "from-the-log.txt"
            log.write_text("# status=sent\n" + "\n".join(relay.counts) + "\n")
            assert again("ledger", ISSUE, "--accepted", log).code == 0
        assert again("issue", "resume", ISSUE).code == 0
        assert again("send", ISSUE, "--yes").code == 0
        counts = relay.counts
    assert set(counts) == readers
    twice = {address for address, count in counts.items() if count > 1}
    assert max(counts.values()) <= 2
    if is_told:
        assert twice == set()
    else:
        # Whoever was accepted before the backup's instant is known to it, in the ledger or in the
        # journal; only a message a connection was on the wire then.
        assert twice <= after
        assert twice & after
    totals = again("ledger", ISSUE, "--json").data["totals"]
    assert totals == {DeliveryState.ACCEPTED: len(readers)}


def test_a_backup_has_everything_but_secrets_and_what_can_be_had_again(
    mailer: Mailer, publication: Path, backups: Path
) -> None:
    (publication / ".git").mkdir()
    (publication / ".git" / "config").write_text("x")
    assert mailer("preview", ISSUE).code == 0
    assert mailer("issue", "approve", ISSUE).code == 0
    made = mailer("backup", backups / "it.tar", "--json").data
    assert made["under_way"] == []
    with tarfile.open(made["path"]) as tar:
        names = set(tar.getnames())
    assert {"database.sqlite", "manifest.json", "publication/publication.toml"} <= names
    assert any(name.startswith("publication/var/images/") for name in names)
    assert f"publication/issues/{ISSUE}.md" in names
    unwanted = ("/.env", "/.git/", "mailer.db", ".lock", "/var/preview")
    assert not [name for name in names if any(part in name for part in unwanted)]
    assert made["left_out"] == [".env"]
    assert Path(made["path"]).stat().st_mode & 0o777 == 0o600
    whole = mailer("backup", backups / "all.tar", "--with-secrets", "--json").data
    with tarfile.open(whole["path"]) as tar:
        assert "publication/.env" in tar.getnames()


def test_what_is_restored_is_what_was_backed_up(
    mailer: Mailer, publication: Path, backups: Path, tmp_path: Path
) -> None:
    copy = backups / "all.tar.gz"
    assert mailer("backup", copy, "--with-secrets").code == 0
    assert mailer("restore", copy, "--check").code == 0
    restored = tmp_path / "restored"
    assert mailer("restore", copy, restored, "--json").data["held"] == []
    for name in ("publication.toml", f"issues/{ISSUE}.md", ".env"):
        assert (restored / name).read_bytes() == (publication / name).read_bytes()
    again = driver(restored)
    assert again("subscribers", "list", "--region", "wales", "--json").data == (
        mailer("subscribers", "list", "--region", "wales", "--json").data
    )
    assert not list(restored.glob(".restoring*"))


def test_only_so_many_are_kept(
    mailer: Mailer, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (backups / "other-20200101T000000Z.backup.tar.gz").write_text("not of this publication")
    for day in (27, 28, 29):
        monkeypatch.setenv("MAILER_FIXED_NOW", f"2026-11-{day}T03:30:00+00:00")
        assert mailer("backup", backups, "--keep", "2").code == 0
    assert [path.name[-30:-15] for path in sorted(backups.glob("lantern-*"))] == [
        "20261128T033000",
        "20261129T033000",
    ]
    assert len(list(backups.iterdir())) == 3


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda data: data[: len(data) // 2], "cannot be read to its end"),
        (lambda data: data[:-10240], "no manifest"),
        (lambda data: data.replace(b"title = ", b"titel = ", 1), "differs from what was written"),
        (lambda data: b"hello\n" * 100, "it is no backup"),
    ],
    ids=["cut", "no manifest", "changed", "no backup"],
)
def test_a_damaged_backup_is_refused_before_anything_is_written(
    mailer: Mailer,
    backups: Path,
    tmp_path: Path,
    damage: Callable[[bytes], bytes],
    problem: str,
) -> None:
    copy = backups / "it.tar"
    assert mailer("backup", copy).code == 0
    data = copy.read_bytes()
    if problem == "no manifest":
        with tarfile.open(copy) as tar:
            data = data[: tar.getmember("manifest.json").offset]
    else:
        data = damage(data)
    copy.write_bytes(data)
    said = mailer("restore", copy, tmp_path / "restored")
    assert said.code == 1
    assert problem in said.err
    assert not (tmp_path / "restored").exists()


def test_a_compressed_backup_that_rotted_anywhere_is_refused_in_one_line(
    mailer: Mailer, backups: Path
) -> None:
    copy = backups / "it.tar.gz"
    assert mailer("backup", copy).code == 0
    data = copy.read_bytes()
    for at in (*range(10, len(data), len(data) // 12), *range(len(data) - 40, len(data), 3)):
        copy.write_bytes(data[:at] + b"\xff" * 20 + data[at + 20 :])
        said = mailer("restore", copy, "--check")
        assert said.code == 1
        assert len(said.error_lines) == 1
    said = mailer("restore", backups, "--check")
    assert said.code == 1
    assert "is a folder" in said.err


def test_a_restore_moves_aside_what_was_there_and_keeps_its_secrets(
    mailer: Mailer, publication: Path, backups: Path
) -> None:
    copy = backups / "it.tar.gz"
    assert mailer("backup", copy).code == 0
    (publication / "note.txt").write_text("mine")
    assert mailer("restore", copy, publication).code == 5
    said = mailer("restore", copy, publication, "--force", "--json").data
    assert (Path(said["aside"]) / "note.txt").read_text() == "mine"
    assert said["kept"] == [".env"]
    assert said["missing"] == []
    assert not (publication / "note.txt").exists()
    assert mailer("issue", "list").code == 0


def test_nothing_is_taken_from_under_a_running_service(
    mailer: Mailer, publication: Path, backups: Path
) -> None:
    copy = backups / "it.tar.gz"
    assert mailer("backup", copy).code == 0
    with open_app(publication) as app, app.database.shared("live"):
        said = mailer("restore", copy, publication, "--force")
    assert said.code == 5
    assert "systemctl stop mailer" in said.err
    assert (publication / "publication.toml").is_file()


def test_addresses_are_taken_in_only_while_the_issue_is_paused(
    mailer: Mailer, drafted: Path, tmp_path: Path
) -> None:
    assert mailer("issue", "approve", "next").code == 0
    listed = tmp_path / "log.txt"
    listed.write_text("nobody@elsewhere.example\nnot an address\n")
    refused = mailer("ledger", "--accepted", listed)
    assert refused.code == 2
    assert "needs the issue's date" in refused.err
    said = mailer("ledger", ISSUE, "--accepted", listed)
    assert said.code == 1
    assert f"{listed}:2" in said.err
    listed.write_text("nobody@elsewhere.example\n")
    assert mailer("ledger", ISSUE, "--accepted", listed).code == 5
    assert mailer("issue", "pause", ISSUE).code == 0
    said = mailer("ledger", ISSUE, "--accepted", listed, "--json")
    assert said.data == {
        "issue": ISSUE,
        "listed": 1,
        "accepted": 0,
        "unknown": ["nobody@elsewhere.example"],
    }
    assert mailer("issue", "show", ISSUE, "--json").data["state"] == "sending"


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_newer(tmp_path, monkeypatch)


def test_an_old_database_is_upgraded_by_a_command_alone_and_a_copy_is_kept(
    mailer: Mailer, publication: Path, backups: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert mailer("backup", backups / "old.tar.gz").code == 0
    importlib.import_module("mailer.operating.upgrading")  # It must be newer as well.

    request.getfixturevalue("newer")
    refused = mailer("issue", "list")
    assert refused.code == 7
    assert "mailer upgrade" in refused.err
    said = mailer("upgrade", "--dry-run", "--json").data
    assert (said["was"], said["is_done"]) == ("0001", False)
    with databases.reach_database("", root=publication).shared("live"):
        assert mailer("upgrade").code == 5
    done = mailer("upgrade", "--json").data
    assert (done["was"], done["is"]) == ("0001", "0002")
    copy = databases.reach_database(f"sqlite:///{done['copy']}", root=publication)
    assert copy.revision() == "0001"
    copy.close()
    assert mailer("issue", "list").code == 0
    assert mailer("upgrade", "--json").data["is_done"] is False
    # A backup of the old program is brought up to date as well.
    assert mailer("restore", backups / "old.tar.gz", tmp_path / "restored").code == 0
    open_database("", root=tmp_path / "restored").close()
