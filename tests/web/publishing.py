"""A publication with issues that went out, made without a mail server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.app import App, make_publication, open_app
from mailer.cli.demonstration import edited
from mailer.clock import FixedClock
from mailer.delivery.frozen import FrozenEdition
from mailer.issues.archive import Archive
from mailer.issues.issue import IssueRecord, IssueState
from mailer.usecases import editing, sign_off, sourcing

FRIDAY = "2026-11-27T12:00:00+00:00"
ISSUE = "2026-11-30"
WEB_URL = "https://mail.lantern.example"


def publish(root: Path, *, web_url: str = WEB_URL) -> None:
    """Make the sample publication and send its first issue, as far as the archive can tell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_FIXED_NOW", FRIDAY)
        patch.setenv("MAILER_WEB_URL", web_url)
        make_publication(root)
        with open_app(root) as app:
            sourcing.ingest(app, [])
            path = root / "issues" / f"{editing.draft(app, None).issue_id}.md"
            path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
            sign_off.approve(app, ISSUE, by="nora")
            app.archive.transition(ISSUE, "send")
            app.archive.transition(ISSUE, "finish")


def frozen(app: App, region: str = "wales") -> FrozenEdition:
    """Return the sample's own edition, to make others of."""
    return FrozenEdition.from_json(app.archive.editions(ISSUE)[region])


def add_issue(
    app: App,
    issue_id: str,
    *,
    subject: str,
    text: str = "Nothing new.\n",
    region: str = "wales",
    steps: tuple[str, ...] = ("send", "finish"),
    sent_at: datetime | None = None,
) -> None:
    """Put an issue of one region into the archive and take it through its states."""
    at = sent_at or datetime.fromisoformat(f"{issue_id}T07:00:00").replace(tzinfo=UTC)
    archive = Archive(app.database, FixedClock(at))
    model = frozen(app, region)
    edition = replace(
        model.edition,
        issue_id=issue_id,
        subject=subject,
        preheader=f"About {subject}",
        text=(text,),
        html=(f"<!doctype html><html><head><title>{issue_id}</title></head><body>", "</body>"),
    )
    archive.adopt(IssueRecord(issue_id, 1, IssueState.DRAFT))
    archive.approve(
        issue_id,
        by="nora",
        number=1,
        checksum="c" * 64,
        audience_rule="",
        text="",
        contents={region: replace(model, edition=edition).to_json()},
    )
    for step in steps:
        archive.transition(issue_id, step)
