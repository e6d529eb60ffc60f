"""Two announcements of like words are two happenings where an hour or a place says so."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.diary import Happening, happenings_in_text, merge
from mailer.articles.occasions import are_apart, is_one_place

TODAY = date(2026, 11, 27)
DAY = date(2026, 12, 5)


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("Town Hall, Stornoway", "Corn Exchange, Ely", False),
        ("Town Hall, Stornoway", "Town Hall, Ely", False),
        ("Town Hall, Stornoway", "Stornoway Town Hall", True),
        ("the Net Loft", "Net Loft, Quay Street", True),
        ("Net Loft, Quay Street", "Net Loft, Wick", True),
        ("Corn Exchange, Ely", "Market Square, Ely", False),
        ("Town Hall", "Town Hall, Ely", True),
        ("Wisbech hall", "Ely", False),
        ("Cafe Zoe", "Café Zoë", True),
        ("12 Quay Street", "14 Quay Street", False),
        ("St Mary’s Church", "St Marys church, Ely", True),
        ("ال", "the", True),
    ],
)
def test_places(one: str, other: str, is_one: bool) -> None:
    assert is_one_place(one, other) is is_one_place(other, one) is is_one


def test_one_paper_announces_two_meetings_on_one_day() -> None:
    text = (
        "A public meeting will be held on 5 December at the Corn Exchange, Ely at 7.30pm. "
        "The branch meeting will be held on 5 December in Wisbech at 2pm."
    )
    found = merge(happenings_in_text(text, reference=TODAY, today=TODAY))
    assert [(one.title, one.at) for one in found] == [
        ("Branch meeting", time(14)),
        ("Public meeting", time(19, 30)),
    ]


HAPPENINGS = st.builds(
    Happening,
    title=st.sampled_from(["Public meeting", "Branch meeting"]),
    on=st.just(DAY),
    at=st.sampled_from([None, time(10), time(14)]),
    place=st.sampled_from(["", "Ely", "Corn Exchange, Ely", "Wisbech hall"]),
    noun=st.just("meeting"),
)


@given(st.lists(HAPPENINGS, max_size=6))
def test_no_hour_or_place_is_lost(happenings: list[Happening]) -> None:
    kept = merge(happenings)
    for one in happenings:
        assert any(not are_apart(one, other) for other in kept)
    assert {one.at for one in happenings if one.at} <= {one.at for one in kept}
