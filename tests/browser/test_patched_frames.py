"""The light table changes the frames that stand: they end as if they had been opened so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mailer.editions.edition import Edition
from mailer.lighttable.lightpage import make_page
from mailer.lighttable.sample_readers import SAMPLE_READERS
from tests.browser.conftest import OpenPage
from tests.browser.sampling import FIELDS, make_publication, render
from tests.unit.test_sheets import LOOKED, lay

if TYPE_CHECKING:
    from playwright.sync_api import Page

READY = """() => {
  const frames = [...document.querySelectorAll(".screen iframe")];
  return frames.length && frames.every((one) => one.isDrawn && !one.className);
}"""
HTML = "() => document.querySelector('.screen iframe').contentDocument.documentElement.outerHTML"
SAME = """(html) => {
  const mail = document.querySelector(".screen iframe").contentDocument;
  const fresh = new DOMParser().parseFromString(html, "text/html");
  return mail.documentElement.isEqualNode(fresh.documentElement);
}"""
MARK = "() => { document.querySelector('.screen iframe').isMarked = true; }"
IS_MARKED = "() => document.querySelector('.screen iframe').isMarked === true"


def table(folder: Path, editions: dict[str, Edition]) -> Path:
    publication = make_publication()
    fields = {
        reader.id: FIELDS | {"name": reader.name, "greeting": f"Dear {reader.name or 'reader'},"}
        for reader in SAMPLE_READERS
    }
    sheets = [
        lay(edition, region=publication.region(slug), fields=fields)
        for slug, edition in editions.items()
    ]
    path = folder / "index.html"
    path.write_text(make_page(LOOKED, sheets, images=folder), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    editions = {slug: render(region=slug) for slug in ("national", "wales", "cardiff")}
    return table(tmp_path_factory.mktemp("table"), editions)


def shown(open_page: OpenPage, path: Path, chosen: str = "") -> Page:
    page = open_page(path.with_name(path.name), width=1400)
    if chosen:
        page.goto(f"{path.as_uri()}#{chosen}")
        page.reload()
    page.wait_for_selector("body[data-drawn]")
    page.wait_for_function(READY)
    return page


def choose(page: Any, name: str, value: str) -> None:
    before = int(page.locator("body").get_attribute("data-drawn"))
    page.evaluate(
        """([name, value]) => {
          const radio = document.querySelector(`input[name=${name}][value=${value}]`);
          radio.checked = true;
          radio.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        [name, value],
    )
    page.wait_for_selector(f'body[data-drawn="{before + 1}"]')
    page.wait_for_function(READY)


def test_whatever_was_shown_before_the_frame_ends_the_same(
    open_page: OpenPage, page_file: Path
) -> None:
    wanted = {}
    ways = {
        "wales/named/mail/desktop/light": ("region", "wales"),
        "wales/longest/mail/desktop/light": ("reader", "longest"),
        "wales/longest/mail/desktop/dark": ("guise", "dark"),
        "wales/longest/mail/desktop/bare": ("guise", "bare"),
        "wales/longest/mail/desktop/outlook": ("guise", "outlook"),
        "cardiff/longest/mail/desktop/outlook": ("region", "cardiff"),
        "cardiff/nameless/mail/desktop/outlook": ("reader", "nameless"),
        "cardiff/nameless/mail/desktop/light": ("guise", "light"),
        "national/nameless/mail/desktop/light": ("region", "national"),
    }
    for way in ways:
        wanted[way] = shown(open_page, page_file, way).evaluate(HTML)
    assert len(set(wanted.values())) == len(ways)
    page = shown(open_page, page_file, "national/named/mail/desktop/light")
    page.evaluate(MARK)
    for way, choice in ways.items():
        choose(page, *choice)
        assert page.evaluate(SAME, wanted[way]), way
        assert page.evaluate(IS_MARKED), way


def test_a_hostile_edition_runs_and_loads_nothing_when_it_comes_into_a_frame_that_stands(
    open_page: OpenPage, tmp_path: Path
) -> None:
    html = (
        "<!doctype html><html onclick=\"top.ran='html'\"><head><title>x</title>"
        '<meta http-equiv="refresh" content="0;url=https://evil.example/">'
        "<style>body{background:url(https://evil.example/a.png)}</style></head>"
        "<body onload=\"top.ran='body'\"><script>top.ran='script'</script>"
        '<img src="https://evil.example/b.png" onerror="top.ran=\'image\'">'
        '<img src="data:,x" onerror="top.ran=\'data\'">'
        '<svg onload="top.ran=\'svg\'"></svg><iframe srcdoc="<script>top.ran=1</script>"></iframe>'
        '<iframe src="https://evil.example/"></iframe><p>It has come</p></body></html>'
    )
    plain = "<!doctype html><html><head><title>y</title></head><body><p>Peace</p></body></html>"
    edition = render()
    path = table(
        tmp_path,
        {"national": replace(edition, html=(plain,)), "wales": replace(edition, html=(html,))},
    )
    page = shown(open_page, path)
    page.evaluate(MARK)
    choose(page, "region", "wales")
    page.wait_for_timeout(100)
    mail = page.locator(".screen iframe").first.element_handle().content_frame()
    assert "It has come" in mail.locator("body").inner_text()
    assert page.evaluate(IS_MARKED)
    mail.locator("p").click()
    page.wait_for_timeout(50)
    assert page.evaluate("() => window.ran") is None
    assert page.url.startswith("file:")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>a</p><p>c</p>", "<p>a</p><p>b</p><p>c</p>"),
        ("<p>a</p><p>b</p><p>c</p>", "<p>a</p><p>c</p>"),
        ("<p>b</p>", "<p>a</p><p>b</p>"),
        ("<p>a</p>", "<p>a</p><p>b</p>"),
        ("<p>a</p>", ""),
        ("", "words"),
        ("<p>a</p><p>a</p>", "<p>a</p>"),
        ("<p>a</p>", "<p>a</p><p>a</p><p>a</p>"),
        ("<p>a</p>tail", "<h2>a</h2>tail"),
        ('<p class="x" id="y">a</p>', '<p id="z" dir="rtl">a</p>'),
        ("<div><p>a <b>b</b></p><!-- c --></div>", "<div><p>a <b>d</b></p><!-- e --></div>"),
        ("<p>a</p><!-- b -->", "<!-- b --><p>a</p>"),
        ("<table><tr><td>1</td></tr></table>", "<table><tr><td>1</td><td>2</td></tr></table>"),
        ("<p>a</p>", '<p style="x""align="center">b</p>'),
        ("<style>p{color:red}</style><p>a</p>", "<style>p{color:blue}</style><p>a</p>"),
    ],
)
def test_every_kind_of_change(open_page: OpenPage, tmp_path: Path, before: str, after: str) -> None:
    edition = render()
    frame = "<!doctype html><html><head><title>{}</title></head><body>{}</body></html>"
    path = table(
        tmp_path,
        {
            "national": replace(edition, html=(frame.format("one", before),)),
            "wales": replace(edition, html=(frame.format("two", after),)),
        },
    )
    wanted = shown(open_page, path, "wales").evaluate(HTML)
    page = shown(open_page, path)
    page.evaluate(MARK)
    choose(page, "region", "wales")
    assert page.evaluate(SAME, wanted)
    assert page.evaluate(IS_MARKED)
