"""What our renderer makes of the templates looks, to the pixel, like the official MJML's."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageChops

from mailer.editions import rendering
from tests.golden.drawing import SETS, draw
from tests.golden.programs import mjml_program

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTHS = (375, 600, 1024)
COMPARED = (*SETS, "arabic")


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a set's HTML by our renderer and by the official one."""
    program = mjml_program()
    ours = rendering.to_html

    def make(name: str) -> tuple[Path, Path]:
        sources: list[str] = []

        def kept(source: str, *, where: str) -> str:
            sources.append(source)
            return ours(source, where=where)

        monkeypatch.setattr(rendering, "to_html", kept)
        draw(name)
        done = subprocess.run(
            program, input=sources[0], capture_output=True, text=True, encoding="utf-8", check=False
        )
        # It validates as well: an attribute it does not know is a mistake in a template.
        assert (done.returncode, done.stderr) == (0, "")
        paths = tmp_path / "ours.html", tmp_path / "official.html"
        paths[0].write_text(ours(sources[0], where=name), encoding="utf-8")
        paths[1].write_text(done.stdout, encoding="utf-8")
        return paths

    return make


@pytest.mark.parametrize("name", COMPARED)
def test_a_set_looks_the_same_by_the_official_renderer(
    chromium: Browser, both: Any, name: str
) -> None:
    pages = []
    context = chromium.new_context()
    for path in both(name):
        page = context.new_page()
        page.route("http*://**", lambda route: route.abort())
        page.goto(path.as_uri())
        pages.append(page)
    different = []
    for width in WIDTHS:
        shots = []
        for page in pages:
            page.set_viewport_size({"width": width, "height": 900})
            shots.append(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB"))
        ours, official = shots
        if ours.size != official.size or ImageChops.difference(ours, official).getbbox():
            different.append((width, ours.size, official.size))
    context.close()
    # Nothing looks otherwise. What ever does, and rightly so, is to be listed here.
    assert different == []
