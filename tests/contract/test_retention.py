"""What is let go on both databases: sign-ups nobody confirmed, and old rows of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update

from mailer.audience.lapsing import BATCH, count_pending, drop_confirmations, lapse_pending
from mailer.audience.register import Register
from mailer.audience.tally import JOINS, LAPSES, LEAVES, read_tallies
from mailer.clock import FixedClock
from mailer.delivery.ledger import Ledger
from mailer.delivery.planning import plan
from mailer.delivery.pruning import old_issues, prune_issue, pruned_summary, require_ledger
from mailer.errors import IllegalTransition
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = NOW.date()
LONG_AGO = NOW - timedelta(days=40)
LIMIT = NOW - timedelta(days=30)
OLD, NEW = "2025-09-01", "2026-11-23"


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
    return Register(database, FixedClock(NOW), {s: region(s) for s in ("national", "wales")})


def sign_up(database: Database, address: str, slug: str, at: datetime) -> int:
    """Make a pending subscription, as the join page does."""
    people = schema.subscribers
    with database.write() as connection:
        number = connection.execute(select(people.c.id).where(people.c.address == address)).scalar()
        if number is None:
            number = connection.execute(
                insert(people)
                .values(address=address, name="", fields={}, created_at=at)
                .returning(people.c.id)
            ).scalar_one()
        link = {"subscriber_id": number, "region": slug, "state": "pending", "source": "pages"}
        known = schema.subscriptions
        changed = connection.execute(
            update(known)
            .where(known.c.subscriber_id == number, known.c.region == slug)
            .values(state="pending", changed_at=at)
        ).rowcount
        if not changed:
            connection.execute(insert(known).values(**link, changed_at=at))
        connection.execute(insert(schema.consent_events).values(**link, step="sign_up", at=at))
    return int(number)


def lapse(database: Database) -> Iterator[tuple[int, int]]:
    while True:
        with database.write() as connection:
            done = lapse_pending(connection, before=LIMIT, now=NOW)
        yield done.count, done.people
        if done.count < BATCH:
            return


def test_who_never_confirmed_is_forgotten_and_counted(
    database: Database, register: Register
) -> None:
    sign_up(database, "old@x.example", "wales", LONG_AGO)
    sign_up(database, "old@x.example", "national", LONG_AGO)
    sign_up(database, "new@x.example", "wales", NOW - timedelta(days=29))
    register.add("ann@x.example", "national")
    sign_up(database, "ann@x.example", "wales", LONG_AGO)
    with database.read() as connection:
        assert count_pending(connection, before=LIMIT, now=NOW) == 3

    assert list(lapse(database)) == [(3, 1)]
    assert {
        person.address: [(link.region, link.state.value) for link in person.subscriptions]
        for person in register.list()
    } == {
        "ann@x.example": [("national", "confirmed")],
        "new@x.example": [("wales", "pending")],
    }
    with database.read() as connection:
        assert read_tallies(connection, (LAPSES, JOINS, LEAVES)) == {
            (LAPSES, "wales/pages", DAY): 2,
            (LAPSES, "national/pages", DAY): 1,
        }
        facts = connection.execute(select(schema.consent_events.c.region)).scalars()
        assert sorted(facts) == ["national", "wales"]
    assert list(lapse(database)) == [(0, 0)]


@pytest.mark.parametrize(
    ("expires_at", "used_at", "is_spared"),
    [
        (NOW + timedelta(days=6), None, True),
        (NOW + timedelta(days=6), NOW, False),
        (NOW - timedelta(days=1), None, False),
    ],
    ids=["open", "used", "expired"],
)
def test_who_was_asked_again_lately_may_still_answer(
    database: Database, expires_at: datetime, used_at: datetime | None, is_spared: bool
) -> None:
    number = sign_up(database, "ada@x.example", "wales", LONG_AGO)
    with database.write() as connection:
        connection.execute(
            insert(schema.confirmations).values(
                token_hash="a" * 64,
                seed="a",
                subscriber_id=number,
                regions=["wales"],
                created_at=NOW - timedelta(days=1),
                expires_at=expires_at,
                used_at=used_at,
            )
        )
        assert count_pending(connection, before=LIMIT, now=NOW) == (0 if is_spared else 1)
    assert list(lapse(database)) == [(0, 0) if is_spared else (1, 1)]


def test_many_go_in_batches(database: Database) -> None:
    with database.write() as connection:
        count = BATCH + 3
        connection.execute(
            insert(schema.subscribers),
            [
                {"id": n, "address": f"r{n}@x.example", "name": "", "fields": {},
                 "created_at": LONG_AGO}
                for n in range(1, count + 1)
            ],
        )  # fmt: skip
        connection.execute(
            insert(schema.subscriptions),
            [
                {"subscriber_id": n, "region": "wales", "state": "pending", "source": "",
                 "changed_at": LONG_AGO}
                for n in range(1, count + 1)
            ],
        )  # fmt: skip
    assert list(lapse(database)) == [(BATCH, BATCH), (3, 3)]


def test_confirmations_go_when_they_expired_long_ago(database: Database) -> None:
    number = sign_up(database, "a@x.example", "wales", NOW)
    with database.write() as connection:
        for name, expires_at in (("o", LONG_AGO), ("n", NOW)):
            connection.execute(
                insert(schema.confirmations).values(
                    token_hash=name * 64,
                    subscriber_id=number,
                    regions=["wales"],
                    created_at=LONG_AGO,
                    expires_at=expires_at,
                    **({"seed": name} if "seed" in schema.confirmations.c else {}),
                )
            )
        assert drop_confirmations(connection, before=LIMIT, is_dry_run=True) == 1
        assert drop_confirmations(connection, before=LIMIT) == 1
        kept = connection.execute(select(schema.confirmations.c.token_hash)).scalars()
        assert list(kept) == ["n" * 64]


@pytest.fixture
def ledger(database: Database, register: Register) -> Ledger:
    for name in ("ann", "bob", "cat"):
        register.add(f"{name}@x.example", "wales")
    register.add("dan@x.example", "national")
    for number, issue_id in enumerate((OLD, NEW), 1):
        with database.write() as connection:
            connection.execute(
                insert(schema.issues).values(
                    id=issue_id,
                    number=number,
                    state="sent",
                    checksum="c",
                    drafted_checksum="",
                    approved_by="",
                )
            )
        at = NOW if issue_id == NEW else NOW - timedelta(days=450)
        old_ledger = Ledger(database, FixedClock(at))
        due = {"wales": at, "national": at}
        plan(old_ledger, issue_id=issue_id, recipients=register.audience(), due_at=due)
    with database.write() as connection:
        rows = schema.deliveries
        connection.execute(update(rows).values(state="accepted"))
        connection.execute(
            update(rows).where(rows.c.address == "bob@x.example").values(state="bounced")
        )
        for (number,) in connection.execute(select(rows.c.id)).all():
            connection.execute(
                insert(schema.attempts).values(
                    delivery_id=number,
                    number=1,
                    ended_at=NOW,
                    verdict="accept",
                    reply_code=250,
                    reply_enhanced="",
                    reply_text="ok",
                    note="",
                )
            )
    return Ledger(database, FixedClock(NOW))


BEFORE = NOW - timedelta(days=400)


def counted(database: Database, table: str) -> int:
    with database.read() as connection:
        found = select(func.count()).select_from(schema.metadata.tables[table])
        return int(connection.execute(found).scalar_one())


def test_an_old_issue_becomes_totals(database: Database, ledger: Ledger) -> None:
    before = ledger.summary(OLD)
    assert before["wales"] == {"accepted": 2, "bounced": 1}
    assert [(old.id, old.count) for old in old_issues(database, before=BEFORE)] == [(OLD, 4)]
    require_ledger(database, OLD)

    assert prune_issue(database, OLD) == 4
    assert ledger.summary(OLD) == {}
    assert pruned_summary(database, OLD) == before
    assert (counted(database, "deliveries"), counted(database, "attempts")) == (4, 4)
    assert old_issues(database, before=BEFORE) == []
    assert prune_issue(database, OLD) == 0
    assert pruned_summary(database, OLD) == before
    with pytest.raises(IllegalTransition, match="was pruned: nobody can tell who has had it"):
        require_ledger(database, OLD)
    assert pruned_summary(database, NEW) == {}


def test_what_is_under_way_or_changed_lately_stays(database: Database, ledger: Ledger) -> None:
    rows = schema.deliveries
    with database.write() as connection:
        one = select(func.min(rows.c.id)).where(rows.c.issue_id == OLD).scalar_subquery()
        connection.execute(update(rows).where(rows.c.id == one).values(updated_at=NOW))
    assert old_issues(database, before=BEFORE) == []
    with database.write() as connection:
        connection.execute(update(rows).values(updated_at=LONG_AGO - timedelta(days=400)))
        connection.execute(
            update(schema.issues).where(schema.issues.c.id == OLD).values(state="sending")
        )
    assert [old.id for old in old_issues(database, before=BEFORE)] == [NEW]
    assert prune_issue(database, OLD) == 0
    assert counted(database, "deliveries") == 8
