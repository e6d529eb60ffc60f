"""The light table in a real Chromium: choosing, by mouse and by keyboard, and what it may load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailer.lighttable.lightpage import make_page
from tests.browser.conftest import OpenPage
from tests.browser.sampling import make_publication, render
from tests.browser.searching import search
from tests.unit.test_sheets import LOOKED, lay

REGIONS = ("national", "wales", "cardiff")
PICTURES = Path(__file__).parents[2] / "test-output" / "preview"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    publication = make_publication()
    sheets = [lay(render(region=slug), region=publication.region(slug)) for slug in REGIONS]
    path = folder / "index.html"
    path.write_text(make_page(LOOKED, sheets, images=folder), encoding="utf-8")
    return path


def opened(open_page: OpenPage, path: Path, **given: Any) -> Any:
    page = open_page(path, **given)
    page.wait_for_selector("body[data-drawn]")
    return page


def drawn(page: Any, act: Any) -> None:
    """Do something and wait until the page has drawn what came of it."""
    before = int(page.locator("body").get_attribute("data-drawn"))
    act()
    page.wait_for_selector(f'body[data-drawn="{before + 1}"]')


def words(page: Any, at: int = 0) -> str:
    """Return what stands in a frame, the newest of its screen."""
    screen = page.locator(".screen").nth(at)
    screen.locator("iframe:not(.coming)").wait_for()
    page.wait_for_timeout(0)
    frame = screen.locator("iframe").last.element_handle().content_frame()
    frame.wait_for_load_state()
    return str(frame.locator("body").inner_text())


def choose(page: Any, label: str) -> None:
    drawn(page, page.locator("label", has_text=label).first.click)


def test_a_region_and_a_reader_are_chosen(open_page: OpenPage, page_file: Path) -> None:
    page = opened(open_page, page_file, width=1400)
    assert page.locator(".screen").count() == 2
    assert "Dear Ada" in words(page)
    assert "Bring boots." not in words(page)
    choose(page, "Wales")
    assert "Bring boots." in words(page)
    assert "Bring boots." in words(page, 1)
    assert page.locator("#subject").inner_text() == "A plan on the back of a ticket"
    page.reload()
    page.wait_for_selector("body[data-drawn]")
    assert "Bring boots." in words(page)


def test_every_view_has_something_to_show(open_page: OpenPage, page_file: Path) -> None:
    page = opened(open_page, page_file, width=1400)
    choose(page, "Text")
    assert "The ferry committee meets" in page.locator("#stage pre").inner_text()
    choose(page, "Links")
    assert page.locator("#stage tbody tr").count() > 5
    assert page.locator("#stage a[href='https://tidewater.example/pier']").count() >= 1
    choose(page, "Checks")
    assert "a <b> is odd" in page.locator("#stage").inner_text()
    choose(page, "Headers")
    assert "mailer doctor" in page.locator("#stage").inner_text()


def test_the_guises_differ(open_page: OpenPage, page_file: Path) -> None:
    page = opened(open_page, page_file, width=1400)

    def ground(at: int = 0) -> str:
        words(page, at)
        frame = page.locator(".screen").nth(at).locator("iframe").last.element_handle()
        colour = "getComputedStyle(document.body).backgroundColor"
        return str(frame.content_frame().evaluate(colour))

    light = ground()
    choose(page, "Light beside dark")
    assert ground(0) == light
    assert ground(1) != light
    choose(page, "Every region")
    assert page.locator(".grid .screen").count() == len(REGIONS)
    choose(page, "Desktop")
    choose(page, "Outlook")
    assert page.locator(".screen").count() == 1


def test_the_keyboard_does_it_all(open_page: OpenPage, page_file: Path) -> None:
    page = opened(open_page, page_file, width=1400)
    page.keyboard.press("Tab")
    assert page.locator(".skip").evaluate("e => e === document.activeElement")
    page.keyboard.press("Tab")
    drawn(page, lambda: page.keyboard.press("ArrowDown"))
    assert page.locator("input[name=region]:checked").get_attribute("value") == "wales"
    outline = "e => getComputedStyle(e.nextElementSibling).outlineStyle"
    assert page.locator("input[name=region]:checked").evaluate(outline) == "solid"
    drawn(page, lambda: page.keyboard.press("]"))
    assert page.locator("input[name=region]:checked").get_attribute("value") == "cardiff"
    drawn(page, lambda: page.keyboard.press("d"))
    assert page.locator("input[name=guise]:checked").get_attribute("value") == "dark"
    drawn(page, lambda: page.keyboard.press("2"))
    assert page.locator("#stage pre").count() == 1
    page.locator("details.keys summary").click()
    page.locator("#use-keys").uncheck()
    page.keyboard.press("1")
    assert page.locator("input[name=view]:checked").get_attribute("value") == "text"


@pytest.mark.parametrize("width", [375, 820, 1440])
def test_it_fits_and_axe_finds_nothing(open_page: OpenPage, page_file: Path, width: int) -> None:
    page = opened(open_page, page_file, width=width)
    PICTURES.mkdir(parents=True, exist_ok=True)
    excess = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    wrong = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        words(page)
        page.screenshot(path=PICTURES / f"table-{width}-{scheme}.png")
        # What stands in the frames is looked at elsewhere.
        found = (page.evaluate(excess), search(page, exclude=["iframe"]))
        if found != (0, []):
            wrong[scheme] = found
    assert wrong == {}


@pytest.mark.parametrize(("width", "desktop"), [(390, 700), (1200, 700), (1600, 860)])
def test_a_screen_is_drawn_at_its_own_width_however_little_room_there_is(
    open_page: OpenPage, page_file: Path, width: int, desktop: int
) -> None:
    page = opened(open_page, page_file, width=width)
    words(page)
    words(page, 1)
    drawn_at = "() => [...document.querySelectorAll('.screen iframe')].map(e => e.offsetWidth)"
    shown_at = """() => [...document.querySelectorAll('.screen')].map(e => {
      const inner = e.querySelector('iframe').getBoundingClientRect();
      return Math.round(Math.abs(inner.width - e.clientWidth) + Math.abs(inner.left
        - e.getBoundingClientRect().left - e.clientLeft));
    })"""
    phone, wide = page.evaluate(drawn_at)
    assert abs(phone - 375) <= 1
    assert abs(wide - desktop) <= 2
    assert max(page.evaluate(shown_at)) <= 1


def test_the_chosen_region_is_seen_in_the_list(open_page: OpenPage, page_file: Path) -> None:
    page = opened(open_page, page_file, width=390)
    page.add_style_tag(content="#regions .row { min-width: 300px; }")
    inside = """() => {
      const list = document.querySelector('#regions').getBoundingClientRect();
      const one = document.querySelector('input[value=cardiff]').closest('label');
      const box = one.getBoundingClientRect();
      return box.left >= list.left - 1 && box.right <= list.right + 1;
    }"""
    assert not page.evaluate(inside)
    choose = """() => {
      const radio = document.querySelector('input[value=cardiff]');
      radio.checked = true;
      radio.dispatchEvent(new Event('change', { bubbles: true }));
    }"""
    drawn(page, lambda: page.evaluate(choose))
    page.wait_for_function(inside)


def test_links_within_the_mail_stay_within_the_frame(open_page: OpenPage, tmp_path: Path) -> None:
    edition = render()
    html = (
        '<!doctype html><html><head></head><body><a href="#end">down</a>'
        '<p style="height:3000px">x</p><p id="end">the end</p></body></html>'
    )
    path = tmp_path / "index.html"
    sheet = lay(replace(edition, html=(html,)))
    path.write_text(make_page(LOOKED, [sheet], images=tmp_path), encoding="utf-8")
    page = opened(open_page, path, width=1400)
    assert "the end" in words(page)
    frame = page.locator(".screen iframe").first.element_handle().content_frame()
    frame.locator("a").click()
    page.wait_for_timeout(50)
    assert "the end" in frame.locator("body").inner_text()
    assert frame.evaluate("document.scrollingElement.scrollTop") > 1000
