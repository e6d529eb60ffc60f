"""``mailer preview --png``: pictures, or one line saying why not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from mailer.errors import Fault, RenderFailed
from mailer.lighttable import screenshots
from mailer.usecases import previewing
from tests.cli.driving import Mailer


def test_a_picture_of_each_guise_and_width(mailer: Mailer, drafted: Path, tmp_path: Path) -> None:
    if not any(shutil.which(name) for name in screenshots.PROGRAMS):
        pytest.skip("Chromium is missing: apt-get install chromium-headless-shell")
    said = mailer("preview", "next", "--png", "-r", "wales", "--out", tmp_path, "--json")
    assert said.code == 0, said.err
    files = [Path(name) for name in said.data["editions"]["wales"]["png"]]
    wanted = [(kind, scheme) for kind in ("desktop", "phone") for scheme in ("dark", "light")]
    assert sorted(path.name for path in files) == [f"wales-{k}-{s}.png" for k, s in wanted]
    for path in files:
        with Image.open(path) as image:
            assert image.width == screenshots.WIDTHS[path.stem.split("-")[1]]
            assert 2000 < image.height < screenshots.TALLEST
            assert (image.convert("L").getpixel((5, 5)) < 128) == path.stem.endswith("dark")


def test_without_a_chromium_there_is_one_line_and_no_file(
    mailer: Mailer, drafted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screenshots, "PROGRAMS", ("no-such-program",))
    said = mailer("preview", "next", "--png", "--out", tmp_path / "out")
    assert said.code == 3
    (line,) = said.error_lines
    assert "apt-get install chromium" in line
    assert not (tmp_path / "out").exists()


def test_a_chromium_that_fails_is_named(
    mailer: Mailer, drafted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "broken-chromium"
    program.write_text("#!/bin/sh\necho 'cannot open display' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(screenshots, "PROGRAMS", (str(program),))
    said = mailer("preview", "next", "--png", "-r", "wales", "--out", tmp_path / "out")
    assert said.code == 6
    (line,) = said.error_lines
    assert "cannot open display" in line


def test_after_a_failure_no_further_picture_is_begun(
    mailer: Mailer, drafted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def shoot(html: str, **_more: object) -> None:
        begun.append(html)
        raise RenderFailed(Fault("no picture"))

    monkeypatch.setattr(previewing, "shoot", shoot)
    monkeypatch.setattr(screenshots, "PROGRAMS", ("sh",))
    said = mailer("preview", "next", "--png", "--out", tmp_path / "out")
    assert said.code == 6
    # Fourteen regions have two pictures each; four at most are taken side by side.
    assert 1 <= len(begun) < 28


@pytest.mark.parametrize(
    "words",
    [
        ("--part", "text", "--watch"),
        ("--png", "--watch"),
        ("--part", "html", "--out", "x"),
        ("--part", "text", "--json"),
        ("--part", "text", "--open"),
    ],
)
def test_options_that_ask_for_different_things_are_refused(
    mailer: Mailer, drafted: Path, words: tuple[str, ...]
) -> None:
    said = mailer("preview", "next", *words)
    assert said.code == 2
    assert "different things" in said.err
