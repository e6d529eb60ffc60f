"""Words of an edition: lines, excerpts, what stands under a headline, safe addresses, prose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.editions.prose import plain, styled
from mailer.editions.text import (
    article_text,
    excerpt,
    one_line,
    paragraphs,
    safe_url,
)
from tests.browser.sampling import make_article


@given(st.text(max_size=200))
def test_one_line_is_one_line(text: str) -> None:
    result = one_line(text)
    assert result == one_line(result)
    assert len(result.splitlines()) <= 1
    assert result == result.strip()


@given(st.lists(st.text(alphabet="abc .!?", max_size=300), max_size=5), st.integers(5, 60))
def test_an_excerpt_is_about_as_long_as_asked(parts: list[str], words: int) -> None:
    clean = [part for part in (one_line(part) for part in parts) if part]
    result = excerpt(clean, words=words)
    assert sum(len(part.split()) for part in result) <= words + 8
    for part in result:
        stem = part.removesuffix("…").rstrip(",;:–—-( ")
        assert any(source.startswith(stem) for source in clean)


def test_an_excerpt_prefers_the_end_of_a_sentence() -> None:
    text = "One two three four five six. Seven eight nine ten. Eleven twelve " + "more " * 40
    assert excerpt([text], words=12) == ("One two three four five six. Seven eight nine ten.",)
    assert excerpt(["word " * 60], words=10)[0].endswith("word…")
    assert excerpt(["Mr. Bell and Dr. Ash " + "went on " * 30], words=10)[0].endswith("…")


def test_what_stands_under_a_headline() -> None:
    article = make_article(standfirst="", body_text="One. " * 100)
    assert article_text(article, standfirst="Mine.", has_link=True) == ("Mine.",)
    linked = article_text(article, standfirst="", has_link=True)
    assert len(" ".join(linked).split()) <= 53
    whole = article_text(article, standfirst="", has_link=False)
    assert len(" ".join(whole).split()) == 100
    long = replace(article, body_text="One two. " * 200)
    assert 90 <= len(" ".join(article_text(long, standfirst="", has_link=False)).split()) <= 120


def test_paragraphs_of_any_line_ends() -> None:
    assert paragraphs("a\r\nb\r\n\r\n c \n\n\n") == ["a b", "c"]


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("https://a.example/b?c=d&e=f#g", "https://a.example/b?c=d&e=f#g"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ('https://a.example/"onclick=', "https://a.example/%22onclick="),
        ("https://a.example/a b", "https://a.example/a%20b"),
        ("https://user:pass@a.example/", ""),
        ("javascript:alert(1)", ""),
        ("//a.example/x", ""),
        ("https://a.example/\r\nBcc: x", ""),
        ("https://", ""),
        ("https://a.example:99999/", ""),
        ("mailto:a@b.example", ""),
        ("", ""),
    ],
)
def test_safe_url(given_url: str, expected: str) -> None:
    assert safe_url(given_url) == expected


def test_prose_is_written_anew_with_its_styles() -> None:
    html = styled('<p class="x" onclick="y">a <b>b</b></p><div>c</div>', {"p": "margin:0"})
    assert html == '<p style="margin:0">a <strong>b</strong></p><p style="margin:0">c</p>'


def test_prose_as_plain_lines() -> None:
    html = (
        '<h3>Head</h3><p>See <a href="https://a.example/">this</a> now.</p>'
        "<ul><li>one</li><li><p>two</p></li></ul><ol><li>x</li><li>y</li></ol>"
        "<blockquote><p>said</p></blockquote>"
    )
    assert plain(html).split("\n") == [
        "Head", "", "See this now.", "https://a.example/", "", "- one", "- two", "", "1. x",
        "2. y", "", "> said",
    ]  # fmt: skip


FRAGMENTS = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<ul>", "</ul>", "<li>", "</li>", "<a href='https://a.example'>", "</a>",
         "<em>", "</em>", "<blockquote>", "</blockquote>", "<script>", "</script>", "<br>", "text",
         " ", "<", "&lt;b&gt;", '" onclick="', "<h1>", "</h1>", "<table><td>", "<!-- x -->"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(FRAGMENTS)
def test_any_html_comes_out_balanced_and_harmless(html: str) -> None:
    from html.parser import HTMLParser

    written = str(styled(html, {"p": "margin:0"}))
    stack: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert {name for name, _ in attrs} <= {"href", "style", "class"}
            assert not (tag in {"p", "h3", "ul", "ol", "li", "blockquote"} and "p" in stack[-1:])
            if tag != "br":
                stack.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag != "br":
                assert stack.pop() == tag

    checker = Checker()
    checker.feed(written)
    checker.close()
    assert stack == []
    assert "<script" not in written
    assert plain(html) == plain(written)
