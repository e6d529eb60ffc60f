"""Placed words become text in the order in which a person reads a page. No file is read here."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.pagelayout import Frame, Sheet, read_sheets
from mailer.articles.pageorder import Run


def run(x: float, y: float, text: str, size: float = 10, **face: bool) -> Run:
    return Run(x, x + 0.5 * size * len(text), y, size, text, **face)


def read(*runs: Run, frames: tuple[Frame, ...] = ()) -> str:
    return read_sheets([Sheet(600, 800, runs, frames)])


def column(x: float, y: float, *rows: str) -> list[Run]:
    return [run(x, y - 12 * place, row) for place, row in enumerate(rows)]


def test_columns_are_read_one_after_another() -> None:
    text = read(
        *column(40, 600, "one two", "three four", "five six."),
        *column(240, 600, "seven eight", "nine ten", "eleven."),
    )
    assert text.split() == [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six.",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven.",
    ]


def test_what_spans_the_columns_stands_between_what_is_above_and_below() -> None:
    text = read(
        run(40, 700, "A headline over all of the columns", 24, is_bold=True),
        *column(40, 600, "first left", "second left."),
        *column(340, 600, "first right", "second right."),
        run(40, 500, "Another headline over all columns", 24),
        *column(40, 460, "third left."),
        *column(340, 460, "third right."),
    )
    order = [text.index(words) for words in (
        "A headline", "first left", "first right", "Another", "third left", "third right",
    )]  # fmt: skip
    assert order == sorted(order)
    assert text.startswith("# A headline over all of the columns\n")


def test_a_narrow_headline_begins_the_next_row_of_columns_too() -> None:
    text = read(
        *column(40, 600, "upper left one", "upper left two."),
        *column(340, 600, "upper right one", "upper right two."),
        run(40, 540, "Short", 24),
        *column(40, 510, "lower left."),
        *column(340, 540, "lower right."),
    )
    order = [
        text.index(words) for words in ("upper right two", "Short", "lower left", "lower right")
    ]
    assert order == sorted(order)


def test_a_drop_cap_goes_back_to_its_line() -> None:
    text = read(
        Run(40, 60, 576, 34, "T"),
        run(64, 600, "he tide came"),
        run(64, 588, "in at noon"),
        run(40, 564, "and left at six."),
    )
    assert text == "The tide came\nin at noon\nand left at six.\n"


def test_sizes_make_headings_captions_and_standfirsts() -> None:
    text = read(
        run(40, 700, "The headline", 24),
        run(40, 670, "A line below it that says in one sentence what it is about.", 13),
        *column(
            40, 640, "Text that is set as all the other text is set,", "line by line, and so on."
        ),
        run(40, 600, "Boats at noon", 7),
        run(40, 560, "Bold words", is_bold=True),
    )
    assert text.split("\n\n") == [
        "# The headline",
        "*A line below it that says in one sentence what it is about.*",
        "Text that is set as all the other text is set,\nline by line, and so on.",
        "![Boats at noon]()",
        "**Bold words**\n",
    ]


def test_an_indent_begins_a_paragraph() -> None:
    text = read(
        run(40, 600, "The first paragraph"),
        run(40, 588, "ends here."),
        run(52, 576, "The second one"),
        run(40, 564, "goes on."),
    )
    assert text == "The first paragraph\nends here.\n\nThe second one\ngoes on.\n"


def test_a_drawn_box_leaves_the_flow() -> None:
    text = read(
        *column(40, 600, "the meeting agreed that"),
        run(50, 550, "Soup from noon"),
        run(50, 538, "at the ferry café"),
        *column(40, 500, "nobody would pay."),
        frames=(Frame(44, 530, 200, 570), Frame(0, 0, 600, 800)),
    )
    assert text.index("nobody would pay") < text.index("Soup from noon")


def test_the_edges_of_pages_are_left_out() -> None:
    pages = [
        Sheet(600, 800, (run(40, 780, f"The Lantern {number}"), run(290, 20, f"{number}"), *column(
            40, 600, f"words of page {number}")))
        for number in (1, 2)
    ]  # fmt: skip
    assert read_sheets(pages) == "words of page 1\n\nwords of page 2\n"


def test_marks_of_markdown_in_the_print_stay_print() -> None:
    assert read(run(40, 600, "# 5 *stars* [sic] _so_")) == "\\# 5 \\*stars\\* \\[sic\\] \\_so\\_\n"


def test_letters_set_one_by_one_are_words() -> None:
    runs = [Run(40 + 6 * n, 46 + 6 * n, 600, 10, letter) for n, letter in enumerate("ferry")]
    runs += [Run(74 + 6 * n, 80 + 6 * n, 600, 10, letter) for n, letter in enumerate("boat")]
    assert read(*runs) == "ferry boat\n"


@given(
    st.lists(
        st.tuples(
            st.integers(0, 560), st.integers(60, 740), st.sampled_from([7, 10, 10, 14, 30]),
            st.text("abcdef", min_size=2, max_size=12),
        ),
        max_size=40,
    ),
    st.lists(st.tuples(*[st.integers(0, 600)] * 4), max_size=4),
)  # fmt: skip
def test_no_word_of_any_page_is_lost(
    words: list[tuple[int, int, int, str]], rects: list[tuple[int, int, int, int]]
) -> None:
    runs = tuple(run(x, y, text, size) for x, y, size, text in words)
    frames = tuple(Frame(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in rects)
    text = read_sheets([Sheet(600, 800, runs, frames)])
    letters = sorted(ch for ch in text if ch in "abcdef")
    assert letters == sorted("".join(text for *_, text in words))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_any_number_of_columns(count: int) -> None:
    width = 560 / count
    runs = [
        run(20 + width * number, 600 - 11 * row, f"c{number}r{row:02}", 8)
        for row in range(20)
        for number in range(count)
    ]
    found = read(*runs).split()
    assert all(one < other for one, other in pairwise(found))


def test_a_short_first_line_does_not_tear_its_column_off() -> None:
    text = read(
        run(40, 650, "A headline over all of the columns", 24),
        *column(40, 600, "A NAME", "words of the first column", "and more of them."),
        *column(240, 600, "words of the second column", "and more of them."),
        *column(440, 600, "words of the third column"),
    )
    order = [text.index(words) for words in ("A NAME", "the first", "the second", "the third")]
    assert order == sorted(order)
