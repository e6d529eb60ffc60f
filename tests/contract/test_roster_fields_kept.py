"""Roster fields are kept with the plan: a repeat is the same bytes whatever was imported since."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import delete, func, select, update

from mailer.clock import FixedClock
from mailer.delivery.books import Books, Errand, Taken
from mailer.delivery.delivery import Outcome, Reply, Verdict
from mailer.delivery.journal import Ending
from mailer.delivery.message import CompiledEdition, compile_edition
from mailer.editions.edition import roster_slot
from mailer.storage import schema
from mailer.storage.database import Database
from tests.faults.world import AT, HEAD, ISSUE, World, edition, fields, make_world

READERS = ["anna@reader.example", "bryn@reader.example", "cora@reader.example"]
TOWN = roster_slot("town", "your town")
PLAIN = edition("wales")
NAMING = replace(PLAIN, html=(TOWN, *PLAIN.html), text=(TOWN, "\n", *PLAIN.text))


def give(database: Database, address: str, **values: object) -> None:
    people = schema.subscribers
    with database.write() as connection:
        connection.execute(update(people).where(people.c.address == address).values(fields=values))


def kept(database: Database) -> int:
    with database.read() as connection:
        return int(
            connection.execute(select(func.count()).select_from(schema.kept_fields)).scalar_one()
        )


def taken(world: World, compiled: CompiledEdition, *, limit: int = 10) -> dict[str, Taken]:
    books = Books(
        world.ledger,
        world.register,
        edition=lambda _region: compiled,
        fields=fields,
        issue_id=ISSUE,
        regions=None,
        may_resend=True,
    )
    try:
        return {item.delivery.address: item for item in books.turn(Errand(claim=limit)).taken}
    finally:
        books.close()


def message(compiled: CompiledEdition, item: Taken) -> bytes:
    return b"".join(item.content or compiled.compose(item.delivery, fields(item.delivery)))


def test_a_retry_after_another_import_is_the_same_bytes(database: Database) -> None:
    clock = FixedClock(AT)
    world = make_world(database, clock, READERS)
    give(database, "anna@reader.example", town="Exbridge & Sons", club="Rowers")
    give(database, "bryn@reader.example", town=" ", Örtchen="x")
    assert world.ledger.keep_fields(ISSUE, {"town"}) == 3
    compiled = compile_edition(NAMING, HEAD)

    first = taken(world, compiled)
    before = {address: message(compiled, item) for address, item in first.items()}
    assert b"Exbridge & Sons" in before["anna@reader.example"]
    assert b"Exbridge &amp; Sons" in before["anna@reader.example"]
    assert b"your town" in before["bryn@reader.example"]
    assert b"your town" in before["cora@reader.example"]
    assert b"Rowers" not in before["anna@reader.example"]

    outcome = Outcome(Verdict.DOUBT, Reply(451, "4.3.0", "lost"), "")
    world.ledger.settle(
        [Ending(item.delivery.id, 1, outcome, clock.now(), clock.now()) for item in first.values()]
    )
    for address in READERS:
        give(database, address, town="Somewhere else")
    assert world.ledger.keep_fields(ISSUE, {"town"}) == 0
    world.ledger.forget_fields(ISSUE)
    again = taken(world, compiled)
    assert {address: message(compiled, item) for address, item in again.items()} == before


def test_an_edition_that_names_no_field_keeps_and_asks_nothing(database: Database) -> None:
    world = make_world(database, FixedClock(AT), READERS)
    assert world.ledger.keep_fields(ISSUE, PLAIN.columns) == 0
    assert kept(database) == 0
    items = taken(world, compile_edition(PLAIN, HEAD)).values()
    assert all(item.own is None and not item.content for item in items)


def test_who_is_planned_anew_gets_what_the_roster_says_now(database: Database) -> None:
    world = make_world(database, FixedClock(AT), READERS)
    give(database, "anna@reader.example", town="Exbridge")
    world.ledger.keep_fields(ISSUE, {"town"})
    world.ledger.cancel(ISSUE, by="nora")
    world.ledger.reopen(ISSUE)
    give(database, "anna@reader.example", town="Seaburn")
    world.ledger.forget_fields(ISSUE)
    world.plan()
    assert world.ledger.keep_fields(ISSUE, {"town"}) == 3
    compiled = compile_edition(NAMING, HEAD)
    assert b"Seaburn" in message(compiled, taken(world, compiled)["anna@reader.example"])


def test_what_is_kept_goes_with_the_delivery_and_with_the_reader(database: Database) -> None:
    world = make_world(database, FixedClock(AT), READERS)
    world.ledger.keep_fields(ISSUE, {"town"})
    one = world.delivery("anna@reader.example")
    with database.write() as connection:
        connection.execute(delete(schema.deliveries).where(schema.deliveries.c.id == one.id))
    assert kept(database) == 2
    other = world.delivery("bryn@reader.example").subscriber_id
    with database.write() as connection:
        links, people = schema.subscriptions, schema.subscribers
        connection.execute(delete(links).where(links.c.subscriber_id == other))
        connection.execute(delete(people).where(people.c.id == other))
    assert kept(database) == 1
