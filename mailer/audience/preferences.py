"""What readers decide for themselves behind the links in their mail.

Choose regions, correct the name, say which clocks are theirs, pause for some weeks, leave, come
back from leaving by mistake, say why. A link is the reader's by being in their mail only; every
change of a subscription leaves an event with its source. All of it is idempotent: a second click
changes nothing.

Leaving by the link or by one click means every list: who is on two gets one copy, and leaving one
list would bring them the other's edition a week later, which looks like a broken promise. Fewer
regions are a choice on the page of preferences. Nothing here lifts a suppression.

An unknown number is ``None`` or nothing done, never an error: its reader was forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict

from sqlalchemy import Connection, Row, insert, select, update

from mailer.audience.addresses import clean_name
from mailer.audience.consent import Step, next_state
from mailer.audience.steps import put_step
from mailer.audience.subscriber import TIME_ZONE, SubscriptionState
from mailer.audience.suppression import SuppressionReason, find_suppression
from mailer.audience.turns import in_turn
from mailer.checked import is_zone
from mailer.clock import Clock
from mailer.errors import InvalidInput
from mailer.policies import AudiencePolicy
from mailer.storage import schema
from mailer.storage.database import Database

UNDO_HOURS = 24
"""How long a click on leave can be taken back on its own page."""

LONGEST_REASON = 1000

PAGE, LEAVING, ONE_CLICK, UNDO = "preferences", "leave", "one-click", "undo"
"""Sources of events: the page of choices, its button for leaving, a mail program's, and undoing."""

_S = SubscriptionState


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader as their own page shows them.

    ``paused_until`` only while it lies ahead; ``time_zone`` an IANA name, "" for the region's own.
    """

    id: int
    address: str
    name: str
    states: Mapping[str, SubscriptionState]
    paused_until: datetime | None = None
    suppressed: SuppressionReason | None = None
    time_zone: str = ""

    @property
    def regions(self) -> tuple[str, ...]:
        """The lists they are on."""
        return tuple(slug for slug, state in self.states.items() if state is _S.CONFIRMED)


class _About(TypedDict):
    form_version: str
    came_from: str


class Preferences:
    """Reads and changes what one reader has chosen.

    Args:
        database: where it is kept.
        clock: when it happens.
        regions: slugs of the publication's regions, in its order.
        policy: the longest pause, and whether the network address is kept.
    """

    def __init__(
        self, database: Database, clock: Clock, *, regions: Collection[str], policy: AudiencePolicy
    ) -> None:
        self._database = database
        self._clock = clock
        self._regions = tuple(regions)
        self._policy = policy

    def look(self, subscriber_id: int) -> Reader | None:
        """Return a reader; changes nothing."""
        with self._database.read() as connection:
            row = self._row(connection, subscriber_id)
            return None if row is None else self._reader(connection, row)

    def choose(
        self,
        subscriber_id: int,
        *,
        regions: Collection[str],
        name: str,
        pause_weeks: int | None = None,
        time_zone: str | None = None,
        form_version: str = "",
        came_from: str = "",
    ) -> Reader | None:
        """Make the lists, the name and the pause what the form says.

        Args:
            regions: slugs that were ticked; the others are left.
            name: as written; "" takes it away.
            pause_weeks: None leaves a pause as it is, 0 ends it.
            time_zone: None leaves it as it is, "" goes back to the region's.

        Raises:
            InvalidInput: the name cannot be used, or the zone is none.
        """
        name = clean_name(name)
        if time_zone and not is_zone(time_zone):
            raise InvalidInput(f"{time_zone!r} is no time zone")
        with in_turn(self._database) as connection:
            row = self._row(connection, subscriber_id)
            if row is None:
                return None
            reader = self._reader(connection, row)
            about: _About = {"form_version": form_version, "came_from": self._kept(came_from)}
            for slug in self._regions:
                before = reader.states.get(slug)
                is_on = before is _S.CONFIRMED
                if slug in regions and not is_on:
                    is_back = before is _S.UNSUBSCRIBED
                    step = Step.REJOIN if is_back else Step.CHOOSE
                    self._step(connection, reader, slug, step, source=PAGE, **about)
                elif slug not in regions and is_on:
                    self._step(connection, reader, slug, Step.UNSUBSCRIBE, source=PAGE, **about)
            people = schema.subscribers
            values: dict[str, object] = {"name": name}
            if time_zone is not None and time_zone != reader.time_zone:
                # "" stays as the reader's word, which no roster fills in again.
                values["fields"] = row.fields | {TIME_ZONE: time_zone}
            own = people.c.id == subscriber_id
            connection.execute(update(people).where(own).values(**values))
            self._pause(connection, row, regions, pause_weeks, about)
            return self._reader(connection, self._row(connection, subscriber_id) or row)

    def leave(
        self, subscriber_id: int, *, region: str = "", source: str = ONE_CLICK, came_from: str = ""
    ) -> tuple[str, ...]:
        """Leave every list, or one; return those that were left now, none the second time."""
        with in_turn(self._database) as connection:
            row = self._row(connection, subscriber_id)
            if row is None:
                return ()
            reader = self._reader(connection, row)
            # A list that the publication no longer has is left as well.
            left = [
                slug
                for slug, state in reader.states.items()
                if state is not _S.UNSUBSCRIBED and region in ("", slug)
            ]
            # By its one instant ``undo`` and a reason know what one leave left.
            now, peer = self._clock.now(), self._kept(came_from)
            for slug in left:
                self._step(
                    connection,
                    reader,
                    slug,
                    Step.UNSUBSCRIBE,
                    source=source,
                    came_from=peer,
                    at=now,
                )
            return tuple(left)

    def undo(self, subscriber_id: int, *, came_from: str = "") -> tuple[str, ...]:
        """Take back the reader's latest leave, for a day; return the lists they are back on.

        Only the lists of that one leave that were confirmed before it: what was left earlier, or
        unticked among the preferences, was left on purpose. A choice made since stands.
        """
        with in_turn(self._database) as connection:
            row = self._row(connection, subscriber_id)
            if row is None:
                return ()
            reader = self._reader(connection, row)
            since = self._clock.now() - timedelta(hours=UNDO_HOURS)
            back = [
                slug
                for slug in _of_one_slip(_own_facts(connection, subscriber_id), since=since)
                if reader.states.get(slug) is _S.UNSUBSCRIBED and slug in self._regions
            ]
            peer = self._kept(came_from)
            for slug in back:
                self._step(connection, reader, slug, Step.REJOIN, source=UNDO, came_from=peer)
            return tuple(back)

    def give_reason(self, subscriber_id: int, reason: str) -> bool:
        """Keep why a reader left, with the latest leave; return whether there was one."""
        # PostgreSQL refuses NUL, and nothing else that cannot be seen is a reason.
        visible = "".join(ch for ch in reason if ch.isprintable() or ch.isspace())
        words = " ".join(visible.split())[:LONGEST_REASON]
        facts = schema.consent_events
        with in_turn(self._database) as connection:
            found = connection.execute(
                select(facts.c.at)
                .where(facts.c.subscriber_id == subscriber_id)
                .where(facts.c.step == Step.UNSUBSCRIBE.value)
                .order_by(facts.c.id.desc())
                .limit(1)
            ).scalar()
            if found is None or not words:
                return False
            connection.execute(
                update(facts)
                .where(facts.c.subscriber_id == subscriber_id, facts.c.at == found)
                .where(facts.c.step == Step.UNSUBSCRIBE.value)
                .values(note=words)
            )
            return True

    def _pause(
        self,
        connection: Connection,
        row: Row[Any],
        regions: Collection[str],
        weeks: int | None,
        about: _About,
    ) -> None:
        if weeks is None:
            return
        now = self._clock.now()
        weeks = max(0, min(weeks, self._policy.longest_pause_weeks))
        is_paused = row.paused_until is not None and row.paused_until > now
        if not weeks and not is_paused:
            return
        until = now + timedelta(weeks=weeks) if weeks else None
        people = schema.subscribers
        connection.execute(update(people).where(people.c.id == row.id).values(paused_until=until))
        facts: Sequence[dict[str, object]] = [
            {
                "subscriber_id": row.id,
                "region": slug,
                "step": "pause" if until else "resume",
                "state": _S.CONFIRMED.value,
                "source": PAGE,
                "at": now,
                "note": f"until {until:%Y-%m-%d}" if until else "",
                **about,
            }
            for slug in self._regions
            if slug in regions
        ]
        if facts:
            connection.execute(insert(schema.consent_events), facts)

    def _step(
        self,
        connection: Connection,
        reader: Reader,
        slug: str,
        step: Step,
        *,
        source: str,
        form_version: str = "",
        came_from: str = "",
        at: datetime | None = None,
    ) -> None:
        before = reader.states.get(slug)
        put_step(
            connection,
            reader.id,
            slug,
            step=step,
            state=next_state(before, step, address=reader.address, region=slug),
            source=source,
            at=at or self._clock.now(),
            form_version=form_version,
            came_from=came_from,
            is_new=before is None,
        )

    def _kept(self, came_from: str) -> str:
        return came_from if self._policy.keeps_network_address else ""

    def _row(self, connection: Connection, subscriber_id: int) -> Row[Any] | None:
        people = schema.subscribers
        return connection.execute(select(people).where(people.c.id == subscriber_id)).one_or_none()

    def _reader(self, connection: Connection, row: Row[Any]) -> Reader:
        links = schema.subscriptions
        states = {
            link.region: SubscriptionState(link.state)
            for link in connection.execute(
                select(links).where(links.c.subscriber_id == row.id).order_by(links.c.region)
            )
        }
        barred = find_suppression(connection, row.address)
        zone = str(row.fields.get(TIME_ZONE, ""))
        is_ahead = row.paused_until is not None and row.paused_until > self._clock.now()
        return Reader(
            row.id,
            row.address,
            row.name,
            states,
            row.paused_until if is_ahead else None,
            barred.reason if barred else None,
            # What names no zone waits for nobody's clocks (``delivery/localhours``).
            zone if zone and is_zone(zone) else "",
        )


def _own_facts(connection: Connection, subscriber_id: int) -> list[Row[Any]]:
    """Return what changed a reader's subscriptions, oldest first."""
    facts = schema.consent_events
    return list(
        connection.execute(
            select(facts)
            .where(facts.c.subscriber_id == subscriber_id)
            .where(facts.c.step.in_([step.value for step in Step]))
            .where(facts.c.step != Step.SIGN_UP.value)
            .order_by(facts.c.id)
        )
    )


def _of_one_slip(facts: Sequence[Row[Any]], *, since: datetime) -> list[str]:
    """Return the lists that the latest leave took a reader off, if a leave is the latest choice.

    Args:
        facts: what changed the reader's subscriptions, oldest first.
        since: an older leave is no slip any more.
    """
    own = [fact for fact in facts if fact.source in {ONE_CLICK, LEAVING, PAGE, UNDO}]
    if not own or own[-1].source not in {ONE_CLICK, LEAVING} or own[-1].at <= since:
        return []
    slip = (own[-1].at, own[-1].source)
    before: dict[str, Row[Any]] = {}
    left: list[str] = []
    for fact in facts:
        was = before.get(fact.region)
        if fact.region in left:
            left.remove(fact.region)
        if (fact.at, fact.source) == slip and was is not None and was.state == _S.CONFIRMED.value:
            left.append(fact.region)
        before[fact.region] = fact
    return left
