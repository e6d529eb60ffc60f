"""What every test may use, and the rule that a skip fails where everything is required."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import structlog

from mailer.circles import look_seldom
from mailer.clock import FixedClock
from mailer.storage.database import Database, open_database

# A busy machine is no fault of the code under test; what is slow is measured in benchmarks/.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

MEMORY = Path("/dev/shm")
ROOMY_BYTES = 4 << 30


def _work_in_memory() -> None:
    """Put temporary files into memory where there is room.

    Hundreds of small databases that are synced to a disk make the suite wait for the disk. Nothing
    here cuts the power, so memory promises as much to these tests as a disk does.
    """
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    if shutil.disk_usage(MEMORY).free < ROOMY_BYTES:
        return
    # Servers that drop to a user of their own must be able to look into it.
    folder = MEMORY / f"mailer-tests-{os.getuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None


def _keep_what_is_compiled() -> None:
    """Keep bytecode, whatever the environment says.

    Two workers and a hundred processes that tests start would each compile every module anew.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


_work_in_memory()
_keep_what_is_compiled()
# A worker holds all tests and every module; to go through them again and again took a fifteenth of
# its time.
look_seldom()

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
"""The Friday before the sample Monday, 2026-11-30."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Start two workers a core.

    For about half of its time a worker waits: for a process that is to be killed, a server that
    keeps silent, a page that is drawn.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return 2 * len(os.sched_getaffinity(0))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("MAILER_TEST_REQUIRE") == "all":
        report.outcome = "failed"
        report.longrepr = f"skipped although MAILER_TEST_REQUIRE=all: {report.longrepr}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show what the fault tests counted; see the fixture ``counted`` there."""
    lines = [
        f"{report.nodeid.rpartition('::')[2]}: {value}"
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "counted" and report.when == "call"
    ]
    if lines:
        terminalreporter.section("what the faults came to")
        for line in sorted(lines):
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("MAILER_") and not name.startswith("MAILER_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _log_as_configured_by_nobody() -> Iterator[None]:
    """A command that logged to its own standard error must not leave that to the next test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def nowhere() -> Iterator[int]:
    """A port of the loopback where nothing listens and, as long as the test lasts, nothing can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with an empty SQLite database, made once and copied for each test."""
    root = tmp_path_factory.mktemp("migrated")
    open_database("", root=root).close()
    return root / "var"


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Iterator[Database]:
    shutil.copytree(migrated, tmp_path / "var")
    opened = open_database("", root=tmp_path)
    yield opened
    opened.close()
