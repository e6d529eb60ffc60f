"""Confirmations: asking once a day at most, and taking the answer.

A confirmation is one question to one subscriber about some regions. Its token is a random seed
signed with the mailer's secret; the database keeps the seed and the token's hash, so the mail can
be written again with the same link, and whoever reads the database cannot confirm for anybody.

``ask`` is pure: a second sign-up of the same address joins the question that is open (the mail
that is there, or on its way, is about it too, because the page behind its link lists what is
wanted), and the next mail leaves a day after the last one, whatever is posted meanwhile.

A token works once and for ``confirm_days``. Used again it changes nothing and is no error; used
after its reader left, it does not bring them back, unless it was asked for after they left. A
confirmation by somebody who was erased lifts the erasure: nobody else has that link.

Failures: an unknown token is ``None``; nothing tells an unknown one from one that was pruned.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from mailer.audience.consent import Step, next_state
from mailer.audience.steps import put_step
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.suppression import SuppressionReason
from mailer.audience.tokens import Tokens
from mailer.audience.turns import in_turn
from mailer.clock import Clock
from mailer.policies import AudiencePolicy
from mailer.storage import schema
from mailer.storage.database import Database

PURPOSE = "confirm"
SEED_OCTETS = 16
SOURCE = "confirmation"

Lift = Callable[[Connection, str], object]
"""Forgets that an address was erased; see ``erasure.lift_erasure``."""


class TokenState(StrEnum):
    """How a confirmation's link stands."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subscriber is to be asked."""

    subscriber_id: int
    regions: tuple[str, ...]
    form_version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A row of ``confirmations``; ``is_new`` and ``is_changed`` say what is to be written."""

    token_hash: str
    seed: str
    subscriber_id: int
    regions: tuple[str, ...]
    form_version: str
    created_at: datetime
    expires_at: datetime
    due_at: datetime | None
    attempts: int = 0
    dated_at: datetime | None = None
    sent_at: datetime | None = None
    used_at: datetime | None = None
    is_new: bool = False
    is_changed: bool = False

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """Return a row as a value."""
        return cls(
            row.token_hash,
            row.seed,
            row.subscriber_id,
            tuple(row.regions),
            row.form_version,
            row.created_at,
            row.expires_at,
            row.due_at,
            row.attempts,
            row.dated_at,
            row.sent_at,
            row.used_at,
        )

    @classmethod
    def latest(cls, connection: Connection, subscriber_ids: Sequence[int]) -> list[Self]:
        """Return the newest question to each of a few subscribers who were ever asked."""
        table = schema.confirmations
        rows = connection.execute(
            select(table)
            .where(table.c.subscriber_id.in_(subscriber_ids))
            .order_by(table.c.expires_at, table.c.created_at)
        )
        return list({row.subscriber_id: cls.of(row) for row in rows}.values())

    @staticmethod
    def save(connection: Connection, asked: Sequence[Asked]) -> None:
        """Write what is new or changed."""
        table = schema.confirmations
        fresh = [
            {
                "token_hash": one.token_hash,
                "seed": one.seed,
                "subscriber_id": one.subscriber_id,
                "regions": list(one.regions),
                "form_version": one.form_version,
                "created_at": one.created_at,
                "expires_at": one.expires_at,
                "due_at": one.due_at,
            }
            for one in asked
            if one.is_new
        ]
        if fresh:
            connection.execute(insert(table), fresh)
        changed = [
            {
                "the_hash": one.token_hash,
                "the_regions": list(one.regions),
                "the_version": one.form_version,
                "the_instant": one.created_at,
            }
            for one in asked
            if one.is_changed and not one.is_new
        ]
        if changed:
            connection.execute(
                update(table)
                .where(table.c.token_hash == bindparam("the_hash"))
                .values(
                    regions=bindparam("the_regions", type_=table.c.regions.type),
                    form_version=bindparam("the_version"),
                    created_at=bindparam("the_instant", type_=table.c.created_at.type),
                ),
                changed,
            )

    def state(self, now: datetime) -> TokenState:
        """Say how its link stands."""
        if self.used_at is not None:
            return TokenState.USED
        return TokenState.OPEN if now < self.expires_at else TokenState.EXPIRED


def token_of(tokens: Tokens, seed: str) -> str:
    """Return the token of a seed, as it stands in the link."""
    return tokens.sign(PURPOSE, bytes.fromhex(seed))


def hash_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def ask(
    last: Asked | None,
    wish: Wish,
    *,
    tokens: Tokens,
    gap: timedelta,
    lifetime: timedelta,
) -> tuple[Asked, bool]:
    """Decide about one more wish; pure but for the new seed.

    Args:
        last: the newest question to this subscriber, or None.
        wish: what is wanted now.
        tokens: signs a new question's link.
        gap: between two mails to one address.
        lifetime: of a link.

    Returns:
        The question that covers the wish, and whether it will be a mail of its own.
    """
    if last is not None:
        told_at = last.sent_at or last.dated_at or last.created_at
        is_waiting = last.due_at is not None and last.sent_at is None
        is_recent = wish.at < told_at + gap
        if last.state(wish.at) is TokenState.OPEN and (is_waiting or is_recent):
            regions = tuple(dict.fromkeys((*last.regions, *wish.regions)))
            version = wish.form_version or last.form_version
            joined = replace(last, regions=regions, form_version=version, created_at=wish.at)
            return replace(joined, is_changed=True), False
    due_at = wish.at if last is None else max(wish.at, told_at + gap)
    seed = secrets.token_hex(SEED_OCTETS)
    asked = Asked(
        token_hash=hash_of(token_of(tokens, seed)),
        seed=seed,
        subscriber_id=wish.subscriber_id,
        regions=wish.regions,
        form_version=wish.form_version,
        created_at=wish.at,
        expires_at=due_at + lifetime,
        due_at=due_at,
        is_new=True,
    )
    return asked, True


@dataclass(frozen=True, slots=True)
class Question:
    """What the page behind a link shows, and what became of it.

    ``confirmed`` is what this answer did; ``standing`` are the lists its reader was on before it.
    """

    state: TokenState
    subscriber_id: int
    address: str
    regions: tuple[str, ...]
    language: str = ""
    confirmed: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()


class Confirmations:
    """The reader's answer.

    Args:
        database: where the questions are.
        clock: when it happens.
        tokens: knows our own links.
        policy: whether the network address is kept.
        lift: forgets an erasure.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        tokens: Tokens,
        policy: AudiencePolicy,
        lift: Lift,
    ) -> None:
        self._database = database
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._lift = lift

    def look(self, token: str) -> Question | None:
        """Return what a link asks, or None when it is not ours; changes nothing."""
        if not self._is_ours(token):
            return None
        with self._database.read() as connection:
            found = self._find(connection, token)
            return None if found is None else found[1]

    def confirm(
        self, token: str, regions: Collection[str], *, came_from: str = ""
    ) -> Question | None:
        """Take the answer: the regions of the question that the reader left ticked.

        Returns:
            The question as it stood before, with what was ``confirmed``; None as ``look`` does.
        """
        if not self._is_ours(token):
            return None
        with in_turn(self._database) as connection:
            found = self._find(connection, token)
            if found is None:
                return None
            asked, question = found
            chosen = [slug for slug in asked.regions if slug in regions]
            if question.state is not TokenState.OPEN or not chosen:
                return question
            done = self._confirm(connection, asked, question.address, chosen, came_from)
            return replace(question, confirmed=tuple(done))

    def _confirm(
        self,
        connection: Connection,
        asked: Asked,
        address: str,
        chosen: Sequence[str],
        came_from: str,
    ) -> list[str]:
        now = self._clock.now()
        table, links = schema.confirmations, schema.subscriptions
        standing = {
            row.region: row
            for row in connection.execute(
                select(links).where(links.c.subscriber_id == asked.subscriber_id)
            )
        }
        done = []
        for slug in chosen:
            row = standing.get(slug)
            if row is None:
                continue
            before = SubscriptionState(row.state)
            step = Step.CONFIRM
            if before is SubscriptionState.UNSUBSCRIBED:
                if row.changed_at > asked.created_at:
                    # They left after asking; an old link cannot undo that.
                    continue
                step = Step.REJOIN
            after = next_state(before, step, address=address, region=slug)
            put_step(
                connection,
                asked.subscriber_id,
                slug,
                step=step,
                state=after,
                source=SOURCE,
                at=now,
                form_version=asked.form_version,
                came_from=came_from if self._policy.keeps_network_address else "",
            )
            done.append(slug)
        if done:
            connection.execute(
                update(table)
                .where(table.c.token_hash == asked.token_hash)
                .values(used_at=now, due_at=None)
            )
            self._lift(connection, address)
            barred = schema.suppressions
            connection.execute(
                delete(barred).where(
                    barred.c.address == address, barred.c.reason == SuppressionReason.ERASED.value
                )
            )
        return done

    def _is_ours(self, token: str) -> bool:
        # The signature is checked first: guesses cost the database nothing.
        payload = self._tokens.verify(PURPOSE, token)
        return payload is not None and len(payload) == SEED_OCTETS

    def _find(self, connection: Connection, token: str) -> tuple[Asked, Question] | None:
        table, people = schema.confirmations, schema.subscribers
        row = connection.execute(
            select(table, people.c.address, people.c.language)
            .join(people, people.c.id == table.c.subscriber_id)
            .where(table.c.token_hash == hash_of(token))
        ).one_or_none()
        if row is None:
            return None
        asked = Asked.of(row)
        links = schema.subscriptions
        standing = connection.execute(
            select(links.c.region)
            .where(links.c.subscriber_id == asked.subscriber_id)
            .where(links.c.state == SubscriptionState.CONFIRMED.value)
            .order_by(links.c.region)
        ).scalars()
        return asked, Question(
            asked.state(self._clock.now()),
            asked.subscriber_id,
            row.address,
            asked.regions,
            row.language,
            standing=tuple(standing),
        )
