"""Tables that fit: on a terminal of any width no cell is cut and none is lost.

Columns get their widths here, and not from the library, whose columns that do not wrap squeeze the
others away. What is short stays whole, long texts give way first, and a word is broken only
where it is longer than ``LONGEST``. A table that would still be wider than the terminal is printed
as blocks: what a row is about, and under it a line for each thing said of it. Where there is no
terminal a table is as wide as it must be, because a program reads it by lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LONGEST = 20
"""A longer word may be broken over two lines; in the first column, one twice as long."""

READABLE = 16
"""No column of texts is narrower, unless all its texts are."""

GAP = 2
"""Columns between two cells."""

_INSTANT = re.compile(r"\d\d:\d\d(:\d\d)?$")


def print_table(
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    may_widen: bool,
) -> None:
    """Print a table, or blocks where it does not fit.

    Args:
        console: where; its width is the limit.
        title: above it, "" for none.
        columns: a head each; one that ends in ``#`` is of figures, set to the right.
        rows: a cell each, in the columns' order.
        may_widen: nobody looks at a screen; the table may be wider than the console says.
    """
    heads = [column.rstrip("# ") for column in columns]
    are_figures = [column.endswith("#") for column in columns]
    texts = [[cell_text(cell) for cell in row] for row in rows]
    limit = console.width
    if may_widen:
        limit = max(limit, _needed(_wish(heads, texts)))
    widths = column_widths(heads, are_figures, texts, limit)
    if widths:
        _print_grid(console, title, heads, are_figures, texts, widths)
    else:
        _print_blocks(console, title, heads, are_figures, texts)


def cell_text(value: object) -> str:
    """Return a table's cell: an instant to the minute, as every table has it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)


def column_widths(
    heads: Sequence[str],
    are_figures: Sequence[bool],
    texts: Sequence[Sequence[str]],
    limit: int,
) -> list[int]:
    """Return a width for every column, in sum at most ``limit``; none when they cannot fit.

    Args:
        heads: the columns' names.
        are_figures: of each, whether its cells are never broken.
        texts: rows of cells.
        limit: columns of the terminal.
    """
    least = _least(heads, are_figures, texts)
    if _needed(least) > limit:
        return []
    wish = _wish(heads, texts)
    widths = list(least)
    spare = limit - _needed(least)
    while spare > 0:
        # The narrowest of those that want more gets it: the widest gives way first.
        hungry = [place for place in range(len(widths)) if widths[place] < wish[place]]
        if not hungry:
            break
        widths[min(hungry, key=lambda place: widths[place])] += 1
        spare -= 1
    return widths


def _wish(heads: Sequence[str], texts: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of each column's longest cell."""
    return [max(map(_long, column)) for column in _with_heads(heads, texts)]


def _least(
    heads: Sequence[str], are_figures: Sequence[bool], texts: Sequence[Sequence[str]]
) -> list[int]:
    """Return the least width at which each column can be read."""
    least = []
    for place, column in enumerate(_with_heads(heads, texts)):
        head, cells = column[0], column[1:]
        # A head is broken at its spaces and nowhere else.
        width = max((_long(word) for word in head.split()), default=1)
        longest = LONGEST * 2 if place == 0 else LONGEST
        for cell in cells:
            if are_figures[place] or _INSTANT.search(cell):
                width = max(width, _long(cell))
            else:
                words = max((_long(word) for word in cell.split()), default=0)
                width = max(width, min(words, longest), min(_long(cell), READABLE))
        least.append(width)
    return least


def _with_heads(heads: Sequence[str], texts: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[head, *(row[place] for row in texts)] for place, head in enumerate(heads)]


def _needed(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1) + 2


def _long(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _print_grid(
    console: Console,
    title: str,
    heads: Sequence[str],
    are_figures: Sequence[bool],
    texts: Sequence[Sequence[str]],
    widths: Sequence[int],
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        width=_needed(widths),
    )
    for head, is_figure, width in zip(heads, are_figures, widths, strict=True):
        grid.add_column(
            Text(head), justify="right" if is_figure else "left", overflow="fold", width=width
        )
    for row in texts:
        grid.add_row(*map(Text, row))
    # The library would fold a title to the table's own width.
    if title:
        console.print(Text(title, style="italic"))
    console.print(grid, width=max(console.width, _needed(widths)), crop=False)


def _print_blocks(
    console: Console,
    title: str,
    heads: Sequence[str],
    are_figures: Sequence[bool],
    texts: Sequence[Sequence[str]],
) -> None:
    from rich.padding import Padding
    from rich.text import Text

    if title:
        console.print(Text(title, style="italic", overflow="fold"))
    for row in texts:
        console.print()
        if row[0]:
            console.print(Text(f"{heads[0]}: {row[0]}".lstrip(": "), style="bold", overflow="fold"))
        said = [
            (is_figure, f"{head}: {cell}".lstrip(": "))
            for head, is_figure, cell in list(zip(heads, are_figures, row, strict=True))[1:]
            if cell
        ]
        lines = [text for is_figure, text in said if not is_figure]
        if figures := [text for is_figure, text in said if is_figure]:
            lines.append(", ".join(figures))
        for line in lines:
            console.print(Padding(Text(line, overflow="fold"), (0, 0, 0, 2), expand=False))
    console.print()


def bare_grid(fixed: int) -> Table:
    """Return a grid without lines: so many columns that are never broken, then one that folds."""
    from rich.table import Table

    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
    for _ in range(fixed):
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    return grid
