"""Verdicts: what is to become of every staged row, decided by the database all at once.

The rules are those of ``consent`` and ``joining.decide``, and a test holds the two together; here
they are a dozen statements that each touch only the rows they are about. What is not decided
against stays without a verdict and is done as the row says. In this order:

1. One address twice: the strongest stance holds, else the first row; the others are duplicates.
2. Who asked to be forgotten is not stored again, whatever the row says.
3. Who never confirmed is left out.
4. Subscribing: who is suppressed, who left the list, and who left one and is on none stays out.
5. An objection (left, bounced, blocked, complained) holds, also against a reader who is confirmed
   here, and the report says so for each. But it does not hold against who joined here *since*: by
   an act of their own, or with a consent dated later than the objection. Those stay, are listed,
   and a person decides.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    Table,
    Update,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from mailer.audience.consent import REJOIN_REMEDY, Step
from mailer.audience.joining import Verdict
from mailer.audience.staging import STAGED, TWINS
from mailer.audience.stance import SUPPRESSING, Stance
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.suppression import UNSUPPRESS_REMEDY
from mailer.storage import schema

TAKEN_OFF = "taken_off"
"""The code of a reader who was confirmed here until the roster's objection."""

OPEN = STAGED.c.verdict.is_(None)
SUBSCRIBES = STAGED.c.stance == int(Stance.CONFIRMED)
LEAVES = STAGED.c.stance == int(Stance.LEFT)
SUPPRESSES = STAGED.c.stance.in_([int(stance) for stance in SUPPRESSING])

_PEOPLE, _LINKS, _EVENTS = schema.subscribers, schema.subscriptions, schema.consent_events
_CONFIRMED, _LEFT = SubscriptionState.CONFIRMED.value, SubscriptionState.UNSUBSCRIBED.value
_IMPORTED = Step.IMPORT.value
_ACTS = [step.value for step in Step if step is not Step.SIGN_UP]
"""Steps that say something of a consent; anybody can sign an address up, and a pause is none."""


def decide_staged(connection: Connection, region: str) -> None:
    """Write a verdict to every staged row that is not to be done as it says."""
    if connection.dialect.name != "sqlite":
        # For this transaction; sorting a long roster on disk is what else takes the time.
        connection.execute(text("SET LOCAL work_mem = '64MB'"))
    refresh_statistics(connection, _PEOPLE, _LINKS, _EVENTS)
    _find_twins(connection)
    for statement in (_duplicates(), _erased(), _unconfirmed(), _known(region)):
        connection.execute(statement)
    refresh_statistics(connection, STAGED)
    for statement in (
        *_subscribing(),
        _joined_since(region),
        *_leaving(),
        *_suppressing(),
    ):
        connection.execute(statement)


def refresh_statistics(connection: Connection, *tables: Table) -> None:
    """Let PostgreSQL look at tables that have just changed much; SQLite plans well without.

    Believing that no row has a person yet, it would go through all rows for each person.
    """
    if connection.dialect.name != "sqlite":
        for table in tables:
            connection.execute(text(f"ANALYZE {table.name}"))


def settled_verdict() -> ColumnElement[str]:
    """Return the verdict of a row, decided or as it says."""
    return case(
        (STAGED.c.verdict.is_not(None), STAGED.c.verdict),
        (and_(SUBSCRIBES, STAGED.c.here == _CONFIRMED), Verdict.ALREADY.value),
        (and_(SUBSCRIBES, STAGED.c.here.is_not(None)), Verdict.CONFIRMED.value),
        (SUBSCRIBES, Verdict.ADDED.value),
        (LEAVES, Verdict.LEFT.value),
        else_=Verdict.SUPPRESSED.value,
    )


def _verdict(verdict: Verdict, code: str = "", reason: Any = "", remedy: str = "") -> Update:
    values = {"verdict": verdict.value, "code": code, "reason": reason, "remedy": remedy}
    return update(STAGED).where(OPEN).values(**values)


def _said(before: str, after: str = "") -> ColumnElement[str]:
    return literal(before) + "'" + STAGED.c.said + "'" + after


def _find_twins(connection: Connection) -> None:
    usable = STAGED.c.usable == 1
    twice = (
        select(STAGED.c.address).where(usable).group_by(STAGED.c.address).having(func.count() > 1)
    )
    window: dict[str, Any] = {
        "partition_by": STAGED.c.address,
        "order_by": (STAGED.c.stance.desc(), STAGED.c.n),
    }
    ranked = (
        select(
            STAGED.c.n,
            func.row_number().over(**window).label("place"),
            func.first_value(STAGED.c.line).over(**window).label("first_line"),
            func.first_value(STAGED.c.stance).over(**window).label("first_stance"),
            func.first_value(STAGED.c.said).over(**window).label("first_said"),
        )
        .where(usable, STAGED.c.address.in_(twice))
        .subquery()
    )
    chosen = select(
        ranked.c.n, ranked.c.first_line, ranked.c.first_stance, ranked.c.first_said
    ).where(ranked.c.place > 1)
    connection.execute(
        insert(TWINS).from_select(["n", "first_line", "first_stance", "first_said"], chosen)
    )


def _duplicates() -> Update:
    line = cast(TWINS.c.first_line, String)
    same = literal("is the same address as line ") + line
    reason = case(
        (TWINS.c.first_stance == STAGED.c.stance, same),
        (TWINS.c.first_said == "", same),
        else_=same + ", which says '" + TWINS.c.first_said + "' and holds",
    )
    twin = _verdict(Verdict.REJECTED, "duplicate", reason, "keep one of them")
    return twin.where(TWINS.c.n == STAGED.c.n)


def _erased() -> Update:
    return _verdict(
        Verdict.KEPT_OUT,
        "erased",
        "asked to be forgotten",
        "leave it out; only the reader can come back, by signing up again",
    ).where(STAGED.c.digest != "", STAGED.c.digest.in_(select(schema.erasures.c.digest)))


def _unconfirmed() -> Update:
    return _verdict(
        Verdict.KEPT_OUT,
        "unconfirmed",
        _said("never confirmed: the roster says "),
        "leave it out; they can join by themselves",
    ).where(STAGED.c.stance == int(Stance.UNCONFIRMED))


def _known(region: str) -> Update:
    link = and_(_LINKS.c.subscriber_id == _PEOPLE.c.id, _LINKS.c.region == region)
    here = select(_LINKS.c.state).where(link).correlate(_PEOPLE).scalar_subquery()
    known = update(STAGED).where(OPEN, _PEOPLE.c.address == STAGED.c.address)
    return known.values(person=_PEOPLE.c.id, here=here)


def _subscribing() -> tuple[Update, ...]:
    barred = schema.suppressions
    theirs = _LINKS.alias("theirs")
    on_any = select(theirs.c.region).where(theirs.c.subscriber_id == STAGED.c.person)
    was_left = on_any.where(theirs.c.state == _LEFT)
    ordered = was_left.order_by(theirs.c.region).correlate(STAGED).subquery()
    lists = select(func.aggregate_strings(ordered.c.region, ", ")).scalar_subquery()
    return (
        _verdict(
            Verdict.KEPT_OUT,
            "suppressed",
            literal("is suppressed (") + barred.c.reason + ")",
            UNSUPPRESS_REMEDY,
        ).where(SUBSCRIBES, barred.c.address == STAGED.c.address),
        _verdict(
            Verdict.KEPT_OUT, "unsubscribed", "unsubscribed from this list earlier", REJOIN_REMEDY
        ).where(SUBSCRIBES, STAGED.c.here == _LEFT),
        _verdict(
            Verdict.KEPT_OUT,
            "unsubscribed",
            literal("unsubscribed from ") + lists + " earlier and is on no list now",
            REJOIN_REMEDY,
        ).where(
            SUBSCRIBES,
            STAGED.c.person.is_not(None),
            # Most rows of a roster that comes again: who is on this list is not on none.
            or_(STAGED.c.here.is_(None), STAGED.c.here != _CONFIRMED),
            exists(was_left),
            ~exists(on_any.where(theirs.c.state == _CONFIRMED)),
        ),
    )


def _joined_since(region: str) -> Update:
    # Few rows object; without their names first, SQLite goes through all subscriptions.
    objecting = STAGED.alias("objecting")
    named = select(objecting.c.person).where(
        objecting.c.verdict.is_(None),
        objecting.c.person.is_not(None),
        objecting.c.stance.in_([int(stance) for stance in (Stance.LEFT, *SUPPRESSING)]),
    )
    later = _EVENTS.alias("later")
    newest = (
        select(func.max(later.c.id))
        .where(later.c.subscriber_id == _LINKS.c.subscriber_id, later.c.region == _LINKS.c.region)
        .where(later.c.step.in_(_ACTS))
        .correlate(_LINKS)
        .scalar_subquery()
    )
    # When an import happened says nothing about when its people agreed.
    agreed_at = case(
        (_EVENTS.c.evidence_at.is_not(None), _EVENTS.c.evidence_at),
        (_EVENTS.c.step != _IMPORTED, _EVENTS.c.at),
    )
    by_themselves = and_(STAGED.c.given_at.is_(None), _EVENTS.c.step != _IMPORTED)
    return _verdict(
        Verdict.KEPT_OUT,
        "joined_since",
        _said("the roster says ", ", but the reader joined here since and stays"),
        "ask them; `mailer subscribers remove` takes them off",
    ).where(
        or_(and_(LEAVES, _LINKS.c.region == region), SUPPRESSES),
        _LINKS.c.subscriber_id.in_(named),
        _LINKS.c.subscriber_id == STAGED.c.person,
        _LINKS.c.state == _CONFIRMED,
        _EVENTS.c.id == newest,
        or_(STAGED.c.given_at <= agreed_at, by_themselves),
    )


def _leaving() -> tuple[Update, ...]:
    return (
        _verdict(Verdict.ALREADY).where(LEAVES, STAGED.c.here == _LEFT),
        _verdict(
            Verdict.LEFT,
            TAKEN_OFF,
            _said("was confirmed here and is unsubscribed now: the roster says "),
            REJOIN_REMEDY,
        ).where(LEAVES, STAGED.c.here == _CONFIRMED),
        _verdict(Verdict.LEFT).where(LEAVES, STAGED.c.here.is_not(None)),
    )


def _suppressing() -> tuple[Update, ...]:
    barred = schema.suppressions
    theirs = and_(_LINKS.c.subscriber_id == STAGED.c.person, _LINKS.c.state == _CONFIRMED)
    return (
        _verdict(Verdict.ALREADY).where(SUPPRESSES, barred.c.address == STAGED.c.address),
        _verdict(
            Verdict.SUPPRESSED,
            TAKEN_OFF,
            _said("was confirmed here and is suppressed now: the roster says "),
            UNSUPPRESS_REMEDY,
        ).where(SUPPRESSES, exists(select(_LINKS.c.region).where(theirs))),
    )
