"""The wheel that is built holds everything and works without the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = {
    "templates": "mailer/data/templates",
    "samples": "mailer/data/samples",
    "subscribers": "mailer/data/subscribers",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = folder.glob("*.whl")
    return built


def test_it_holds_every_shipped_file(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "mailer/data/env.example" in names
    assert "mailer/py.typed" in names
    assert any(name.endswith("/LICENSE") for name in names)
    listed = subprocess.run(
        ["git", "ls-files", "-z", *SHIPPED], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    tracked = [name for name in listed.split("\0") if name]
    assert {name.split("/")[0] for name in tracked} == set(SHIPPED)
    for name in tracked:
        top, _, rest = name.partition("/")
        assert f"{SHIPPED[top]}/{rest}" in names
    migrations = (ROOT / "mailer" / "storage" / "migrations").rglob("*.py")
    assert {str(path.relative_to(ROOT)) for path in migrations} <= names


def test_it_holds_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mailer"}


def test_a_publication_can_be_made_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MAILER_")
    } | {"PYTHONPATH": str(site)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mailer", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    where = subprocess.run(
        [sys.executable, "-c", "import mailer; print(mailer.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert where.stdout.strip() == str(site / "mailer" / "__init__.py"), where.stderr
    made = run("init", "lantern")
    assert made.returncode == 0, made.stdout + made.stderr
    assert (tmp_path / "lantern" / "publication.toml").is_file()
    listed = run("-C", "lantern", "regions", "--json")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert "north-yorkshire" in listed.stdout
