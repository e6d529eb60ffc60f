"""The picture of growth: bars that are as long as their figures, inside the paper, in words too."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.reports.chart import draw_growth, nice_step, signed, tip_of
from mailer.reports.growth import Growth, Week, together

MONDAY = date(2026, 9, 28)
FIGURES = st.integers(0, 3000)


def week(place: int, *, pages: int = 0, roster: int = 0, left: int = 0) -> Week:
    joins = {name: count for name, count in (("pages", pages), ("roster", roster)) if count}
    leaves = {"pages": left} if left else {}
    return Week(MONDAY + timedelta(days=7 * place), joins, leaves, 0, 100)


def draw(lists: list[Growth]) -> dict[str, Any]:
    return draw_growth(
        lists, together(lists), title="The Lantern", names={"wales": "Wales", "essex": "Essex"}
    )


def test_a_bar_is_as_long_as_its_figure() -> None:
    view = draw([Growth("wales", (week(0, pages=10, roster=5, left=4), week(1, pages=20)), 100)])
    first, second = view["weeks"]
    pages, roster, left = first["bars"]
    assert (pages.kind, roster.kind, left.kind) == ("pages", "roster", "leaves")
    (tall,) = second["bars"]
    assert tall.height == pytest.approx(2 * pages.height, abs=0.2)
    assert roster.y + roster.height == pytest.approx(pages.y, abs=0.2)
    assert pages.y + pages.height == pytest.approx(view["zero"], abs=0.2)
    assert left.y == view["zero"]
    assert left.height == pytest.approx(0.4 * pages.height, abs=0.2)
    assert [each["net"] for each in view["weeks"]] == ["+11", "+20"]
    assert [each["label"] for each in view["weeks"]] == ["28 Sep", "5 Oct"]
    assert view["cells"] == []
    assert view["place"] == "Wales"


def test_it_is_said_in_words() -> None:
    lists = [
        Growth("wales", (week(0, pages=1200, left=4),), 1300),
        Growth("essex", (week(0, left=10),), 90),
    ]
    view = draw(lists)
    assert view["summary"] == "1,390 readers now; in 1 week 1,200 joined, 14 left, net +1,186"
    assert "Week of 28 Sep 2026: 1,200 joined (pages 1,200), 14 left" in view["description"]
    assert "Essex: 90 readers, net −10." in view["description"]
    assert [cell["name"] for cell in view["cells"]] == ["Wales", "Essex"]
    assert tip_of(week(1)) == (
        "Week of 5 Oct 2026: 0 joined, 0 left, net 0, 100 readers at its end"
    )


@given(
    st.lists(
        st.lists(st.tuples(FIGURES, FIGURES, FIGURES), min_size=6, max_size=6),
        min_size=1,
        max_size=14,
    )
)
def test_nothing_leaves_the_paper(figures: list[list[tuple[int, int, int]]]) -> None:
    lists = [
        Growth(
            "wales",
            tuple(
                week(place, pages=pages, roster=roster, left=left)
                for place, (pages, roster, left) in enumerate(weeks)
            ),
            0,
        )
        for weeks in figures
    ]
    view = draw(lists)
    ys = [tick["y"] for tick in view["ticks"]]
    for each in view["weeks"]:
        for bar in each["bars"]:
            assert min(ys) - 0.2 <= bar.y
            assert bar.y + bar.height <= max(ys) + 0.2
            assert view["left"] <= bar.x
            assert bar.x + bar.width <= view["right"]
    for cell in view["cells"]:
        for bar in cell["bars"]:
            assert bar.y >= 36
            assert view["grid_top"] + cell["y"] + bar.y + bar.height <= view["height"]
            assert bar.x + bar.width <= cell["width"] + 0.2
    assert 2 <= len(ys) <= 12


@pytest.mark.parametrize(
    ("span", "step"), [(1, 1), (6, 1), (7, 2), (30, 5), (61, 20), (1000, 200), (3_000_000, 500_000)]
)
def test_steps_are_round(span: int, step: int) -> None:
    assert nice_step(span) == step


def test_many_weeks_have_room_for_their_labels() -> None:
    view = draw([Growth("wales", tuple(week(place) for place in range(52)), 0)])
    labelled = [each["x"] for each in view["weeks"] if each["label"]]
    assert view["weeks"][-1]["label"]
    assert len(labelled) <= 16
    assert min(b - a for a, b in pairwise(labelled)) >= 50


def test_figures_have_their_sign() -> None:
    assert [signed(number) for number in (1234, 0, -5)] == ["+1,234", "0", "−5"]
