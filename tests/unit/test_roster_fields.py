"""Roster fields in templates: their places, their defaults, and that no value can break out."""

from __future__ import annotations

import html as markup
import re
from dataclasses import replace
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.message import compile_edition
from mailer.editions.edition import Edition, Slot, merge_html, merge_text, roster_slot
from mailer.editions.placeholders import field_name
from mailer.editions.preflight import check_edition
from mailer.editions.templates import load_templates
from mailer.errors import RenderFailed
from tests.browser.sampling import FIELDS, WEB_URL, make_publication, render
from tests.unit.test_message import DELIVERY, EDITION, HEAD, URL
from tests.unit.test_templates import changed

TOWN = roster_slot("town", "your town")
LINKED = roster_slot("town", "your town", in_link=True)
PLACED = replace(
    EDITION,
    html=(
        "<html><body><p id=text>",
        TOWN,
        '</p>\n<img alt="',
        TOWN,
        '"><a href="https://lantern.example/near?t=',
        LINKED,
        '&amp;x=1">',
        *EDITION.html,
    ),
    text=("Near ", TOWN, ":\nhttps://lantern.example/near?t=", LINKED, "\n", *EDITION.text),
)
COMPILED = compile_edition(PLACED, HEAD)
READER = {"name": "Nora", "unsubscribe_url": URL}


class Reader(HTMLParser):
    """Reads the three places back as a browser would."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.alt, self.href, self.tags = "", "", "", []
        self._is_in = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self._is_in = self._is_in or found.get("id") == "text"
        self.alt = found.get("alt") or self.alt
        self.href = self.href or found.get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        self._is_in = False

    def handle_data(self, data: str) -> None:
        self.text += data if self._is_in else ""


def templated(tmp_path: Path, printed: str, *, text: str = "") -> Edition:
    changed(tmp_path, "parts/quote.mjml.j2", "{% if quote.text %}", f"{{% if true %}}{printed}")
    if text:
        changed(tmp_path, "parts/opening.txt.j2", "{{ reader.greeting }}", text)
    return render(template_set=load_templates("briefing", override=tmp_path))


def paragraph(words: str) -> str:
    return f"<mj-section><mj-column><mj-text>{words}</mj-text></mj-column></mj-section>\n"


def findings(edition: Edition) -> list[str]:
    publication = make_publication()
    region = publication.region("wales")
    found = check_edition(edition, publication=publication, region=region, web_url=WEB_URL)
    return [f"{finding.level.value} {finding.code}" for finding in found]


def parts(values: dict[str, str]) -> tuple[str, str]:
    content = COMPILED.render(DELIVERY, READER | PLACED.roster_values(values))
    lines = content.split(b"\r\n")
    assert all(len(line) <= 998 and not line.startswith(b".") for line in lines)
    assert b"\n" not in content.replace(b"\r\n", b"")
    message = message_from_bytes(content, policy=policy.default)
    assert not message.defects
    assert set(message.keys()) == set(
        message_from_bytes(COMPILED.render(DELIVERY, READER | PLACED.roster_values({}))).keys()
    )
    plain, html = message.iter_parts()
    return (
        plain.get_payload(decode=True).decode().replace("\r\n", "\n"),
        html.get_payload(decode=True).decode(),
    )


VALUES = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=300),
    st.text(st.sampled_from("ab .é=,&<>\"'\n\t%/{}?"), max_size=200),
    st.sampled_from(
        [
            "Exbridge\r\nBcc: all@lantern.example\r\n\r\n.\r\n",
            ".",
            "..\r\n.\r\nQUIT",
            "{{ reader.address }}{% raw %}",
            "=?utf-8?q?=0D=0ABcc:_x?=",
            "--=_boundary--",
            '"><script>alert(1)</script>',
            "javascript:alert(1)",
            "&amp;&lt;&#60;",
            "é" * 2500,
            ("word " * 1000).strip(),
            "x" * 5000,
        ]
    ),
)


@given(VALUES)
def test_any_value_is_read_back_from_each_place_and_adds_nothing(value: str) -> None:
    plain, html = parts({"town": value})
    wanted = value.strip() or "your town"
    first, link, *_ = plain.split("\n")
    assert first == f"Near {' '.join(wanted.split())}:"
    assert unquote(link.removeprefix("https://lantern.example/near?t=")) == wanted
    reader = Reader()
    reader.feed(html)
    reader.close()
    same = re.sub(r"\r\n|\r", "\n", wanted).replace("\x00", "\ufffd")
    assert _like(reader.text) == _like(same)
    assert _like(reader.alt) == _like(same)
    query = reader.href.removeprefix("https://lantern.example/near?t=").removesuffix("&x=1")
    assert unquote(query) == wanted
    plain_reader = Reader()
    plain_reader.feed(parts({})[1])
    assert reader.tags == plain_reader.tags


def _like(text: str) -> str:
    """Parsers differ over a NUL; a mail's line ends are all the same."""
    return re.sub(r"\r\n|\r", "\n", text).replace("\x00", "\ufffd")


def test_the_default_stands_where_a_reader_has_nothing() -> None:
    for held in ({}, {"town": ""}, {"town": " \t"}, {"village": "Exbridge"}):
        assert "Near your town:" in parts(held)[0]
    assert "t=your%20town\n" in parts({})[0]
    assert roster_slot("town", None).fill({}) == ""


def test_a_template_names_a_field_and_each_place_is_written_as_it_must_be(tmp_path: Path) -> None:
    edition = templated(
        tmp_path,
        paragraph(
            '{{ reader.field("Home Town", default="your town") }} '
            '<a href="https://tidewater.example/{{ reader.field("home_town", default="") }}/x">'
            "near you</a>"
        ),
        text='{{ reader.field("home_town", default="your town") }}',
    )
    assert edition.columns == {"home_town"}
    assert {(slot.default, slot.in_link) for slot in edition.roster_slots} == {
        ("your town", False),
        ("", True),
    }
    values = FIELDS | edition.roster_values({"home_town": "Ex & bridge/<b>"})
    html = merge_html(edition.html, values)
    assert "Ex &amp; bridge/&lt;b&gt;" in html
    assert 'href="https://tidewater.example/Ex%20%26%20bridge%2F%3Cb%3E/x"' in html
    assert "Ex & bridge/<b>" in merge_text(edition.text, values)
    assert "your town" in merge_html(edition.html, FIELDS)
    assert "your town" in merge_text(edition.text, FIELDS)
    assert not [found for found in findings(edition) if "field" in found]


def test_an_edition_with_fields_keeps_its_checksum_and_comes_back_whole(tmp_path: Path) -> None:
    words = paragraph('{{ reader.field("town", default="you") }}{{ reader.field("club") }}')
    one, other = templated(tmp_path / "a", words), templated(tmp_path / "b", words)
    assert one.checksum == other.checksum
    assert Edition.from_json(one.to_json()) == one
    assert EDITION.columns == frozenset()
    assert Edition.from_json(EDITION.to_json()).checksum == EDITION.checksum


def test_an_edition_without_fields_is_written_as_before() -> None:
    assert '{"slot":"name"}' in EDITION.to_json()
    assert "column" not in EDITION.to_json()


def test_a_field_without_a_default_stops_approval(tmp_path: Path) -> None:
    edition = templated(tmp_path, paragraph('Hello {{ reader.field("club") }}'))
    assert "error field-without-default" in findings(edition)


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ('{{ reader.field("") }}', "cannot be the name"),
        ('{{ reader.field("a\\nb\\x01") }}', "cannot be the name"),
        ("{{ reader.field() }}", "cannot be rendered"),
        ('{{ reader.field("town", default=nothing) }}', "nothing"),
        ('{{ reader.field("town", default="x")|upper }}', "changes the letters"),
        ('<span style="color:{{ reader.field("colour", default="red") }}">x</span>', "style"),
    ],
)
def test_a_mistake_is_told_with_its_file(tmp_path: Path, printed: str, said: str) -> None:
    with pytest.raises(RenderFailed, match=said) as caught:
        templated(tmp_path, paragraph(printed))
    assert all(fault.where.endswith(".mjml.j2") for fault in caught.value.faults)


def test_a_field_in_a_style_block_is_refused_however_long_the_block(tmp_path: Path) -> None:
    filling = "a { color: #123456; }\n" * 400
    changed(
        tmp_path,
        "parts/base.css.j2",
        "",
        filling + 'b { color: {{ reader.field("colour", default="#123456") }}; }\n',
    )
    with pytest.raises(RenderFailed, match="into a style"):
        render(template_set=load_templates("briefing", override=tmp_path))


def test_the_subject_names_no_field(tmp_path: Path) -> None:
    changed(tmp_path, "parts/subject.txt.j2", "{{", '{{ reader.field("town", default="x") }} {{')
    with pytest.raises(RenderFailed, match="the subject names a field"):
        render(template_set=load_templates("briefing", override=tmp_path))


def test_an_article_cannot_imitate_a_field() -> None:
    text = markup.escape('{{ reader.field("town", default="x") }}')
    assert Slot("name") != TOWN
    assert merge_html((text,), FIELDS) == text


@pytest.mark.parametrize(
    ("written", "name"),
    [("town", "town"), (" Home  Town ", "home_town"), ("HOME_TOWN", "home_town"), ("Ört", "ört")],
)
def test_a_name_is_read_as_rosters_are(written: str, name: str) -> None:
    assert field_name(written) == name
