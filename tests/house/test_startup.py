"""The command line starts fast because it imports nothing heavy before a command runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = {
    "PIL",
    "aiosmtpd",
    "alembic",
    "apscheduler",
    "cryptography",
    "jinja2",
    "lxml",
    "markdown_it",
    "mjml",
    "nh3",
    "pydantic",
    "rapidfuzz",
    "sqlalchemy",
    "starlette",
    "structlog",
    "uvicorn",
    "yaml",
}
"""Each costs tens or hundreds of milliseconds to import."""


def run(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_the_commands_import_nothing_heavy() -> None:
    program = "import sys, mailer.__main__, mailer.cli.commands; print(*sys.modules)"
    assert {name.partition(".")[0] for name in run("-c", program).split()} & HEAVY == set()


def test_who_has_sqlite_does_not_read_the_other_database(tmp_path: Path) -> None:
    """SQLAlchemy's dialect for PostgreSQL brings every driver it knows."""
    program = (
        "import sys, mailer.__main__, mailer.cli.commands as c\n"
        "for words in ('issue draft', 'subscribers imports', 'status', 'schedule'):\n"
        "    c.app(['-C', sys.argv[1], *words.split()], standalone_mode=False)\n"
        "print(*sys.modules)"
    )
    run("-m", "mailer", "init", str(tmp_path / "news"))
    # Only the first command makes the tables, and what makes them knows every database.
    run("-m", "mailer", "-C", str(tmp_path / "news"), "issue", "list")
    modules = run("-c", program, str(tmp_path / "news")).split()
    assert "sqlalchemy.dialects.sqlite" in modules
    assert "sqlalchemy.dialects.postgresql" not in modules
