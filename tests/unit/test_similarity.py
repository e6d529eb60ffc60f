"""Twins are found, neighbours are not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.article import Article
from mailer.articles.traits import traits_of
from mailer.selection.reasons import Likeness
from mailer.selection.similarity import TwinIndex, normalise_title, print_of

SEEN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def article(id_: str, title: str, text: str = "") -> Article:
    return Article(
        id=id_, title=title, body_html="", body_text=text, content_hash="", first_seen_at=SEEN
    )


class Index(TwinIndex):
    """An index that works out the traits by itself."""

    def keep(self, article: Article) -> None:
        self.add(print_of(article, traits_of(article)))

    def seek(self, article: Article) -> Likeness | None:
        return self.find(print_of(article, traits_of(article)))


def text_of(seed: str, words: int) -> str:
    return " ".join(f"{seed}{n}" for n in range(words))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ferry “Merganser” returns", 'FERRY "Merganser"  returns!'),
        ("Café rents: an inquiry", "Cafe\u0301 rents – an inquiry"),
    ],
)
def test_titles_that_read_the_same_are_twins(first: str, second: str) -> None:
    index = Index()
    index.keep(article("a", first))
    found = index.seek(article("b", second))
    assert found is not None
    assert found.article_id == "a"
    assert str(found) == "the title is the same"


def test_a_title_of_signs_alone_is_no_reason() -> None:
    index = Index()
    index.keep(article("a", "***"))
    assert index.seek(article("b", "!!!")) is None


def test_a_text_with_a_few_words_changed_is_a_twin() -> None:
    index = Index()
    index.keep(article("a", "Locks reopen", text_of("w", 200)))
    edited = text_of("w", 200).replace("w50 ", "x50 ").replace("w120 ", "x120 ")
    found = index.seek(article("b", "The locks are open", edited))
    assert found is not None
    assert str(found) == "90% of the two texts is shared"


def test_a_piece_inside_a_longer_one_is_a_twin() -> None:
    index = Index()
    index.keep(article("a", "Round-up", text_of("v", 400) + " " + text_of("w", 80)))
    assert index.seek(article("b", "Locks", text_of("w", 80))) is not None


@pytest.mark.parametrize(
    ("title", "is_twin"), [("Bell ringers win a new tower", True), ("Tower for sale", False)]
)
def test_a_rewritten_copy_under_an_alike_title_is_a_twin(title: str, is_twin: bool) -> None:
    index = Index()
    index.keep(article("a", "Bell-ringers win new tower", text_of("w", 100)))
    copy = article("b", title, f"{text_of('w', 40)} {text_of('x', 60)}")
    assert (index.seek(copy) is not None) == is_twin


def test_two_pieces_that_share_a_paragraph_are_not() -> None:
    index = Index()
    shared = text_of("footer", 40)
    index.keep(article("a", "Locks", f"{text_of('v', 150)} {shared}"))
    assert index.seek(article("b", "Bells", f"{text_of('w', 150)} {shared}")) is None


def test_short_notices_are_compared_by_title_alone() -> None:
    index = Index()
    index.keep(article("a", "Dance on Monday", "Doors open at seven, bring shoes and a friend."))
    same = article("b", "Dance on Friday", "Doors open at seven, bring shoes and a friend.")
    assert index.seek(same) is None


def test_against_the_past_a_standing_title_does_not_count() -> None:
    index = Index(by_title=False)
    index.keep(article("a", "Letters", text_of("v", 100)))
    assert index.seek(article("b", "Letters", text_of("w", 100))) is None
    assert index.seek(article("c", "Letters", text_of("v", 100))) is not None


@given(st.text(), st.text(max_size=300))
def test_an_article_is_never_its_own_twin(title: str, text: str) -> None:
    index = Index()
    sample = article("a", title, text)
    index.keep(sample)
    assert index.seek(sample) is None


@given(st.text())
def test_normalising_twice_changes_nothing(title: str) -> None:
    once = normalise_title(title)
    assert normalise_title(once) == once
