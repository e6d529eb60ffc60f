"""Planning: everybody eligible once, all or nothing, and again without harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from mailer.audience.register import Register
from mailer.audience.subscriber import Recipient
from mailer.clock import FixedClock
from mailer.delivery.delivery import DeliveryState
from mailer.delivery.ledger import Ledger
from mailer.delivery.planning import growing_tokens, new_token, plan
from mailer.errors import StorageFailed
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database
from tests.audience import audience_of

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
ISSUE = "2026-11-30"


def region(slug: str, parent: str = "") -> Region:
    return Region(
        slug=slug,
        name=slug.title(),
        list_id=f"{slug}.lantern.example",
        reply_to=f"{slug}@lantern.example",
        parent=parent,
        time_zone="Europe/London",
    )


REGIONS = {item.slug: item for item in (region("national"), region("wales", "national"))}
DUE = {"national": AT, "wales": AT + timedelta(hours=1)}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(AT)


@pytest.fixture
def ledger(database: Database, clock: FixedClock) -> Ledger:
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
    return Ledger(database, clock)


@pytest.fixture
def register(database: Database, clock: FixedClock) -> Register:
    found = Register(database, clock, REGIONS)
    found.add("anna@reader.example", "national", "Anna")
    found.add("anna@reader.example", "wales", "Anna")
    found.add("bryn@reader.example", "wales", "Bryn")
    found.add("cora@reader.example", "national", "Cora")
    found.add("dai@reader.example", "wales", "Dai")
    found.remove("dai@reader.example")
    return found


def count(database: Database) -> int:
    with database.read() as connection:
        return int(
            connection.execute(select(func.count()).select_from(schema.deliveries)).scalar_one()
        )


def test_everybody_eligible_gets_one_row_in_the_right_region(
    ledger: Ledger, register: Register
) -> None:
    report = plan(
        ledger,
        issue_id=ISSUE,
        recipients=register.audience(),
        due_at=DUE,
    )
    assert report.planned == {"wales": 2, "national": 1}
    assert report.planned_count == 3
    rows = {item.address: item for item in ledger.deliveries(ISSUE)}
    assert {address: row.region for address, row in rows.items()} == {
        "anna@reader.example": "wales",
        "bryn@reader.example": "wales",
        "cora@reader.example": "national",
    }
    assert (
        rows["bryn@reader.example"].due_at == rows["bryn@reader.example"].dated_at == DUE["wales"]
    )
    assert {row.state for row in rows.values()} == {DeliveryState.PLANNED}
    assert rows["anna@reader.example"].name == "Anna"


def test_planning_again_adds_only_who_is_new(
    ledger: Ledger, register: Register, clock: FixedClock
) -> None:
    plan(ledger, issue_id=ISSUE, recipients=register.audience(), due_at=DUE)
    before = {item.address: item.token for item in ledger.deliveries(ISSUE)}
    register.add("eve@reader.example", "wales", "Eve")
    clock.sleep(60)
    report = plan(ledger, issue_id=ISSUE, recipients=register.audience(), due_at=DUE)
    assert report.planned == {"wales": 1}
    assert report.already == {"wales": 2, "national": 1}
    after = {item.address: item.token for item in ledger.deliveries(ISSUE)}
    assert after.pop("eve@reader.example")
    assert after == before


def test_a_dry_run_counts_and_writes_nothing(
    ledger: Ledger, register: Register, database: Database
) -> None:
    report = plan(
        ledger, issue_id=ISSUE, recipients=register.audience(), due_at=DUE, is_dry_run=True
    )
    assert report.planned == {"wales": 2, "national": 1}
    assert count(database) == 0


def test_regions_not_asked_for_are_left_out_and_counted(ledger: Ledger, register: Register) -> None:
    report = plan(ledger, issue_id=ISSUE, recipients=register.audience(), due_at={"national": AT})
    assert report.planned == {"national": 1}
    assert report.left_out == {"wales": 2}


def test_a_failure_half_way_plans_nobody(
    ledger: Ledger, register: Register, database: Database
) -> None:
    audience = register.audience()
    *_, last = audience
    assert len(audience) > 1
    audience[last] = audience[last].where(func.no_such_function())
    with pytest.raises(StorageFailed):
        plan(ledger, issue_id=ISSUE, recipients=audience, due_at=DUE)
    assert count(database) == 0


def test_an_issue_without_a_row_cannot_be_planned(ledger: Ledger, database: Database) -> None:
    who = audience_of([Recipient(1, "a@reader.example", "", "wales")])
    with pytest.raises(StorageFailed):
        plan(ledger, issue_id="1999-01-04", recipients=who, due_at=DUE)
    assert count(database) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["wales", "national"])), unique=True))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_list_of_recipients_makes_two_rows_for_an_address(
    ledger: Ledger, database: Database, people: list[tuple[int, str]]
) -> None:
    recipients = [Recipient(n, f"r{n}@reader.example", "", slug) for n, slug in people]
    before = count(database)
    report = plan(ledger, issue_id=ISSUE, recipients=audience_of(recipients), due_at=DUE)
    addresses = [item.address for item in ledger.deliveries(ISSUE)]
    assert len(addresses) == len(set(addresses)) == before + report.planned_count
    assert {item.address for item in recipients} <= set(addresses)


def test_tokens_are_unguessable_base32_and_fit_a_mail_address() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    for token in tokens:
        assert len(token) == 26
        assert set(token) <= set("abcdefghijklmnopqrstuvwxyz234567")


def test_growing_tokens_grow_and_keep_their_unguessable_part() -> None:
    make = growing_tokens()
    tokens = [token for _ in range(40) for token in make(50)]
    assert tokens == sorted(set(tokens))
    assert {len(token) for token in tokens} == {29}
    assert len({token[3:] for token in tokens}) == len(tokens)
    assert set("".join(tokens)) <= set("abcdefghijklmnopqrstuvwxyz234567")


def test_a_plan_has_whom_the_register_streams(
    ledger: Ledger, register: Register, database: Database
) -> None:
    for number in range(40):
        register.add(f"r{number}@reader.example", ("wales", "national")[number % 2], "R")
    foreseen = plan(
        ledger, issue_id=ISSUE, recipients=register.audience(), due_at=DUE, is_dry_run=True
    )
    assert count(database) == 0
    seen: list[int] = []
    report = plan(
        ledger, issue_id=ISSUE, recipients=register.audience(), due_at=DUE, progress=seen.append
    )
    assert report == foreseen
    wanted = {(who.address, who.region, who.name) for who in register.recipients()}
    rows = list(ledger.deliveries(ISSUE))
    assert {(row.address, row.region, row.name) for row in rows} == wanted
    assert {row.due_at for row in rows if row.region == "wales"} == {DUE["wales"]}
    assert all(set(row.token) <= set("abcdefghijklmnopqrstuvwxyz234567") for row in rows)
    assert len({row.token for row in rows}) == len(rows)
    register.add("late@reader.example", "wales", "Late")
    again = plan(ledger, issue_id=ISSUE, recipients=register.audience(), due_at=DUE)
    assert again.planned == {"wales": 1}
    assert sum(again.already.values()) == len(rows)
    part = plan(ledger, issue_id=ISSUE, recipients=register.audience(), due_at={"national": AT})
    assert part.left_out == {"wales": report.planned["wales"] + 1}
