"""The register: every subscriber, subscription, consent and suppression, behind one service.

It promises: an address is stored once, in its normalised form; every change of consent leaves an
event with its source; whoever left or is suppressed is never put back by a roster or by mistake;
``recipients`` gives an address once. Writers take turns (SQLite's own rule; on PostgreSQL an
advisory lock held for the transaction), so two imports at once cannot trip over each other.

Failures: an unknown address or region is ``NotFound``; a step that consent forbids is
``IllegalTransition`` with the way out; the database's are ``StorageFailed`` and undo the whole
call. Known limit: while a very large roster is taken in, other writers wait for it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from mailer.audience import eligibility
from mailer.audience.addresses import clean_name, normalise
from mailer.audience.consent import Step, next_state
from mailer.audience.joining import Entry, FindErased, Verdict, take_in
from mailer.audience.standing import (
    ConsentEvent,
    RegionCount,
    Standing,
    count_regions,
    find_person,
    history_of,
    list_people,
    require_person,
    unknown_address,
    with_subscriptions,
)
from mailer.audience.subscriber import Recipient, Subscriber, SubscriptionState
from mailer.audience.suppression import (
    Suppression,
    SuppressionReason,
    find_suppression,
    find_suppressions,
    lift_suppression,
    put_suppression,
)
from mailer.audience.turns import in_turn
from mailer.clock import Clock
from mailer.errors import Fault, IllegalTransition, InvalidInput, NotFound
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database

__all__ = ["ConsentEvent", "RegionCount", "Register", "Standing"]

_PAIRS_A_QUESTION = 1000
_ROWS_A_FETCH = 2000
_REASONS = tuple(reason.value for reason in SuppressionReason)


class Register:
    """Who gets it and who may not.

    Args:
        database: where it is kept.
        clock: when things happen.
        regions: by slug, in the publication's order (``publication.region_map``).
        erased: finds addresses that asked to be forgotten; they are put on no list.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        regions: Mapping[str, Region],
        erased: FindErased | None = None,
    ) -> None:
        self._erased = erased
        self._database = database
        self._clock = clock
        self._regions = dict(regions)
        self._ineligible = eligibility.ineligible_statement(
            self._regions, is_sqlite=database.is_sqlite
        )

    def require_region(self, region: str) -> None:
        """Raise ``NotFound`` unless the publication has the region."""
        if region not in self._regions:
            raise NotFound(
                Fault(
                    f"there is no region {region!r}",
                    field="region",
                    remedy=f"use one of {', '.join(self._regions)}",
                )
            )

    def add(
        self,
        address: str,
        region: str,
        name: str = "",
        source: str = "operator",
        *,
        rejoin: bool = False,
    ) -> Subscriber:
        """Put an address on a list for which the publisher holds a consent.

        Args:
            address: as written; it is normalised.
            region: slug of the list's region.
            name: the reader's; kept only when none is known yet.
            source: where the consent comes from, for the record.
            rejoin: the reader left earlier and has freshly consented.

        Returns:
            The subscriber as they stand now; adding somebody twice changes nothing.

        Raises:
            InvalidInput: the address or the name is not usable.
            NotFound: there is no such region.
            IllegalTransition: it unsubscribed earlier and ``rejoin`` is not given, or it is
                suppressed; the remedy names the way out.
        """
        self.require_region(region)
        entry = Entry(normalise(address), clean_name(name))
        with self._write() as connection:
            (decision,) = take_in(
                connection,
                [entry],
                region=region,
                source=source,
                now=self._clock.now(),
                may_rejoin=rejoin,
                erased=self._erased,
            )
            if decision.verdict is Verdict.KEPT_OUT:
                raise IllegalTransition(
                    Fault(f"{entry.address} {decision.reason}", remedy=decision.remedy)
                )
            row = require_person(connection, entry.address)
            return with_subscriptions(connection, [row])[0]

    def remove(
        self, address: str, region: str | None = None, *, source: str = "operator"
    ) -> tuple[str, ...]:
        """Unsubscribe an address from one list, or from every list it is on.

        Returns:
            The regions it left now; empty when it had left before.

        Raises:
            NotFound: the address, or the address on that list, is unknown.
        """
        wanted = normalise(address)
        with self._write() as connection:
            row = require_person(connection, wanted)
            return self._leave(connection, row, region, source)

    def suppress(
        self, address: str, reason: SuppressionReason | str, evidence: str = ""
    ) -> Suppression:
        """Never mail an address again, on a list or not; the first reason given stays."""
        if reason not in _REASONS:
            raise InvalidInput(
                Fault(
                    f"{reason!r} is not a reason",
                    field="reason",
                    remedy=f"use one of {', '.join(_REASONS)}",
                )
            )
        suppression = Suppression(
            normalise(address), SuppressionReason(reason), evidence.strip(), self._clock.now()
        )
        with self._write() as connection:
            return put_suppression(connection, suppression)

    def unsuppress(self, address: str, *, why: str = "", by: str = "operator") -> Suppression:
        """Lift a suppression and return it; subscriptions stand as they did before.

        Raises:
            NotFound: the address is not suppressed.
            IllegalTransition: it is suppressed because the reader asked to be forgotten.
        """
        wanted = normalise(address)
        with self._write() as connection:
            return lift_suppression(connection, wanted, why=why, by=by, at=self._clock.now())

    def show(self, address: str) -> Standing:
        """Return all that is known of an address.

        Raises:
            NotFound: nothing is known of it.
        """
        wanted = normalise(address)
        with self._database.read() as connection:
            suppression = find_suppression(connection, wanted)
            row = find_person(connection, wanted)
            if row is None and suppression is None:
                raise unknown_address(wanted)
            if row is None:
                return Standing(wanted, None, suppression)
            (subscriber,) = with_subscriptions(connection, [row])
            return Standing(wanted, subscriber, suppression, history_of(connection, row.id))

    def suppressed(self, addresses: Sequence[str]) -> dict[str, SuppressionReason]:
        """Return the suppressed ones of a few normalised addresses, and why."""
        with self._database.read() as connection:
            return find_suppressions(connection, addresses)

    def suppressions(self, *, limit: int | None = None) -> tuple[Suppression, ...]:
        """Return suppressed addresses, the newest first."""
        table = schema.suppressions
        statement = select(table).order_by(table.c.at.desc(), table.c.address).limit(limit)
        with self._database.read() as connection:
            return tuple(
                Suppression(row.address, SuppressionReason(row.reason), row.evidence, row.at)
                for row in connection.execute(statement)
            )

    def recipients(
        self,
        *,
        only: Collection[str] | None = None,
        connection: Connection | None = None,
    ) -> Iterator[Recipient]:
        """Stream who gets an issue: an address once, by region in order, then by address.

        Args:
            only: recipients of these regions' editions; None means all.
            connection: read inside this transaction instead of a new one, as planning does.
        """
        if connection is not None:
            yield from self._recipients(connection, only)
            return
        with self._database.read() as reading:
            yield from self._recipients(reading, only)

    def audience(self) -> dict[str, Select[Any]]:
        """Return each region's statement that selects subscriber_id, address and name, in order.

        For a plan of a million, which the database writes from them by itself.
        """
        is_sqlite, now = self._database.is_sqlite, self._clock.now()
        return {
            region: eligibility.region_recipients_statement(
                self._regions, region, now=now, is_sqlite=is_sqlite
            )
            for region in self._regions
        }

    def _recipients(
        self, connection: Connection, only: Collection[str] | None
    ) -> Iterator[Recipient]:
        for region, statement in self.audience().items():
            if only is None or region in only:
                rows = connection.execute(statement.execution_options(yield_per=_ROWS_A_FETCH))
                for subscriber_id, address, name in rows:
                    yield Recipient(subscriber_id, address, name, region)

    def ineligible(self, pairs: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
        """Return those (subscriber's number, region) that must not be sent any more.

        Unknown subscribers are among them. The question is asked in bulk, for a claim's check.
        """
        wanted = list(set(pairs))
        found: set[tuple[int, str]] = set()
        with self._database.read() as connection:
            for start in range(0, len(wanted), _PAIRS_A_QUESTION):
                asked = json.dumps(wanted[start : start + _PAIRS_A_QUESTION])
                values = {"pairs": asked, "now": self._clock.now()}
                rows = connection.execute(self._ineligible, values)
                found.update((row[0], row[1]) for row in rows.all())
        return found

    def counts(self) -> tuple[RegionCount, ...]:
        """Return every region of the publication in figures, in its order."""
        with self._database.read() as connection:
            return count_regions(connection, self._regions, now=self._clock.now())

    def _leave(
        self, connection: Connection, row: Row[Any], region: str | None, source: str
    ) -> tuple[str, ...]:
        links = schema.subscriptions
        (subscriber,) = with_subscriptions(connection, [row])
        states = {each.region: each.state for each in subscriber.subscriptions}
        if region is not None and region not in states:
            lists = f"it is on {', '.join(sorted(states))}" if states else "it is on no list"
            raise NotFound(f"{row.address} is not on list {region!r}; {lists}")
        now = self._clock.now()
        left = []
        for slug in [region] if region is not None else sorted(states):
            after = next_state(states[slug], Step.UNSUBSCRIBE, address=row.address, region=slug)
            if after is states[slug]:
                continue
            changed = {"state": after.value, "source": source}
            connection.execute(
                update(links)
                .where(links.c.subscriber_id == row.id, links.c.region == slug)
                .values(**changed, changed_at=now)
            )
            connection.execute(
                insert(schema.consent_events).values(
                    **changed,
                    subscriber_id=row.id,
                    region=slug,
                    step=Step.UNSUBSCRIBE.value,
                    at=now,
                )
            )
            left.append(slug)
        return tuple(left)

    def _write(self) -> AbstractContextManager[Connection]:
        return in_turn(self._database)

    def list(
        self,
        region: str | None = None,
        state: SubscriptionState | None = None,
        limit: int | None = None,
    ) -> tuple[Subscriber, ...]:
        """Return subscribers by address, each with all of their subscriptions.

        Args:
            region: only those with a subscription to this list.
            state: only those with a subscription in this state (to that list).
            limit: at most so many.
        """
        if region is not None:
            self.require_region(region)
        with self._database.read() as connection:
            return list_people(connection, region=region, state=state, limit=limit)
