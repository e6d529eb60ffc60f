"""Words are cut out quickly, and are the words that the pattern finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.dating import find_dates, find_times, sentences_of, timed_sentences_of
from mailer.articles.plainwords import Words, WordTable

RUNS = r"\w+"
JOINED = r"[^\W_]+(?:'[^\W_]+)?"
SIGNS = "ab Z09_'’‘“”„«»–—…•·£€©-.\n\t\x1c\xa0éßİ٣ﬁ"


@pytest.mark.parametrize(
    ("words", "pattern"),
    [(Words(RUNS, inner="_"), RUNS), (Words(JOINED, joints="'"), JOINED)],
    ids=["runs", "joined"],
)
@given(text=st.text(max_size=80) | st.text(alphabet=SIGNS, max_size=80))
def test_the_words_are_those_the_pattern_finds(words: Words, pattern: str, text: str) -> None:
    assert words.find(text) == re.findall(pattern, text)


def test_what_is_no_letter_ends_a_word_and_a_joint_may_stay() -> None:
    text = "“the mayor's box_7”—it's o'clock'"
    assert Words(RUNS, inner="_").find(text) == [
        "the",
        "mayor",
        "s",
        "box_7",
        "it",
        "s",
        "o",
        "clock",
    ]
    assert Words(JOINED, joints="'").find(text) == ["the", "mayor's", "box", "7", "it's", "o'clock"]


@given(
    st.lists(
        st.sampled_from(
            [
                "The meeting is on 12 December. ",
                "At noon. ",
                "Midday it was. ",
                "Come at 7pm! ",
                "\n",
                "\n\n",
                "No hour at all. ",
                "on ٣ May ",
                "2026-11-26 ",
            ]
        ),
        max_size=12,
    )
)
def test_no_sentence_with_a_date_or_an_hour_is_passed_over(parts: list[str]) -> None:
    text = "".join(parts)
    timed = timed_sentences_of(text)
    sentences = sentences_of(text)
    assert [each for each in sentences if each in timed] == list(timed)
    for sentence in sentences:
        if find_dates(sentence) or find_times(sentence)[0]:
            assert sentence in timed


def test_what_is_worked_out_of_words_is_remembered_and_never_too_much() -> None:
    made: list[str] = []

    def make(word: str) -> int:
        made.append(word)
        return len(word)

    table = WordTable(make)
    assert [table[word] for word in ("quay", "mud", "quay")] == [4, 3, 4]
    assert made == ["quay", "mud"]
    for number in range(2 * WordTable.MOST):
        assert table[f"w{number}"] == len(f"w{number}")
    assert len(table) <= WordTable.MOST
    assert table["quay"] == 4
    long = "x" * (WordTable.LONGEST + 1)
    assert table[long] == len(long)
    assert long not in table
