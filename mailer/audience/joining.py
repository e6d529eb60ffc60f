"""Taking a few addresses into a list, inside the caller's transaction.

Whole rosters are taken in by ``roster_intake``.

Each batch asks the database three questions (who is known, what are their subscriptions, who is
suppressed), decides every entry by ``decide`` and writes with three ``executemany`` calls, so the
cost a row does not grow with the list. An entry is decided on what stood before the intake; the
caller gives each address once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, bindparam, insert, select, update

from mailer.audience.consent import REJOIN_REMEDY, Step, next_state, reason_against_import
from mailer.audience.erasure import ERASED_REMEDY
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.suppression import UNSUPPRESS_REMEDY, SuppressionReason, find_suppressions
from mailer.storage import schema

BATCH = 900
"""Addresses a question; SQLite before 3.32 takes 999 variables, PostgreSQL 65,535."""


class Verdict(StrEnum):
    """What became of an address that was to be put on a list, or of a roster's word against one.

    Kept out is whoever left or is suppressed; rejected is a row that is wrong in itself. Left and
    suppressed are rows by which a roster says that its reader unsubscribed, or may not be mailed.
    """

    ADDED = "added"
    CONFIRMED = "confirmed"
    ALREADY = "already"
    REJOINED = "rejoined"
    KEPT_OUT = "kept_out"
    REJECTED = "rejected"
    LEFT = "left"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Entry:
    """A normalised address and a cleaned name."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict; one kept out has a code (unsubscribed, suppressed), reason and remedy."""

    verdict: Verdict
    code: str = ""
    reason: str = ""
    remedy: str = ""


FindErased = Callable[[Connection, Sequence[str]], set[str]]
"""Returns which of some normalised addresses asked to be forgotten; see ``erasure``."""

FORGOTTEN = Decision(Verdict.KEPT_OUT, "erased", "asked to be forgotten", ERASED_REMEDY)


@dataclass(frozen=True, slots=True)
class Known:
    """What the register knows of an address before the intake."""

    id: int
    name: str
    states: Mapping[str, SubscriptionState] = field(default_factory=dict)


def decide(
    known: Known | None,
    suppressed: SuppressionReason | None,
    region: str,
    *,
    may_rejoin: bool = False,
) -> Decision:
    """Decide about one address and one list; pure.

    ``may_rejoin`` is an operator's word that a reader who left has asked to come back; nothing
    overrules a suppression.
    """
    if suppressed is not None:
        return Decision(
            Verdict.KEPT_OUT,
            "suppressed",
            f"is suppressed ({suppressed.value})",
            UNSUPPRESS_REMEDY,
        )
    states = known.states if known else {}
    reason = reason_against_import(states, region)
    if reason and not may_rejoin:
        return Decision(Verdict.KEPT_OUT, "unsubscribed", reason, REJOIN_REMEDY)
    if reason:
        return Decision(Verdict.REJOINED)
    match states.get(region):
        case SubscriptionState.CONFIRMED:
            return Decision(Verdict.ALREADY)
        case SubscriptionState.PENDING:
            return Decision(Verdict.CONFIRMED)
        case _:
            return Decision(Verdict.ADDED)


def take_in(
    connection: Connection,
    entries: Sequence[Entry],
    *,
    region: str,
    source: str,
    now: datetime,
    may_rejoin: bool = False,
    erased: FindErased | None = None,
) -> list[Decision]:
    """Put addresses on a list and return one decision for each entry, in the same order.

    ``erased`` finds those among addresses that asked to be forgotten; nothing overrules that.
    """
    decisions: list[Decision] = []
    for start in range(0, len(entries), BATCH):
        batch = entries[start : start + BATCH]
        addresses = [entry.address for entry in batch]
        known = _known(connection, addresses)
        barred = find_suppressions(connection, addresses)
        forgotten = erased(connection, addresses) if erased else set()
        decided = [
            FORGOTTEN
            if each in forgotten
            else decide(known.get(each), barred.get(each), region, may_rejoin=may_rejoin)
            for each in addresses
        ]
        _record(connection, batch, decided, known, region=region, source=source, now=now)
        decisions.extend(decided)
    return decisions


def _known(connection: Connection, addresses: Sequence[str]) -> dict[str, Known]:
    people, links = schema.subscribers, schema.subscriptions
    found = connection.execute(
        select(people.c.id, people.c.address, people.c.name).where(people.c.address.in_(addresses))
    ).all()
    states: dict[int, dict[str, SubscriptionState]] = {id_: {} for id_, _, _ in found}
    if states:
        rows = connection.execute(
            select(links.c.subscriber_id, links.c.region, links.c.state).where(
                links.c.subscriber_id.in_(list(states))
            )
        )
        for id_, region, state in rows:
            states[id_][region] = SubscriptionState(state)
    return {address: Known(id_, name, states[id_]) for id_, address, name in found}


def _record(
    connection: Connection,
    batch: Sequence[Entry],
    decided: Sequence[Decision],
    known: Mapping[str, Known],
    *,
    region: str,
    source: str,
    now: datetime,
) -> None:
    taken = [
        (entry, decision)
        for entry, decision in zip(batch, decided, strict=True)
        if decision.verdict is not Verdict.KEPT_OUT
    ]
    ids = {address: one.id for address, one in known.items()}
    ids |= _insert_people(connection, [e for e, _ in taken if e.address not in known], now)
    # A roster may fill in a name we lack; it never overwrites one the reader may have chosen.
    named = [
        {"the_id": known[entry.address].id, "the_name": entry.name}
        for entry, _ in taken
        if entry.name and entry.address in known and not known[entry.address].name
    ]
    if named:
        people = schema.subscribers
        connection.execute(
            update(people)
            .where(people.c.id == bindparam("the_id"))
            .values(name=bindparam("the_name")),
            named,
        )
    fresh: list[dict[str, object]] = []
    moved: list[dict[str, object]] = []
    facts: list[dict[str, object]] = []
    for entry, decision in taken:
        if decision.verdict is Verdict.ALREADY:
            continue
        one = known.get(entry.address)
        before = one.states.get(region) if one else None
        is_back = before is SubscriptionState.UNSUBSCRIBED
        step = Step.REJOIN if is_back else Step.IMPORT
        state = next_state(before, step, address=entry.address, region=region).value
        link = {"subscriber_id": ids[entry.address], "region": region, "source": source}
        (fresh if before is None else moved).append(link | {"state": state, "changed_at": now})
        step_noted = Step.REJOIN if decision.verdict is Verdict.REJOINED else step
        facts.append(link | {"step": step_noted.value, "state": state, "at": now})
    if fresh:
        connection.execute(insert(schema.subscriptions), fresh)
    if moved:
        _move(connection, moved)
    if facts:
        connection.execute(insert(schema.consent_events), facts)


def _insert_people(
    connection: Connection, entries: Sequence[Entry], now: datetime
) -> dict[str, int]:
    if not entries:
        return {}
    people = schema.subscribers
    rows = connection.execute(
        insert(people).returning(people.c.address, people.c.id),
        [
            {"address": entry.address, "name": entry.name, "fields": {}, "created_at": now}
            for entry in entries
        ],
    )
    return {row.address: row.id for row in rows}


def _move(connection: Connection, links: Sequence[Mapping[str, object]]) -> None:
    table = schema.subscriptions
    connection.execute(
        update(table)
        .where(
            table.c.subscriber_id == bindparam("the_id"),
            table.c.region == bindparam("the_region"),
        )
        .values(
            state=bindparam("the_state"),
            source=bindparam("the_source"),
            changed_at=bindparam("the_instant"),
        ),
        [
            {
                "the_id": link["subscriber_id"],
                "the_region": link["region"],
                "the_state": link["state"],
                "the_source": link["source"],
                "the_instant": link["changed_at"],
            }
            for link in links
        ],
    )
