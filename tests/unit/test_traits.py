"""What is compared of a text is small, the same on every run, and survives being stored."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.article import Article
from mailer.articles.traits import MOST_WORDS, packed, traits_of, unpacked

SEEN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def article(title: str, text: str, standfirst: str = "") -> Article:
    return Article("a", title, "", text, content_hash="", first_seen_at=SEEN, standfirst=standfirst)


def test_the_runs_of_a_text_are_its_runs_of_five_words() -> None:
    assert len(traits_of(article("", "one two three four")).runs) == 0
    one = traits_of(article("", "One two, three four FIVE")).runs
    assert len(one) == 1
    assert one == traits_of(article("Another title", "one two three four five!")).runs


def test_titles_weigh_more_and_words_that_tell_nothing_are_left_out() -> None:
    found = traits_of(article("The ferry", "A ferry and the harbour and the harbour."))
    assert list(found.counts) == [4, 2]
    assert found.words[0] == traits_of(article("ferry", "")).words[0]


@given(st.text(max_size=400))
def test_the_words_are_few(text: str) -> None:
    found = traits_of(article("", text))
    assert len(found.words) == len(found.counts) <= MOST_WORDS
    assert list(found.runs) == sorted(set(found.runs))


def test_the_beginning_of_a_text_is_known_for_one() -> None:
    long = "word " * 100
    assert not traits_of(article("", long + "end.")).is_excerpt
    assert traits_of(article("", long + "and so …")).is_excerpt
    assert traits_of(article("", long + "Read more »")).is_excerpt
    assert traits_of(article("", "A notice.")).is_excerpt


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_hashes_come_back_as_they_were(hashes: list[int]) -> None:
    assert unpacked(packed(array("I", hashes))) == array("I", hashes)
