"""The table of delivery states: what it promises, whatever the order of steps."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.delivery.delivery import (
    FORBIDDEN,
    OPEN,
    TRANSITIONS,
    DeliveryState,
    Verdict,
    next_state,
)
from mailer.errors import IllegalTransition
from mailer.storage.schema import DELIVERY_STATES

STEPS = sorted({step for _, step in TRANSITIONS})


def test_the_schema_knows_the_same_states() -> None:
    assert set(DELIVERY_STATES) == {state.value for state in DeliveryState}


def test_every_state_can_be_reached_and_every_open_one_can_be_left() -> None:
    reached = {DeliveryState.PLANNED}
    while (
        found := {after for (before, _), after in TRANSITIONS.items() if before in reached}
        - reached
    ):
        reached |= found
    assert reached == set(DeliveryState)
    assert set(OPEN) <= {before for before, _ in TRANSITIONS}


def test_forbidden_steps_are_explained_and_really_forbidden() -> None:
    for (state, step), why in FORBIDDEN.items():
        with pytest.raises(IllegalTransition, match=why):
            next_state(state, step)


def test_each_verdict_is_a_step_of_a_transmission() -> None:
    for verdict in Verdict:
        next_state(DeliveryState.TRANSMITTING, verdict.value)


def test_a_crash_gives_a_claim_back_and_doubts_a_transmission() -> None:
    assert next_state(DeliveryState.CLAIMED, "crash") is DeliveryState.PLANNED
    assert next_state(DeliveryState.TRANSMITTING, "crash") is DeliveryState.IN_DOUBT


@given(st.lists(st.sampled_from(STEPS), max_size=60))
@example(["cancel", "replan", "claim", "transmit"])
@example(["claim", "skip", "replan", "claim", "transmit"])
def test_no_path_sends_again_what_was_accepted_refused_or_expired(steps: list[str]) -> None:
    """What was skipped or cancelled is sent only where it is planned anew."""
    state = DeliveryState.PLANNED
    is_final = False
    for step in steps:
        try:
            state = next_state(state, step)
        except IllegalTransition:
            continue
        # Bytes go out only in TRANSMITTING, and nothing leads there from a final state.
        assert not (is_final and state is DeliveryState.TRANSMITTING)
        if step == "replan":
            is_final = False
        is_final = is_final or state in {
            DeliveryState.ACCEPTED,
            DeliveryState.REFUSED,
            DeliveryState.SKIPPED,
            DeliveryState.CANCELLED,
            DeliveryState.EXPIRED,
        }


@pytest.mark.parametrize(
    "state", [state for state in DeliveryState if state not in {"skipped", "cancelled"}]
)
def test_only_what_ended_before_anything_was_sent_is_planned_anew(state: DeliveryState) -> None:
    with pytest.raises(IllegalTransition):
        next_state(state, "replan")
