"""A publication in a folder, the command line in this process, and an inbox on a free port."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailer.app import make_publication
from mailer.cli.commands import app
from mailer.cli.demonstration import edited
from mailer.clock import SystemClock
from mailer.inbox.server import InboxServer
from mailer.inbox.store import Store
from tests.cli.driving import FRIDAY, ISSUE, Mailer, Said


def driver(publication: Path) -> Mailer:
    """Return a function that types a command in that publication."""
    runner = CliRunner()

    def run(*args: str | Path, folder: Path | None = publication) -> Said:
        words = [str(arg) for arg in args]
        if folder is not None:
            words = ["--publication", str(folder), *words]
        result = runner.invoke(app, words, prog_name="mailer")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

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
