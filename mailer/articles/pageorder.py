"""The order in which a person reads what stands on a page: columns, and what spans them.

Pure geometry: lines with their places in, stretches of one column each out. A region is cut across
where all its columns end together and a headline begins the next row; else at the white from its
top to its bottom; else between what spans several columns and what is above or below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

DISPLAY = 1.18
"""So many times the running text's size is a heading's."""
_DEEPEST = 30
"""Regions within regions; a page has three or four."""


@dataclass(frozen=True, slots=True)
class Run:
    """Letters on one base line; ``y`` grows upwards, as in PDF."""

    x0: float
    x1: float
    y: float
    size: float
    text: str
    is_bold: bool = False
    is_italic: bool = False

    @property
    def top(self) -> float:
        """Where its capitals end."""
        return self.y + 0.75 * self.size

    @property
    def bottom(self) -> float:
        """Where its descenders end."""
        return self.y - 0.22 * self.size


def ordered(lines: Sequence[Run], body: float, depth: int = 0) -> list[list[Run]]:
    """Return lines in reading order, cut into stretches of one column each."""
    if len(lines) < 2:
        return [list(lines)] if lines else []
    rows = _rows(lines)
    parts = _across(rows, body) or _columns(lines, body) or _bands(rows, body)
    if len(parts) == 1 or depth > _DEEPEST:
        return [sorted(lines, key=lambda line: (-line.y, line.x0))]
    return [leaf for part in parts for leaf in ordered(part, body, depth + 1)]


def _rows(lines: Sequence[Run]) -> list[list[Run]]:
    """Group lines whose heights overlap, from the top."""
    rows: list[list[Run]] = []
    bottom = 0.0
    for line in sorted(lines, key=lambda each: -each.top):
        if rows and line.top > bottom + 0.5:
            rows[-1].append(line)
            bottom = min(bottom, line.bottom)
        else:
            rows.append([line])
            bottom = line.bottom
    return rows


def _across(rows: Sequence[Sequence[Run]], body: float) -> list[list[Run]]:
    """Cut where all columns end together and a headline begins the next row of columns."""
    parts: list[list[Run]] = [list(rows[0])]
    for above, below in pairwise(rows):
        gap = min(line.bottom for line in above) - max(line.top for line in below)
        first = min(below, key=lambda line: line.x0)
        is_heading = first.size >= DISPLAY * body
        was_text = any(line.size < DISPLAY * body for line in above)
        if gap > 0.6 * body and is_heading and was_text:
            parts.append(list(below))
        else:
            parts[-1].extend(below)
    # Where nothing has columns, from top to bottom is the order already.
    is_worth_it = len(parts) > 1 and any(_columns(part, body) for part in parts)
    return parts if is_worth_it else []


def _columns(lines: Sequence[Run], body: float) -> list[list[Run]]:
    """Cut at white that runs from top to bottom; nothing where there is none."""
    white = max(6.0, 0.7 * body)
    columns: list[list[Run]] = []
    right = 0.0
    for line in sorted(lines, key=lambda each: each.x0):
        if columns and line.x0 - right < white:
            columns[-1].append(line)
            right = max(right, line.x1)
        else:
            columns.append([line])
            right = line.x1
    return columns if len(columns) > 1 else []


def _bands(rows: Sequence[list[Run]], body: float) -> list[list[Run]]:
    """Cut between what spans columns and the columns below or above it."""
    bands: list[list[Run]] = []
    covered: list[tuple[float, float]] = []
    for row in rows:
        here = _covered([], row, body)
        both = _covered(covered, row, body)
        has_columns = len(covered) > 1
        if bands and (len(both) > 1 if has_columns else len(here) == 1):
            bands[-1].extend(row)
            covered = both
        else:
            bands.append(list(row))
            covered = here
    return bands


def _covered(
    before: Sequence[tuple[float, float]], row: Sequence[Run], body: float
) -> list[tuple[float, float]]:
    """Return the columns' widths once a row is added: what has no white between it is one."""
    white = max(6.0, 0.7 * body)
    columns: list[tuple[float, float]] = []
    for low, high in sorted([*before, *((line.x0, line.x1) for line in row)]):
        if columns and low - columns[-1][1] < white:
            columns[-1] = (columns[-1][0], max(columns[-1][1], high))
        else:
            columns.append((low, high))
    return columns
