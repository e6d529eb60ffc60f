"""The table of an issue's states: no path leaves it, and every refusal says why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import IllegalTransition
from mailer.issues.issue import FORBIDDEN, TRANSITIONS, IssueState, next_state
from mailer.storage.schema import ISSUE_STATES

STEPS = sorted({step for _, step in [*TRANSITIONS, *FORBIDDEN]})


def test_the_database_knows_the_same_states() -> None:
    assert set(ISSUE_STATES) == {state.value for state in IssueState}


def test_no_step_is_both_allowed_and_forbidden() -> None:
    assert not set(TRANSITIONS) & set(FORBIDDEN)


def test_every_state_can_be_reached_from_a_draft() -> None:
    reached = {IssueState.DRAFT}
    while (
        new := {after for (before, _), after in TRANSITIONS.items() if before in reached} - reached
    ):
        reached |= new
    assert reached == set(IssueState)


@pytest.mark.parametrize("step", ["draft", "approve", "cancel", "reopen"])
@pytest.mark.parametrize("state", list(IssueState))
def test_what_an_editor_may_try_is_allowed_or_explained(state: IssueState, step: str) -> None:
    assert ((state, step) in TRANSITIONS) != ((state, step) in FORBIDDEN)


@pytest.mark.parametrize("state", list(IssueState))
def test_only_an_approved_issue_is_ever_sent(state: IssueState) -> None:
    may_send = (state, "send") in TRANSITIONS
    assert may_send == (state not in {IssueState.DRAFT, IssueState.CANCELLED})


def test_a_refusal_names_the_issue_its_state_and_the_way_out() -> None:
    with pytest.raises(IllegalTransition) as caught:
        next_state(IssueState.DRAFT, "send", issue_id="2026-11-30")
    assert str(caught.value) == (
        "issue 2026-11-30 is draft: it is not approved; run `mailer issue approve` first"
    )


@given(st.lists(st.sampled_from([*STEPS, "burn"]), max_size=30))
def test_no_path_leaves_the_table(steps: list[str]) -> None:
    state = IssueState.DRAFT
    was_approved = False
    for step in steps:
        if (state, step) not in TRANSITIONS:
            with pytest.raises(IllegalTransition, match=f"issue 2026-11-30 is {state}: "):
                next_state(state, step, issue_id="2026-11-30")
            continue
        after = next_state(state, step, issue_id="2026-11-30")
        assert TRANSITIONS[state, step] is after
        was_approved = (was_approved or step == "approve") and after is not IssueState.DRAFT
        if after in {IssueState.SENDING, IssueState.SENT}:
            assert was_approved
        state = after
