"""An edition as a browser lays it out; ``test_edition_sets`` has the whole matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailer.editions.colours import contrast, palettes
from mailer.policies import Theme
from tests.browser.measuring import OVERFLOW, TEXTS
from tests.browser.sampling import make_articles, make_issue, make_publication


def assert_no_overflow(page: Any) -> None:
    excess, elements = page.evaluate(OVERFLOW)
    assert excess <= 0, elements
    assert elements == []


def test_arabic_runs_from_right_to_left(
    open_page: Callable[..., Any], write_edition: Callable[..., Path]
) -> None:
    page = open_page(write_edition(make_publication(language="ar")), width=320)
    assert_no_overflow(page)
    assert page.evaluate("getComputedStyle(document.querySelector('h3')).direction") == "rtl"


def test_words_that_have_no_breaks(
    open_page: Callable[..., Any], write_edition: Callable[..., Path]
) -> None:
    articles = make_articles()
    long = "Donau" + "dampfschifffahrts" * 8
    for name in ("ferry", "pier", "light"):
        articles[name] = replace(articles[name], title=long, standfirst=long, authors=(long,))
    page = open_page(write_edition(articles=articles), width=320)
    assert_no_overflow(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read_in_both_schemes(
    open_page: Callable[..., Any], write_edition: Callable[..., Path], scheme: str
) -> None:
    texts = open_page(write_edition(), scheme=scheme).evaluate(TEXTS)
    assert len(texts) > 50
    weak = [item for item in texts if contrast(item[1], item[2]) < 4.5]
    assert weak == []
    light, dark = palettes(Theme())
    grounds = {ground for _, _, ground, _ in texts}
    palette = dark if scheme == "dark" else light
    assert grounds == {palette.ground, palette.paper, palette.tint, palette.accent}


def test_outlooks_own_dark_scheme_gets_the_same_colours(
    open_page: Callable[..., Any], write_edition: Callable[..., Path]
) -> None:
    path = write_edition()
    wanted = open_page(path, scheme="dark").evaluate(TEXTS)
    page = open_page(path)
    page.evaluate(
        "['data-ogsc', 'data-ogsb'].forEach(a => document.documentElement.setAttribute(a, ''))"
    )
    assert page.evaluate(TEXTS) == wanted


def test_the_schemes_look_different(
    open_page: Callable[..., Any], write_edition: Callable[..., Path]
) -> None:
    path = write_edition()
    assert (
        open_page(path, scheme="light").screenshot() != open_page(path, scheme="dark").screenshot()
    )


def test_type_is_large_enough(
    open_page: Callable[..., Any], write_edition: Callable[..., Path]
) -> None:
    page = open_page(write_edition(), width=375)
    assert min(size for _, _, _, size in page.evaluate(TEXTS)) >= 14
    body = page.evaluate(
        "[...document.querySelectorAll('.i p:not(.k):not(.n), .i li')]"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(body) >= 16
    ratio = page.evaluate(
        "[...document.querySelectorAll('.i p:not(.k):not(.n)')].map(e => {"
        "const s = getComputedStyle(e); return parseFloat(s.lineHeight) / parseFloat(s.fontSize)})"
    )
    assert min(ratio) >= 1.5


def test_a_thumbnail_stands_beside_its_story_and_above_it_on_a_phone(
    open_page: Callable[..., Any], write_edition: Callable[..., Path]
) -> None:
    path = write_edition()
    script = """() => {
      const image = document.querySelectorAll('img')[1].getBoundingClientRect();
      const words = document.querySelector('h3').getBoundingClientRect();
      return [image.left, image.right, image.top, image.bottom, words.left, words.top];
    }"""
    left, right, top, bottom, words_left, words_top = open_page(path, width=1024).evaluate(script)
    assert words_left > right
    assert abs(words_top - top) < 60
    left, right, top, bottom, words_left, words_top = open_page(path, width=375).evaluate(script)
    assert words_top > bottom
    assert right - left > 300


def test_the_lead_picture_fills_the_sheet(
    open_page: Callable[..., Any], write_edition: Callable[..., Path]
) -> None:
    path = write_edition()
    script = "document.querySelector('img').getBoundingClientRect().width"
    assert open_page(path, width=1024).evaluate(script) == 640
    assert open_page(path, width=375).evaluate(script) == 375


def test_a_bare_edition_still_stands(
    open_page: Callable[..., Any], write_edition: Callable[..., Path]
) -> None:
    issue = make_issue(sections={}, regions={}, diary=(), quote="", opening="")
    assert_no_overflow(open_page(write_edition(issue=issue, region="national"), width=320))
