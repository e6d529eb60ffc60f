"""Where the files that ship with the program are: templates, samples, rosters.

In a checkout they are the repository's top-level folders; in an installed wheel the build puts
them under ``mailer/data``.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def _folder(name: str) -> Path:
    installed = _PACKAGE / "data" / name
    return installed if installed.exists() else _PACKAGE.parent / name


def templates_dir() -> Path:
    """Return the folder of the shipped template sets."""
    return _folder("templates")


def samples_dir() -> Path:
    """Return the folder of the sample publication."""
    return _folder("samples")


def subscribers_dir() -> Path:
    """Return the folder of the sample regions and rosters."""
    return _folder("subscribers")


def env_example() -> Path:
    """Return the documented list of settings."""
    installed = _PACKAGE / "data" / "env.example"
    return installed if installed.exists() else _PACKAGE.parent / ".env.example"
