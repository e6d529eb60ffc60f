"""A plan that waits for readers' own clocks, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from mailer.clock import FixedClock
from mailer.delivery.ledger import Ledger
from mailer.delivery.localhours import wait_for_local_hour
from mailer.delivery.planning import plan
from mailer.storage import schema
from mailer.storage.database import Database

ISSUE = "2026-11-30"
AT = datetime(2026, 11, 30, 7, tzinfo=UTC)
HOURS = {"America/New_York": AT + timedelta(hours=5), "Asia/Tokyo": AT - timedelta(hours=9)}
READERS = {"ann": "America/New_York", "bea": "Asia/Tokyo", "cy": "Atlantis", "dan": ""}


def test_each_waits_for_their_own_hour_and_nobody_is_early(
    database: Database, clock: FixedClock
) -> None:
    people, issues = schema.subscribers, schema.issues
    with database.write() as connection:
        connection.execute(
            issues.insert().values(
                id=ISSUE, number=1, state="draft", checksum="", drafted_checksum="", approved_by=""
            )
        )
        for name, zone in READERS.items():
            connection.execute(
                people.insert().values(
                    address=f"{name}@reader.example",
                    name=name,
                    fields={"time_zone": zone} if zone else {},
                    created_at=AT,
                )
            )
    everybody = select(people.c.id.label("subscriber_id"), people.c.address, people.c.name)
    ledger = Ledger(database, clock)
    for slug in ("wales", "bristol"):
        chosen = everybody.where(
            people.c.name != "dan" if slug == "wales" else people.c.name == "dan"
        )
        plan(ledger, issue_id=ISSUE, recipients={slug: chosen}, due_at={slug: AT})

    moved = wait_for_local_hour(database, ISSUE, "wales", at=AT, local=HOURS.get)
    assert moved == 1
    assert {item.name: item.due_at for item in ledger.deliveries(ISSUE)} == {
        "ann": AT + timedelta(hours=5),
        "bea": AT,
        "cy": AT,
        "dan": AT,
    }
    # The message is dated at the hour it is for; a second look moves nothing.
    assert {item.name for item in ledger.deliveries(ISSUE) if item.dated_at != AT} == {"ann"}
    assert wait_for_local_hour(database, ISSUE, "wales", at=AT, local=HOURS.get) == 0
    with database.write() as connection:
        connection.execute(update(schema.deliveries).values(attempts=1, due_at=AT))
    assert wait_for_local_hour(database, ISSUE, "wales", at=AT, local=HOURS.get) == 0
