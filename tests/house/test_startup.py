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
