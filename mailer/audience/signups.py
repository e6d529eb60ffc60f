"""Sign-ups: what was posted is kept at once, and looked at afterwards.

``keep`` writes the posts of a group in one statement, before they are answered; it does the same
for every address, whoever it is. ``work_off`` takes them up a moment later and decides each by
what is known: an address nobody knows becomes a pending subscriber, one that is known is asked to
confirm anew, one that is suppressed gets nothing, and nobody who watches the answers can tell
which it was. Nothing a stranger types changes a name or a subscription of somebody who confirmed
or left: until the link in the mail is used, it is only a wish.

Who asked to be forgotten may come back by their own act: a sign-up of theirs is asked to confirm,
but at most once in ``pending_days`` instead of once a day, and no name is kept until they did. A
complaint, a bounce and an operator's word are final: no mail at all.

A post that names a region we do not know is left where it is, for a process that does: whoever
kept it had read a newer publication. As old as a link may become, it is decided by what is known.

Known limit: a process that is killed between the two leaves the posts to the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from mailer.audience.confirmations import Asked, Wish, ask
from mailer.audience.consent import Step, next_state
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.suppression import SuppressionReason, find_suppressions
from mailer.audience.tally import Key, add_tallies
from mailer.audience.tokens import Tokens
from mailer.audience.turns import in_turn
from mailer.clock import Clock
from mailer.policies import AudiencePolicy
from mailer.storage import schema
from mailer.storage.database import Database

BATCH = 200
"""Posts a transaction; short enough that a post which arrives meanwhile hardly waits."""

TALLY = "sign_ups"
TEXT = "form_text"
"""The kind of event that keeps the text of a form, under its version in the place of an issue."""

EraseCheck = Callable[[Connection, Sequence[str]], set[str]]
"""Returns those of some addresses that asked to be forgotten; see ``erasure.erased_among``."""


@dataclass(frozen=True, slots=True)
class SignUp:
    """One post: a normalised address, a cleaned name, slugs of regions; ``at`` is aware UTC.

    ``form_version`` names the text the reader saw, ``came_from`` the network address.
    """

    address: str
    regions: tuple[str, ...]
    at: datetime
    name: str = ""
    language: str = ""
    source: str = "page"
    form_version: str = ""
    came_from: str = ""


class SignUps:
    """Keeps posts and works them off.

    Args:
        database: where they are kept.
        clock: when it happens.
        tokens: signs the confirmations' links.
        regions: slugs of the publication's regions.
        policy: days, and whether the network address is kept.
        erased: who asked to be forgotten.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        tokens: Tokens,
        regions: Collection[str],
        policy: AudiencePolicy,
        erased: EraseCheck,
    ) -> None:
        self._database = database
        self._clock = clock
        self._tokens = tokens
        self._regions = frozenset(regions)
        self._policy = policy
        self._erased = erased

    def keep(self, posts: Sequence[SignUp]) -> None:
        """Write posts down, all or none; the same work for every address."""
        keeps = self._policy.keeps_network_address
        rows = [
            {
                "address": post.address,
                "name": post.name,
                "regions": list(post.regions),
                "language": post.language,
                "source": post.source,
                "form_version": post.form_version,
                "came_from": post.came_from if keeps else "",
                "at": post.at,
            }
            for post in posts
        ]
        with self._database.write() as connection:
            connection.execute(insert(schema.sign_ups), rows)

    def remember_text(self, version: str, text: str, language: str) -> None:
        """Keep a form's text as an event under its version, unless it is there."""
        table = schema.events
        with in_turn(self._database) as connection:
            known = connection.execute(
                select(table.c.id).where(table.c.kind == TEXT, table.c.issue_id == version)
            ).first()
            if known is None:
                connection.execute(
                    insert(table).values(
                        at=self._clock.now(),
                        kind=TEXT,
                        issue_id=version,
                        region="",
                        by="",
                        detail={"text": text, "language": language},
                    )
                )

    def work_off(self, limit: int = BATCH) -> int:
        """Decide the oldest posts in one transaction; return how many there were."""
        table = schema.sign_ups
        with in_turn(self._database) as connection:
            posts = self._take_up(connection, limit)
            if posts:
                connection.execute(delete(table).where(table.c.id.in_([post.id for post in posts])))
            # A question about nothing is never mailed, and would bar a later one for a day.
            decidable = [post for post in posts if not self._regions.isdisjoint(post.regions)]
            if decidable:
                _Batch(
                    connection,
                    now=self._clock.now(),
                    tokens=self._tokens,
                    policy=self._policy,
                    regions=self._regions,
                    erased=self._erased,
                ).take(decidable)
        return len(posts)

    def _take_up(self, connection: Connection, limit: int) -> list[Row[Any]]:
        """Return the oldest posts that are ours to decide; those we leave must not bar the rest."""
        table = schema.sign_ups
        lapsed_at = self._clock.now() - timedelta(days=self._policy.confirm_days)
        posts: list[Row[Any]] = []
        last_id = 0
        while (missing := limit - len(posts)) > 0:
            page = connection.execute(
                select(table).where(table.c.id > last_id).order_by(table.c.id).limit(missing)
            ).all()
            posts += [
                post
                for post in page
                if self._regions.issuperset(post.regions) or post.at <= lapsed_at
            ]
            if len(page) < missing:
                break
            last_id = page[-1].id
        return posts


@dataclass(slots=True)
class _Person:
    """A subscriber as the batch sees them; changed along with what is written."""

    id: int
    name: str
    is_erased: bool
    states: dict[str, SubscriptionState] = field(default_factory=dict)
    asked: Asked | None = None

    @property
    def is_unconfirmed(self) -> bool:
        """True while nothing of theirs was ever confirmed or left."""
        return all(state is SubscriptionState.PENDING for state in self.states.values())


class _Batch:
    """One transaction's posts: three questions, then the decisions, then the writing."""

    def __init__(
        self,
        connection: Connection,
        *,
        now: datetime,
        tokens: Tokens,
        policy: AudiencePolicy,
        regions: frozenset[str],
        erased: EraseCheck,
    ) -> None:
        self._connection = connection
        self._now = now
        self._tokens = tokens
        self._policy = policy
        self._regions = regions
        self._erased = erased
        self._links: list[dict[str, object]] = []
        self._facts: list[dict[str, object]] = []
        self._counted: Counter[Key] = Counter()

    def take(self, posts: Sequence[Any]) -> None:
        """Decide the posts in their order and write what follows from them."""
        addresses = list(dict.fromkeys(post.address for post in posts))
        barred = find_suppressions(self._connection, addresses)
        erased = self._erased(self._connection, addresses)
        erased |= {one for one, why in barred.items() if why is SuppressionReason.ERASED}
        closed = {one for one in barred if one not in erased}
        people = self._people([post for post in posts if post.address not in closed], erased)
        for post in posts:
            if post.address in closed:
                self._count("suppressed")
            else:
                self._decide(people[post.address], post)
        self._write(people)

    def _decide(self, person: _Person, post: Any) -> None:
        wanted = [slug for slug in post.regions if slug in self._regions]
        for slug in wanted:
            before = person.states.get(slug)
            after = next_state(before, Step.SIGN_UP, address=post.address, region=slug)
            if before is None:
                person.states[slug] = after
                link = {"subscriber_id": person.id, "region": slug, "source": post.source}
                self._links.append(link | {"state": after.value, "changed_at": post.at})
            if before is None or before is SubscriptionState.UNSUBSCRIBED:
                self._facts.append(
                    {
                        "subscriber_id": person.id,
                        "region": slug,
                        "step": Step.SIGN_UP.value,
                        "state": after.value,
                        "source": post.source,
                        "at": post.at,
                        "form_version": post.form_version,
                        "came_from": post.came_from,
                    }
                )
        may_name = person.is_unconfirmed and not person.is_erased
        if post.name and post.name != person.name and may_name:
            people = schema.subscribers
            person.name = post.name
            self._connection.execute(
                update(people).where(people.c.id == person.id).values(name=post.name)
            )
        pause_days = self._policy.pending_days if person.is_erased else 1
        person.asked, is_news = ask(
            person.asked,
            Wish(person.id, tuple(wanted), post.form_version, self._now),
            tokens=self._tokens,
            gap=timedelta(days=pause_days),
            lifetime=timedelta(days=self._policy.confirm_days),
        )
        self._count("asked" if is_news else "asked_already")

    def _people(self, posts: Sequence[Any], erased: set[str]) -> dict[str, _Person]:
        people, links = schema.subscribers, schema.subscriptions
        first: dict[str, Any] = {}
        for post in posts:
            first.setdefault(post.address, post)
        rows = self._connection.execute(
            select(people.c.id, people.c.address, people.c.name).where(
                people.c.address.in_(list(first))
            )
        )
        found = {row.address: _Person(row.id, row.name, row.address in erased) for row in rows}
        by_id = {person.id: person for person in found.values()}
        if by_id:
            for row in self._connection.execute(
                select(links).where(links.c.subscriber_id.in_(list(by_id)))
            ):
                by_id[row.subscriber_id].states[row.region] = SubscriptionState(row.state)
            for asked in Asked.latest(self._connection, list(by_id)):
                by_id[asked.subscriber_id].asked = asked
        fresh = [post for address, post in first.items() if address not in found]
        if fresh:
            made = self._connection.execute(
                insert(people).returning(people.c.id, people.c.address, people.c.name),
                [
                    {
                        "address": post.address,
                        # Who was forgotten is not named by whoever types their address.
                        "name": "" if post.address in erased else post.name,
                        "fields": {},
                        "language": post.language,
                        "created_at": post.at,
                    }
                    for post in fresh
                ],
            )
            for row in made:
                found[row.address] = _Person(row.id, row.name, row.address in erased)
        return found

    def _write(self, people: Mapping[str, _Person]) -> None:
        if self._links:
            self._connection.execute(insert(schema.subscriptions), self._links)
        if self._facts:
            self._connection.execute(insert(schema.consent_events), self._facts)
        Asked.save(self._connection, [one.asked for one in people.values() if one.asked])
        add_tallies(self._connection, self._counted)

    def _count(self, what: str) -> None:
        self._counted[TALLY, what, self._now.date()] += 1
