"""Consent: the table of a subscription's states, and what an import may do.

A subscription begins when somebody asks (pending, until the link in the confirmation is used)
or when the publisher vouches for a consent it holds (an import or `subscribers add`: confirmed
at once). It ends when the reader leaves, and from there only the reader, or an operator who holds
a fresh consent and says so (`rejoin`), leads back. A roster never does. That is why a sign-up for
a list that was left changes nothing until it is confirmed: anybody can type an address, and a
`pending` made so could be confirmed by the next roster.

Suppression is not a state: it is about an address, it outranks every state and is kept apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from mailer.audience.subscriber import SubscriptionState
from mailer.errors import Fault, IllegalTransition


class Step(StrEnum):
    """What can happen to a subscription.

    ``import`` is a roster's row or an operator's add; ``choose`` is a tick on the reader's own
    page, whose address only mail to that reader carries.
    ``left_elsewhere`` is a roster's row that says its reader unsubscribed where it comes from.
    """

    SIGN_UP = "sign_up"
    CONFIRM = "confirm"
    IMPORT = "import"
    UNSUBSCRIBE = "unsubscribe"
    REJOIN = "rejoin"
    CHOOSE = "choose"
    LEFT_ELSEWHERE = "left_elsewhere"


_S = SubscriptionState

TRANSITIONS: dict[tuple[SubscriptionState | None, Step], SubscriptionState] = {
    (None, Step.SIGN_UP): _S.PENDING,
    (None, Step.IMPORT): _S.CONFIRMED,
    (_S.PENDING, Step.SIGN_UP): _S.PENDING,
    (_S.PENDING, Step.CONFIRM): _S.CONFIRMED,
    (_S.PENDING, Step.IMPORT): _S.CONFIRMED,
    (_S.PENDING, Step.UNSUBSCRIBE): _S.UNSUBSCRIBED,
    (_S.CONFIRMED, Step.SIGN_UP): _S.CONFIRMED,
    (_S.CONFIRMED, Step.CONFIRM): _S.CONFIRMED,
    (_S.CONFIRMED, Step.IMPORT): _S.CONFIRMED,
    (_S.CONFIRMED, Step.UNSUBSCRIBE): _S.UNSUBSCRIBED,
    (_S.UNSUBSCRIBED, Step.SIGN_UP): _S.UNSUBSCRIBED,
    (_S.UNSUBSCRIBED, Step.UNSUBSCRIBE): _S.UNSUBSCRIBED,
    (_S.UNSUBSCRIBED, Step.REJOIN): _S.CONFIRMED,
    (None, Step.CHOOSE): _S.CONFIRMED,
    (_S.PENDING, Step.CHOOSE): _S.CONFIRMED,
    (_S.CONFIRMED, Step.CHOOSE): _S.CONFIRMED,
    (None, Step.LEFT_ELSEWHERE): _S.UNSUBSCRIBED,
    (_S.PENDING, Step.LEFT_ELSEWHERE): _S.UNSUBSCRIBED,
    (_S.CONFIRMED, Step.LEFT_ELSEWHERE): _S.UNSUBSCRIBED,
    (_S.UNSUBSCRIBED, Step.LEFT_ELSEWHERE): _S.UNSUBSCRIBED,
}
"""Every allowed step; ``None`` is no subscription yet.

Duplicates are rows of their own: a confirmation link used twice, a second sign-up and a second
click on unsubscribe change nothing and are no errors.
"""

FORBIDDEN: dict[tuple[SubscriptionState | None, Step], str] = {
    (None, Step.CONFIRM): "there is nothing to confirm; sign up first",
    (None, Step.UNSUBSCRIBE): "it is not on this list",
    (None, Step.REJOIN): "it never left this list; add it instead",
    (_S.PENDING, Step.REJOIN): "it never left this list; the sign-up waits to be confirmed",
    (_S.CONFIRMED, Step.REJOIN): "it is on this list already",
    (_S.UNSUBSCRIBED, Step.CONFIRM): "the reader left after asking; an old link cannot undo that",
    (_S.UNSUBSCRIBED, Step.IMPORT): "the reader left; a roster never brings anybody back",
    (_S.UNSUBSCRIBED, Step.CHOOSE): "the reader left; coming back is a step of its own (rejoin)",
}
"""The steps a late click, a roster or a mistake would try, and why they are refused."""

REJOIN_REMEDY = "leave it out, or, with a fresh consent in hand, `mailer subscribers add --rejoin`"


def next_state(
    state: SubscriptionState | None, step: Step, *, address: str, region: str
) -> SubscriptionState:
    """Return the state after ``step``; ``None`` means there is no subscription yet.

    Raises:
        IllegalTransition: the table does not have it; the message says why and what to do.
    """
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        why = FORBIDDEN[state, step]
        remedy = REJOIN_REMEDY if step is Step.IMPORT else ""
        raise IllegalTransition(
            Fault(f"{address} on list {region}: {why}", remedy=remedy)
        ) from None


def reason_against_import(states: Mapping[str, SubscriptionState], region: str) -> str:
    """Say why a roster may not put an address on a region's list; "" when it may.

    Args:
        states: every subscription of the address, by region.
        region: the list the roster is for.

    A reader who left every list they were on has left the publication: another region's roster
    does not bring them back either. One who left a list and kept another may be put on a third.
    A sign-up that waits to be confirmed keeps nothing: anybody can type an address.
    """
    if states.get(region) is SubscriptionState.UNSUBSCRIBED:
        return "unsubscribed from this list earlier"
    left = sorted(slug for slug in states if states[slug] is SubscriptionState.UNSUBSCRIBED)
    if left and SubscriptionState.CONFIRMED not in states.values():
        return f"unsubscribed from {', '.join(left)} earlier and is on no list now"
    return ""
