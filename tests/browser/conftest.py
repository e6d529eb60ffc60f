"""A real Chromium without a network, or a visible skip that says how to get one."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mailer.editions.images import prepare_images
from mailer.editions.preview import write_preview
from mailer.publication import Publication
from tests.browser.sampling import FIELDS, WEB_URL, draw_picture, make_articles, render

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium for a file of tests: while Playwright is open its event loop counts as running in
    this thread, where other tests run loops of their own."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("Chromium is missing: apt-get install chromium-headless-shell")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is missing: pip install playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        )
        yield browser
        browser.close()


OpenPage = Callable[..., "Page"]


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """Open a file at a width and in a scheme; whatever asks for the network fails the test."""
    asked: list[str] = []
    with ExitStack() as stack:

        def open_(path: Path, *, width: int = 600, scheme: str = "light") -> Page:
            context = chromium.new_context(
                viewport={"width": width, "height": 900},
                color_scheme=scheme,  # type: ignore[arg-type]
                java_script_enabled=True,
            )
            stack.callback(context.close)

            def gate(route: Any) -> None:
                if route.request.url.startswith("file:"):
                    route.continue_()
                else:
                    asked.append(route.request.url)
                    route.abort()

            context.route("**/*", gate)
            page = context.new_page()
            page.goto(path.as_uri())
            return page

        yield open_
    assert asked == []


@pytest.fixture
def write_edition(tmp_path: Path) -> Callable[..., Path]:
    """Render a sample edition to a file with its pictures beside it."""

    def write(publication: Publication | None = None, **given: Any) -> Path:
        for name in ("quay", "pier"):
            draw_picture(tmp_path / "images" / f"{name}.png")
        articles = given.pop("articles", None) or make_articles()
        folder = tmp_path / "var" / "images"
        prepared = prepare_images(tmp_path, articles.values(), folder)
        edition = render(
            publication=publication, articles=articles, images=prepared.pictures, **given
        )
        files = write_preview(
            edition, tmp_path / "out", fields=FIELDS, images=folder, web_url=WEB_URL
        )
        return files["html"]

    return write
