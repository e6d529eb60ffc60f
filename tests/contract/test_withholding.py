"""A reader who moves, or is on two lists, is not planned the same story a second time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from mailer.audience.register import Register
from mailer.clock import FixedClock
from mailer.delivery.ledger import Ledger
from mailer.delivery.planning import plan
from mailer.issues.archive import Archive
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
FIRST, SECOND, THIRD = "2026-11-30", "2026-12-07", "2026-12-14"


def region(slug: str, parent: str = "") -> Region:
    return Region(
        slug=slug,
        name=slug.title(),
        list_id=f"{slug}.lantern.example",
        reply_to=f"{slug}@lantern.example",
        parent=parent,
        time_zone="Europe/London",
    )


REGIONS = {
    item.slug: item
    for item in (region("national"), region("wales", "national"), region("bristol", "national"))
}


class World:
    """Weeks of issues, planned and accepted, without a relay."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FixedClock(AT)
        self.register = Register(database, self.clock, REGIONS)
        self.ledger = Ledger(database, self.clock)
        self.archive = Archive(database, self.clock)
        with database.write() as connection:
            connection.execute(
                insert(schema.issues),
                [
                    {
                        "id": name,
                        "number": number,
                        "state": "sending",
                        "checksum": "x",
                        "drafted_checksum": "x",
                        "approved_by": "nora",
                    }
                    for number, name in enumerate((FIRST, SECOND, THIRD), 1)
                ],
            )

    def plan(self, issue_id: str, stories: dict[str, set[str]]) -> dict[str, int]:
        with self.database.write():
            plan(
                self.ledger,
                issue_id=issue_id,
                recipients=self.register.audience(),
                due_at=dict.fromkeys(stories, self.clock.now()),
            )
            return {
                slug: self.ledger.withhold(issue_id, slug, ids) for slug, ids in stories.items()
            }

    def end(self, issue_id: str, stories: dict[str, set[str]], state: str = "accepted") -> None:
        deliveries = schema.deliveries
        with self.database.write() as connection:
            connection.execute(
                update(deliveries)
                .where(deliveries.c.issue_id == issue_id, deliveries.c.state == "planned")
                .values(state=state, attempts=1)
            )
        for slug, ids in stories.items():
            self.archive.expose(issue_id, slug, sorted(ids))

    def withheld(self, issue_id: str) -> dict[str, str]:
        return {
            item.address.partition("@")[0]: item.withheld
            for item in self.ledger.deliveries(issue_id)
        }

    def move(self, address: str, old: str, new: str) -> None:
        self.register.remove(address, old)
        self.register.add(address, new, "", rejoin=True)


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    for name in ("anna", "bryn"):
        made.register.add(f"{name}@reader.example", "wales", name.title())
    made.register.add("cora@reader.example", "bristol", "Cora")
    return made


def test_who_moved_does_not_get_it_again_and_who_stayed_does(world: World) -> None:
    week = {"wales": {"coal", "choir"}, "bristol": {"docks"}}
    world.plan(FIRST, week)
    world.end(FIRST, week)
    world.move("anna@reader.example", "wales", "bristol")
    assert world.plan(SECOND, {"wales": set(), "bristol": {"coal", "choir", "ferry"}}) == {
        "wales": 0,
        "bristol": 2,
    }
    assert world.withheld(SECOND) == {"anna": "choir coal", "bryn": "", "cora": ""}


def test_whoever_is_on_two_lists_gets_it_once(world: World) -> None:
    world.register.add("anna@reader.example", "bristol", "Anna")
    first = {"wales": {"coal"}, "bristol": set()}
    world.plan(FIRST, first)
    world.end(FIRST, first)
    had = world.withheld(FIRST)
    assert set(had) == {"anna", "bryn", "cora"}
    world.move("anna@reader.example", "wales", "bristol")
    world.plan(SECOND, {"bristol": {"coal"}})
    assert world.withheld(SECOND)["anna"] == "coal"


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("accepted", True),
        ("complained", True),
        ("in_doubt", True),
        ("bounced", False),
        ("refused", False),
        ("skipped", False),
        ("expired", False),
        ("cancelled", False),
    ],
)
def test_what_counts_as_had(world: World, state: str, counts: bool) -> None:
    week = {"wales": {"coal"}}
    world.plan(FIRST, week)
    world.end(FIRST, week, state)
    world.move("anna@reader.example", "wales", "bristol")
    world.plan(SECOND, {"bristol": {"coal"}})
    assert world.withheld(SECOND)["anna"] == ("coal" if counts else "")


def test_what_was_withheld_was_not_had_and_what_was_had_long_ago_still_is(world: World) -> None:
    first = {"wales": {"coal"}}
    world.plan(FIRST, first)
    world.end(FIRST, first)
    world.move("anna@reader.example", "wales", "bristol")
    second = {"bristol": {"coal"}}
    world.plan(SECOND, second)
    world.end(SECOND, second)
    world.clock.sleep(timedelta(days=7).total_seconds())
    world.move("anna@reader.example", "bristol", "national")
    world.plan(THIRD, {"national": {"coal"}})
    assert world.withheld(THIRD) == {"anna": "coal"}


def test_planning_again_changes_nothing(world: World) -> None:
    week = {"wales": {"coal"}}
    world.plan(FIRST, week)
    world.end(FIRST, week)
    world.move("anna@reader.example", "wales", "bristol")
    again = {"bristol": {"coal", "coal-two"}}
    assert world.plan(SECOND, again) == {"bristol": 1}
    assert world.plan(SECOND, again) == {"bristol": 0}
    assert world.withheld(SECOND)["anna"] == "coal"


def test_ids_that_begin_alike_are_told_apart(world: World) -> None:
    week = {"wales": {"coal-two"}}
    world.plan(FIRST, week)
    world.end(FIRST, week)
    world.move("anna@reader.example", "wales", "bristol")
    world.plan(SECOND, {"bristol": {"coal", "coal-two", "two"}})
    assert world.withheld(SECOND)["anna"] == "coal-two"


def test_what_is_on_its_way_is_not_changed(world: World) -> None:
    world.plan(SECOND, {"wales": {"coal"}})
    world.end(SECOND, {}, "deferred")
    week = {"bristol": {"coal"}}
    world.plan(FIRST, week)
    world.end(FIRST, week)
    world.plan(SECOND, {"wales": {"coal"}})
    assert set(world.withheld(SECOND).values()) == {""}


def test_a_claim_carries_it_to_the_sender(world: World) -> None:
    week = {"wales": {"coal"}}
    world.plan(FIRST, week)
    world.end(FIRST, week)
    world.move("anna@reader.example", "wales", "bristol")
    world.plan(SECOND, {"bristol": {"coal"}})
    claim = world.ledger.claim(SECOND, regions=["bristol"], limit=10)
    assert {item.address: item.withheld for item in claim.deliveries} == {
        "anna@reader.example": "coal",
        "cora@reader.example": "",
    }
