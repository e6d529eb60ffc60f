"""The edition as a value: its canonical form, its checksum, merging a reader's fields."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.editions.edition import Edition, Slot, merge_html, merge_text

EDITION = Edition(
    issue_id="2026-11-30",
    region="wales",
    language="en-GB",
    subject="Subject",
    preheader="Preheader",
    html=("<p>", Slot("greeting"), "</p>"),
    text=(Slot("greeting"), "\n"),
    article_ids=("a", "b"),
)

literals = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=40)
segments = st.lists(
    st.one_of(literals, st.sampled_from([Slot("name"), Slot("address")])), max_size=8
).map(tuple)


@given(html=segments, text=segments, subject=literals)
def test_canonical_form_reads_back_the_same(
    html: tuple[str | Slot, ...], text: tuple[str | Slot, ...], subject: str
) -> None:
    edition = replace(EDITION, html=html, text=text, subject=subject)
    again = Edition.from_json(edition.to_json())
    assert again == edition
    assert again.checksum == edition.checksum


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Other"},
        {"html": ("<p>", Slot("name"), "</p>")},
        {"html": ("<p>greeting</p>",)},
        {"text": ("x",)},
        {"article_ids": ("b", "a")},
        {"region": "bristol"},
    ],
)
def test_checksum_covers_everything_a_reader_sees(change: dict[str, object]) -> None:
    assert replace(EDITION, **change).checksum != EDITION.checksum  # type: ignore[arg-type]


def test_canonical_form_is_sorted_and_dense() -> None:
    text = EDITION.to_json()
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert '", "' not in text


@given(value=st.text())
def test_a_readers_value_stays_text_in_html(value: str) -> None:
    merged = merge_html(('<a href="', Slot("name"), '">', Slot("name"), "</a>"), {"name": value})
    assert merged.count("<") == 2
    assert merged.count('"') == 2


@given(value=st.text())
def test_a_readers_value_never_starts_a_line(value: str) -> None:
    merged = merge_text(("Dear ", Slot("name"), ".\n"), {"name": value})
    assert merged.count("\n") == 1
    assert "\r" not in merged


def test_a_missing_field_is_an_error() -> None:
    with pytest.raises(KeyError):
        merge_html(EDITION.html, {})
