"""Pacing: fair turns, slow rise, quick fall, rates kept, nobody held up; in virtual time."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.delivery import Reply
from mailer.delivery.pacing import (
    REST_AFTER,
    REST_S,
    UNPROVED,
    UNPROVED_S,
    Bucket,
    DomainLimit,
    Pacer,
    WarmUp,
    asks_to_slow,
    bucket,
)
from mailer.errors import InvalidInput


def filled(pacer: Pacer[str], domain: str, count: int, now: float = 0.0) -> Pacer[str]:
    for number in range(count):
        pacer.offer(domain, f"{domain}-{number}", now)
    return pacer


@given(st.floats(0.5, 50), st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_a_bucket_never_gives_more_than_its_rate_and_burst(
    rate: float, pauses: list[float]
) -> None:
    made = bucket(rate)
    assert made is not None
    now = 100.0
    given_at = []
    for pause in pauses:
        now += pause
        while made.ready_at(now) <= now:
            made.take(now)
            given_at.append(now)
    allowed = made.burst + rate * (now - 100.0) + 1
    assert len(given_at) <= allowed


def test_a_bucket_says_when_it_is_ready() -> None:
    made = Bucket(2.0)
    made.take(1.0)
    assert made.ready_at(1.0) == pytest.approx(1.5)
    assert made.ready_at(1.5) == 1.5
    assert bucket(0) is None
    with pytest.raises(InvalidInput):
        Bucket(0)


def test_domains_take_turns() -> None:
    pacer: Pacer[str] = Pacer(10)
    filled(pacer, "a.example", 3)
    filled(pacer, "b.example", 3)
    assert [pacer.take(0.0), pacer.take(0.0), pacer.take(0.0)] == [
        "a.example-0",
        "b.example-0",
        None,
    ]
    pacer.succeeded("b.example", 0.01, 0.1)
    assert pacer.take(0.1) == "b.example-1"


def test_a_domains_share_rises_slowly_and_falls_by_half() -> None:
    pacer: Pacer[str] = Pacer(8)
    filled(pacer, "a.example", UNPROVED)
    shares = []
    for step in range(40):
        taken = 0
        while pacer.take(step) is not None:
            taken += 1
        shares.append(taken)
        for _ in range(taken):
            pacer.succeeded("a.example", 0.01, step)
        filled(pacer, "a.example", taken, step)
    assert shares[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(shares))
    assert shares[-1] == 16
    assert pacer.take(50) is not None
    pacer.deferred("a.example", 0.01, 50)
    taken = 0
    while pacer.take(51) is not None:
        taken += 1
    assert taken == 8


def test_asked_to_slow_down_a_domain_rests_longer_each_time() -> None:
    pacer: Pacer[str] = Pacer(4)
    filled(pacer, "a.example", 30)
    back: list[str] = []
    for number in range(REST_AFTER):
        assert pacer.take(number) is not None
        back = pacer.deferred("a.example", 0.01, number, must_slow=True)
    assert len(back) == 30 - REST_AFTER
    assert pacer.waiting == 0
    now = REST_AFTER - 1
    assert pacer.rest_s("a.example", now) == REST_S
    assert pacer.offer("a.example", "again", now + 1) == REST_S - 1
    assert pacer.offer("a.example", "again", now + REST_S + 1) is None


def test_greylisting_is_no_reason_to_rest() -> None:
    pacer: Pacer[str] = Pacer(4)
    filled(pacer, "a.example", 32)
    for number in range(32):
        assert pacer.take(number) is not None
        assert pacer.deferred("a.example", 0.01, number) == []


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        (Reply(421, "4.7.0", "try later"), True),
        (Reply(450, "4.2.1", "the user is receiving mail too quickly"), True),
        (Reply(451, "4.7.500", "Server busy"), True),
        (Reply(451, "4.7.1", "greylisted, come back"), False),
        (Reply(550, "5.1.1", "too many typos"), False),
    ],
)
def test_who_asks_to_slow_down(reply: Reply, wanted: bool) -> None:
    assert asks_to_slow(reply) is wanted


def test_a_rate_holds_and_the_surplus_comes_back_at_that_rate() -> None:
    pacer: Pacer[str] = Pacer(10, limits={"a.example": DomainLimit(per_second=4)})
    pacer.offer("a.example", "first", 0.0)
    assert pacer.take(0.0) == "first"
    pacer.succeeded("a.example", 0.01, 0.0)
    later = [pacer.offer("a.example", str(number), 0.0) for number in range(20)]
    put_off = [each for each in later if each is not None]
    assert pacer.waiting == 20 - len(put_off) == 8
    gaps = [after - before for before, after in pairwise(put_off)]
    assert gaps == pytest.approx([0.25] * len(gaps))
    sent = 0
    for tick in range(40):
        while pacer.take(tick / 20) is not None:
            sent += 1
            pacer.succeeded("a.example", 0.01, tick / 20)
    assert sent <= 8
    assert sent >= 7


def test_an_unproved_domain_does_not_fill_the_hand() -> None:
    pacer: Pacer[str] = filled(Pacer(10), "a.example", UNPROVED)
    assert pacer.offer("a.example", "more", 0.0) == UNPROVED_S


def test_a_domain_that_keeps_us_waiting_is_slow_before_it_says_a_word() -> None:
    pacer: Pacer[str] = filled(Pacer(10), "tar.example", 5)
    assert pacer.take(0.0) == "tar.example-0"
    filled(pacer, "b.example", 3)
    assert pacer.take(0.0) == "b.example-0"
    pacer.succeeded("b.example", 0.02, 0.02)
    assert pacer.ready() == 6
    pacer.offer("tar.example", "more", 2.0)
    assert pacer.ready() == 2
    assert pacer.take(2.0) == "b.example-1"


def test_what_is_given_back_goes_first_and_what_may_not_go_is_dropped() -> None:
    pacer: Pacer[str] = filled(Pacer(1), "a.example", 3)
    first = pacer.take(0.0)
    assert first == "a.example-0"
    pacer.give_back("a.example", first)
    assert pacer.drop("a.example", "a.example-1")
    assert not pacer.drop("a.example", "a.example-1")  # Gone already: sent, or put off meanwhile.
    assert sorted(pacer.items()) == ["a.example-0", "a.example-2"]
    assert pacer.take(0.0) == "a.example-0"
    pacer.left("a.example")
    assert pacer.take(0.0) == "a.example-2"
    assert pacer.empty() == []


def test_a_warm_up_grows_and_ends() -> None:
    plan = WarmUp(date(2026, 12, 1), 100, 2.0)
    days = [date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 4), date(2027, 3, 1)]
    assert [plan.ceiling(day) for day in days] == [None, 100, 800, None]
    assert WarmUp().ceiling(days[1]) is None
