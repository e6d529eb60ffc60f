"""Hostile words in the HTML part: they stay words, read back by a parser that wrote none of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from lxml import html as lxml_html

from mailer.editions.edition import Edition, Slot, merge_html
from mailer.editions.guises import Guise, dress, frame_ready
from mailer.editions.text import one_line
from tests.browser.sampling import FIELDS, WEB_URL
from tests.hostile import (
    LINKS,
    PAYLOADS,
    PLAIN,
    PLAIN_ONES,
    QUOTED_LINKS,
    edition_of,
    publication_of,
    shown,
    squeezed,
)

Shape = list[tuple[str, tuple[str, ...]]]


@lru_cache(maxsize=4)
def many(word: str) -> Edition:
    """An edition with an article for every payload, or as many plain ones."""
    return edition_of(word, PAYLOADS if word != PLAIN else PLAIN_ONES)


def elements(markup: str) -> Iterator[Any]:
    for element in lxml_html.document_fromstring(markup.encode(), parser=PARSER).iter():
        if isinstance(element.tag, str):
            yield element


LOADING = frozenset({"src", "srcset", "background", "poster", "data", "action"})
LEADING = re.compile(r"#|https?://|mailto:")
PARSER = lxml_html.HTMLParser(encoding="utf-8")


def shape(edition: Edition, guise: Guise | None = None) -> Shape:
    """Return every element with its attributes' names, as the parser found them."""
    segments = edition.html if guise is None else dress(frame_ready(edition.html), guise)
    markup = merge_html(segments, FIELDS)
    return [(each.tag, tuple(sorted(each.attrib))) for each in elements(markup)]


def leaks(edition: Edition) -> list[str]:
    """Return what would load or run something, or lead where no link of ours does."""
    found = []
    for element in elements(merge_html(edition.html, FIELDS)):
        for name, value in element.attrib.items():
            is_bad = (
                name.startswith("on")
                or name in {"srcdoc", "formaction", "ping"}
                or (name in LOADING and not value.startswith(f"{WEB_URL}/images/"))
                or (name == "href" and not LEADING.match(value))
                or (name == "style" and ("expression" in value or "url(" in value))
            )
            if is_bad:
                found.append(f"{element.tag} {name}={value}")
    return found


def words_of(edition: Edition) -> str:
    page = lxml_html.document_fromstring(merge_html(edition.html, FIELDS).encode(), parser=PARSER)
    alts = " ".join(page.xpath("//img/@alt"))
    return squeezed(f"{page.text_content()} {alts}")


def test_an_article_of_payloads_is_built_like_a_plain_one() -> None:
    hostile, plain = many(PLAIN + " "), many(PLAIN)
    assert shape(hostile) == shape(plain)
    for guise in Guise:
        assert shape(hostile, guise) == shape(plain, guise), guise
    assert leaks(hostile) == leaks(plain) == []
    slots = [part for part in plain.html if isinstance(part, Slot)]
    assert [part for part in hostile.html if isinstance(part, Slot)] == slots


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_payload_of_an_article_is_read_as_it_was_written(payload: str) -> None:
    edition = many(PLAIN + " ")
    assert words_of_many().count(squeezed(shown(payload))) >= 2
    assert "1337" not in words_of_many().replace("%}1337{%", "")
    assert FIELDS["address"] not in "".join(p for p in edition.html if isinstance(p, str))


@lru_cache(maxsize=1)
def words_of_many() -> str:
    return words_of(many(PLAIN + " "))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_issues_own_lines_keep_a_payload_as_words(payload: str) -> None:
    hostile, plain = edition_of(payload, [payload]), few()
    assert leaks(hostile) == []
    # The opening and the note are Markdown, which may make elements of its own, but none that acts.
    made = {tag for tag, _ in shape(hostile)} - {tag for tag, _ in shape(plain)}
    assert made <= {"em", "strong", "code", "br", "blockquote", "hr", "ol", "ul", "li", "a"}
    slots = [part for part in plain.html if isinstance(part, Slot)]
    assert [part for part in hostile.html if isinstance(part, Slot)] == slots
    assert squeezed(shown(payload)) in words_of(hostile)


@lru_cache(maxsize=1)
def few() -> Edition:
    return edition_of(PLAIN, [PLAIN])


@pytest.mark.parametrize("payload", PAYLOADS[::3])
def test_the_publications_lines_keep_a_payload_as_words(payload: str) -> None:
    word = one_line(payload)
    hostile = edition_of(PLAIN, [PLAIN], publication=publication_of(word))
    plain = edition_of(PLAIN, [PLAIN], publication=publication_of(PLAIN))
    assert shape(hostile) == shape(plain)
    assert leaks(hostile) == []
    assert squeezed(shown(payload)) in words_of(hostile)


@pytest.mark.parametrize("link", LINKS)
def test_a_link_that_is_none_is_no_link(link: str) -> None:
    edition = edition_of(PLAIN, [PLAIN, PLAIN], url=link)
    assert leaks(edition) == []
    own = {f"{WEB_URL}/", "https://tidewater.example", "mailto:"}
    for element in elements(merge_html(edition.html, FIELDS)):
        href = element.get("href", "#")
        assert href.startswith(("#", *own)), href


@pytest.mark.parametrize("link", QUOTED_LINKS)
def test_a_link_stays_within_its_quotes(link: str) -> None:
    hostile = edition_of(PLAIN, [PLAIN, PLAIN], url=link)
    assert leaks(hostile) == []
    found = [
        each.get("href")
        for each in elements(merge_html(hostile.html, FIELDS))
        if each.get("href", "").startswith("https://a.example/")
    ]
    for href in found:
        assert not set(href) & set("\"'<>{}\\ \u202e\u00a0\u2028")
    if found:
        assert shape(hostile) == shape(edition_of(PLAIN, [PLAIN, PLAIN]))
