"""Guises: what other programs make of a mail, written into its HTML."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.editions.edition import Segments, Slot, merge_html
from mailer.editions.guises import Guise, dress, frame_ready
from tests.browser.sampling import FIELDS, render

HEAD = (
    '<meta name="color-scheme" content="light dark">'
    "<style>:root{color-scheme:light dark}"
    "@media (prefers-color-scheme: dark){p{color:#eee}}"
    "@media (prefers-color-scheme:light) and (min-width:9px){p{color:#111}}"
    "b{color:#222}</style>"
)


def dressed(html: str, guise: Guise) -> str:
    return merge_html(dress((html,), guise), {})


def test_light_and_dark_decide_every_query() -> None:
    light, dark = dressed(HEAD, Guise.LIGHT), dressed(HEAD, Guise.DARK)
    assert "prefers-color-scheme" not in light + dark
    assert "@media (max-width:0){p{color:#eee}}" in light
    assert "@media (min-width:0) and (min-width:9px){p{color:#111}}" in light
    assert "@media (min-width:0){p{color:#eee}}" in dark
    assert "@media (max-width:0) and (min-width:9px)" in dark
    assert 'content="dark"' in dark
    assert ":root{color-scheme:dark}" in dark
    assert "light dark" not in light + dark


def test_bare_has_lost_its_style_blocks_and_kept_the_rest() -> None:
    bare = dressed(
        f'{HEAD}<STYLE media="screen">i{{}}</STYLE><p style="color:red">x</p>', Guise.BARE
    )
    assert "<style" not in bare.lower()
    assert bare.endswith('<p style="color:red">x</p>')


@pytest.mark.parametrize(
    ("html", "seen"),
    [
        ("<!--[if mso | IE]><b><![endif]-->a<!--[if mso]></b><![endif]-->", "<b>a</b>"),
        ("<!--[if gte mso 9]>b<![endif]-->", "b"),
        ("<!--[if !mso]><!-->c<!--<![endif]-->d", "d"),
        ("<!--[if !mso | IE]>e<![endif]-->f", "f"),
        ("<!--[if lte mso 11]>g<![endif]-->h", "h"),
        ("<!--[if mso]><noscript><xml><o:P>96</o:P></xml></noscript>i<![endif]-->", "i"),
        ("<!-- kept -->j", "<!-- kept -->j"),
        ("<style>a{b:c}@media x{d{e:f}}g{h:i}</style>", "<style>a{b:c}g{h:i}</style>"),
        ('<style media="screen">a{}</style>k', "k"),
    ],
)  # fmt: skip
def test_outlook_sees_what_word_sees(html: str, seen: str) -> None:
    assert dressed(html, Guise.OUTLOOK) == seen


def test_an_edition_keeps_its_slots_in_every_guise() -> None:
    edition = render()
    slots = [part.name for part in edition.html if isinstance(part, Slot)]
    for guise in Guise:
        seen = dress(edition.html, guise)
        assert [part.name for part in seen if isinstance(part, Slot)] == slots
        assert "<!--[if" not in merge_html(seen, FIELDS) or guise is not Guise.OUTLOOK
        words = re.sub(r"<style.*?</style>|<[^>]*>", "", merge_html(seen, FIELDS), flags=re.DOTALL)
        assert "Dear Ada" in words


@given(
    st.lists(
        st.one_of(
            st.text(alphabet="<>!-[]if msoe\"'=#@{}() prefcolr:dkhtdsy/a", max_size=40),
            st.sampled_from(["name", "address"]).map(Slot),
        ),
        max_size=8,
    ),
    st.sampled_from(Guise),
)
def test_no_html_makes_a_guise_fail_or_invent_a_slot(parts: list[str | Slot], guise: Guise) -> None:
    segments: Segments = tuple(parts)
    before = [part for part in segments if isinstance(part, Slot)]
    after = [part for part in frame_ready(dress(segments, guise)) if isinstance(part, Slot)]
    assert len(after) <= len(before)
    assert set(after) <= set(before)


def test_links_are_ready_for_a_frame() -> None:
    html: Segments = (
        '<a class="x" href="https://a.example">a</a><a href="', Slot("preferences_url"),
        '">b</a><a id="y" href="#story-1">c</a><abbr>d</abbr>',
    )  # fmt: skip
    ready = merge_html(frame_ready(html), FIELDS)
    assert ready.count('target="_blank"') == 2
    assert '<a id="y" href="about:srcdoc#story-1">c</a>' in ready
    assert "<abbr>" in ready
