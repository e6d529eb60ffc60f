"""Hostile words in the text part: no line of their own, no slot, nothing a terminal would obey."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import pytest

from mailer.editions.edition import Edition, Slot, merge_text
from tests.browser.sampling import FIELDS
from tests.hostile import (
    LINKS,
    PAYLOADS,
    PLAIN,
    PLAIN_ONES,
    QUOTED_LINKS,
    edition_of,
    shown,
    squeezed,
)


@lru_cache(maxsize=2)
def many(words: tuple[str, ...]) -> Edition:
    return edition_of(PLAIN, words)


def test_no_payload_starts_a_line_or_fills_a_slot() -> None:
    hostile, plain = many(PAYLOADS), many(PLAIN_ONES)
    lines = merge_text(hostile.text, FIELDS).split("\n")
    assert len(lines) == len(merge_text(plain.text, FIELDS).split("\n"))
    slots = [part for part in plain.text if isinstance(part, Slot)]
    assert [part for part in hostile.text if isinstance(part, Slot)] == slots
    unshown = {ch for line in lines for ch in line if unicodedata.category(ch) in {"Cc", "Cs"}}
    assert unshown == set()
    text = "".join(part for part in hostile.text if isinstance(part, str))
    assert not set("\u2028\u2029\u202d\u202e\x85") & set(text)
    assert FIELDS["address"] not in text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_payload_is_read_as_it_was_written(payload: str) -> None:
    assert squeezed(shown(payload)) in squeezed(merge_text(many(PAYLOADS).text, FIELDS))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_issues_own_lines_keep_a_payload_on_its_line(payload: str) -> None:
    words = merge_text(edition_of(payload, [payload]).text, FIELDS)
    assert re.search(r"(?m)^(?:Bcc|X-Evil|MAIL FROM|Subject): ?", words) is None or "\n" in payload
    assert not {ch for ch in words if ch != "\n" and unicodedata.category(ch) in {"Cc", "Cs"}}
    assert squeezed(shown(payload)) in squeezed(words)


@pytest.mark.parametrize("link", [*LINKS, *QUOTED_LINKS])
def test_only_a_web_address_is_printed_as_one(link: str) -> None:
    words = merge_text(edition_of(PLAIN, [PLAIN], url=link).text, FIELDS)
    for scheme in ("javascript:", "data:", "vbscript:", "file:", "blob:"):
        assert scheme not in words.casefold()
    for line in words.split("\n"):
        if line.startswith("http"):
            assert re.fullmatch(r"[!-~]+", line), line
