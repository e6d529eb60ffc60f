"""The units and the container file: they parse, and name only what the program has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

from mailer.cli.commands import app
from mailer.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not here: run `apt-get install systemd`")
    for unit in UNITS:
        text = unit.read_text().replace("/opt/mailer/bin/mailer", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
    )
    # It may complain of units of the machine it runs on; ours must not be named.
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert ours == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_service_is_confined(unit: Path) -> None:
    text = unit.read_text()
    if unit.suffix == ".timer":
        assert "[Timer]" in text
        return
    for word in ("User=mailer", "NoNewPrivileges=true", "ProtectSystem=strict", "UMask=0077"):
        assert word in text


def test_what_is_started_is_a_command_with_options_it_has() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    started = [
        line.split("/opt/mailer/bin/mailer", 1)[1].split()
        for unit in UNITS
        for line in unit.read_text().splitlines()
        if line.startswith("ExecStart=")
    ]
    assert len(started) == 4
    for words in started:
        assert words[:2] == ["--publication", "/srv/lantern"]
        command = commands[words[2]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words[3:] if word.startswith("--")} <= known


def test_only_known_settings_are_set() -> None:
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {"MAILER_PUBLICATION"}
    for path in (*UNITS, DEPLOY / "Containerfile"):
        assert set(re.findall(r"\bMAILER_[A-Z_]+", path.read_text())) <= known, path.name


def test_the_container_runs_as_nobody_in_particular_and_copies_what_there_is() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    last = text.rpartition("FROM ")[2]
    assert "USER mailer" in last
    assert "VOLUME /publication" in last
    for words in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for name in words.split()[:-1]:
            assert (ROOT / name).exists(), name
    assert "--require-hashes" in text
