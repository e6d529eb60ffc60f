"""The tables of states: whole, explained, and the same words in the database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import CheckConstraint

from mailer.audience import consent
from mailer.audience.subscriber import SubscriptionState
from mailer.delivery import delivery
from mailer.delivery.delivery import DeliveryState, Verdict
from mailer.errors import IllegalTransition
from mailer.issues import issue
from mailer.issues.issue import IssueState
from mailer.schedule import runs
from mailer.schedule.runs import RunState
from mailer.storage import schema

Table = Mapping[tuple[Any, str], Any]

TABLES: dict[str, tuple[Table, Table, type[StrEnum]]] = {
    "issue": (issue.TRANSITIONS, issue.FORBIDDEN, IssueState),
    "delivery": (delivery.TRANSITIONS, delivery.FORBIDDEN, DeliveryState),
    "consent": (consent.TRANSITIONS, consent.FORBIDDEN, SubscriptionState),
    "slot": (runs.TRANSITIONS, runs.FORBIDDEN, RunState),
}

STARTS: dict[str, set[Any]] = {
    "issue": {IssueState.DRAFT},
    "delivery": {DeliveryState.PLANNED},
    "consent": {None},
    "slot": {RunState.STARTED, RunState.MISSED},
}


def take(name: str, state: Any, step: str) -> Any:
    if name == "issue":
        return issue.next_state(state, step, issue_id="2026-11-30")
    if name == "delivery":
        return delivery.next_state(state, step)
    if name == "consent":
        return consent.next_state(
            state, consent.Step(step), address="zoe@reader.example", region="wales"
        )
    return runs.next_state(state, step)


@pytest.mark.parametrize("name", TABLES)
def test_every_step_leads_from_a_known_state_to_a_known_state(name: str) -> None:
    table, forbidden, states = TABLES[name]
    known = {*states, *STARTS[name]}
    assert {state for state, _ in table} | {state for state, _ in forbidden} <= known
    assert set(table.values()) <= set(states)


@pytest.mark.parametrize("name", TABLES)
def test_no_step_is_both_allowed_and_forbidden(name: str) -> None:
    table, forbidden, _ = TABLES[name]
    assert not set(table) & set(forbidden)
    assert all(why.strip() for why in forbidden.values())
    # A forbidden step is one that exists somewhere: a typo would explain nothing.
    assert {str(step) for _, step in forbidden} <= {str(step) for _, step in table}


@pytest.mark.parametrize("name", TABLES)
def test_every_state_can_be_reached(name: str) -> None:
    table, _, states = TABLES[name]
    reached = set(STARTS[name])
    while grown := {to for (state, _), to in table.items() if state in reached} - reached:
        reached |= grown
    assert set(states) <= reached


@pytest.mark.parametrize("name", TABLES)
def test_every_pair_is_answered_or_refused_in_words(name: str) -> None:
    table, forbidden, states = TABLES[name]
    for state in {*states, *STARTS[name]}:
        for step in sorted({str(step) for _, step in table}):
            if (state, step) in table:
                assert take(name, state, step) is table[state, step]
                continue
            with pytest.raises(IllegalTransition) as refused:
                take(name, state, step)
            assert forbidden.get((state, step), "") in str(refused.value)


@given(name=st.sampled_from(sorted(TABLES)), steps=st.lists(st.integers(0, 30), max_size=30))
def test_no_path_leaves_the_table(name: str, steps: list[int]) -> None:
    table, _, states = TABLES[name]
    words = sorted({str(step) for _, step in table})
    state = min(STARTS[name], key=str)
    for number in steps:
        step = words[number % len(words)]
        before = state
        try:
            state = take(name, state, step)
        except IllegalTransition:
            assert state is before
        assert state in {*states, *STARTS[name]}


def test_an_end_is_an_end() -> None:
    ended = set(DeliveryState) - {state for state, _ in delivery.TRANSITIONS}
    assert ended == {
        DeliveryState.REFUSED,
        DeliveryState.EXPIRED,
        DeliveryState.BOUNCED,
        DeliveryState.COMPLAINED,
    }
    assert not ended & set(delivery.OPEN)
    assert {RunState.DONE, RunState.SKIPPED} == set(RunState) - {
        state for state, _ in runs.TRANSITIONS
    }


def test_every_verdict_is_a_step_of_a_transmission() -> None:
    assert {(DeliveryState.TRANSMITTING, str(verdict)) for verdict in Verdict} <= set(
        delivery.TRANSITIONS
    )


@pytest.mark.parametrize(
    ("table", "states"),
    [
        ("issues", IssueState),
        ("subscriptions", SubscriptionState),
        ("consent_events", SubscriptionState),
        ("deliveries", DeliveryState),
        ("runs", RunState),
    ],
)
def test_the_database_knows_the_same_words(table: str, states: type[StrEnum]) -> None:
    [check] = [
        constraint
        for constraint in schema.metadata.tables[table].constraints
        if isinstance(constraint, CheckConstraint) and str(constraint.name).endswith("state_known")
    ]
    assert set(re.findall(r"'(\w+)'", str(check.sqltext))) == {str(state) for state in states}
