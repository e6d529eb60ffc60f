"""Rosters go in whole, leave nobody unmentioned, and come out again."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, select, update
from sqlalchemy.exc import OperationalError

from mailer.audience.basis import LawfulBasis
from mailer.audience.import_report import ImportReport
from mailer.audience.register import Register
from mailer.audience.roster import Rosters
from mailer.audience.roster_export import export_roster
from mailer.audience.roster_form import open_roster
from mailer.audience.subscriber import SubscriptionState
from mailer.clock import FixedClock
from mailer.errors import InvalidInput, NotFound, StorageFailed
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database, open_database

REGIONS = {
    slug: Region(
        slug=slug,
        name=slug.title(),
        list_id=f"{slug}.lantern.example",
        reply_to=f"{slug}@lantern.example",
        parent="" if slug == "national" else "national",
        time_zone="Europe/London",
    )
    for slug in ("national", "wales", "essex")
}

MIXED = """email,name
new@x.example,New
old@x.example,Old
left@x.example,Left
nonsense,Bad
barred@x.example,Barred
NEW@x.example,Again
waits@x.example,"Waits
here"
last@x.example,Last
"""


@pytest.fixture
def register(database: Database, clock: FixedClock) -> Register:
    return Register(database, clock, REGIONS)


@pytest.fixture
def peopled(register: Register, database: Database, clock: FixedClock) -> Register:
    register.add("old@x.example", "wales")
    register.add("left@x.example", "wales")
    register.remove("left@x.example")
    register.suppress("barred@x.example", "complaint")
    waiting = register.add("waits@x.example", "wales")
    from sqlalchemy import update

    from mailer.storage import schema

    with database.write() as connection:
        connection.execute(
            update(schema.subscriptions)
            .where(schema.subscriptions.c.subscriber_id == waiting.id)
            .values(state="pending")
        )
    return register


@pytest.fixture
def rosters(database: Database, clock: FixedClock) -> Rosters:
    return Rosters(database, clock, REGIONS)


def take(
    rosters: Rosters, content: str | bytes, region: str = "wales", **more: Any
) -> ImportReport:
    data = content.encode() if isinstance(content, str) else content
    return rosters.take(data, region, LawfulBasis.CONSENT, **more)


def problems(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(row.line, row.verdict.value, row.code) for row in report.problems]


def figures(report: ImportReport) -> dict[str, int]:
    return {word: number for word, number in report.counts.items() if number}


def on_list(register: Register, region: str) -> list[str]:
    """Return a list's confirmed and unsuppressed addresses, by address."""
    people = register.list(region, SubscriptionState.CONFIRMED)
    barred = register.suppressed([person.address for person in people])
    return sorted(person.address for person in people if person.address not in barred)


def test_every_row_is_counted_and_every_other_than_taken_listed(
    peopled: Register, rosters: Rosters, tmp_path: Path
) -> None:
    path = tmp_path / "wales.csv"
    path.write_text(MIXED, encoding="utf-8")

    report = rosters.take(path, "wales", LawfulBasis.CONSENT)

    assert problems(report) == [
        (4, "kept_out", "unsubscribed"),
        (5, "rejected", "address"),
        (6, "kept_out", "suppressed"),
        (7, "rejected", "duplicate"),
    ]
    assert report.rows == 8
    assert figures(report) == {
        "added": 2,
        "confirmed": 1,
        "already": 1,
        "kept_out": 2,
        "rejected": 2,
    }
    assert on_list(peopled, "wales") == [
        f"{name}@x.example" for name in ("last", "new", "old", "waits")
    ]
    assert str(list(report.faults)[1]) == (
        f"{path}:5: address: 'nonsense' is not a usable mail address: an email address must have "
        "an @-sign ('nonsense,Bad'); write name@domain"
    )
    history = peopled.show("new@x.example").history
    assert [(e.step, e.source) for e in history] == [("import", "roster wales.csv")]


def test_the_report_as_data(peopled: Register, rosters: Rosters) -> None:
    report = take(rosters, MIXED, where="wales.csv")
    data, rows = report.to_data(), list(report.problem_data())
    assert json.loads(json.dumps(data)) == data
    words = ("rows", "added", "confirmed", "already", "rejoined", "kept_out", "rejected", "basis")
    assert [data[key] for key in words] == [8, 2, 1, 1, 0, 2, 2, "consent"]
    assert [(p["line"], p["code"], p["raw"]) for p in rows] == [
        (4, "unsubscribed", "left@x.example,Left"),
        (5, "address", "nonsense,Bad"),
        (6, "suppressed", "barred@x.example,Barred"),
        (7, "duplicate", "NEW@x.example,Again"),
    ]
    assert all(p["message"].startswith(f"wales.csv:{p['line']}: ") for p in rows)
    assert list(report.problem_data()) == rows


def test_importing_twice_changes_nothing(peopled: Register, rosters: Rosters) -> None:
    take(rosters, MIXED)
    before = peopled.list()
    again = take(rosters, MIXED)
    assert again.counts["added"] == 0
    assert again.counts["already"] == 4
    assert peopled.list() == before


def test_a_dry_run_says_the_same_and_keeps_nothing(peopled: Register, rosters: Rosters) -> None:
    before = peopled.list()
    tried = take(rosters, MIXED, is_dry_run=True)
    assert peopled.list() == before
    assert rosters.past() == ()
    done = take(rosters, MIXED)
    assert done.counts == tried.counts
    assert list(done.problems) == list(tried.problems)


def test_nobody_who_left_or_is_suppressed_comes_back(peopled: Register, rosters: Rosters) -> None:
    for slug in REGIONS:
        take(rosters, "email\nleft@x.example\nbarred@x.example\n", slug)
    assert [r.address for r in peopled.recipients()] == ["old@x.example"]


def test_two_rosters_with_the_same_person_make_one_copy(
    register: Register, rosters: Rosters
) -> None:
    take(rosters, "email\nada@x.example\nbob@x.example\n", "national")
    take(rosters, "email\nADA@X.example\n", "wales")
    assert [(r.region, r.address) for r in register.recipients()] == [
        ("national", "bob@x.example"),
        ("wales", "ada@x.example"),
    ]


def test_a_failing_database_leaves_nothing_of_the_file(
    register: Register, rosters: Rosters, database: Database
) -> None:
    content = "email\n" + "".join(f"r{n}@x.example\n" for n in range(2500))

    @event.listens_for(database.engine, "before_execute")
    def refuse(_c: object, clause: object, *_: object) -> None:
        if str(clause).startswith("INSERT INTO consent_events"):
            raise OperationalError("insert", {}, Exception("database or disk is full"))

    with pytest.raises(StorageFailed, match="free some disk space"):
        take(rosters, content)
    assert register.list() == ()
    event.remove(database.engine, "before_execute", refuse)
    assert take(rosters, content).counts["added"] == 2500


def test_an_unusable_file_or_region_stops_before_anything(
    register: Register, rosters: Rosters
) -> None:
    with pytest.raises(NotFound, match="atlantis"):
        take(rosters, "email\nada@x.example\n", "atlantis")
    with pytest.raises(InvalidInput, match="roster:1: email: there is no header"):
        take(rosters, "ada@x.example\n")
    assert register.list() == ()
    assert rosters.past() == ()


def test_two_imports_at_once_lose_and_double_nobody(register: Register, rosters: Rosters) -> None:
    failed: list[BaseException] = []

    def go(region: str, first: int) -> None:
        content = "email\n" + "".join(f"r{n}@x.example\n" for n in range(first, first + 1500))
        try:
            take(rosters, content, region)
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [
        threading.Thread(target=go, args=args, daemon=True)
        for args in (("wales", 0), ("essex", 700), ("wales", 300))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert failed == []
    assert len(on_list(register, "wales")) == 1800
    assert len(on_list(register, "essex")) == 1500
    assert sum(1 for _ in register.recipients()) == 2200


def test_another_writer_need_not_wait_while_a_file_is_read(
    register: Register, rosters: Rosters, tmp_path: Path
) -> None:
    """The progress of the reading is where a long file spends its time."""
    content = "email\n" + "".join(f"r{n}@x.example\n" for n in range(5000))
    joined: list[str] = []

    def progress(done: int, total: int, label: str = "") -> None:
        if label == "Reading" and not joined:
            thread = threading.Thread(
                target=lambda: joined.append(register.add("quick@x.example", "essex").address)
            )
            thread.start()
            thread.join(timeout=10)
            assert joined == ["quick@x.example"]

    assert take(rosters, content, progress=progress).counts["added"] == 5000
    assert joined


def test_progress_grows_to_the_rows(rosters: Rosters) -> None:
    content = "email\nbad\n" + "".join(f"r{n}@x.example\n" for n in range(4500))
    seen: list[tuple[int, int, str]] = []
    take(rosters, content, progress=lambda done, of, label: seen.append((done, of, label)))
    assert [(done, label) for done, _, label in seen if label == "Reading"] == [
        (2000, "Reading"),
        (4000, "Reading"),
        (4501, "Reading"),
    ]
    assert all(done <= of for done, of, _ in seen)
    assert seen[-1] == (4501, 4501, "Committing")


def test_every_regions_roster_in_one_go(rosters: Rosters, tmp_path: Path) -> None:
    folder = tmp_path / "subscribers"
    folder.mkdir()
    (folder / "national.csv").write_text("email\nada@x.example\n")
    (folder / "wales.csv").write_text("email\nada@x.example\nbad\n")

    reports = rosters.take_every(tmp_path, LawfulBasis.CONSENT)

    assert [(r.region, r.counts["added"], len(r.problems)) for r in reports] == [
        ("national", 1, 0),
        ("wales", 1, 1),
    ]


def test_one_unusable_roster_stops_them_all(
    register: Register, rosters: Rosters, tmp_path: Path
) -> None:
    folder = tmp_path / "subscribers"
    folder.mkdir()
    (folder / "national.csv").write_text("email\nada@x.example\n")
    (folder / "wales.csv").write_text("")
    (folder / "essex.csv").write_text("town\nQuay\n")
    with pytest.raises(InvalidInput) as caught:
        rosters.take_every(tmp_path, LawfulBasis.CONSENT)
    assert [Path(fault.where).name for fault in caught.value.faults] == ["wales.csv", "essex.csv"]
    assert register.list() == ()


def test_the_basis_and_the_date_stand_in_the_record(rosters: Rosters, database: Database) -> None:
    content = (
        "email,since\nada@x.example,2024-05-01T10:00:00Z\nbob@x.example,\n"
        "cyd@x.example,2099-01-01\n"
    )
    rosters.take(content.encode(), "wales", LawfulBasis.LEGITIMATE_INTEREST, where="old.csv")
    events = schema.consent_events
    with database.read() as connection:
        found = connection.execute(
            select(events.c.basis, events.c.evidence_at, events.c.source).order_by(events.c.id)
        ).all()
    assert [tuple(row) for row in found] == [
        ("legitimate-interest", datetime(2024, 5, 1, 10, tzinfo=UTC), "roster old.csv"),
        ("legitimate-interest", None, "roster old.csv"),
        ("legitimate-interest", None, "roster old.csv"),
    ]


def test_past_imports_are_listed(rosters: Rosters) -> None:
    take(rosters, "email\nada@x.example\n", where="a/first.csv", by="editor")
    take(rosters, "email\nbad\n", "essex", where="second.csv")
    newest, oldest = rosters.past()
    assert (newest.file, newest.region, newest.counts["rejected"]) == ("second.csv", "essex", 1)
    assert (oldest.file, oldest.by, oldest.basis, oldest.rows) == (
        "first.csv",
        "editor",
        "consent",
        1,
    )
    assert rosters.past(limit=1) == (newest,)


def test_fields_and_language_are_kept_and_the_newest_roster_holds(
    register: Register, rosters: Rosters, database: Database
) -> None:
    take(rosters, "email,Town,ZIP Code,Language\nada@x.example,Quay,0123,cy\n")
    take(rosters, "email,name,town,tier,lang\nada@x.example,Ada,Harbour,gold,en\n", "essex")
    (ada,) = register.list()
    assert ada.name == "Ada"
    assert ada.fields == {"town": "Harbour", "zip_code": "0123", "tier": "gold"}
    with database.read() as connection:
        assert connection.execute(select(schema.subscribers.c.language)).scalar() == "cy"


def test_a_roster_fills_in_a_missing_name_and_keeps_a_known_one(
    register: Register, rosters: Rosters
) -> None:
    register.add("ada@x.example", "wales")
    register.add("bob@x.example", "wales", "Bob")
    take(rosters, "email,name\nada@x.example,Ada\nbob@x.example,Robert\n")
    assert [person.name for person in register.list()] == ["Ada", "Bob"]


def test_a_time_zone_that_is_none_is_set_right_by_a_mended_roster(
    rosters: Rosters, database: Database
) -> None:
    take(rosters, "email,Time zone\nada@reader.example,London\n")
    take(rosters, "email,Time zone\nada@reader.example,Europe/London\n")
    with database.read() as connection:
        assert connection.execute(select(schema.subscribers.c.fields)).scalars().all() == [
            {"time_zone": "Europe/London"}
        ]


def test_a_roster_fills_in_a_time_zone_and_keeps_what_a_reader_has_chosen(
    register: Register, rosters: Rosters, database: Database
) -> None:
    for name, fields in (
        ("ada", {"time_zone": "Asia/Tokyo", "town": "Quay"}),
        ("bob", {"time_zone": ""}),
        ("cy", {"town": "Quay"}),
    ):
        register.add(f"{name}@x.example", "wales")
        people = schema.subscribers
        with database.write() as connection:
            own = people.c.address == f"{name}@x.example"
            connection.execute(update(people).where(own).values(fields=fields))
    rows = "".join(f"{name}@x.example,Europe/Paris,Harbour\n" for name in ("ada", "bob", "cy"))
    for _ in range(2):
        take(rosters, f"email,Time zone,Town\n{rows}")
    assert [person.fields for person in register.list()] == [
        {"time_zone": "Asia/Tokyo", "town": "Harbour"},
        {"time_zone": "", "town": "Harbour"},
        {"time_zone": "Europe/Paris", "town": "Harbour"},
    ]


def test_the_strongest_of_two_rows_for_one_address_holds(
    register: Register, rosters: Rosters
) -> None:
    report = take(
        rosters,
        "email,status\nada@x.example,subscribed\nbob@x.example,pending\nADA@x.example,unsubscribed\n"
        "bob@x.example,subscribed\nada@x.example,\n",
    )
    assert figures(report) == {"added": 1, "left": 1, "rejected": 3}
    assert [(row.line, row.reason) for row in report.problems] == [
        (2, "is the same address as line 4, which says 'unsubscribed' and holds"),
        (3, "is the same address as line 5, which says 'subscribed' and holds"),
        (6, "is the same address as line 4, which says 'unsubscribed' and holds"),
    ]
    assert on_list(register, "wales") == ["bob@x.example"]


def test_an_objection_is_kept_and_outlives_the_next_roster(
    register: Register, rosters: Rosters
) -> None:
    first = take(
        rosters,
        "email,name,town,status\n"
        "left@x.example,Left,Quay,unsubscribed\ngone@x.example,,,bounced\n"
        "cross@x.example,,,complained\nbad@x.example,,,blocked\nslow@x.example,,,pending\n",
        where="old.csv",
    )
    assert figures(first) == {"left": 1, "suppressed": 3, "kept_out": 1}
    assert problems(first) == [(6, "kept_out", "unconfirmed")]
    names = ("left", "gone", "cross", "bad", "slow")
    again = take(rosters, "email\n" + "".join(f"{name}@x.example\n" for name in names), "essex")
    assert problems(again) == [
        (2, "kept_out", "unsubscribed"),
        (3, "kept_out", "suppressed"),
        (4, "kept_out", "suppressed"),
        (5, "kept_out", "suppressed"),
    ]
    assert on_list(register, "essex") == ["slow@x.example"]
    reasons = {each.address: each.reason.value for each in register.suppressions()}
    assert reasons == {
        "gone@x.example": "bounce",
        "cross@x.example": "complaint",
        "bad@x.example": "manual",
    }
    assert register.suppressions()[0].evidence.startswith("roster old.csv: ")
    left = register.show("left@x.example")
    assert left.subscriber is not None
    # Of somebody who left, the address is what it takes to leave them alone.
    assert (left.subscriber.name, left.subscriber.fields) == ("", {})
    assert [(each.step, each.state.value) for each in left.history] == [
        ("left_elsewhere", "unsubscribed")
    ]


@pytest.mark.parametrize("word", ["unsubscribed", "bounced"])
def test_an_objection_takes_an_imported_reader_off_and_says_so(
    register: Register, rosters: Rosters, word: str
) -> None:
    take(rosters, "email\nada@x.example\n")
    report = take(rosters, f"email,status\nada@x.example,{word}\n")
    assert [(row.code, row.line) for row in report.problems] == [("taken_off", 2)]
    assert f"'{word}'" in next(iter(report.problems)).reason
    assert list(register.recipients()) == []


@pytest.mark.parametrize("column", ["unsubscribed at", "bounced at"])
def test_an_objection_does_not_hold_against_who_joined_since(
    register: Register, rosters: Rosters, column: str
) -> None:
    take(rosters, "email,since\nnew@x.example,2024-06-01\nold@x.example,2020-06-01\n")
    report = take(rosters, f"email,{column}\nnew@x.example,2022-01-01\nold@x.example,2022-01-01\n")
    assert [(row.address, row.code) for row in report.problems] == [
        ("new@x.example", "joined_since"),
        ("old@x.example", "taken_off"),
    ]
    assert [r.address for r in register.recipients()] == ["new@x.example"]


def test_who_came_back_by_themselves_stays(
    register: Register, rosters: Rosters, database: Database, clock: FixedClock
) -> None:
    ada = register.add("ada@x.example", "wales")
    with database.write() as connection:
        connection.execute(
            insert(schema.consent_events).values(
                subscriber_id=ada.id,
                region="wales",
                step="confirm",
                state="confirmed",
                source="join page",
                at=clock.now(),
            )
        )
    undated = take(rosters, "email,status\nada@x.example,unsubscribed\n")
    earlier = take(rosters, "email,unsubscribed at\nada@x.example,2020-01-01\n")
    assert [row.code for report in (undated, earlier) for row in report.problems] == [
        "joined_since",
        "joined_since",
    ]
    assert on_list(register, "wales") == ["ada@x.example"]


@pytest.mark.parametrize(
    ("word", "verdict"), [("unsubscribed", "left"), ("complained", "suppressed")]
)
def test_an_unconfirmed_sign_up_shields_nobody_from_an_objection(
    register: Register,
    rosters: Rosters,
    database: Database,
    clock: FixedClock,
    word: str,
    verdict: str,
) -> None:
    """Anybody can type an address; it says nothing of its owner."""
    ada = register.add("ada@x.example", "wales")
    with database.write() as connection:
        link = {"subscriber_id": ada.id, "region": "wales", "state": "pending", "source": "page"}
        connection.execute(update(schema.subscriptions).values(state="pending"))
        connection.execute(
            insert(schema.consent_events).values(**link, step="sign_up", at=clock.now())
        )
    report = take(rosters, f"email,status\nada@x.example,{word}\n")
    assert (figures(report), [row.code for row in report.problems]) == ({verdict: 1}, [])


@pytest.mark.parametrize("step", ["pause", "sign_up"])
def test_what_is_no_act_of_consent_is_no_joining_since(
    register: Register, rosters: Rosters, database: Database, clock: FixedClock, step: str
) -> None:
    ada = register.add("ada@x.example", "wales")
    with database.write() as connection:
        connection.execute(
            insert(schema.consent_events).values(
                subscriber_id=ada.id,
                region="wales",
                step=step,
                state="confirmed",
                source="preferences",
                at=clock.now(),
            )
        )
    report = take(rosters, "email,status\nada@x.example,complained\n")
    assert [row.code for row in report.problems] == ["taken_off"]
    assert list(register.recipients()) == []


def test_the_erased_are_not_stored_again_whatever_a_row_says(
    database: Database, clock: FixedClock, register: Register
) -> None:
    def digest(address: str) -> str:
        return hashlib.sha256(b"pepper" + address.encode()).hexdigest()

    with database.write() as connection:
        connection.execute(
            insert(schema.erasures).values(
                digest=digest("ada@x.example"), reason="asked", at=clock.now()
            )
        )
    rosters = Rosters(database, clock, REGIONS, digest_of=lambda _connection: digest)
    for status in ("subscribed", "unsubscribed", "bounced"):
        report = take(rosters, f"email,status\nADA@x.example,{status}\nbob@x.example,subscribed\n")
        assert problems(report) == [(2, "kept_out", "erased")]
    assert [each.address for each in register.list()] == ["bob@x.example"]
    assert register.suppressions() == ()


def test_an_erasure_while_the_file_is_read_is_not_missed(
    database: Database, clock: FixedClock, register: Register
) -> None:
    known: list[Callable[[str], str] | None] = [None, lambda address: f"digest of {address}"]
    rosters = Rosters(database, clock, REGIONS, digest_of=lambda _connection: known.pop(0))
    with pytest.raises(StorageFailed, match="run the import again"):
        take(rosters, "email\nada@x.example\n")
    assert register.list() == ()


def exported(database: Database, state: SubscriptionState | None = None) -> str:
    out = io.StringIO(newline="")
    export_roster(database, "wales", out, **({"state": state} if state else {}))
    return out.getvalue()


def test_an_export_holds_confirmed_readers_escaped_and_in_order(
    peopled: Register, database: Database, clock: FixedClock
) -> None:
    peopled.add("=cmd@x.example", "wales", "=HYPERLINK(1)")
    peopled.add("zoë@x.example", "wales", 'Zoë, "the" Ash')
    now = f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    assert exported(database) == (
        "email,name,status,since,language\r\n"
        f"'=cmd@x.example,'=HYPERLINK(1),confirmed,{now},\r\n"
        f"old@x.example,,confirmed,{now},\r\n"
        f'zoë@x.example,"Zoë, ""the"" Ash",confirmed,{now},\r\n'
    )
    assert exported(database, SubscriptionState.PENDING).count("\r\n") == 2


def test_an_export_may_be_narrowed_and_has_only_the_fields_of_that_part(
    rosters: Rosters, database: Database
) -> None:
    take(rosters, "email,town,tier,lang\nada@x.example,Quay,,cy\nbob@x.example,,gold,en\n")
    out = io.StringIO(newline="")
    welsh = schema.subscribers.c.language == "cy"
    assert export_roster(database, "wales", out, narrowed=welsh) == 1
    header, row = out.getvalue().splitlines()
    assert header == "email,name,status,since,language,town"
    assert row.endswith(",cy,Quay")


def test_an_export_of_everybody_puts_nobody_who_left_on_a_list(
    peopled: Register, rosters: Rosters, database: Database, tmp_path: Path, clock: FixedClock
) -> None:
    take(rosters, "email,status\nbounced@x.example,subscribed\n")
    peopled.suppress("bounced@x.example", "bounce")
    out = io.StringIO(newline="")
    assert export_roster(database, "wales", out, state=None) == 4

    elsewhere = open_database(f"sqlite:///{tmp_path}/elsewhere.db", root=tmp_path)
    other = Rosters(elsewhere, clock, REGIONS)
    report = take(other, out.getvalue())
    assert figures(report) == {"added": 1, "left": 1, "suppressed": 1, "kept_out": 1}
    found = Register(elsewhere, clock, REGIONS)
    assert [each.address for each in found.recipients()] == ["old@x.example"]
    assert found.suppressed(["bounced@x.example"])["bounced@x.example"].value == "bounce"
    elsewhere.close()


names = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]) | st.sampled_from("=+-@'\";,"),
    max_size=20,
)
locals_ = st.from_regex(r"[a-z0-9=+\-'!#][a-z0-9=+\-']{0,10}", fullmatch=True)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(locals_, names, min_size=1, max_size=8))
def test_what_is_exported_is_imported_the_same(
    register: Register, database: Database, people: dict[str, str]
) -> None:
    for local, name in people.items():
        register.add(f"{local}@x.example", "wales", name)
    out = io.StringIO(newline="")
    count = export_roster(database, "wales", out)
    with open_roster(out.getvalue().encode()) as roster:
        rows = list(roster.rows)
    assert len(rows) == count
    assert [(row.address, row.name) for row in rows] == sorted(
        (person.address, person.name)
        for person in register.list("wales", SubscriptionState.CONFIRMED)
    )


def test_ten_thousand_rows_are_a_few_statements(
    register: Register, rosters: Rosters, database: Database
) -> None:
    content = "email,name\n" + "".join(
        f"r{n}@m{n % 90}.example,Reader {n}\n" for n in range(10_000)
    )
    statements = 0

    @event.listens_for(database.engine, "before_cursor_execute")
    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    report = take(rosters, content)

    assert report.counts["added"] == 10_000
    assert statements <= 50
    assert sum(1 for _ in register.recipients()) == 10_000
