"""Drafting a correction: an issue of its own, to those who got the one it corrects.

Its file stands beside that issue's, named after it (``2026-11-30-correction.md``), with the same
number and nothing in it but what somebody writes; its subject and headline say what it is in the
publication's language. It is approved and sent like any issue; whom it
goes to is decided when it is planned (see ``delivery/receivers``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mailer.clock import Clock
from mailer.errors import Fault, IllegalTransition
from mailer.issues.archive import Archive
from mailer.issues.folder import IssueFolder, file_checksum
from mailer.issues.issue import Issue, IssueRecord, IssueState, is_correction, next_state
from mailer.issues.writing import plain, write_issue
from mailer.languages import Words
from mailer.publication import Publication

SUBJECT_CHARS = 70


@dataclass(frozen=True, slots=True)
class CorrectionDraft:
    """A drafted correction and its file."""

    issue_id: str
    path: Path
    corrects: str


class Corrections:
    """Drafts corrections in one publication's folder."""

    def __init__(
        self, root: Path, publication: Publication, archive: Archive, clock: Clock
    ) -> None:
        self._folder = IssueFolder(root)
        self._publication = publication
        self._archive = archive
        self._clock = clock

    def draft(
        self, corrected: Issue, *, receivers: int, words: Words, by: str = ""
    ) -> CorrectionDraft:
        """Write the file of a correction.

        Args:
            corrected: the issue as it was approved.
            receivers: how many got it, for the file's comment.
            words: the publication's language, for the subject and the headline.
            by: who asked.
        Raises:
            IllegalTransition: nobody has it, it is still going out, or it is a correction itself.
        """
        record = self._archive.record(corrected.id)
        if is_correction(corrected.id):
            raise IllegalTransition(
                Fault(
                    f"issue {corrected.id} is a correction itself",
                    remedy=f"correct {corrected.corrects} again",
                )
            )
        next_state(record.state, "correct", issue_id=corrected.id)
        if not receivers:
            raise IllegalTransition(
                Fault(f"nobody got issue {corrected.id}", remedy="there is nobody to write to")
            )
        issue_id = self._free_id(corrected.id)
        text = write_issue(
            self._issue(issue_id, corrected, words), preface=_preface(corrected, receivers)
        )
        content = text.encode()
        with self._archive.together():
            self._archive.transition(corrected.id, "correct", by=by, detail={"draft": issue_id})
            self._archive.keep_draft(
                IssueRecord(
                    issue_id,
                    corrected.number,
                    IssueState.DRAFT,
                    drafted_checksum=file_checksum(content),
                ),
                (),
                by=by,
                detail={"corrects": corrected.id},
                write_file=lambda: self._folder.replace(
                    issue_id, content, standing=None, kept=None
                ),
            )
        return CorrectionDraft(issue_id, self._folder.path(issue_id), corrected.id)

    def _free_id(self, corrected: str) -> str:
        taken = {record.id for record in self._archive.records()} | set(self._folder.ids())
        first = f"{corrected}-correction"
        names = (first if number == 1 else f"{first}-{number}" for number in range(1, 1000))
        return next(name for name in names if name not in taken)

    def _issue(self, issue_id: str, corrected: Issue, words: Words) -> Issue:
        now: datetime = self._clock.now().astimezone(ZoneInfo(self._publication.time_zone))
        subject = plain(corrected.subject)
        named = words.gettext("Correction: %(subject)s")
        room = SUBJECT_CHARS - len(named % {"subject": ""})
        if len(subject) > room:
            subject = subject[:room].rsplit(" ", 1)[0] + "…"
        return Issue(
            id=issue_id,
            date=now.date(),
            number=corrected.number,
            subject=named % {"subject": subject},
            preheader="",
            opening="",
            columnist=self._publication.title,
            opening_title=words.gettext("A correction"),
            corrects=corrected.id,
        )


def _preface(corrected: Issue, receivers: int) -> list[str]:
    return [
        f"A correction of issue {corrected.number}, {corrected.id}.",
        f"It goes to those who got that issue ({receivers} by now), less who left since.",
        "Write below the front matter what was wrong and what is right, and a preheader.",
        "Then: mailer issue check, approve, send; with this file's name.",
    ]
