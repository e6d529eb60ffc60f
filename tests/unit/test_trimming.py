"""A site's furniture goes out of a page's blocks, and never takes an author's words with it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.cleaning import html_to_text, sanitise
from mailer.articles.intake import IngestPolicy
from mailer.articles.newsitem import article_of
from mailer.articles.pages import html_blocks
from mailer.articles.residue import is_residue
from mailer.articles.syndication import FeedItem
from mailer.articles.trimming import trim_blocks
from mailer.sources import Source

FIRST = "The first real paragraph stands below it."
SECOND = "The second says what the first left out."
WORDS = ["tide", "quay", "read", "more", "©", "email"]
FURNITURE = ["Share this:", "Advertisement", "Read more", "Loading", "3 comments", "Cancel reply"]


def trimmed(markup: str) -> list[str]:
    return trim_blocks(html_blocks(sanitise(markup)))[1]


@pytest.mark.parametrize(
    ("markup", "left"),
    [
        (
            f"<p>A wall at dusk. A wall at dusk.</p><p>{FIRST}</p><p>{SECOND}</p>",
            ["A wall at dusk.", FIRST, SECOND],
        ),
        (f"<p>Share this:<br>{FIRST}</p><p>{SECOND}</p>", [FIRST, SECOND]),
        (
            f"<p>Intro stays.</p><p>Photo: Ada Marsh<br>Advertisement</p><p>{SECOND}</p>",
            ["Intro stays.", "Photo: Ada Marsh", SECOND],
        ),
        (f"<p>{FIRST}</p><p>Advertisement</p><p>{SECOND}</p>", [FIRST, SECOND]),
        (f"<p>{FIRST}</p><p>{FIRST}</p><p>{SECOND}</p>", [FIRST, SECOND]),
        (
            f"<blockquote><p>{FIRST}</p><p>Read more</p></blockquote><p>{SECOND}</p>",
            [f"{FIRST}\n\nRead more", SECOND],
        ),
    ],
)
def test_a_changed_block_takes_nothing_after_it_along(markup: str, left: list[str]) -> None:
    assert trimmed(markup) == left


def test_links_and_emphasis_stay_in_what_is_left() -> None:
    blocks = html_blocks(
        sanitise(
            '<p><strong>Share this:<br>Come</strong> to <a href="https://town.example/a">it</a></p>'
            "<p><em>One</em> two three. <em>One</em> two three.</p>"
            "<p><em>Four</em> five &amp; six. Four five &amp; six.</p>"
        )
    )
    assert trim_blocks(blocks)[0] == [
        '<p>Come to <a href="https://town.example/a">it</a></p>',
        "<p><em>One</em> two three.</p>",
        "<p>Four five &amp; six.</p>",
    ]


def test_an_item_of_a_feed_keeps_its_text() -> None:
    item = FeedItem(
        title="A walk on the wall",
        content_html=f"<p>Share this:<br>{FIRST}</p><p>{SECOND}</p>",
    )
    now = datetime(2026, 11, 27, tzinfo=UTC)
    desk = IngestPolicy(now, "Europe/London", Path())
    article = article_of(item, Source(name="Town", url="https://town.example/feed"), desk)
    assert article is not None
    assert article.body_text == f"{FIRST}\n\n{SECOND}"


@st.composite
def pages(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return a page's HTML and, in order, the lines in it that are an author's."""
    numbers = count()
    markup, written = [], []
    for _ in range(draw(st.integers(1, 5))):
        lines = []
        for is_ours in draw(st.lists(st.booleans(), min_size=1, max_size=4)):
            if not is_ours:
                line = draw(st.sampled_from(FURNITURE))
            else:
                words = draw(
                    st.lists(st.sampled_from(["tide", "quay", "read", "more", "©", "email"]))
                )
                line = " ".join([f"line{next(numbers)}", *words])
                written.append(line)
                if draw(st.booleans()):
                    line = f"{line} {line}"
            mark = draw(st.sampled_from(["", "em", "strong"]))
            lines.append(f"<{mark}>{line}</{mark}>" if mark else line)
        inner = "<br>".join(lines)
        frame = draw(st.sampled_from(["p", "h3", "blockquote", "strong"]))
        markup.append(f"<p><strong>{inner}</strong></p>" if frame == "strong" else inner)
        if frame != "strong":
            markup[-1] = f"<{frame}>{inner}</{frame}>"
    return "".join(markup), written


@given(pages())
def test_no_line_of_an_author_is_lost_or_moved(page: tuple[str, list[str]]) -> None:
    markup, written = page
    blocks, texts, _ = trim_blocks(html_blocks(sanitise(markup)))
    assert [html_to_text(block) for block in blocks] == texts
    left = " ".join(" ".join(texts).split())
    place = 0
    for line in written:
        assert not is_residue(line)
        place = left.index(line, place) + len(line)
