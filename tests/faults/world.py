"""A small publication to send, and the one place where the fault tests touch the engine.

``World`` is a ledger with planned readers; ``sender`` and ``one_message`` wire the engine. What
the tests say about ledgers, servers and readers does not change when the engine does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import insert

from mailer.audience.register import Register
from mailer.clock import Clock
from mailer.delivery.delivery import Delivery, DeliveryState, Envelope, Outcome
from mailer.delivery.dkim import DkimSigner
from mailer.delivery.ledger import Ledger
from mailer.delivery.message import CompiledEdition, Letterhead, compile_edition
from mailer.delivery.planning import plan
from mailer.delivery.relay import Outgoing, PipelinedRelay, RelayPolicy
from mailer.delivery.sending import Route, Sender, SendPolicy
from mailer.delivery.single import SingleRelay
from mailer.editions.edition import Edition, Slot
from mailer.policies import RetryPolicy
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database

AT = dt.datetime(2026, 11, 30, 7, 0, tzinfo=dt.UTC)
ISSUE = "2026-11-30"
POSTAL = "Lantern Press Co-operative, 12 Harbour Street, Exbridge EX0 0XX"
REGION = Region(
    slug="wales",
    name="Wales",
    list_id="wales.lantern.example",
    reply_to="wales@lantern.example",
    time_zone="Europe/London",
)
RETRY = RetryPolicy(first_delay_minutes=5, max_age_hours=2)
CONNECTIONS = 1
"""How many connections the engine opens here: each may repeat one message after a kill."""


@dataclass
class World:
    """A database with one issue, planned for its readers."""

    database: Database
    clock: Clock
    ledger: Ledger
    register: Register
    signer: DkimSigner | None = None
    connections: int = CONNECTIONS
    retry: RetryPolicy = field(default_factory=lambda: RETRY)

    def sender(self, port: int, **relay: object) -> Sender:
        """Make a sender to the server at ``port``; ``relay`` overrides the relay's policy."""
        policy = _policy(port, relay)
        return Sender(
            ledger=self.ledger,
            database=self.database,
            routes=[Route(relay=lambda: PipelinedRelay(policy), connections=self.connections)],
            register=self.register,
            edition=self.compiled,
            fields=fields,
            clock=self.clock,
            policy=SendPolicy(self.retry),
        )

    def compiled(self, region: str) -> CompiledEdition:
        """Return the edition, compiled."""
        return compile_edition(edition(region), HEAD, signer=self.signer)

    def message(self, address: str) -> bytes:
        """Return the message a reader is promised, rendered apart from any sending."""
        delivery = self.delivery(address)
        return render(self.compiled(delivery.region), delivery)

    def add(self, *addresses: str) -> None:
        """Take readers in and plan for them."""
        for address in addresses:
            self.register.add(address, REGION.slug, _name(address))
        self.plan()

    def plan(self, due_at: dt.datetime = AT) -> None:
        """Plan for every reader who has no row yet."""
        plan(
            self.ledger,
            issue_id=ISSUE,
            recipients=self.register.audience(),
            due_at={REGION.slug: due_at},
        )

    def states(self) -> dict[str, DeliveryState]:
        """Return each reader's state."""
        return {item.address: item.state for item in self.ledger.deliveries(ISSUE)}

    def delivery(self, address: str) -> Delivery:
        """Return a reader's row."""
        return next(item for item in self.ledger.deliveries(ISSUE) if item.address == address)


def make_world(
    database: Database, clock: Clock, readers: Sequence[str], *, due_at: dt.datetime = AT
) -> World:
    """Fill an empty database: one issue, its readers, a delivery planned for each."""
    with database.write() as connection:
        connection.execute(
            insert(schema.issues).values(
                id=ISSUE,
                number=1,
                state="sending",
                checksum="x",
                drafted_checksum="x",
                approved_by="nora",
            )
        )
        _add_readers(connection, readers, clock.now())
    world = open_world(database, clock)
    world.plan(due_at)
    return world


def open_world(database: Database, clock: Clock) -> World:
    """Wire a database that ``make_world`` filled."""
    register = Register(database, clock, {REGION.slug: REGION})
    return World(database, clock, Ledger(database, clock), register)


def _add_readers(connection: object, readers: Iterable[str], at: dt.datetime) -> None:
    people = [
        {"id": number, "address": address, "name": _name(address), "fields": {}, "created_at": at}
        for number, address in enumerate(readers, 1)
    ]
    links = [
        {
            "subscriber_id": person["id"],
            "region": REGION.slug,
            "state": "confirmed",
            "source": "test",
            "changed_at": at,
        }
        for person in people
    ]
    connection.execute(insert(schema.subscribers), people)  # type: ignore[attr-defined]
    connection.execute(insert(schema.subscriptions), links)  # type: ignore[attr-defined]


def one_message(port: int, recipient: str, content: bytes, **relay: object) -> Outcome:
    """Carry one message through one connection."""
    engine = SingleRelay(_policy(port, relay))
    row = Delivery(1, ISSUE, "wales", 1, recipient, "", "abc", AT, AT, DeliveryState.CLAIMED)
    try:
        envelope = Envelope("bounces+abc@lantern.example", recipient)
        return engine.deliver(Outgoing(row, envelope, content))
    finally:
        engine.close()


def make_relay(port: int, **relay: object) -> object:
    """Make a relay, not connected; raises ``ConfigurationError`` for what cannot be used."""
    return SingleRelay(_policy(port, relay))


def render(compiled: CompiledEdition, delivery: Delivery) -> bytes:
    """Return the message of a ledger's row."""
    return compiled.render(delivery, fields(delivery))


def _policy(port: int, overrides: dict[str, object]) -> RelayPolicy:
    return RelayPolicy("127.0.0.1", port, **({"timeout_s": 2.0} | overrides))  # type: ignore[arg-type]


def _name(address: str) -> str:
    return address.partition("@")[0].title()


def fields(delivery: Delivery) -> dict[str, str]:
    """Return a reader's slots."""
    return {
        "name": delivery.name,
        "unsubscribe_url": f"https://mail.lantern.example/u/{delivery.subscriber_id}",
    }


HEAD = Letterhead(
    from_name="The Lantern",
    from_address="briefing@lantern.example",
    reply_to="wales@lantern.example",
    list_id="wales.lantern.example",
    list_name="The Lantern, Wales",
    owner="wales@lantern.example",
    archive_url="https://lantern.example/",
    bounce_domain="lantern.example",
    sender_id="the-lantern",
    postal_address=POSTAL,
)


def edition(region: str) -> Edition:
    """Return a short edition whose text has a line with nothing but a dot."""
    filling = "<p>The ferry runs again from Monday, says the harbour office.</p>\n" * 40
    return Edition(
        issue_id=ISSUE,
        region=region,
        language="en",
        subject="The week in Wales",
        preheader="Ferries and fairs",
        html=(
            "<html><body><p>Dear ",
            Slot("name"),
            f'</p>{filling}<p>{POSTAL}</p><a href="',
            Slot("unsubscribe_url"),
            '">Leave</a></body></html>\n',
        ),
        text=("Dear ", Slot("name"), f",\n.\n{POSTAL}\n", Slot("unsubscribe_url"), "\n"),
        article_ids=(),
    )
