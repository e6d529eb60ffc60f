"""The exports of other services keep their consent, their objections and their dates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mailer.audience.basis import LawfulBasis
from mailer.audience.import_report import ImportReport
from mailer.audience.register import Register
from mailer.audience.roster import Rosters
from mailer.clock import FixedClock
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database

FIXTURES = Path(__file__).parents[1] / "fixtures" / "rosters"
REGIONS = {
    "wales": Region(
        slug="wales",
        name="Wales",
        list_id="wales.lantern.example",
        reply_to="wales@lantern.example",
        parent="",
        time_zone="Europe/London",
    )
}


@pytest.fixture
def register(database: Database, clock: FixedClock) -> Register:
    return Register(database, clock, REGIONS)


@pytest.fixture
def rosters(database: Database, clock: FixedClock) -> Rosters:
    return Rosters(database, clock, REGIONS)


def take(rosters: Rosters, name: str) -> ImportReport:
    return rosters.take(FIXTURES / name, "wales", LawfulBasis.CONSENT)


def readers(register: Register) -> dict[str, tuple[str, dict[str, str]]]:
    confirmed = {recipient.address for recipient in register.recipients()}
    return {
        each.address: (each.name, each.fields)
        for each in register.list()
        if each.address in confirmed
    }


def events(database: Database) -> list[tuple[Any, ...]]:
    people, rows = schema.subscribers, schema.consent_events
    with database.read() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                select(people.c.address, rows.c.step, rows.c.basis, rows.c.evidence_at, rows.c.note)
                .join(people, people.c.id == rows.c.subscriber_id)
                .order_by(people.c.address)
            )
        ]


def dates(database: Database) -> dict[str, str]:
    return {row[0]: f"{row[3]:%Y-%m-%d}" if row[3] else "" for row in events(database)}


def problems(report: ImportReport) -> list[tuple[str, str]]:
    return [(row.address, row.code) for row in report.problems]


def test_mailchimp_keeps_what_its_three_files_say(
    register: Register, rosters: Rosters, database: Database
) -> None:
    report = take(rosters, "mailchimp-subscribed.csv")
    assert report.exporter == "Mailchimp"
    assert problems(report) == [("tilda.moss@letters.example", "unconfirmed")]
    assert readers(register) == {
        "wynne.harbour@post.example": (
            "Wynne Harbour",
            {"zip_code": "01234", "tags": '"choir","founders"'},
        ),
        "ossian.pike@mail.example": ("Ossian Pike", {}),
    }
    assert dates(database) == {
        "ossian.pike@mail.example": "2020-07-11",
        "wynne.harbour@post.example": "2019-03-02",
    }
    take(rosters, "mailchimp-unsubscribed.csv")
    left = next(row for row in events(database) if row[0] == "gil.ferry@post.example")
    assert left[1:3] == ("left_elsewhere", "")
    assert f"{left[3]:%Y-%m-%d %H:%M}" == "2022-12-05 21:01"
    assert left[4] == "moved away"
    take(rosters, "mailchimp-cleaned.csv")
    (barred,) = register.suppressions()
    assert (barred.address, barred.reason) == ("nobody.there@closed.example", "bounce")
    assert barred.evidence == "roster mailchimp-cleaned.csv: clean time, 2023-05-12"


def test_nothing_technical_of_mailchimp_is_kept(rosters: Rosters, database: Database) -> None:
    take(rosters, "mailchimp-subscribed.csv")
    with database.read() as connection:
        kept = str(connection.execute(select(schema.subscribers.c.fields)).scalars().all())
    for word in ("192.0.2", "51.5", "aa11", "1001", "Europe/London", "wls"):
        assert word not in kept


def test_listmonk(register: Register, rosters: Rosters, database: Database) -> None:
    report = take(rosters, "listmonk.csv")
    assert report.exporter == "listmonk"
    assert any("which list a reader confirmed" in note for note in report.notes)
    assert readers(register) == {
        "bryn.tolley@mail.example": (
            "Bryn Tolley",
            {"city": "Quay", "visits": "3", "tags": '["choir"]'},
        )
    }
    assert problems(report) == [("hetty.vale@mail.example", "unconfirmed")]
    assert register.suppressed(["crabb@mail.example"]) == {"crabb@mail.example": "manual"}
    assert dates(database)["bryn.tolley@mail.example"] == "2021-04-03"


def test_ghost(register: Register, rosters: Rosters, database: Database) -> None:
    report = take(rosters, "ghost.csv")
    assert report.exporter == "Ghost"
    assert readers(register) == {
        "imelda.frost@post.example": (
            "Imelda Frost",
            {"complimentary_plan": "false", "labels": "founders,choir", "tiers": "Gold"},
        )
    }
    assert (report.counts["added"], report.counts["left"]) == (1, 2)
    assert dates(database) == {
        "imelda.frost@post.example": "2022-02-03",
        "ravi.stone@post.example": "",
        "una.gale@post.example": "2023-01-01",
    }


@pytest.mark.parametrize(
    ("name", "reader", "leaver"),
    [
        ("substack.csv", "dora.lamb@letters.example", "fay.brook@letters.example"),
        ("substack-older.csv", "gwil.penn@letters.example", "hana.reed@letters.example"),
    ],
)
def test_substack(
    register: Register, rosters: Rosters, name: str, reader: str, leaver: str
) -> None:
    report = take(rosters, name)
    assert report.exporter == "Substack"
    assert problems(report) == []
    assert reader in readers(register)
    assert leaver not in readers(register)
    assert report.counts["left"] == 1


def test_buttondown(register: Register, rosters: Rosters, database: Database) -> None:
    report = take(rosters, "buttondown.csv")
    assert report.exporter == "Buttondown"
    assert readers(register) == {
        "jonas.weir@mail.example": ("", {"tags": "choir", "first_name": "Jonas"})
    }
    assert problems(report) == [
        ("kit.marsh@mail.example", "unconfirmed"),
        ("odd.one@mail.example", "status"),
    ]
    assert register.suppressed(["moss.dean@mail.example", "nia.cole@mail.example"]) == {
        "moss.dean@mail.example": "bounce",
        "nia.cole@mail.example": "complaint",
    }
    (left,) = [row for row in events(database) if row[1] == "left_elsewhere"]
    assert (left[0], f"{left[3]:%Y-%m-%d}", left[4]) == (
        "lena.holt@mail.example",
        "2024-02-03",
        "too many letters",
    )


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("*.csv")))
def test_an_export_taken_in_twice_changes_nothing_more(
    register: Register, rosters: Rosters, name: str
) -> None:
    take(rosters, name)
    before = (register.list(), register.suppressions())
    again = take(rosters, name)
    assert (register.list(), register.suppressions()) == before
    assert not any(again.counts[word] for word in ("added", "left", "suppressed", "confirmed"))
