"""Rosters go in whole, leave nobody unmentioned, and come out again."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from mailer.audience.register import Register
from mailer.audience.roster import (
    ImportReport,
    export_roster,
    import_roster,
    import_rosters,
    read_roster,
)
from mailer.audience.subscriber import SubscriptionState
from mailer.clock import FixedClock
from mailer.errors import InvalidInput, NotFound, StorageFailed
from mailer.publication import Region
from mailer.storage.database import Database

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


def on_list(register: Register, region: str) -> list[str]:
    return [address for address, _, _ in register.roll(region)]


def verdicts(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(row.line, row.verdict.value, row.code) for row in report.rows]


def test_every_row_has_a_verdict_and_a_line(peopled: Register, tmp_path: Path) -> None:
    path = tmp_path / "wales.csv"
    path.write_text(MIXED, encoding="utf-8")

    report = import_roster(peopled, path, "wales")

    assert verdicts(report) == [
        (2, "added", ""),
        (3, "already", ""),
        (4, "kept_out", "unsubscribed"),
        (5, "rejected", "address"),
        (6, "kept_out", "suppressed"),
        (7, "rejected", "duplicate"),
        (8, "confirmed", ""),
        (10, "added", ""),
    ]
    assert on_list(peopled, "wales") == [
        f"{name}@x.example" for name in ("last", "new", "old", "waits")
    ]
    assert str(report.faults[1]) == (
        f"{path}:5: address: 'nonsense' is not a usable mail address: an email address must have "
        "an @-sign ('nonsense,Bad'); write name@domain"
    )
    history = peopled.show("new@x.example").history
    assert [(e.step, e.source) for e in history] == [("import", "roster wales.csv")]


def test_the_report_as_data(peopled: Register) -> None:
    data = import_roster(peopled, MIXED.encode(), "wales", where="wales.csv").to_data()
    assert json.loads(json.dumps(data)) == data
    figures = ("rows", "added", "confirmed", "already", "rejoined", "kept_out", "rejected")
    assert [data[key] for key in figures] == [8, 2, 1, 1, 0, 2, 2]
    assert [(p["line"], p["code"], p["raw"]) for p in data["problems"]] == [
        (4, "unsubscribed", "left@x.example,Left"),
        (5, "address", "nonsense,Bad"),
        (6, "suppressed", "barred@x.example,Barred"),
        (7, "duplicate", "NEW@x.example,Again"),
    ]
    assert all(p["message"].startswith(f"wales.csv:{p['line']}: ") for p in data["problems"])
    assert [row["line"] for row in data["lines"]] == [2, 3, 4, 5, 6, 7, 8, 10]


def test_importing_twice_changes_nothing(peopled: Register) -> None:
    import_roster(peopled, MIXED.encode(), "wales")
    before = peopled.list()
    again = import_roster(peopled, MIXED.encode(), "wales")
    assert again.counts["added"] == 0
    assert again.counts["already"] == 4
    assert peopled.list() == before


def test_a_dry_run_says_the_same_and_keeps_nothing(peopled: Register) -> None:
    before = peopled.list()
    tried = import_roster(peopled, MIXED.encode(), "wales", is_dry_run=True)
    assert peopled.list() == before
    assert import_roster(peopled, MIXED.encode(), "wales").rows == tried.rows


def test_nobody_who_left_or_is_suppressed_comes_back(peopled: Register) -> None:
    for slug in REGIONS:
        import_roster(peopled, b"email\nleft@x.example\nbarred@x.example\n", slug)
    assert [r.address for r in peopled.recipients()] == ["old@x.example"]


def test_two_rosters_with_the_same_person_make_one_copy(register: Register) -> None:
    import_roster(register, b"email\nada@x.example\nbob@x.example\n", "national")
    import_roster(register, b"email\nADA@X.example\n", "wales")
    assert [(r.region, r.address) for r in register.recipients()] == [
        ("national", "bob@x.example"),
        ("wales", "ada@x.example"),
    ]


def test_a_failing_database_leaves_nothing_of_the_file(
    register: Register, database: Database
) -> None:
    content = "email\n" + "".join(f"r{n}@x.example\n" for n in range(2500))
    batches = 0

    @event.listens_for(database.engine, "before_execute")
    def refuse(_c: object, clause: object, *_: object) -> None:
        nonlocal batches
        if str(clause).startswith("INSERT INTO consent_events"):
            batches += 1
            if batches == 3:
                raise OperationalError("insert", {}, Exception("database or disk is full"))

    with pytest.raises(StorageFailed, match="free some disk space"):
        import_roster(register, content.encode(), "wales")
    assert register.list() == ()


def test_an_unusable_file_or_region_stops_before_anything(register: Register) -> None:
    with pytest.raises(NotFound, match="atlantis"):
        import_roster(register, b"email\nada@x.example\n", "atlantis")
    with pytest.raises(InvalidInput, match="roster:1: email: there is no header"):
        import_roster(register, b"ada@x.example\n", "wales")
    assert register.list() == ()


def test_two_imports_at_once_lose_and_double_nobody(register: Register) -> None:
    failed: list[BaseException] = []

    def take(region: str, first: int) -> None:
        content = "email\n" + "".join(f"r{n}@x.example\n" for n in range(first, first + 1500))
        try:
            import_roster(register, content.encode(), region)
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [
        threading.Thread(target=take, args=args, daemon=True)
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


def test_progress_counts_the_usable_rows(register: Register) -> None:
    content = "email\nbad\n" + "".join(f"r{n}@x.example\n" for n in range(1500))
    seen: list[tuple[int, int]] = []
    import_roster(
        register, content.encode(), "wales", progress=lambda done, of: seen.append((done, of))
    )
    assert seen == [(900, 1500), (1500, 1500)]


def test_every_regions_roster_in_one_go(register: Register, tmp_path: Path) -> None:
    folder = tmp_path / "subscribers"
    folder.mkdir()
    (folder / "national.csv").write_text("email\nada@x.example\n")
    (folder / "wales.csv").write_text("email\nada@x.example\nbad\n")

    reports = import_rosters(register, tmp_path, REGIONS)

    assert [(r.region, r.counts["added"], len(r.problems)) for r in reports] == [
        ("national", 1, 0),
        ("wales", 1, 1),
    ]


def test_one_unusable_roster_stops_them_all(register: Register, tmp_path: Path) -> None:
    folder = tmp_path / "subscribers"
    folder.mkdir()
    (folder / "national.csv").write_text("email\nada@x.example\n")
    (folder / "wales.csv").write_text("")
    (folder / "essex.csv").write_text("town\nQuay\n")
    with pytest.raises(InvalidInput) as caught:
        import_rosters(register, tmp_path, REGIONS)
    assert [Path(fault.where).name for fault in caught.value.faults] == ["wales.csv", "essex.csv"]
    assert register.list() == ()


def exported(register: Register, state: SubscriptionState | None = None) -> str:
    out = io.StringIO(newline="")
    if state is None:
        export_roster(register, "wales", out)
    else:
        export_roster(register, "wales", out, state=state)
    return out.getvalue()


def test_an_export_holds_confirmed_readers_escaped_and_in_order(peopled: Register) -> None:
    peopled.add("=cmd@x.example", "wales", "=HYPERLINK(1)")
    peopled.add("zoë@x.example", "wales", 'Zoë, "the" Ash')
    assert exported(peopled) == (
        "email,name,status\r\n"
        "'=cmd@x.example,'=HYPERLINK(1),confirmed\r\n"
        "old@x.example,,confirmed\r\n"
        'zoë@x.example,"Zoë, ""the"" Ash",confirmed\r\n'
    )
    with pytest.raises(NotFound):
        export_roster(peopled, "atlantis", io.StringIO())


def test_an_export_of_everybody_subscribes_nobody_who_left(peopled: Register) -> None:
    out = io.StringIO(newline="")
    assert export_roster(peopled, "wales", out, state=None) == 3
    report = import_roster(peopled, out.getvalue().encode(), "essex")
    assert {row.address: row.code for row in report.problems} == {
        "left@x.example": "status",
        "waits@x.example": "status",
    }


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
def test_what_is_exported_is_imported_the_same(register: Register, people: dict[str, str]) -> None:
    for local, name in people.items():
        register.add(f"{local}@x.example", "wales", name)
    out = io.StringIO(newline="")
    count = export_roster(register, "wales", out)
    roster = read_roster(out.getvalue().encode())
    assert len(roster.rows) == count
    assert [(row.address, row.name) for row in roster.rows] == [
        (address, name) for address, name, _ in register.roll("wales")
    ]


def test_ten_thousand_rows_are_a_few_statements_a_thousand(
    register: Register, database: Database
) -> None:
    content = "email,name\n" + "".join(
        f"r{n}@m{n % 90}.example,Reader {n}\n" for n in range(10_000)
    )
    statements = 0

    @event.listens_for(database.engine, "before_execute")
    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    report = import_roster(register, content.encode(), "wales")

    assert report.counts["added"] == 10_000
    assert statements <= 12 * 7 + 5
    assert sum(1 for _ in register.recipients()) == 10_000
