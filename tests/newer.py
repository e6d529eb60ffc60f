"""This program, one migration further."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from mailer.storage import migrating

NEWER = "0002"
TABLE = "op.create_table('more', sa.Column('id', sa.Integer))"


def make_newer(folder: Path, patch: pytest.MonkeyPatch, *, also: str = "pass") -> None:
    """Give the program a further migration, in a copy of the folder of its own.

    Args:
        folder: where the copy may be made.
        patch: undone, the program is the old one again.
        also: a statement the migration runs at its end.
    """
    copy = folder / "migrations"
    shutil.copytree(Path(migrating.__file__).parent / "migrations", copy)
    (copy / "versions" / "0002_more.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision = '{NEWER}'\ndown_revision = '0001'\n"
        f"def upgrade():\n    {TABLE}\n    {also}\n"
    )
    as_before = migrating.configuration

    def configuration() -> object:
        config = as_before()
        config.set_main_option("script_location", str(copy))
        return config

    patch.setattr(migrating, "configuration", configuration)
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("mailer.") and hasattr(module, "HEAD"):
            patch.setattr(module, "HEAD", NEWER)
