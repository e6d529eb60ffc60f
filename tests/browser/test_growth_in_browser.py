"""The picture of growth in a real Chromium: nothing overlaps, and it is readable in the dark."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

from mailer.reports.chart import draw_growth
from mailer.reports.growth import Growth, Week, together
from mailer.resources import templates_dir

NAMES = {slug: slug.replace("-", " ").title() for slug in ("whole-country", "south-yorkshire")}

BOXES = """() => [...document.querySelectorAll('text')].map(node => {
    const box = node.getBoundingClientRect();
    return {words: node.textContent, x: box.x, y: box.y, right: box.right, bottom: box.bottom};
})"""

COLOURS = """() => Object.fromEntries(['paper', 'pages', 'roster', 'operator', 'leaves'].map(name =>
    [name, getComputedStyle(document.querySelector('.' + name)).fill]).concat(
    [['words', getComputedStyle(document.querySelector('.heading')).fill],
     ['small', getComputedStyle(document.querySelector('.small')).fill]]))"""


def picture(path: Path, weeks: int) -> Path:
    lists = []
    for place, slug in enumerate(NAMES):
        made = tuple(
            Week(
                date(2026, 1, 5) + timedelta(days=7 * number),
                {"pages": 900 + number, "roster": 300, "operator": 120},
                {"pages": 150 + place},
                0,
                123456,
            )
            for number in range(weeks)
        )
        lists.append(Growth(slug, made, 1234567))
    view = draw_growth(lists, together(lists), title="The Lantern", names=NAMES)
    loader = FileSystemLoader(templates_dir() / "reports")
    template = Environment(loader=loader, autoescape=True).get_template("growth.svg.j2")
    path.write_text(template.render(view), encoding="utf-8")
    return path


@pytest.mark.parametrize("weeks", [1, 12, 16, 17, 53])
def test_no_words_overlap_or_leave_the_paper(open_page: Any, tmp_path: Path, weeks: int) -> None:
    page = open_page(picture(tmp_path / "growth.svg", weeks), width=960)
    boxes = page.evaluate(BOXES)
    assert len(boxes) > 10
    for place, box in enumerate(boxes):
        assert box["x"] >= 0, box
        assert box["right"] <= 960, box
        for other in boxes[place + 1 :]:
            apart = (
                box["right"] <= other["x"] + 0.5
                or other["right"] <= box["x"] + 0.5
                or box["bottom"] <= other["y"] + 3
                or other["bottom"] <= box["y"] + 3
            )
            assert apart, (box, other)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").rstrip(")").split(",")]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_bars_stand_out_in_both_schemes(
    open_page: Any, tmp_path: Path, scheme: str
) -> None:
    page = open_page(picture(tmp_path / "growth.svg", 12), width=960, scheme=scheme)
    colours = page.evaluate(COLOURS)
    paper = colours.pop("paper")
    assert (luminance(paper) > 0.5) == (scheme == "light")
    # WCAG 2.2: 4.5 for text (1.4.3), 3 for what is drawn (1.4.11).
    for name, colour in colours.items():
        assert contrast(paper, colour) >= (4.5 if name in ("words", "small") else 3), name
    assert contrast(colours["pages"], colours["roster"]) >= 1.5
