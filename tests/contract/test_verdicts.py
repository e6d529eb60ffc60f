"""What the database decides about a roster is what ``decide`` says of each address alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from mailer.audience.basis import LawfulBasis
from mailer.audience.joining import Known, decide
from mailer.audience.register import Register
from mailer.audience.roster import Rosters
from mailer.audience.stance import SUPPRESSING, Stance
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.suppression import SuppressionReason
from mailer.clock import FixedClock
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database

REGIONS = {
    slug: Region(
        slug=slug,
        name=slug.title(),
        list_id=f"{slug}.lantern.example",
        reply_to=f"{slug}@lantern.example",
        parent="",
        time_zone="Europe/London",
    )
    for slug in ("national", "wales", "essex")
}
AT = datetime(2024, 1, 1, tzinfo=UTC)

states = st.dictionaries(st.sampled_from(sorted(REGIONS)), st.sampled_from(SubscriptionState))
reasons = st.none() | st.sampled_from(SuppressionReason)
people = st.lists(st.tuples(st.booleans(), states, reasons), min_size=1, max_size=12)


def settle(
    database: Database, world: list[tuple[bool, dict[str, SubscriptionState], object]]
) -> None:
    """Put the people of a world into an emptied database."""
    with database.write() as connection:
        for table in (
            schema.consent_events,
            schema.subscriptions,
            schema.subscribers,
            schema.suppressions,
        ):
            connection.execute(delete(table))
        for n, (is_known, links, reason) in enumerate(world):
            address = f"r{n}@x.example"
            if isinstance(reason, SuppressionReason):
                connection.execute(
                    insert(schema.suppressions).values(
                        address=address, reason=reason.value, evidence="", at=AT
                    )
                )
            if not is_known:
                continue
            made = connection.execute(
                insert(schema.subscribers).values(
                    address=address, name="", fields={}, created_at=AT
                )
            )
            for region, state in links.items():
                values = {
                    "subscriber_id": made.inserted_primary_key[0],
                    "region": region,
                    "state": state.value,
                    "source": "",
                }
                connection.execute(insert(schema.subscriptions).values(**values, changed_at=AT))


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(people)
def test_the_database_decides_as_the_rule_for_one_does(
    database: Database,
    clock: FixedClock,
    world: list[tuple[bool, dict[str, SubscriptionState], SuppressionReason | None]],
) -> None:
    settle(database, world)
    content = "email\n" + "".join(f"r{n}@x.example\n" for n in range(len(world)))
    report = Rosters(database, clock, REGIONS).take(
        content.encode(), "wales", LawfulBasis.CONSENT, is_dry_run=True
    )
    wanted = [
        decide(Known(n + 1, "", links) if is_known else None, reason, "wales")
        for n, (is_known, links, reason) in enumerate(world)
    ]
    assert report.counts == {
        word: sum(each.verdict == word for each in wanted) for word in report.counts
    }
    assert [(row.line, row.code, row.reason, row.remedy) for row in report.problems] == [
        (n + 2, each.code, each.reason, each.remedy) for n, each in enumerate(wanted) if each.code
    ]


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(people, st.data())
def test_nobody_who_objected_anywhere_is_mailed(
    database: Database,
    clock: FixedClock,
    world: list[tuple[bool, dict[str, SubscriptionState], SuppressionReason | None]],
    data: st.DataObject,
) -> None:
    """Whatever the file says of others: an undated objection holds against imported consents."""
    settle(database, world)
    said = data.draw(
        st.lists(
            st.tuples(st.integers(0, len(world)), st.sampled_from(Stance)), min_size=1, max_size=15
        )
    )
    words = {
        Stance.UNCONFIRMED: "pending",
        Stance.CONFIRMED: "subscribed",
        Stance.LEFT: "unsubscribed",
        Stance.BOUNCED: "bounced",
        Stance.BLOCKED: "blocked",
        Stance.COMPLAINED: "complained",
    }
    content = "email,status\n" + "".join(f"r{n}@x.example,{words[stance]}\n" for n, stance in said)
    register = Register(database, clock, REGIONS)
    before = {(each.address, each.region) for each in register.recipients()}
    report = Rosters(database, clock, REGIONS).take(content.encode(), "wales", LawfulBasis.CONSENT)
    after = {(each.address, each.region) for each in register.recipients()}
    assert sum(report.counts.values()) == len(said) == report.rows
    for n, stance in said:
        lists = {region for address, region in after if address == f"r{n}@x.example"}
        if stance in SUPPRESSING:
            assert lists == set()
        elif stance is Stance.LEFT:
            assert "wales" not in lists
    # Nobody appears on a list for whom no row said so.
    subscribed = {f"r{n}@x.example" for n, stance in said if stance is Stance.CONFIRMED}
    assert {address for address, _ in after} <= {a for a, _ in before} | subscribed


@pytest.mark.parametrize("state", list(SubscriptionState))
def test_an_objection_in_a_dry_run_changes_nothing(
    database: Database, clock: FixedClock, state: SubscriptionState
) -> None:
    settle(database, [(True, {"wales": state}, None)])
    register = Register(database, clock, REGIONS)
    before = register.list()
    for word in ("unsubscribed", "bounced"):
        Rosters(database, clock, REGIONS).take(
            f"email,status\nr0@x.example,{word}\n".encode(),
            "wales",
            LawfulBasis.CONSENT,
            is_dry_run=True,
        )
    assert register.list() == before
    assert register.suppressions() == ()
