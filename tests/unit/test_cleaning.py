"""HTML in mail is safe, small and flat; residue goes and sentences about residue stay."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.bylines import foot_byline, names_in_byline, speakers_in
from mailer.articles.captions import read_credit
from mailer.articles.cleaning import (
    MAX_HTML_CHARS,
    html_to_text,
    markdown_to_html,
    pictures_in,
    sanitise,
)
from mailer.articles.residue import halve, is_residue, remove_residue
from mailer.errors import InvalidInput

TAGS = (
    "<p> </p> <div> </div> <b> </b> <ul> <li> </ul> <a_href='https://x.example'> </a> <blockquote> "
    '</blockquote> text_ <br> <h2> </h2> <table> <td> </table> &amp; < > " <!-- é'
)
ALLOWED = re.compile(
    r"</?(?:p|h3|h4|ul|ol|li|blockquote|em|strong)>|<br>|</a>"
    r'|<a href="(?:https?:|mailto:)[^"<>]*">'
)


@pytest.mark.parametrize(
    ("given_html", "expected"),
    [
        ("<h1>A</h1><h2>B</h2><h5>C</h5>", "<h3>A</h3>\n<h3>B</h3>\n<h4>C</h4>"),
        ("<div>One</div><div>Two</div>", "<p>One</p>\n<p>Two</p>"),
        ("<b>a</b> <i>b</i>", "<p><strong>a</strong> <em>b</em></p>"),
        ("<script>alert(1)</script>x", "<p>x</p>"),
        ('<p onclick="x()" style="color:red">x</p>', "<p>x</p>"),
        ('<a href="javascript:alert(1)">x</a>', "<p>x</a></p>".replace("</a>", "")),
        ('<a href="/there">x</a>', "<p>x</p>"),
        ('<a href="https://a.example/?b=1&c=2">x</a>', None),
        ("<figure><img src=a.jpg><figcaption>C</figcaption></figure><p>x</p>", "<p>x</p>"),
        ("<ul><li><p>a</p><p>b</p></li><li></li></ul>", "<ul>\n<li>a<br>b</li>\n</ul>"),
        ("<ul><li></li></ul>", ""),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "<p>a b</p>"),
        ("a &lt;script&gt; b", "<p>a &lt;script&gt; b</p>"),
        ("<a href='https://a.example'>x<p>y</p></a>", None),
        ("<iframe src=x></iframe><form><input></form>", ""),
    ],
)
def test_only_what_a_mail_can_show(given_html: str, expected: str | None) -> None:
    found = sanitise(given_html)
    if expected is not None:
        assert found == expected
    assert not re.sub(ALLOWED, "", found).count("<")


@given(
    st.lists(
        st.sampled_from([tag.replace("_", " ") for tag in TAGS.split()]),
        max_size=40,
    ).map("".join)
)
def test_any_html_becomes_flat_balanced_blocks(text: str) -> None:
    found = sanitise(text)
    assert "<" not in ALLOWED.sub("", found)
    opened: list[str] = []
    for closing, name in re.findall(r"<(/?)([a-z0-9]+)[^>]*>", found):
        if name == "br":
            continue
        if closing:
            assert opened.pop() == name
        else:
            opened.append(name)
            assert len(opened) <= 10
    assert not opened
    assert sanitise(found) == found


@pytest.mark.parametrize(
    "text",
    ["<div>" * 12_000, "<b><p>" * 200, "x" * (MAX_HTML_CHARS + 1), "<br>" * 30_000],
)
def test_deep_and_large_html_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        sanitise(text)
    assert caught.value.faults[0].remedy


def test_deep_markdown_is_harmless() -> None:
    assert "x" in markdown_to_html(">" * 15 + " x")
    assert markdown_to_html(">" * 500 + " x").count("<") < 10


def test_markdown_with_html_is_sanitised() -> None:
    found = markdown_to_html("# Head\n\nA *b* <script>x</script> [c](https://a.example)\n\n- d\n")
    assert found == (
        '<h3>Head</h3>\n<p>A <em>b</em> <a href="https://a.example">c</a></p>\n'
        "<ul>\n<li>d</li>\n</ul>"
    )


def test_templates_in_text_stay_text() -> None:
    assert markdown_to_html("{{ 7*7 }} <mj-include path='x' />").startswith("<p>{{ 7*7 }}")


def test_text_of_html() -> None:
    assert html_to_text("<p>A<br>b</p>\n<ul>\n<li>c</li>\n<li>d &amp; e</li>\n</ul>\n<p>f</p>") == (
        "A\nb\n\n- c\n- d & e\n\nf"
    )


def test_pictures_are_read_before_they_go() -> None:
    (picture,) = pictures_in(
        '<figure><img src="a.jpg" alt=""><figcaption>On the quay</figcaption></figure>'
    )
    assert (picture.src, picture.alt, picture.caption) == ("a.jpg", "", "On the quay")
    (other,) = pictures_in("![Boats](b.jpg)", is_markdown=True)
    assert (other.src, other.alt) == ("b.jpg", "Boats")


@pytest.mark.parametrize(
    "block",
    [
        "Leave a Reply",
        "Your email address will not be published. Required fields are marked *",
        "We use cookies",
        "Subscribe to our Newsletter",
        "Original post",
        "Original post: https://elsewhere.example/a",
        "Thank you for your Subscription",
        "We don't spam!",
        "Share this:",
        "Save my name, email, and website in this browser for the next time I comment.",
        "3 comments",
        "Related posts",
        "Related stories from the quay...",
        "Related article: Who owns the quay?",
        "Filed under: News, Wales",
        "« The ferry is back",
        "Next week's tides »",
    ],
)
def test_residue(block: str) -> None:
    assert is_residue(block)


@pytest.mark.parametrize(
    "block",
    [
        "The council says its site will use cookies only after a vote, and the vote is on Monday.",
        "He asked her to leave a reply on the door, and she did.",
        "Subscribers to the strike fund have paid for a month of soup, said the treasurer.",
        "Home is where the boat is.",
        "The original post office closed in 1990.",
        "More stories were told that night than were true.",
        "Posted in the window of the net loft was a note.",
        "« Nous resterons au port », dit-elle.",
        "« Nous resterons au port »",
        "Elle a dit : « Nous resterons au port. »",
    ],
)
def test_sentences_about_residue_stay(block: str) -> None:
    assert not is_residue(block)


def test_the_tail_is_cut_and_long_text_below_it_is_kept_and_flagged() -> None:
    long = " ".join(f"word{number}" for number in range(60))
    cleaned = remove_residue(["Text.", "Leave a Reply", "Odd button", long])
    assert cleaned.blocks == ("Text.", long)
    assert [flag.code for flag in cleaned.flags] == ["tail-dropped", "after-comment-form"]
    assert "Odd button" in cleaned.flags[0].note


def test_a_syndicated_page_keeps_the_address_of_the_original() -> None:
    cleaned = remove_residue(["Text.", "Original post: https://elsewhere.example/a"])
    assert cleaned.url == "https://elsewhere.example/a"
    assert [flag.code for flag in cleaned.flags] == ["syndicated"]


def test_a_text_that_stands_twice_stands_once() -> None:
    assert halve("On the quay On the quay") == "On the quay"
    assert halve("On and on") == "On and on"
    assert remove_residue(["A b c.", "A b c.", "D."]).blocks == ("A b c.", "D.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BOATS. PHOTO: ADA VINE / CC BY-NC 2.0", ("Boats", "Ada Vine", "CC BY-NC 2.0")),
        ("BOATS PHOTO: ADA VINE / CC BY-NC ND 2.0", ("Boats", "Ada Vine", "CC BY-NC-ND 2.0")),
        ("Boats at rest. Photo: Ada Vine", ("Boats at rest", "Ada Vine", "")),
        ("Photo by Ada Vine (CC0)", ("", "Ada Vine", "CC0")),
        ("Boats (Picture: Ada Vine)", ("Boats", "Ada Vine", "")),
    ],
)
def test_credits(text: str, expected: tuple[str, str, str]) -> None:
    picture = read_credit(text)
    assert picture is not None
    assert (picture.caption, picture.credit, picture.licence) == expected


def test_a_sentence_is_no_credit() -> None:
    assert read_credit("She sent a photo of the quay to her aunt, who kept it.") is None


def test_bylines() -> None:
    assert names_in_byline("By Ada Vine and Bo Lund") == ("Ada Vine", "Bo Lund")
    assert names_in_byline("ADA VINE") == ("Ada Vine",)
    assert names_in_byline("Ada Vine, harbour correspondent") == ("Ada Vine",)
    assert names_in_byline("By the time it rained") == ()
    assert names_in_byline("Weekly Briefing") == ()
    assert speakers_in("After Eva Holm's tour, Ada Vine and Bo Lund recommend six boats") == (
        "Ada Vine",
        "Bo Lund",
    )


def test_a_byline_at_the_foot() -> None:
    body = ["Text.", "More."]
    assert foot_byline([*body, "Ada Vine"]) == (("Ada Vine",), "", 1)
    names, note, used = foot_byline([*body, "Ada Vine", "Ada Vine keeps bees."])
    assert (names, note, used) == (("Ada Vine",), "Ada Vine keeps bees.", 2)
    assert foot_byline([*body, "Ada Vine is a baker in Hull."])[0] == ("Ada Vine",)
    assert foot_byline(body) == ((), "", 0)
