"""The archive: states with events, decisions, frozen editions and exposures, on a real database."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from mailer.clock import FixedClock
from mailer.errors import IllegalTransition, NotFound, StorageFailed
from mailer.issues.archive import Archive
from mailer.issues.issue import IssueRecord, IssueState
from mailer.selection.reasons import Decision
from mailer.storage.database import Database
from mailer.storage.schema import events, issues

ID = "2026-11-30"


@pytest.fixture
def archive(database: Database, clock: FixedClock) -> Archive:
    return Archive(database, clock)


def nothing() -> None:
    """Write no file."""


def decision(article_id: str, **changes: object) -> Decision:
    values: dict[str, object] = {
        "block": "news",
        "is_chosen": True,
        "score": 1.25,
        "terms": {"recency": 0.75, "priority": 0.5},
        "rank": 1,
        "reasons": ("chosen", "recency 0.75: …"),
    }
    return Decision(article_id, **(values | changes))  # type: ignore[arg-type]


def draft(archive: Archive, issue_id: str = ID, number: int = 1, *chosen: Decision) -> None:
    record = IssueRecord(issue_id, number, IssueState.DRAFT, drafted_checksum="d" * 64)
    archive.keep_draft(record, chosen, write_file=nothing)


def approve(archive: Archive, issue_id: str = ID, **changes: object) -> IssueRecord:
    values: dict[str, object] = {
        "by": "nora",
        "number": 1,
        "checksum": "c" * 64,
        "audience_rule": "confirmed",
        "text": "the file",
        "contents": {"wales": "{}", "bristol": '{"a":1}'},
    }
    return archive.approve(issue_id, **(values | changes))  # type: ignore[arg-type]


def test_a_draft_is_kept_whole(archive: Archive, clock: FixedClock) -> None:
    record = IssueRecord(
        ID,
        4,
        IssueState.DRAFT,
        drafted_checksum="d" * 64,
        window_from=clock.now() - timedelta(days=7),
        window_until=clock.now(),
    )
    chosen = [
        decision("b", rank=2, score=1.0),
        decision("a"),
        decision("c", is_chosen=False, rank=None, score=0.5, rule="quota"),
        decision("d", is_chosen=False, rank=None, block="", score=0.75, rule="draft"),
    ]
    archive.keep_draft(record, chosen, by="bo", detail={"considered": 4}, write_file=nothing)
    assert archive.record(ID) == record
    assert archive.decisions(ID) == [chosen[1], chosen[0], chosen[3], chosen[2]]
    [event] = archive.events(ID)
    assert (event.kind, event.by, event.at) == ("draft", "bo", clock.now())
    assert event.detail == {"considered": 4}


def test_drafting_anew_replaces_its_own_decisions_and_no_others(archive: Archive) -> None:
    draft(archive, "2026-11-23", 1, decision("a"))
    draft(archive, ID, 2, decision("a"), decision("b", rank=2))
    draft(archive, ID, 2, decision("b"))
    assert [d.article_id for d in archive.decisions(ID)] == ["b"]
    assert archive.decisions_on("a") == [("2026-11-23", decision("a"))]
    assert [r.id for r in archive.records()] == [ID, "2026-11-23"]


def test_a_file_that_cannot_be_written_leaves_nothing_in_the_database(archive: Archive) -> None:
    def fail() -> None:
        raise OSError("disk full")

    record = IssueRecord(ID, 1, IssueState.DRAFT)
    with pytest.raises(OSError, match="disk full"):
        archive.keep_draft(record, [decision("a")], write_file=fail)
    assert archive.find(ID) is None
    assert archive.decisions(ID) == []
    assert archive.events(ID) == []


def test_drafting_over_an_approved_issue_is_refused_and_writes_no_file(archive: Archive) -> None:
    draft(archive)
    approve(archive)
    written = []
    with pytest.raises(IllegalTransition, match="is approved"):
        archive.keep_draft(
            IssueRecord(ID, 1, IssueState.DRAFT), [], write_file=lambda: written.append(1)
        )
    assert not written
    assert archive.record(ID).state is IssueState.APPROVED


def test_an_unknown_issue_names_the_nearest(archive: Archive) -> None:
    draft(archive)
    with pytest.raises(NotFound, match="did you mean 2026-11-30"):
        archive.record("2026-11-31")
    with pytest.raises(NotFound):
        archive.transition("2031-01-01", "cancel")
    assert archive.find("2026-11-31") is None


def test_approval_freezes_text_editions_and_rule_in_one_step(
    archive: Archive, clock: FixedClock
) -> None:
    draft(archive)
    record = approve(archive, number=9)
    assert record == archive.record(ID)
    assert (record.state, record.number, record.approved_by) == (IssueState.APPROVED, 9, "nora")
    assert (record.checksum, record.audience_rule) == ("c" * 64, "confirmed")
    assert record.approved_at == clock.now()
    assert record.drafted_checksum == "d" * 64
    assert archive.frozen_text(ID) == "the file"
    assert archive.editions(ID) == {"wales": "{}", "bristol": '{"a":1}'}
    assert archive.edition_checksums(ID)["wales"] == hashlib.sha256(b"{}").hexdigest()


def test_a_refused_approval_freezes_nothing(archive: Archive) -> None:
    draft(archive)
    approve(archive)
    with pytest.raises(IllegalTransition, match="approved already"):
        approve(archive, text="another", contents={"wales": "new"}, by="bo")
    assert archive.frozen_text(ID) == "the file"
    assert archive.record(ID).approved_by == "nora"
    assert archive.editions(ID)["wales"] == "{}"


def test_approving_a_changed_issue_voids_the_old_approval_first(archive: Archive) -> None:
    draft(archive)
    approve(archive)
    approve(archive, text="another", contents={"wales": "new"}, voided=["its file"])
    assert archive.editions(ID) == {"wales": "new"}
    assert [event.kind for event in archive.events(ID)] == ["draft", "approve", "void", "approve"]
    assert archive.events(ID)[2].detail == {"changed": ["its file"]}


@pytest.mark.parametrize(
    "steps",
    [("void",), ("cancel", "reopen"), ("schedule", "void"), ("send", "cancel", "reopen")],
)
def test_back_to_draft_forgets_what_was_frozen(archive: Archive, steps: tuple[str, ...]) -> None:
    draft(archive)
    approve(archive)
    for step in steps:
        record = archive.transition(ID, step, by="bo", detail={"changed": ["x"]})
    assert record.state is IssueState.DRAFT
    assert (record.checksum, record.audience_rule, record.approved_by) == ("", "", "")
    assert record.approved_at is None
    assert archive.frozen_text(ID) is None
    assert archive.editions(ID) == {}
    last = archive.events(ID)[-1]
    assert (last.kind, last.by, last.detail["to"]) == (steps[-1], "bo", "draft")
    assert last.detail["changed"] == ["x"]


def test_sending_and_cancelling_keep_what_was_frozen(archive: Archive) -> None:
    draft(archive)
    approve(archive)
    for step, state in [
        ("send", IssueState.SENDING),
        ("finish", IssueState.SENT),
        ("send", IssueState.SENDING),
        ("cancel", IssueState.CANCELLED),
    ]:
        assert archive.transition(ID, step).state is state
        assert archive.frozen_text(ID) == "the file"
        assert set(archive.editions(ID)) == {"wales", "bristol"}


def test_a_refused_step_leaves_no_event(archive: Archive) -> None:
    draft(archive)
    with pytest.raises(IllegalTransition):
        archive.transition(ID, "send")
    assert [event.kind for event in archive.events(ID)] == ["draft"]


def test_the_database_itself_refuses_an_approval_without_checksum(
    archive: Archive, database: Database
) -> None:
    draft(archive)
    with pytest.raises(StorageFailed), database.write() as connection:
        connection.execute(update(issues).values(state="approved"))
    with pytest.raises(StorageFailed), database.write() as connection:
        connection.execute(update(issues).values(state="burnt"))
    assert archive.record(ID).state is IssueState.DRAFT


def test_adopting_keeps_an_existing_row(archive: Archive) -> None:
    hand_written = IssueRecord(ID, 3, IssueState.DRAFT)
    assert archive.adopt(hand_written) == hand_written
    assert archive.adopt(replace(hand_written, number=8)) == hand_written
    assert [event.kind for event in archive.events(ID)] == ["adopt"]


def test_exposures_are_noted_once_and_an_issue_can_be_left_out(archive: Archive) -> None:
    draft(archive)
    archive.expose(ID, "wales", ["a", "b", "a"])
    archive.expose(ID, "wales", ["b", "c"])
    archive.expose(ID, "wales", ["c"])
    archive.expose("2026-12-07", "bristol", ["a"])
    archive.expose(ID, "bristol", [])
    assert archive.exposures() == {
        ("wales", "a"),
        ("wales", "b"),
        ("wales", "c"),
        ("bristol", "a"),
    }
    assert archive.exposures(besides=ID) == {("bristol", "a")}
    exposed = [event for event in archive.events(ID) if event.kind == "expose"]
    assert [event.detail["articles"] for event in exposed] == [["a", "b"], ["c"]]


def test_freezing_replaces_the_editions(archive: Archive) -> None:
    draft(archive)
    archive.freeze(ID, {"wales": "1", "bristol": "2"})
    archive.freeze(ID, {"wales": "3"})
    assert archive.editions(ID) == {"wales": "3"}
    with pytest.raises(NotFound):
        archive.freeze("2031-01-06", {"wales": "1"})


def test_events_of_other_stages_are_appended_in_order(
    archive: Archive, clock: FixedClock, database: Database
) -> None:
    draft(archive)
    clock.sleep(60)
    archive.note("held", ID, region="wales", by="runner", detail={"why": "late"})
    kinds = [(event.kind, event.region) for event in archive.events(ID)]
    assert kinds == [("draft", ""), ("held", "wales")]
    with database.write() as connection:
        connection.execute(
            insert(events).values(
                at=clock.now(), kind="other", issue_id="x", region="", by="", detail={}
            )
        )
    assert len(archive.events(ID)) == 2
    with database.read() as connection:
        assert len(connection.execute(select(events)).all()) == 3
