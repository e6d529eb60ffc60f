"""Amendments on a real database: what is shown changes, what was sent does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailer.clock import FixedClock
from mailer.delivery.receivers import count_receivers
from mailer.errors import IllegalTransition, InvalidInput, NotFound
from mailer.issues.amending import LONGEST_NOTE, Amendments
from mailer.issues.archive import Archive
from mailer.issues.issue import IssueRecord, IssueState
from mailer.issues.published import PastIssues
from mailer.storage.database import Database
from tests.acceptances import accepted

ID = "2026-11-30"
SENT = datetime(2026, 11, 30, 7, tzinfo=UTC)


@pytest.fixture
def archive(database: Database, clock: FixedClock) -> Archive:
    clock.set(SENT)
    archive = Archive(database, clock)
    publish(archive, ID)
    return archive


def publish(archive: Archive, issue_id: str) -> None:
    archive.adopt(IssueRecord(issue_id, 1, IssueState.DRAFT))
    archive.approve(
        issue_id,
        by="nora",
        number=1,
        checksum="c" * 64,
        audience_rule="",
        text="",
        contents={"wales": '{"as":"sent"}', "bristol": '{"as":"sent"}'},
    )
    archive.transition(issue_id, "send")
    archive.transition(issue_id, "finish")


@pytest.fixture
def amendments(database: Database, archive: Archive, clock: FixedClock) -> Amendments:
    return Amendments(database, archive, clock)


@pytest.fixture
def past(database: Database) -> PastIssues:
    return PastIssues(database)


def test_the_latest_amendment_of_a_region_is_shown(
    archive: Archive, amendments: Amendments, past: PastIssues, clock: FixedClock
) -> None:
    before = past.find(ID, "wales")
    assert before is not None
    assert before.amended_at is None
    assert before.changed_at == SENT
    for days, content in ((1, '{"as":"first"}'), (2, '{"as":"second"}')):
        clock.set(SENT + timedelta(days=days))
        amendments.amend(ID, by="nora", note=f"Day {days}.", contents={"wales": content})
    assert past.contents("wales", [ID]) == {ID: '{"as":"second"}'}
    assert past.contents("bristol", [ID]) == {ID: '{"as":"sent"}'}
    after = past.find(ID, "wales")
    assert after is not None
    assert after.checksum != before.checksum
    assert (after.sent_at, after.changed_at) == (SENT, SENT + timedelta(days=2))
    (listed,) = past.of_region("wales")
    assert listed == after
    assert past.newest()["wales"] == after
    # The note is the whole issue's, and the record of what was sent is as it was.
    untouched = past.find(ID, "bristol")
    assert untouched is not None
    assert untouched.changed_at == after.changed_at
    assert set(archive.editions(ID).values()) == {'{"as":"sent"}'}
    assert [note.text for note in past.notes(ID)] == ["Day 1.", "Day 2."]
    assert [each.note for each in amendments.of(ID)] == ["Day 1.", "Day 2."]


def test_a_note_is_taken_back_and_what_the_page_shows_is_not(
    archive: Archive, amendments: Amendments, past: PastIssues, clock: FixedClock
) -> None:
    """The text stays as long as a later note stands for it; with the last note it goes."""
    for days, contents in ((1, {"wales": "{1}", "bristol": "{1}"}), (2, {"wales": "{2}"}), (3, {})):
        clock.set(SENT + timedelta(days=days))
        amendments.amend(ID, by="nora", note=f"Day {days}.", contents=contents)
    clock.set(SENT + timedelta(days=4))
    amendments.withdraw(ID, 1, by="bo", note="Day 1.")
    assert [note.text for note in past.notes(ID)] == ["Day 2.", "Day 3."]
    assert past.contents("wales", [ID]) == {ID: "{2}"}
    assert past.contents("bristol", [ID]) == {ID: "{1}"}
    changed = past.find(ID, "wales")
    assert changed is not None
    assert changed.changed_at == SENT + timedelta(days=4), "caches must hear of it"
    amendments.withdraw(ID, 2, by="bo", note="Day 3.")
    assert past.contents("wales", [ID]) == {ID: "{2}"}
    amendments.withdraw(ID, 1, by="bo", note="Day 2.")
    assert past.notes(ID) == []
    assert past.contents("wales", [ID]) == {ID: '{"as":"sent"}'}
    assert past.contents("bristol", [ID]) == {ID: '{"as":"sent"}'}
    event = archive.events(ID)[-1]
    assert (event.kind, event.by, event.detail["note"]) == ("withdraw", "bo", "Day 2.")


@pytest.mark.parametrize(("number", "note"), [(0, "A."), (2, "A."), (1, "Another's.")])
def test_only_the_note_that_was_read_is_taken_back(
    amendments: Amendments, number: int, note: str
) -> None:
    amendments.amend(ID, by="nora", note="A.", contents={})
    with pytest.raises(NotFound, match="has no note"):
        amendments.withdraw(ID, number, by="bo", note=note)
    assert [each.note for each in amendments.of(ID)] == ["A."]


def test_the_same_words_do_not_stand_twice(amendments: Amendments) -> None:
    amendments.amend(ID, by="nora", note="It is the 12th.", contents={})
    with pytest.raises(InvalidInput, match=r"stands already.*--withdraw 1"):
        amendments.amend(ID, by="bo", note=" It is  the 12th. ", contents={"wales": "{}"})
    assert len(amendments.of(ID)) == 1


def test_an_amendment_is_an_event(archive: Archive, amendments: Amendments) -> None:
    amendments.amend(ID, by="nora", note="  Two\n lines. ", contents={"wales": "{}"})
    event = archive.events(ID)[-1]
    assert (event.kind, event.by) == ("amend", "nora")
    assert event.detail["note"] == "Two lines."
    assert event.detail["regions"] == ["wales"]
    assert archive.record(ID).state is IssueState.SENT


@pytest.mark.parametrize("note", ["", " \n", "x" * (LONGEST_NOTE + 1)])
def test_a_note_says_something(amendments: Amendments, note: str) -> None:
    with pytest.raises(InvalidInput):
        amendments.amend(ID, by="nora", note=note, contents={})
    assert amendments.of(ID) == []


def test_only_what_went_out_is_amended(archive: Archive, amendments: Amendments) -> None:
    archive.adopt(IssueRecord("2026-12-07", 2, IssueState.DRAFT))
    with pytest.raises(IllegalTransition, match="nobody has it yet"):
        amendments.amend("2026-12-07", by="nora", note="Wrong.", contents={"wales": "{}"})
    assert amendments.of("2026-12-07") == []


def test_a_correction_has_a_page_and_stands_in_no_list(archive: Archive, past: PastIssues) -> None:
    publish(archive, f"{ID}-correction")
    assert past.find(f"{ID}-correction", "wales") is not None
    assert [each.issue_id for each in past.of_region("wales")] == [ID]
    assert past.newest()["wales"].issue_id == ID


def test_who_got_it_is_who_a_relay_said_yes_to(archive: Archive, database: Database) -> None:
    accepted(database, ID, "wales")
    accepted(database, ID, "bristol")
    accepted(database, ID, "scotland", state="bounced")
    accepted(database, ID, "liverpool", state="in_doubt")
    assert count_receivers(database, ID) == 2
    assert count_receivers(database, "2026-12-07") == 0
