"""Movements: which consent events made a list longer or shorter, and through which channel.

Pure. A *join* is an event after which a subscription is confirmed and before which it was not; a
*leave* is the way out of confirmed. Repeats and steps between pending and unsubscribed move
nobody. Reports count movements over all events, erasure counts those of the one reader whose
events it deletes, by this same rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime

from mailer.audience.consent import Step
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.tally import JOINS, LEAVES, Key

CONFIRMED = SubscriptionState.CONFIRMED.value

CHANNELS = ("pages", "roster", "operator", "erased")
"""How people come: by the public pages, a roster, an operator's word. Who was on a list when
erased left it by that."""

_OPERATORS = frozenset({"operator", "command line"})
_READERS = frozenset({"confirmation", "preferences", "undo"})
"""Sources of who comes back by themselves (see ``confirmations`` and ``preferences``)."""


def channel_of(step: str, source: str) -> str:
    """Return the channel of an event."""
    if source in _OPERATORS or (step == Step.REJOIN and source not in _READERS):
        return "operator"
    return "roster" if step in {Step.IMPORT, Step.LEFT_ELSEWHERE} else "pages"


def movement_of(before: str | None, after: str) -> str:
    """Return ``joins``, ``leaves`` or "" for a step from one state of a subscription to another."""
    if (before == CONFIRMED) == (after == CONFIRMED):
        return ""
    return JOINS if after == CONFIRMED else LEAVES


def count_movements(events: Iterable[tuple[str, str, str, str, datetime]]) -> Counter[Key]:
    """Count one subscriber's movements by region, channel and UTC day.

    Args:
        events: (region, step, state, source, at), the oldest first.
    """
    stood: dict[str, str] = {}
    counted: Counter[Key] = Counter()
    for region, step, state, source, at in events:
        if moved := movement_of(stood.get(region), state):
            counted[moved, f"{region}/{channel_of(step, source)}", day_of(at)] += 1
        stood[region] = state
    return counted


def day_of(at: datetime) -> date:
    """Return the UTC day of an aware instant; tallies and reports are kept by it."""
    return at.astimezone(UTC).date()
