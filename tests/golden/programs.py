"""Programs that editions are checked by, or a visible skip that says how to get them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

NODE = Path(__file__).parents[1] / "node"


def node_program(package: str, script: str) -> list[str]:
    """Return the command that runs a script of an npm package."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is missing: apt-get install nodejs npm")
    path = NODE / "node_modules" / package / script
    if not path.is_file():
        pytest.skip(f"{package} is missing: npm ci --prefix tests/node")
    return [node, str(path)]


def mjml_program() -> list[str]:
    """Return the command that renders MJML with the official implementation."""
    node, _ = node_program("mjml", "package.json")
    return [node, str(NODE / "mjml.mjs")]


def validator_program() -> list[str]:
    """Return the command that validates MJML with the official implementation."""
    node, _ = node_program("mjml", "package.json")
    return [node, str(NODE / "validate.mjs")]


def spamassassin() -> str:
    """Return SpamAssassin's path."""
    path = shutil.which("spamassassin")
    if path is None:
        pytest.skip("SpamAssassin is missing: apt-get install spamassassin")
    return path
