"""Erasure on both databases: what stays is a keyed hash that outlives a change of the secret."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert, select, update

from mailer.audience.erasure import (
    Pepper,
    digest,
    erase_person,
    erased_among,
    lift_erasure,
    veiled_address,
)
from mailer.audience.register import Register
from mailer.audience.roster import digest_with
from mailer.audience.tally import JOINS, LEAVES, read_tallies
from mailer.clock import FixedClock
from mailer.errors import ConfigurationError
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database

OLD, NEW = "o" * 40, "n" * 40
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = NOW.date()


def region(slug: str) -> Region:
    return Region(
        slug=slug,
        name=slug.title(),
        list_id=f"{slug}.lantern.example",
        reply_to=f"{slug}@lantern.example",
        time_zone="Europe/London",
    )


@pytest.fixture
def register(database: Database) -> Register:
    regions = {slug: region(slug) for slug in ("national", "wales")}
    return Register(database, FixedClock(NOW), regions)


def erase(database: Database, address: str, *secrets: str) -> None:
    with database.write() as connection:
        erase_person(connection, address, Pepper(secrets or (OLD,)), reason="asked", now=NOW)


def erased(database: Database, addresses: list[str], *secrets: str) -> set[str]:
    with database.read() as connection:
        return erased_among(connection, addresses, Pepper(secrets or (OLD,)))


def test_nobody_is_erased_and_no_secret_is_needed_at_first(database: Database) -> None:
    with database.read() as connection:
        assert erased_among(connection, ["a@x.example"], Pepper([])) == set()
        assert erased_among(connection, ["a@x.example"], Pepper([""])) == set()


def test_the_erased_are_found_among_many_and_only_they(
    database: Database, register: Register
) -> None:
    many = [f"r{n}@x.example" for n in range(2500)]
    for address in (many[7], many[2400]):
        register.add(address, "wales")
        erase(database, address)

    assert erased(database, many) == {many[7], many[2400]}
    assert [each.address for each in register.list()] == []
    with database.read() as connection:
        for table in (schema.subscriptions, schema.consent_events, schema.subscribers):
            assert connection.execute(select(table)).all() == []
        rows = connection.execute(select(schema.erasures)).all()
    assert {(row.reason, row.at) for row in rows} == {("asked", NOW)}
    assert all(len(row.digest) == 64 for row in rows)


def test_many_questions_share_one_hash(database: Database) -> None:
    pepper = Pepper([OLD])
    with database.read() as connection:
        assert digest_with(pepper, connection) is None
    erase(database, "a@x.example")
    with database.read() as connection:
        made = digest_with(pepper, connection)
        assert made is not None
        kept = connection.execute(select(schema.erasures.c.digest)).scalar()
        assert made("a@x.example") == kept != made("b@x.example")
        with pytest.raises(ConfigurationError):
            digest_with(Pepper([]), connection)


def test_a_changed_secret_still_finds_them_and_an_erasure_seals_anew(database: Database) -> None:
    erase(database, "old@x.example", OLD)
    with pytest.raises(ConfigurationError, match="MAILER_RETIRED_SECRET_KEYS"):
        erased(database, ["old@x.example"], NEW)
    assert erased(database, ["old@x.example"], NEW, OLD) == {"old@x.example"}

    erase(database, "new@x.example", NEW, OLD)
    both = ["old@x.example", "new@x.example"]
    assert erased(database, both, NEW) == set(both)
    with pytest.raises(ConfigurationError, match="MAILER_SECRET_KEY"):
        erased(database, both, OLD)


def test_a_lost_secret_is_an_error_and_never_a_fresh_pepper(database: Database) -> None:
    erase(database, "old@x.example", OLD)
    with pytest.raises(ConfigurationError, match="is not the one"):
        erase(database, "other@x.example", NEW)
    with pytest.raises(ConfigurationError, match="missing or too short"):
        erased(database, ["old@x.example"], "short")
    with database.write() as connection:
        connection.execute(update(schema.peppers).values(sealed="not base64!"))
    with pytest.raises(ConfigurationError):
        erased(database, ["old@x.example"], OLD)


def test_the_key_is_not_in_the_database_and_differs_between_publications(
    database: Database,
) -> None:
    pepper = Pepper([OLD])
    with database.write() as connection:
        key = pepper.make(connection, now=NOW)
        (row,) = connection.execute(select(schema.peppers)).all()
    assert key.hex() not in str(row)
    assert digest("a@x.example", key) != digest("a@x.example", bytes(32))
    assert digest("a@x.example", key) != digest("b@x.example", key)


def test_joins_and_leaves_stay_counted(database: Database, register: Register) -> None:
    register.add("a@x.example", "wales", source="wales.csv")
    register.add("a@x.example", "national")
    register.remove("a@x.example", "national")
    erase(database, "a@x.example")
    erase(database, "a@x.example")

    with database.read() as connection:
        assert read_tallies(connection, (JOINS, LEAVES)) == {
            (JOINS, "wales/roster", DAY): 1,
            (JOINS, "national/operator", DAY): 1,
            (LEAVES, "national/operator", DAY): 1,
            (LEAVES, "wales/erased", DAY): 1,
        }
        assert len(connection.execute(select(schema.erasures)).all()) == 1


def test_a_suppressed_stranger_is_erased_too(database: Database, register: Register) -> None:
    register.suppress("a@x.example", "complaint", "an ARF report of a@x.example")
    erase(database, "a@x.example")
    assert erased(database, ["a@x.example"]) == {"a@x.example"}
    assert register.suppressions() == ()


def test_a_number_is_never_given_twice(database: Database, register: Register) -> None:
    first = register.add("a@x.example", "wales").id
    erase(database, "a@x.example")
    assert register.add("b@x.example", "wales").id > first


def test_who_comes_back_owns_the_open_issue_again(database: Database) -> None:
    pepper = Pepper([OLD])
    erase(database, "a@x.example")
    with database.write() as connection:
        key = pepper.key(connection)
        assert key is not None
        for issue_id, state in (("2026-11-16", "sent"), ("2026-11-23", "sending")):
            connection.execute(
                insert(schema.issues).values(
                    id=issue_id,
                    number=int(issue_id[-2:]),
                    state=state,
                    checksum="c",
                    drafted_checksum="",
                    approved_by="",
                )
            )
            connection.execute(
                insert(schema.deliveries).values(
                    issue_id=issue_id,
                    region="wales",
                    subscriber_id=0,
                    address=veiled_address(issue_id, "a@x.example", key),
                    name="",
                    token=issue_id,
                    state="accepted",
                    dated_at=NOW,
                    due_at=NOW,
                    updated_at=NOW,
                )
            )
    with database.write() as connection:
        assert lift_erasure(connection, "a@x.example", pepper)
        assert not lift_erasure(connection, "a@x.example", pepper)
        found = {row.issue_id: row.address for row in connection.execute(select(schema.deliveries))}
    assert found["2026-11-23"] == "a@x.example"
    assert found["2026-11-16"].endswith("@erased.invalid")
    assert erased(database, ["a@x.example"]) == set()


def test_a_tally_adds_up(database: Database) -> None:
    for number in range(3):
        address = f"a{number}@x.example"
        with database.write() as connection:
            (new,) = connection.execute(
                insert(schema.subscribers)
                .values(address=address, name="", fields={}, created_at=NOW)
                .returning(schema.subscribers.c.id)
            ).one()
            connection.execute(
                insert(schema.subscriptions).values(
                    subscriber_id=new, region="w", state="confirmed", source="", changed_at=NOW
                )
            )
        erase(database, address)
    with database.read() as connection:
        assert read_tallies(connection, [LEAVES]) == {(LEAVES, "w/erased", date(2026, 11, 25)): 3}
