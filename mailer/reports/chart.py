"""The growth of lists as a picture: where every bar and word of the SVG stands.

Pure. Joins stand above a line, stacked by channel, leaves hang below it in a colour of their
own, and the net of each week is printed under it; small pictures of the single lists follow, all
on one scale so that they can be compared. The template (``templates/reports/growth.svg.j2``) has
the look, light and dark, and a title and a description for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mailer.almanac import MONTHS
from mailer.reports.growth import Growth, Week

WIDTH = 960
LEFT, RIGHT, TOP, PLOT_HEIGHT = 64, 32, 128, 260
ROWS_BELOW = 74
COLUMNS, CELL_HEIGHT, CELL_GAP = 3, 106, 24
SMALL_HEIGHT = 60
MOST_LABELS = 16
"""Weeks with words under each; with more, every second or third has them."""

HALF_LABEL = 26
"""A label further left would stand in the words before its row."""

STACK = ("pages", "roster", "operator")
LABELS = {"pages": "joined by the pages", "roster": "by a roster", "operator": "by an operator"}


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; ``kind`` is the class that colours it."""

    x: float
    y: float
    width: float
    height: float
    kind: str


def draw_growth(
    lists: Sequence[Growth],
    whole: Growth,
    *,
    title: str,
    names: Mapping[str, str],
) -> dict[str, Any]:
    """Return what the template prints.

    Args:
        lists: the single lists; small pictures are drawn when there are several.
        whole: all of them together.
        title: the publication's, for the heading.
        names: of the regions, by slug.
    """
    weeks = whole.weeks
    plot_width = WIDTH - LEFT - RIGHT
    up = max([week.joined for week in weeks] + [1])
    down = max([week.left for week in weeks] + [0])
    step = nice_step(up + down)
    top, bottom = math.ceil(up / step) * step, math.ceil(down / step) * step
    scale = PLOT_HEIGHT / (top + bottom)
    zero = TOP + top * scale
    small = _cells(lists, names) if len(lists) > 1 else []
    plot_end = TOP + PLOT_HEIGHT
    grid_top = plot_end + ROWS_BELOW + 54
    rows = math.ceil(len(small) / COLUMNS)
    height = grid_top + rows * (CELL_HEIGHT + CELL_GAP) if small else plot_end + ROWS_BELOW
    slot = plot_width / len(weeks)
    every = math.ceil(len(weeks) / MOST_LABELS)
    return {
        "width": WIDTH,
        "height": height,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "zero": _round(zero),
        "heading": f"Readers of {title}",
        "place": names.get(lists[0].region, lists[0].region) if len(lists) == 1 else "all lists",
        "summary": summary_of(whole),
        "description": describe(lists, whole, names),
        "ticks": [
            {"y": _round(zero - value * scale), "label": f"{abs(value):,}"}
            for value in range(-bottom, top + step, step)
        ],
        "weeks": [
            {
                "bars": _bars(week, LEFT + place * slot, slot, zero, scale),
                "x": _round(LEFT + (place + 0.5) * slot),
                "label": day_of(week.monday)
                if (len(weeks) - 1 - place) % every == 0 and (place + 0.5) * slot >= HALF_LABEL
                else "",
                "net": signed(week.net),
                "tip": tip_of(week),
            }
            for place, week in enumerate(weeks)
        ],
        "rows_at": {"label": plot_end + 24, "net": plot_end + 46},
        "legend": [{"kind": kind, "label": LABELS[kind]} for kind in STACK]
        + [{"kind": "leaves", "label": "left"}],
        "grid_top": grid_top,
        "cells": small,
    }


def summary_of(whole: Growth) -> str:
    """Say the whole in one line."""
    weeks = len(whole.weeks)
    return (
        f"{whole.readers:,} readers now; in {weeks} {'week' if weeks == 1 else 'weeks'} "
        f"{whole.joined:,} joined, {whole.left:,} left, net {signed(whole.net)}"
    )


def describe(lists: Sequence[Growth], whole: Growth, names: Mapping[str, str]) -> str:
    """Say the picture in words, for who does not see it."""
    parts = [summary_of(whole) + "."]
    parts += [tip_of(week) + "." for week in whole.weeks]
    if len(lists) > 1:
        parts += [
            f"{names.get(each.region, each.region)}: {each.readers:,} readers, "
            f"net {signed(each.net)}."
            for each in lists
        ]
    return " ".join(parts)


def tip_of(week: Week) -> str:
    """Say a week in one line."""
    came = ", ".join(f"{channel} {count:,}" for channel, count in week.joins.items())
    return (
        f"Week of {day_of(week.monday)} {week.monday.year}: {week.joined:,} joined"
        + (f" ({came})" if came else "")
        + f", {week.left:,} left, net {signed(week.net)}, {week.readers:,} readers at its end"
    )


def nice_step(span: int) -> int:
    """Return a step of 1, 2 or 5 times a power of ten that makes four to eight of a span."""
    raw = max(span / 6, 1)
    power = 10 ** math.floor(math.log10(raw))
    return int(next(power * times for times in (1, 2, 5, 10) if power * times >= raw))


def signed(number: int) -> str:
    """Return a figure with its sign; nothing changed is 0."""
    return f"+{number:,}" if number > 0 else f"−{-number:,}" if number else "0"


def day_of(day: date) -> str:
    """Return a day without its year: 5 Oct."""
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def _bars(week: Week, x: float, slot: float, zero: float, scale: float) -> list[Bar]:
    width = min(slot * 0.66, 46)
    start = x + (slot - width) / 2
    bars = []
    y = zero
    for kind in STACK:
        height = week.joins.get(kind, 0) * scale
        if height:
            y -= height
            bars.append(Bar(_round(start), _round(y), _round(width), _round(height), kind))
    if week.left:
        height = _round(week.left * scale)
        bars.append(Bar(_round(start), _round(zero), _round(width), height, "leaves"))
    return bars


def _cells(lists: Sequence[Growth], names: Mapping[str, str]) -> list[dict[str, Any]]:
    up = max([week.joined for each in lists for week in each.weeks] + [1])
    down = max([week.left for each in lists for week in each.weeks] + [0])
    scale = SMALL_HEIGHT / (up + down)
    width = (WIDTH - LEFT - RIGHT - (COLUMNS - 1) * CELL_GAP) / COLUMNS
    cells = []
    for place, each in enumerate(lists):
        row, column = divmod(place, COLUMNS)
        slot = width / len(each.weeks)
        cells.append(
            {
                "x": _round(LEFT + column * (width + CELL_GAP)),
                "y": row * (CELL_HEIGHT + CELL_GAP),
                "width": _round(width),
                "name": names.get(each.region, each.region),
                "readers": f"{each.readers:,}",
                "net": signed(each.net),
                "zero": _round(38 + up * scale),
                "bars": [
                    bar
                    for number, week in enumerate(each.weeks)
                    for bar in _bars(week, number * slot, slot, 38 + up * scale, scale)
                ],
            }
        )
    return cells


def _round(value: float) -> float:
    return round(value, 1)
