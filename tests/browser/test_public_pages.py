"""The public pages in a real Chromium: phone and desk, light and dark, without JavaScript.

A page is opened once and looked at in every size and scheme. Every page is searched by axe-core
and must have nothing to find; pictures of all of them are left in ``test-output/pages``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailer.app import open_app
from tests.browser.looking import SIZES, looks
from tests.browser.searching import search
from tests.web.process import Served, served
from tests.web.publishing import ISSUE, add_issue, publish

PICTURES = Path(__file__).parents[2] / "test-output" / "pages"
PAGES = {
    "home": "/",
    "home-german": "/?lang=de",
    "regions": "/archive",
    "archive": "/archive/wales",
    "archive-second-page": "/archive/wales?page=2",
    "archive-search": "/archive/wales?q=library",
    "archive-nothing-found": "/archive/wales?q=zeppelin",
    "archive-empty": "/archive/quiet",
    "privacy": "/privacy",
    "privacy-german": "/privacy?lang=de",
    "missing": "/nothing-here",
}

OVERFLOW = """() => [document.documentElement.scrollWidth - document.documentElement.clientWidth,
  [...document.querySelectorAll('body *:not(.skip)')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width > 1 && (box.right > document.documentElement.clientWidth + 1 || box.left < -1);
  }).slice(0, 3).map(e => e.outerHTML.slice(0, 120))]"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("pages")
    root = folder / "lantern"
    publish(root)
    with open_app(root) as app:
        for week in range(1, 25):
            day = f"2026-{1 + week // 4:02}-{1 + 7 * (week % 4):02}"
            add_issue(app, day, subject=f"Week {week}: the library van", text="At the library.\n")
    toml = root / "publication.toml"
    toml.write_text(toml.read_text().replace('  "wales",', '  "wales",\n  "quiet",', 1))
    quiet = 'name = "The Quiet Quarter"\nlist_id = "quiet.lantern.example"\n'
    (root / "subscribers" / "quiet.toml").write_text(f'{quiet}reply_to = "quiet@lantern.example"\n')
    with served(root, log=folder / "log") as running:
        yield running


Open = Callable[..., Any]


@pytest.fixture
def open_page(chromium: Any, site: Served) -> Iterator[Open]:
    """Open a page of the site; a request to anywhere else, a script or a cookie fails the test."""
    contexts: list[Any] = []
    foreign: list[str] = []

    def open_(path: str, *, width: int = 1280, scheme: str = "light", script: bool = False) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=script,
            locale="en-GB",
        )
        contexts.append(context)
        context.on(
            "request",
            lambda asked: foreign.append(asked.url) if not asked.url.startswith(site.url) else None,
        )
        page = context.new_page()
        page.goto(f"{site.url}{path}")
        return page

    yield open_
    cookies = [cookie for context in contexts for cookie in context.cookies()]
    for context in contexts:
        context.close()
    assert foreign == []
    assert cookies == []


@pytest.mark.parametrize("name", PAGES)
def test_it_fits_and_is_kept_as_a_picture(open_page: Open, name: str) -> None:
    page = open_page(PAGES[name])
    PICTURES.mkdir(parents=True, exist_ok=True)
    wrong = {}
    for size, scheme in looks(page):
        page.screenshot(path=PICTURES / f"{name}-{size}-{scheme}.png", full_page=True)
        excess, elements = page.evaluate(OVERFLOW)
        if excess > 0 or elements:
            wrong[size, scheme] = (excess, elements)
    assert wrong == {}


@pytest.mark.parametrize("name", [*PAGES, "issue"])
def test_axe_finds_nothing(open_page: Open, name: str) -> None:
    page = open_page(PAGES.get(name, f"/issues/{ISSUE}/wales"), script=True)
    found = {look: violations for look in looks(page) if (violations := search(page))}
    assert found == {}


@pytest.mark.parametrize("size", SIZES)
def test_an_issue_is_kept_as_a_picture(open_page: Open, size: str) -> None:
    page = open_page(f"/issues/{ISSUE}/wales", width=SIZES[size])
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"issue-{size}.png", full_page=True)
    broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)"
    assert page.evaluate("document.images.length") > 3
    assert page.evaluate(broken) == []


def test_the_keyboard_reaches_everything_and_shows_where_it_is(open_page: Open) -> None:
    page = open_page("/archive/wales")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    wanted = page.evaluate("document.querySelectorAll('main a, main input, main button').length")
    reached = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "[document.activeElement.closest('main') !== null,"
                " getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
    assert reached == [[True, "solid"]] * wanted


def test_a_reader_searches_turns_a_page_and_reads(open_page: Open) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Past issues: Wales").click()
    page.get_by_role("link", name="Older").click()
    assert "Page 2 of 2" in page.content()
    page.get_by_label("Search the issues").fill("LIBRARY van")
    page.keyboard.press("Enter")
    assert page.get_by_role("status").inner_text().startswith("25 issues have")
    page.get_by_role("link", name="Week 24: the library van").click()
    assert page.title() == "2026-07-01"


def test_a_language_that_was_asked_for_stays(open_page: Open) -> None:
    from playwright.sync_api import expect

    page = open_page("/privacy")
    page.get_by_role("link", name="Deutsch").click()
    expect(page.locator("html[lang=de]")).to_be_attached()
    page.get_by_role("link", name="Ältere Ausgaben").first.click()
    expect(page).to_have_url(re.compile(r"/archive\?lang=de$"))
    expect(page.locator("html[lang=de]")).to_be_attached()
    page.get_by_role("link", name="English").click()
    expect(page.locator("html[lang=en-GB]")).to_be_attached()
