"""What an approval keeps, on a real database: once by checksum, and no longer than it is needed."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from mailer.clock import FixedClock
from mailer.issues.archive import Archive
from mailer.issues.issue import IssueRecord, IssueState
from mailer.issues.lock import Input
from mailer.storage.database import Database
from mailer.storage.schema import inputs

FIRST, SECOND = "2026-11-30", "2026-12-07"
FOOTER = Input("template", "parts/footer.mjml.j2", "<mj-text>Leave</mj-text>")
STORY = Input("article", "ferry", '{"title":"Ä ferry"}')


@pytest.fixture
def archive(database: Database, clock: FixedClock) -> Archive:
    archive = Archive(database, clock)
    for number, issue_id in enumerate((FIRST, SECOND), 1):
        archive.adopt(IssueRecord(issue_id, number, IssueState.DRAFT))
    return archive


def approve(archive: Archive, issue_id: str, *given: Input) -> None:
    archive.approve(
        issue_id,
        by="nora",
        number=1 if issue_id == FIRST else 2,
        checksum="c" * 64,
        audience_rule="",
        text="the file",
        contents={"wales": "{}"},
        inputs=given,
        tools='{"program":"1"}',
    )


def kept(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(select(inputs.c.content)).scalars())


def test_inputs_are_kept_as_they_were(archive: Archive) -> None:
    approve(archive, FIRST, STORY, FOOTER)
    assert archive.inputs(FIRST) == [STORY, FOOTER]
    assert archive.lock(FIRST) == {
        ("article", "ferry"): STORY.checksum,
        ("template", "parts/footer.mjml.j2"): FOOTER.checksum,
    }
    assert archive.tools(FIRST) == '{"program":"1"}'


def test_what_two_issues_share_is_kept_once_and_as_long_as_one_needs_it(
    archive: Archive, database: Database
) -> None:
    approve(archive, FIRST, STORY, FOOTER)
    approve(archive, SECOND, FOOTER)
    assert kept(database) == {STORY.content, FOOTER.content}
    archive.transition(FIRST, "void")
    assert kept(database) == {FOOTER.content}
    assert archive.inputs(FIRST) == []
    assert archive.tools(FIRST) == ""
    assert archive.inputs(SECOND) == [FOOTER]


def test_approving_anew_keeps_what_is_approved_now(archive: Archive, database: Database) -> None:
    approve(archive, FIRST, STORY)
    archive.transition(FIRST, "void")
    changed = Input("article", "ferry", '{"title":"A ferry"}')
    approve(archive, FIRST, changed)
    assert archive.inputs(FIRST) == [changed]
    assert kept(database) == {changed.content}
