"""A page of placed words read as a person reads it: columns in order, headlines, boxes, captions.

Pure: runs of text with their places in, a text with Markdown headings out, which the splitter
reads like any other. A region is cut at the white between columns, after that at what spans them; a
headline that begins a new row of columns cuts across all. The size that most letters have is the
running text's; what is larger is a heading, what is smaller a caption. A drop cap goes back to its
line, a drawn box leaves the flow, and what stands on every page's edge is left out.

Known limits: left to right and top to bottom; text set on its side is left out; italics and bold
inside a line are not kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mailer.articles.pageorder import DISPLAY, Run, ordered

_SMALL = 0.9
_BOX_WORDS = 90
_MOST_CAPS = 60
_MOST_BOXES = 60
_LONGDISPLAY = 9
"""Words of display text that ends in a full stop: a standfirst, no headline."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle that a page draws."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def area(self) -> float:
        """How much it covers."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    def holds(self, run: Run) -> bool:
        """Say whether a run stands within it."""
        middle = run.y + 0.3 * run.size
        return self.x0 - 1 <= run.x0 and run.x1 <= self.x1 + 2 and self.y0 <= middle <= self.y1


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: its size, its text and the rectangles on it."""

    width: float
    height: float
    runs: tuple[Run, ...]
    frames: tuple[Frame, ...] = ()


def read_sheets(sheets: Sequence[Sheet]) -> str:
    """Return the text of a paper's pages in reading order, with Markdown headings."""
    body = _body_size(sheets)
    levels = _levels(sheets, body)
    edges = _repeated_edges(sheets)
    out: list[str] = []
    for number, sheet in enumerate(sheets):
        runs = [run for run in sheet.runs if _edge_words(run, sheet) not in edges]
        lines = _lines(_rejoin_drop_caps(runs, body))
        boxes, flow = _take_boxes(lines, sheet)
        is_front = number == 0
        for leaf in (*ordered(flow, body), *boxes):
            is_box = any(leaf is box for box in boxes)
            paragraphs = _paragraphs(_whole_lines(leaf), body)
            for place, paragraph in enumerate(paragraphs):
                text = _written(
                    paragraph,
                    body,
                    levels,
                    is_top=is_front and paragraph[0].y > 0.78 * sheet.height,
                    is_box_title=is_box and place == 0 and len(paragraphs) > 1,
                )
                if text:
                    out.append(text)
    return "\n\n".join(out) + "\n"


# Sizes


def _body_size(sheets: Iterable[Sheet]) -> float:
    letters: Counter[float] = Counter()
    for sheet in sheets:
        for run in sheet.runs:
            letters[_half(run.size)] += len(run.text)
    return letters.most_common(1)[0][0] if letters else 10.0


def _half(size: float) -> float:
    return round(size * 2) / 2


def _levels(sheets: Iterable[Sheet], body: float) -> dict[float, int]:
    """Give each size of display its level: the largest 1; sizes within a tenth share one."""
    sizes = sorted(
        {
            _half(r.size)
            for s in sheets
            for r in s.runs
            if r.size >= DISPLAY * body and r.text.strip()
        },
        reverse=True,
    )
    levels: dict[float, int] = {}
    level, largest = 0, 0.0
    for size in sizes:
        if not level or size < 0.9 * largest:
            level, largest = min(level + 1, 5), size
        levels[size] = level
    return levels


# What is on every page


def _edge_words(run: Run, sheet: Sheet) -> str:
    """Return a run at a page's edge without its figures; a mark of its own for any other run."""
    is_edge = run.y > 0.94 * sheet.height or run.y < 0.06 * sheet.height
    words = re.sub(r"\d+", "#", " ".join(run.text.split()).casefold())
    return words if is_edge and words else "\0"


def _repeated_edges(sheets: Sequence[Sheet]) -> set[str]:
    seen: Counter[str] = Counter()
    for sheet in sheets:
        seen.update({_edge_words(run, sheet) for run in sheet.runs} - {"\0"})
    return {words for words, times in seen.items() if times > 1 or words == "#"}


# Lines


def _rejoin_drop_caps(runs: Sequence[Run], body: float) -> list[Run]:
    """Give each large first letter to the line it begins, and its neighbours their left edge."""
    caps = [
        run
        for run in runs
        if re.fullmatch(r"[\"“‘']?[A-Z]", run.text.strip()) and run.size >= 1.7 * body
    ]
    if len(caps) > _MOST_CAPS:
        # Display lettering set letter by letter.
        return list(runs)
    caps = [run for run in caps if not any(_is_same_line(run, other) for other in runs)]
    out = [run for run in runs if not any(run is cap for cap in caps)]
    for cap in caps:
        beside = sorted(
            (
                run
                for run in out
                if run.size < 1.3 * body
                and cap.x1 - 1 <= run.x0 <= cap.x1 + 1.5 * body
                and cap.bottom - 1 <= run.y <= cap.top + 0.2 * body
            ),
            key=lambda run: -run.y,
        )
        for place, run in enumerate(beside):
            # "A tram" is two words, "A fter" one: who knows the paper's words decides later.
            white = " " if cap.text.strip()[-1:] in "AIO" else ""
            text = f"{cap.text.strip()}{white}{run.text.lstrip()}" if place == 0 else run.text
            out[out.index(run)] = replace(run, x0=cap.x0, text=text)
        if not beside:
            out.append(cap)
    return out


def _is_same_line(run: Run, other: Run) -> bool:
    is_near = other.x0 - run.x1 < 1.5 * run.size and run.x0 - other.x1 < 1.5 * run.size
    is_alike = abs(other.size - run.size) < 0.2 * run.size
    return other is not run and is_near and is_alike and abs(other.y - run.y) < 0.3 * run.size


def _lines(runs: Sequence[Run]) -> list[Run]:
    """Join runs that stand on one base line without a column's white between them."""
    rows: list[list[Run]] = []
    for run in sorted((r for r in runs if r.text.strip()), key=lambda r: (-r.y, r.x0)):
        row = rows[-1] if rows else None
        if row and abs(row[0].y - run.y) <= 0.35 * min(row[0].size, run.size):
            row.append(run)
        else:
            rows.append([run])
    lines: list[Run] = []
    for row in rows:
        row.sort(key=lambda r: r.x0)
        line = row[0]
        for run in row[1:]:
            gap = run.x0 - line.x1
            if gap > 0.9 * min(line.size, run.size) or abs(run.size - line.size) > 0.4 * line.size:
                lines.append(line)
                line = run
                continue
            is_apart = gap > 0.12 * line.size and not line.text.endswith(" ")
            between = " " if is_apart and not run.text.startswith(" ") else ""
            line = replace(
                line,
                x1=max(line.x1, run.x1),
                size=max(line.size, run.size),
                text=f"{line.text}{between}{run.text}",
                is_bold=line.is_bold and run.is_bold,
                is_italic=line.is_italic and run.is_italic,
            )
        lines.append(line)
    return lines


def _take_boxes(lines: Sequence[Run], sheet: Sheet) -> tuple[list[list[Run]], list[Run]]:
    """Return what stands in drawn boxes, each by itself, and the rest."""
    left = list(lines)
    boxes: list[list[Run]] = []
    frames = [
        frame
        for frame in sheet.frames
        if min(frame.x1 - frame.x0, frame.y1 - frame.y0) > 24
        and frame.area < 0.4 * sheet.width * sheet.height
    ]
    for frame in sorted(frames, key=lambda frame: frame.area)[:_MOST_BOXES]:
        inside = [line for line in left if frame.holds(line)]
        if inside and sum(len(line.text.split()) for line in inside) <= _BOX_WORDS:
            boxes.append(sorted(inside, key=lambda line: (-line.y, line.x0)))
            left = [line for line in left if not frame.holds(line)]
    return boxes, left


# Paragraphs


def _whole_lines(leaf: Sequence[Run]) -> list[Run]:
    """Join what stands on one line of a column: white in it is only a justified line's."""
    lines: list[Run] = []
    for run in leaf:
        line = lines[-1] if lines else None
        is_beside = line is not None and abs(line.y - run.y) <= 0.35 * run.size
        if line is not None and is_beside and run.x0 >= line.x1 and _is_kin(line, run):
            lines[-1] = replace(line, x1=run.x1, text=f"{line.text} {run.text}")
        else:
            lines.append(run)
    return lines


def _paragraphs(leaf: Sequence[Run], body: float) -> list[list[Run]]:
    """Cut a column's lines at changes of size and face, at white and at indents."""
    steps = [a.y - b.y for a, b in pairwise(leaf) if _is_kin(a, b)]
    usual = sorted(steps)[len(steps) // 2] if steps else 1.2 * body
    paragraphs: list[list[Run]] = []
    for line in leaf:
        last = paragraphs[-1] if paragraphs else None
        if last is None or _begins(line, last, usual):
            paragraphs.append([line])
        else:
            last.append(line)
    return paragraphs


def _is_kin(line: Run, other: Run) -> bool:
    return (
        abs(line.size - other.size) <= 0.06 * line.size
        and line.is_bold == other.is_bold
        and line.is_italic == other.is_italic
    )


def _begins(line: Run, last: Sequence[Run], usual: float) -> bool:
    above = last[-1]
    leading = max(usual, 1.0 * line.size) if line.size < 1.5 * usual else 1.2 * line.size
    if not _is_kin(above, line) or above.y - line.y > 1.45 * leading:
        return True
    left = min(each.x0 for each in (*last[1:], line)) if len(last) > 1 else min(above.x0, line.x0)
    is_indented = 0.6 * line.size < line.x0 - left < 4 * line.size
    return is_indented and above.x0 - left < 0.4 * line.size


def _written(
    lines: Sequence[Run],
    body: float,
    levels: dict[float, int],
    *,
    is_top: bool,
    is_box_title: bool,
) -> str:
    """Return a paragraph in Markdown: a heading, a caption, display text or running text."""
    rows = [_escaped(line.text) for line in lines]
    flat = " ".join(" ".join(rows).split())
    words = len(flat.split())
    size = max(line.size for line in lines)
    if not flat:
        return ""
    if size >= DISPLAY * body and words < 40:
        if flat[:1] in '"“‘' and words >= 4:
            return f"**{flat}**"
        if words >= _LONGDISPLAY and flat.endswith((".", "!")) and size < 2 * body:
            return f"*{flat}*"
        return f"{'#' * levels.get(_half(size), 5)} {flat}"
    if is_box_title:
        return f"###### {flat}"
    if size <= _SMALL * body and not is_top and words <= 40:
        return (
            flat if re.search(r"\bphotos?\b|\bpicture|©", flat, re.IGNORECASE) else f"![{flat}]()"
        )
    mark = "**" if all(line.is_bold for line in lines) else ""
    mark = mark or ("*" if all(line.is_italic for line in lines) else "")
    if mark and words <= 80:
        return f"{mark}{flat}{mark}"
    return "\n".join(row.strip() for row in rows)


def _escaped(text: str) -> str:
    text = re.sub(r"([*_\\\[\]`])", r"\\\1", text)
    return re.sub(r"^(\s*)(#)", r"\1\\\2", text)
