"""The table of consent: complete, explained, and never led around."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.consent import (
    FORBIDDEN,
    TRANSITIONS,
    Step,
    next_state,
    reason_against_import,
)
from mailer.audience.joining import Known, Verdict, decide
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.suppression import SuppressionReason
from mailer.errors import IllegalTransition
from mailer.storage import schema

STATES = (None, *SubscriptionState)
_S = SubscriptionState


def test_every_pair_is_allowed_or_explained_and_never_both() -> None:
    pairs = set(product(STATES, Step))
    assert set(TRANSITIONS) | set(FORBIDDEN) == pairs
    assert not set(TRANSITIONS) & set(FORBIDDEN)


def test_the_database_knows_the_same_states() -> None:
    assert tuple(state.value for state in SubscriptionState) == schema.SUBSCRIPTION_STATES


@pytest.mark.parametrize("pair", sorted(FORBIDDEN, key=str), ids=str)
def test_a_forbidden_step_says_why(pair: tuple[SubscriptionState | None, Step]) -> None:
    state, step = pair
    with pytest.raises(IllegalTransition) as caught:
        next_state(state, step, address="ada@x.example", region="wales")
    assert "ada@x.example on list wales" in str(caught.value)
    assert FORBIDDEN[pair] in str(caught.value)


@given(st.lists(st.sampled_from(Step), max_size=30))
def test_only_the_reader_or_a_fresh_consent_leads_back(steps: list[Step]) -> None:
    state: SubscriptionState | None = None
    for step in steps:
        try:
            after = next_state(state, step, address="a@x.example", region="wales")
        except IllegalTransition:
            continue
        if state is _S.UNSUBSCRIBED and after is _S.CONFIRMED:
            assert step is Step.REJOIN
        if step is Step.UNSUBSCRIBE:
            assert after is _S.UNSUBSCRIBED
        state = after


def test_late_and_duplicate_events_change_nothing() -> None:
    for state, step in [
        (_S.CONFIRMED, Step.CONFIRM),
        (_S.CONFIRMED, Step.SIGN_UP),
        (_S.PENDING, Step.SIGN_UP),
        (_S.UNSUBSCRIBED, Step.UNSUBSCRIBE),
    ]:
        assert TRANSITIONS[state, step] is state


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ({}, ""),
        ({"wales": _S.CONFIRMED}, ""),
        ({"wales": _S.PENDING}, ""),
        ({"wales": _S.UNSUBSCRIBED}, "from this list"),
        ({"wales": _S.UNSUBSCRIBED, "essex": _S.CONFIRMED}, "from this list"),
        ({"essex": _S.UNSUBSCRIBED}, "from essex"),
        ({"essex": _S.UNSUBSCRIBED, "scotland": _S.UNSUBSCRIBED}, "from essex, scotland"),
        ({"essex": _S.UNSUBSCRIBED, "scotland": _S.CONFIRMED}, ""),
        ({"essex": _S.UNSUBSCRIBED, "scotland": _S.PENDING}, "from essex earlier"),
        ({"essex": _S.UNSUBSCRIBED, "wales": _S.PENDING}, "from essex earlier"),
        ({"essex": _S.UNSUBSCRIBED, "wales": _S.CONFIRMED}, ""),
        ({"essex": _S.PENDING}, ""),
    ],
)
def test_whom_a_roster_for_wales_may_add(states: dict[str, SubscriptionState], reason: str) -> None:
    found = reason_against_import(states, "wales")
    assert (reason in found) if reason else found == ""


@given(
    states=st.dictionaries(st.sampled_from(["wales", "essex"]), st.sampled_from(_S)),
    suppressed=st.none() | st.sampled_from(SuppressionReason),
    may_rejoin=st.booleans(),
)
def test_a_decision_is_possible_in_the_table(
    states: dict[str, SubscriptionState], suppressed: SuppressionReason | None, may_rejoin: bool
) -> None:
    known = Known(1, "", states) if states else None
    decision = decide(known, suppressed, "wales", may_rejoin=may_rejoin)

    if suppressed is not None:
        assert (decision.verdict, decision.code) == (Verdict.KEPT_OUT, "suppressed")
        return
    before = states.get("wales")
    if decision.verdict is Verdict.KEPT_OUT:
        assert not may_rejoin
        assert decision.remedy
    elif decision.verdict is Verdict.ALREADY:
        assert before is _S.CONFIRMED
    else:
        step = Step.REJOIN if before is _S.UNSUBSCRIBED else Step.IMPORT
        assert next_state(before, step, address="a", region="wales") is _S.CONFIRMED
    if before is _S.UNSUBSCRIBED and not may_rejoin:
        assert decision.verdict is Verdict.KEPT_OUT
