"""From the register to the inbox over real SMTP: every eligible reader, once, intact."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from sqlalchemy import insert

from mailer.audience.register import Register
from mailer.clock import FixedClock, SystemClock
from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.delivery.dkim import DkimKey, DkimSigner
from mailer.delivery.journal import Journal
from mailer.delivery.ledger import Ledger
from mailer.delivery.message import CompiledEdition, compile_edition, letterhead
from mailer.delivery.planning import plan
from mailer.delivery.relay import PipelinedRelay, RelayPolicy
from mailer.delivery.sending import Route, Sender, SendPolicy
from mailer.editions.edition import Edition, Slot
from mailer.errors import RenderFailed
from mailer.inbox.reading import Expected, read_back
from mailer.inbox.server import InboxServer
from mailer.inbox.store import Store
from mailer.publication import Publication, Region, Section
from mailer.storage import schema
from mailer.storage.database import Database

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
ISSUE = "2026-11-30"
POSTAL = "Lantern Press Co-operative, 12 Harbour Street, Exbridge EX0 0XX"
NAMES = ("Anna", "Zoë Brontë", "O'Brien, “Pat”", "李小龍", "<script>", "=?utf-8?q?x?=", "a\tb", "")
REGIONS = ("national", "wales", "bristol")
SIGNER = DkimSigner("lantern.example", [DkimKey("s", ed25519.Ed25519PrivateKey.generate())])


def region(slug: str) -> Region:
    return Region(
        slug=slug,
        name=slug.title(),
        list_id=f"{slug}.lantern.example",
        reply_to=f"{slug}@lantern.example",
        parent="" if slug == "national" else "national",
        time_zone="Europe/London",
    )


PUBLICATION = Publication(
    root=Path("/nowhere"),
    title="The Lantern",
    publisher="Lantern Press Co-operative",
    postal_address=POSTAL,
    website="https://lantern.example/",
    from_name="The Lantern",
    from_address="briefing@lantern.example",
    time_zone="Europe/London",
    regions=REGIONS,
    sections=(Section(slug="news", title="News", quota=3),),
    region_map={slug: region(slug) for slug in REGIONS},
)


def compiled(slug: str) -> CompiledEdition:
    edition = Edition(
        issue_id=ISSUE,
        region=slug,
        language="en",
        subject=f"The week in {slug.title()} — ferries",
        preheader="",
        html=(
            "<p>Dear ",
            Slot("name"),
            f' at {slug}</p>{"<p>The ferry runs again.</p>" * 300}<p>{POSTAL}</p><a href="',
            Slot("unsubscribe_url"),
            '">Leave</a>',
        ),
        text=("Dear ", Slot("name"), f"\n{POSTAL}\n", Slot("unsubscribe_url")),
        article_ids=(),
    )
    return compile_edition(edition, letterhead(PUBLICATION, region(slug)), signer=SIGNER)


def fields(delivery: Delivery) -> dict[str, str]:
    url = f"https://mail.lantern.example/u/{delivery.subscriber_id}-{delivery.region}"
    return {"name": delivery.name or "reader", "unsubscribe_url": url}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(AT)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[InboxServer]:
    with InboxServer(Store(tmp_path / "inbox", SystemClock())) as server:
        yield server


@pytest.fixture
def register(database: Database, clock: FixedClock) -> Register:
    return Register(database, clock, PUBLICATION.region_map)


@pytest.fixture
def ledger(database: Database, clock: FixedClock, register: Register) -> Ledger:
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
        for number in range(60):
            address = f"r{number}@reader.example"
            name = NAMES[number % len(NAMES)]
            connection.execute(
                insert(schema.subscribers).values(
                    id=number, address=address, name=name, fields={}, created_at=AT
                )
            )
            for slug in {REGIONS[number % 3], "national"}:
                connection.execute(
                    insert(schema.subscriptions).values(
                        subscriber_id=number,
                        region=slug,
                        state="confirmed",
                        source="test",
                        changed_at=AT,
                    )
                )
    made = Ledger(database, clock)
    plan(
        made,
        issue_id=ISSUE,
        recipients=register.audience(),
        due_at=dict.fromkeys(REGIONS, AT),
    )
    return made


@pytest.fixture
def sender(ledger: Ledger, database: Database, register: Register, inbox, clock) -> Sender:
    return Sender(
        ledger=ledger,
        database=database,
        routes=[
            Route(
                relay=lambda: PipelinedRelay(RelayPolicy("127.0.0.1", inbox.port, timeout_s=5)),
                connections=3,
            )
        ],
        register=register,
        edition=compiled,
        fields=fields,
        clock=clock,
        policy=SendPolicy(batch=7),
    )


def expected(ledger: Ledger) -> Iterator[Expected]:
    for delivery in ledger.deliveries(ISSUE, state=DeliveryState.ACCEPTED):
        edition = compiled(delivery.region)
        values = fields(delivery)
        yield Expected(
            address=delivery.address,
            message_id=edition.message_id(delivery),
            subject=edition.edition.subject,
            list_id=f"{delivery.region}.lantern.example",
            unsubscribe_url=values["unsubscribe_url"],
            text_values=tuple(values[name] for name in edition.text_slots),
            html_values=tuple(values[name] for name in edition.html_slots),
            sha256=hashlib.sha256(edition.render(delivery, values)).hexdigest(),
        )


def test_every_eligible_reader_finds_one_intact_message(sender, ledger, inbox) -> None:
    seen: list[tuple[int, int]] = []
    report = sender.run(ISSUE, progress=lambda done, total: seen.append((done, total)))
    assert report.is_finished
    assert report.sentence() == "every delivery is settled"
    assert report.counts == {DeliveryState.ACCEPTED: 60}
    assert seen == sorted(seen)
    assert seen[-1] == (60, 60)
    assert ledger.summary(ISSUE) == {slug: {DeliveryState.ACCEPTED: 20} for slug in sorted(REGIONS)}
    result = read_back(inbox.store, expected(ledger))
    assert result.problems == []
    assert result.intact == 60


def test_sending_again_sends_nothing(sender, ledger, inbox) -> None:
    sender.run(ISSUE)
    report = sender.run(ISSUE)
    assert (report.counts, report.left) == ({}, 0)
    assert len(inbox.store.ids()) == 60


def test_regions_can_be_sent_one_by_one(sender, ledger, inbox) -> None:
    report = sender.run(ISSUE, regions=["wales"])
    assert report.is_finished
    assert {item.list_id for item in inbox.store.messages()} == {"wales.lantern.example"}
    assert ledger.open_count(ISSUE) == 40
    sender.run(ISSUE)
    assert read_back(inbox.store, expected(ledger)).intact == 60


def test_one_name_that_cannot_be_written_stops_nobody_else(sender, ledger, inbox, database) -> None:
    from sqlalchemy import update

    with database.write() as connection:
        connection.execute(
            update(schema.deliveries)
            .where(schema.deliveries.c.address == "r7@reader.example")
            .values(name="nul \x01\x00")
        )
    report = sender.run(ISSUE)
    assert report.counts == {DeliveryState.ACCEPTED: 59, DeliveryState.REFUSED: 1}
    ((row, _),) = ledger.history("r7@reader.example")
    assert row.state is DeliveryState.REFUSED
    assert "cannot be written" in row.note


def test_an_edition_that_cannot_be_compiled_sends_nothing_and_keeps_every_row(
    sender, ledger, inbox
) -> None:
    from dataclasses import replace

    def broken(_region: str) -> CompiledEdition:
        raise RenderFailed("no subject")

    with pytest.raises(RenderFailed):
        replace(sender, edition=broken).run(ISSUE)
    assert {item.state for item in ledger.deliveries(ISSUE)} == {DeliveryState.PLANNED}
    assert inbox.store.ids() == []
    assert sender.run(ISSUE).is_finished


def test_a_crash_between_batches_is_recovered_by_the_next_run(sender, ledger, inbox) -> None:
    ledger.recover(None, journal_id="dead")
    claims = ledger.claim(ISSUE, limit=5).deliveries
    journal = Journal(sender.journal_path(), "dead")
    journal.begun(claims[0].id, 1)
    journal.close(is_settled=False)
    report = sender.run(ISSUE)
    assert (report.recovery.released, report.recovery.in_doubt) == (4, 1)
    assert report.is_finished
    assert read_back(inbox.store, expected(ledger)).intact == 60


def test_a_letterhead_names_the_publisher_and_the_region() -> None:
    wales = region("wales").model_copy(update={"group_contact": "group@wales.example"})
    head = letterhead(PUBLICATION, wales)
    assert (head.reply_to, head.owner) == ("wales@lantern.example",) * 2
    assert head.bounce_domain == "lantern.example"
    assert head.sender_id == "the-lantern"
    own = PUBLICATION.model_copy(
        update={"bounce_domain": "bounce.lantern.example", "contact": "post@lantern.example",
                "title": "Új"}
    )  # fmt: skip
    head = letterhead(own, wales)
    assert (head.owner, head.bounce_domain) == ("post@lantern.example", "bounce.lantern.example")
    assert 5 <= len(head.sender_id) <= 15
