"""A publication in a folder, the command line in this process, and an inbox on a free port."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from mailer.app import make_publication
from mailer.cli.commands import app
from mailer.cli.demonstration import edited
from mailer.clock import SystemClock
from mailer.inbox.server import InboxServer
from mailer.inbox.store import Store
from tests.cli.driving import FRIDAY, ISSUE, Mailer, Said


@cache
def _command() -> Any:
    """Return the command tree, which is built once: to build it costs more than most commands."""
    return get_command(app)


def driver(publication: Path) -> Mailer:
    """Return a function that types a command in that publication."""
    runner = CliRunner()

    def run(*args: str | Path, folder: Path | None = publication) -> Said:
        words = [str(arg) for arg in args]
        if folder is not None:
            words = ["--publication", str(folder), *words]
        with runner.isolation() as (out, err, _both):
            try:
                _command().main(words, prog_name="mailer")
            except SystemExit as end:
                code = end.code
            sys.stdout.flush()
            sys.stderr.flush()
            said = (stream.getvalue().decode("utf-8", "replace") for stream in (out, err))
            assert isinstance(code, int)
            return Said(code, *said)

    return run


@pytest.fixture(scope="session")
def ready_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication whose issue is drafted and edited, made once and copied for each test."""
    root = tmp_path_factory.mktemp("ready") / "lantern"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_FIXED_NOW", FRIDAY)
        make_publication(root)
        mailer = driver(root)
        for words in (
            ("subscribers", "import", "--all", "--basis", "consent"),
            ("ingest",),
            ("issue", "draft"),
        ):
            said = mailer(*words)
            assert said.code == 0, said.err
        path = root / "issues" / f"{ISSUE}.md"
        path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
        # Rendering once leaves the prepared pictures, which every test would make again.
        assert mailer("issue", "check", ISSUE).code == 0
    return root


@pytest.fixture(scope="session")
def ready_approved(tmp_path_factory: pytest.TempPathFactory, ready_made: Path) -> Path:
    """The same, its issue approved."""
    root = tmp_path_factory.mktemp("approved") / "lantern"
    shutil.copytree(ready_made, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_FIXED_NOW", FRIDAY)
        said = driver(root)("issue", "approve", ISSUE)
        assert said.code == 0, said.err
    return root


@pytest.fixture(scope="session")
def ready_sent(tmp_path_factory: pytest.TempPathFactory, ready_approved: Path) -> Path:
    """The same, its issue in every reader's inbox."""
    root = tmp_path_factory.mktemp("sent") / "lantern"
    shutil.copytree(ready_approved, root)
    with (
        pytest.MonkeyPatch.context() as patch,
        InboxServer(Store(root / "var" / "inbox", SystemClock())) as server,
    ):
        patch.setenv("MAILER_FIXED_NOW", FRIDAY)
        patch.setenv("MAILER_RELAY_PORT", str(server.port))
        said = driver(root)("send", ISSUE, "--yes")
        assert said.code == 0, said.err
    return root


@pytest.fixture
def friday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_FIXED_NOW", FRIDAY)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def publication(friday: None, tmp_path: Path, ready_made: Path) -> Path:
    root = tmp_path / "lantern"
    shutil.copytree(ready_made, root)
    return root


@pytest.fixture
def drafted(publication: Path) -> Path:
    """The issue's file, drafted from the samples and edited."""
    return publication / "issues" / f"{ISSUE}.md"


@pytest.fixture
def mailer(publication: Path) -> Mailer:
    return driver(publication)


@pytest.fixture
def fresh(friday: None, tmp_path: Path) -> Path:
    """A publication as `mailer init` leaves it."""
    root = tmp_path / "fresh"
    make_publication(root)
    return root


@pytest.fixture
def inbox(publication: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    store = Store(publication / "var" / "inbox", SystemClock())
    with InboxServer(store) as server:
        monkeypatch.setenv("MAILER_RELAY_PORT", str(server.port))
        yield store
