"""What went out, read on a real database of each kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailer.clock import FixedClock
from mailer.issues.archive import Archive
from mailer.issues.issue import IssueRecord, IssueState
from mailer.issues.published import PastIssues
from mailer.storage.database import Database
from tests.acceptances import accepted

APPROVED = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def archive(database: Database, clock: FixedClock) -> Archive:
    return Archive(database, clock)


@pytest.fixture
def past(database: Database) -> PastIssues:
    return PastIssues(database)


def issue(archive: Archive, issue_id: str, *steps: str, regions: str = "wales bristol") -> None:
    archive.adopt(IssueRecord(issue_id, int(issue_id[-2:]), IssueState.DRAFT))
    archive.approve(
        issue_id,
        by="nora",
        number=int(issue_id[-2:]),
        checksum="c" * 64,
        audience_rule="",
        text="",
        contents={region: f'{{"{issue_id}": "{region}"}}' for region in regions.split()},
    )
    for step in steps:
        archive.transition(issue_id, step)


def test_only_what_somebody_has_is_past(
    archive: Archive, past: PastIssues, database: Database
) -> None:
    issue(archive, "2026-11-02", "send", "finish")
    issue(archive, "2026-11-09", "send")
    assert past.find("2026-11-09", "wales") is None
    accepted(database, "2026-11-09", "bristol")
    accepted(database, "2026-11-09", "wales", state="planned")
    assert past.find("2026-11-09", "wales") is None
    assert past.find("2026-11-09", "bristol") is not None
    issue(archive, "2026-11-10", "send")
    accepted(database, "2026-11-10", "wales")
    issue(archive, "2026-11-16", "send", "cancel")
    issue(archive, "2026-11-23", "schedule")
    issue(archive, "2026-11-30")
    assert [each.issue_id for each in past.of_region("wales")] == ["2026-11-10", "2026-11-02"]
    assert past.of_region("nowhere") == []
    assert past.find("2026-11-16", "wales") is None
    assert past.find("2026-11-10", "nowhere") is None


def test_an_issue_is_as_old_as_its_first_sending(
    archive: Archive, past: PastIssues, clock: FixedClock, database: Database
) -> None:
    clock.set(APPROVED)
    issue(archive, "2026-11-30")
    accepted(database, "2026-11-30", "bristol")
    for days, step in ((3, "send"), (4, "finish"), (5, "send")):
        clock.set(APPROVED + timedelta(days=days))
        archive.transition("2026-11-30", step)
    found = past.find("2026-11-30", "bristol")
    assert found is not None
    assert (found.sent_at, found.number, found.region) == (
        APPROVED + timedelta(days=3),
        30,
        "bristol",
    )
    assert found.checksum == archive.edition_checksums("2026-11-30")["bristol"]


def test_the_newest_of_each_region_and_their_contents(archive: Archive, past: PastIssues) -> None:
    issue(archive, "2026-11-02", "send", "finish", regions="wales bristol")
    issue(archive, "2026-11-09", "send", "finish", regions="wales")
    issue(archive, "2026-11-16", regions="wales bristol")
    assert {region: each.issue_id for region, each in past.newest().items()} == {
        "wales": "2026-11-09",
        "bristol": "2026-11-02",
    }
    assert past.contents("wales", ["2026-11-02", "2026-11-09", "2026-01-01"]) == {
        "2026-11-02": '{"2026-11-02": "wales"}',
        "2026-11-09": '{"2026-11-09": "wales"}',
    }
    assert past.contents("wales", []) == {}
