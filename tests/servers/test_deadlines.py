"""What comes before an issue's hour: who is told what, once, and what a missing column leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from mailer.app import App
from mailer.clock import FixedClock
from mailer.operating.overview import overview
from mailer.schedule.runs import Runs, RunState
from mailer.storage import schema
from mailer.usecases import editing, proofing
from mailer.usecases.deadlines import missing
from mailer.usecases.retelling import tell_again
from mailer.usecases.telling import TOLD, UNTOLD
from mailer.usecases.unattended import make_runner
from tests.faults.chaos import ChaosServer
from tests.town import (
    FRIDAY,
    ISSUE,
    MONDAY_7,
    approve,
    file_column,
    got,
    mails,
    make_town,
    open_town,
    words,
    write_article,
)

SUNDAY = datetime(2026, 11, 29, 12, tzinfo=UTC)
ONE_REGION = {"national": {}}
WEEK = 'draft = "fri 12:00"\nremind = "sun 18:00"\napprove_by = "sun 21:00"'

Open = Callable[..., App]


@pytest.fixture
def town(tmp_path: Path, relay: ChaosServer, clock: FixedClock) -> Iterator[Open]:
    opened: list[App] = []

    def make(*, schedule: str = WEEK, **settings: Any) -> App:
        root = make_town(
            tmp_path / "town",
            port=relay.port,
            schedule=schedule,
            **{"regions": ONE_REGION} | settings,
        )
        write_article(root, FRIDAY - timedelta(days=1), "The last ferry")
        app = open_town(root, clock, readers=2)
        opened.append(app)
        return app

    yield make
    for app in opened:
        app.__exit__()


def look(app: App, clock: FixedClock, *instants: datetime) -> None:
    """Look at each instant, twice, each time as a process that has just been started."""
    for instant in instants:
        clock.set(instant)
        make_runner(app).tick()
        make_runner(app).tick()


SIX = SUNDAY + timedelta(hours=6)
NINE = SUNDAY + timedelta(hours=9)


def test_editors_are_told_once_of_each_deadline_that_passes(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(tables='[column]\naddress = "nora@lantern.example"')
    look(app, clock, FRIDAY, SUNDAY, SIX, NINE)
    assert [(mail["To"], mail["Subject"]) for mail in mails(relay)] == [
        ("nora@lantern.example", f"The Lantern: the column for issue {ISSUE} is not there yet"),
        ("desk@lantern.example", f"The Lantern: the column for issue {ISSUE} is not there yet"),
        ("desk@lantern.example", f"The Lantern: issue {ISSUE} is not approved yet"),
        ("desk@lantern.example", f"The Lantern: nobody has approved issue {ISSUE} in time"),
    ]
    column, _copy, reminder, approval = map(words, mails(relay))
    assert "Nora Whitfield's column" in column
    assert "Sunday 29 November at 12:00" in column
    assert "- Nobody has approved it. - Nora Whitfield has not filed the column." in reminder
    assert "approved by Sunday 29 November at 21:00" in reminder
    assert "goes out on Monday 30 November at 07:00" in approval
    assert "held for 12 hours" in approval
    assert all(mail["Auto-Submitted"] == "auto-generated" for mail in mails(relay))
    assert [event.detail["kind"] for event in app.archive.events(ISSUE) if event.kind == TOLD] == [
        "column",
        "reminder",
        "approval",
    ]


def test_nobody_is_reminded_of_what_is_done(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town()
    look(app, clock, FRIDAY)
    file_column(app, ISSUE)
    approve(app, ISSUE)
    look(app, clock, SUNDAY, SIX, NINE)
    assert mails(relay) == []
    rows = {run.job: run for run in Runs(app.database, clock).latest(9)}
    assert {rows[job].state for job in ("column", "remind", "approve")} == {RunState.DONE}
    assert "scheduled already" in rows["remind"].note
    look(app, clock, MONDAY_7)
    assert len(got(relay)) == 2


def test_without_a_draft_the_reminder_says_so(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town()
    look(app, clock, SIX)
    # The draft of Friday was still due, so it is there; a file that is at fault is named.
    app.desk.path(ISSUE).write_text("---\nnumber: one\n---\n")
    assert any("number" in sentence for sentence in missing(app, ISSUE, app.archive.find(ISSUE)))
    assert missing(app, "2026-12-07", None) == [
        "There is no draft yet; `mailer issue draft 2026-12-07` makes one."
    ]


def test_an_issue_that_is_held_and_then_missed_is_two_alarms(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(tables='[column]\nwhen_missing = "without"')
    look(app, clock, FRIDAY, SIX, NINE)
    relay.taken.clear()
    with capture_logs() as logs:
        look(app, clock, MONDAY_7, MONDAY_7 + timedelta(hours=3))
        look(app, clock, MONDAY_7 + timedelta(hours=12, minutes=1))
    assert [mail["Subject"] for mail in mails(relay)] == [
        f"The Lantern: issue {ISSUE} is held",
        "The Lantern: what was due did not happen",
    ]
    held, missed = map(words, mails(relay))
    assert "Monday 30 November at 19:00" in held
    assert f"- {ISSUE}, national, due Monday 30 November at 07:00" in missed
    assert f"mailer send {ISSUE}" in missed
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["schedule.missed"]
    (row,) = [run for run in Runs(app.database, clock).latest(9) if run.job == "send"]
    assert row.state is RunState.MISSED
    assert "not approved" in row.note
    assert got(relay) == []


def test_a_reminder_no_relay_takes_is_tried_again(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(tables='[column]\nwhen_missing = "without"')
    look(app, clock, FRIDAY)
    relay.script["dot", "desk@lantern.example"] = ["554 5.7.1 not today"]
    clock.set(SIX)
    make_runner(app).tick()
    assert mails(relay) == []
    failed = [event for event in app.archive.events(ISSUE) if event.kind == UNTOLD]
    assert "554" in failed[0].detail["why"]
    look(app, clock, SIX + timedelta(minutes=1))
    assert len(mails(relay)) == 1


# The columnist's slot


def edition(app: App) -> str:
    parts = proofing.render(app, ISSUE).editions["national"].text
    return "".join(part for part in parts if isinstance(part, str))


def codes(app: App) -> dict[str, str]:
    found = proofing.render(app, ISSUE).findings
    return {each.code: each.level for each in found if each.code.startswith(("opening", "column"))}


def test_a_column_that_was_filed_is_nobodys_trouble(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town()
    look(app, clock, FRIDAY)
    assert codes(app) == {"opening-empty": "warning"}
    file_column(app, ISSUE, "The tide was out when I wrote this.")
    assert codes(app) == {}
    look(app, clock, SUNDAY)
    assert mails(relay) == []


def test_a_substitute_stands_in_and_not_under_the_columnists_name(
    town: Open, clock: FixedClock, relay: ChaosServer, tmp_path: Path
) -> None:
    table = '[column]\nwhen_missing = "substitute"\nsubstitute = "spare.md"'
    (tmp_path / "town").mkdir()
    (tmp_path / "town" / "spare.md").write_text("From the drawer: **how a lock works**.\n")
    app = town(tables=f'{table}\nsubstitute_title = "From the drawer"')
    look(app, clock, FRIDAY)
    assert codes(app) == {"column-substitute": "note"}
    text = edition(app)
    assert "From the drawer" in text
    assert "how a lock works" in text
    assert "\nNora Whitfield\n" not in text
    # People still learn of it while there is time to write.
    look(app, clock, SUNDAY)
    assert "the text in spare.md stands in" in words(mails(relay)[0])
    file_column(app, ISSUE, "The tide was out when I wrote this.")
    text = edition(app)
    assert "how a lock works" not in text
    assert "The tide was out" in text


def test_an_issue_may_go_without_its_column(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(tables='[column]\nwhen_missing = "without"')
    look(app, clock, FRIDAY, SUNDAY)
    assert mails(relay) == []
    assert codes(app) == {}
    approve(app, ISSUE)
    look(app, clock, MONDAY_7)
    assert len(got(relay)) == 2


# The freeze


def test_a_draft_nobody_touched_is_drafted_a_last_time(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(schedule='remind = ""\nfreeze = "sun 20:00"')
    look(app, clock, FRIDAY)
    write_article(app.root, FRIDAY + timedelta(hours=3), "A light goes out")
    look(app, clock, SIX)
    assert "a-light-goes-out" not in app.desk.text(ISSUE)
    look(app, clock, SUNDAY + timedelta(hours=8))
    assert "a-light-goes-out" in app.desk.text(ISSUE)


def test_a_draft_somebody_worked_on_is_left_alone(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(schedule='remind = ""\nfreeze = "sun 20:00"')
    look(app, clock, FRIDAY)
    file_column(app, ISSUE)
    text = app.desk.text(ISSUE)
    write_article(app.root, FRIDAY + timedelta(hours=3), "A light goes out")
    look(app, clock, SUNDAY + timedelta(hours=8))
    assert app.desk.text(ISSUE) == text
    rows = {run.job: run.note for run in Runs(app.database, clock).latest(9)}
    assert rows["freeze"] == "somebody has worked on it; it stays as it is"


def test_articles_are_taken_in_every_hour(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(schedule='remind = ""\ningest_hours = 2')
    look(app, clock, FRIDAY - timedelta(hours=4))
    write_article(app.root, FRIDAY - timedelta(hours=4), "A light goes out")
    look(app, clock, FRIDAY - timedelta(hours=3))
    known = {article.id for article in app.library.articles()}
    look(app, clock, FRIDAY - timedelta(hours=2))
    assert known == {"the-last-ferry"}
    assert {article.id for article in app.library.articles()} - known == {"a-light-goes-out"}


# An issue that is not approved at its hour


def changed_after_approval(app: App, clock: FixedClock) -> None:
    look(app, clock, FRIDAY)
    file_column(app, ISSUE, "This was approved.")
    approve(app, ISSUE)
    path = app.desk.path(ISSUE)
    path.write_text(path.read_text().replace("This was approved.", "This was not."))
    look(app, clock, NINE)


TWO_REGIONS = {"national": {}, "wales": {"parent": "national", "send_time": "07:30"}}


@pytest.mark.parametrize(
    ("policy", "addresses", "wales"),
    [
        ("last_approved", {"national0", "national1", "wales0", "wales1"}, RunState.DONE),
        ("national", {"national0", "national1"}, RunState.SKIPPED),
        ("hold", set(), RunState.HELD),
    ],
)
def test_the_policy_decides_on_a_version_that_nobody_approved(
    town: Open,
    clock: FixedClock,
    relay: ChaosServer,
    policy: str,
    addresses: set[str],
    wales: RunState,
) -> None:
    app = town(schedule=f'{WEEK}\nwhen_unapproved = "{policy}"', regions=TWO_REGIONS)
    changed_after_approval(app, clock)
    look(app, clock, MONDAY_7, MONDAY_7 + timedelta(minutes=31))
    assert {address.partition("@")[0] for address, _subject in got(relay)} == addresses
    assert len(got(relay)) == len(addresses)
    for item in relay.taken:
        assert b"This was not" not in item.content
        assert (b"This was approved" in item.content) is bool(item.sender)
    rows = {run.region: run for run in Runs(app.database, clock).latest(9) if run.job == "send"}
    assert rows["wales"].state is wales
    if policy == "national":
        assert "the national list alone" in rows["wales"].note
        skipped = [mail for mail in mails(relay) if "does not go to everybody" in mail["Subject"]]
        assert len(skipped) == 1
        assert "--region REGION" in words(skipped[0])
    # The file stays the editor's, with the change that nobody approved.
    assert "This was not." in app.desk.path(ISSUE).read_text()


def test_an_issue_that_never_was_approved_is_held_whatever_the_policy(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(schedule=f'{WEEK}\nwhen_unapproved = "last_approved"')
    look(app, clock, FRIDAY, MONDAY_7)
    assert got(relay) == []


def test_what_a_person_took_back_is_not_revived(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(schedule=f'{WEEK}\nwhen_unapproved = "last_approved"')
    look(app, clock, FRIDAY)
    approve(app, ISSUE)
    app.archive.transition(ISSUE, "cancel")
    app.archive.transition(ISSUE, "reopen")
    look(app, clock, MONDAY_7)
    assert got(relay) == []


def test_an_approval_after_the_deadline_is_what_goes(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(schedule=f'{WEEK}\nwhen_unapproved = "last_approved"')
    changed_after_approval(app, clock)
    approve(app, ISSUE)
    look(app, clock, MONDAY_7)
    briefings = [item for item in relay.taken if item.sender]
    assert len(briefings) == 2
    assert all(b"This was not." in item.content for item in briefings)


def test_a_reader_far_away_gets_it_in_their_own_morning(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(
        schedule='remind = ""',
        tables='[column]\nwhen_missing = "without"\n\n[audience]\nreader_time_zones = true',
    )
    with app.database.write() as connection:
        people = schema.subscribers
        connection.execute(
            update(people)
            .where(people.c.address == "national1@reader.example")
            .values(fields={"time_zone": "America/New_York"})
        )
    look(app, clock, FRIDAY)
    approve(app, ISSUE)
    look(app, clock, MONDAY_7)
    assert [address for address, _subject in got(relay)] == ["national0@reader.example"]
    look(app, clock, MONDAY_7 + timedelta(hours=4, minutes=59), MONDAY_7 + timedelta(hours=5))
    assert [address for address, _subject in got(relay)] == [
        "national0@reader.example",
        "national1@reader.example",
    ]
    assert app.archive.record(ISSUE).state == "sent"


# An approval that a change has voided


def test_editors_are_told_once_of_an_approval_that_is_void_and_show_says_why(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    app = town(schedule='draft = "fri 12:00"\nremind = ""', tables='[column]\nby = ""')
    changed_after_approval(app, clock)
    look(app, clock, NINE + timedelta(minutes=1), NINE + timedelta(minutes=30))
    (told,) = [mail for mail in mails(relay) if "is void" in mail["Subject"]]
    assert told["Subject"] == f"The Lantern: the approval of issue {ISSUE} is void"
    assert told["To"] == "desk@lantern.example"
    assert "void, since Sunday 29 November at 21:00" in words(told)
    assert "What changed: its file, the edition of national." in words(told)
    assert "goes out on Monday 30 November at 07:00" in words(told)
    shown = editing.issue_data(app, ISSUE)
    assert shown["voided"] == {"at": NINE, "changed": "its file, the edition of national"}
    (row,) = overview(app)["issues"]
    assert row["voided"] == shown["voided"]
    # Approved anew it is no matter any more; changed once more it is told once more.
    approve(app, ISSUE)
    assert editing.issue_data(app, ISSUE)["voided"] is None
    path = app.desk.path(ISSUE)
    path.write_text(path.read_text().replace("This was not.", "Nor this."))
    look(app, clock, NINE + timedelta(hours=1))
    assert len([mail for mail in mails(relay) if "is void" in mail["Subject"]]) == 2


def test_what_no_relay_took_of_a_void_approval_is_tried_while_it_is_true(
    tmp_path: Path, clock: FixedClock, nowhere: int
) -> None:
    root = make_town(
        tmp_path / "off",
        port=nowhere,
        regions=ONE_REGION,
        schedule='draft = "fri 12:00"\nremind = ""',
        tables='[column]\nby = ""',
    )
    write_article(root, FRIDAY - timedelta(days=1), "The last ferry")
    app = open_town(root, clock, readers=2)
    changed_after_approval(app, clock)
    (event,) = [each for each in app.archive.events(ISSUE) if each.kind == UNTOLD]
    assert event.detail["kind"] == "voided"
    look(app, clock, NINE + timedelta(minutes=1))
    assert len([e for e in app.archive.events(ISSUE) if e.kind == UNTOLD]) == 2, "tried again"
    clock.set(NINE + timedelta(minutes=9))
    approve(app, ISSUE)
    assert tell_again(app, should_stop=lambda: False) == 0, "it is approved anew"
    assert len([e for e in app.archive.events(ISSUE) if e.kind == UNTOLD]) == 2
    app.__exit__()


def test_what_became_of_a_slot_is_said_with_its_own_figures(
    town: Open, clock: FixedClock, relay: ChaosServer
) -> None:
    """Regions of one hour are one sending; each slot's row says what became of its own readers."""
    app = town(regions={"national": {}, "wales": {"parent": "national"}})
    with app.database.write() as connection:
        people, listed = schema.subscribers, schema.subscriptions
        gone = select(people.c.id).where(people.c.address == "wales1@reader.example")
        connection.execute(delete(listed).where(listed.c.subscriber_id.in_(gone)))
    look(app, clock, FRIDAY)
    file_column(app, ISSUE)
    approve(app, ISSUE)
    look(app, clock, MONDAY_7)
    rows = {run.region: run.note for run in Runs(app.database, clock).latest(9) if run.region}
    assert rows == {
        "national": "2 accepted; every delivery is settled",
        "wales": "1 accepted; every delivery is settled",
    }
