"""Approving an issue, and holding it to its approval.

Approval binds a checksum over the file, every region's edition, every template and picture, and the
audience rule; what the editions were made of is kept with it (see ``lock``). ``verify``
compares them again before sending: a change voids the approval and says which part changed. Once
sending has begun what was frozen is the truth, and nothing voids it any more.

Failures: ``InvalidInput`` with file and line, ``IllegalTransition``, ``NotFound``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mailer.errors import Fault, IllegalTransition, InvalidInput, NotFound
from mailer.issues.approval import (
    approval_checksum,
    changed_parts,
    check_editions,
    check_number,
)
from mailer.issues.archive import Archive
from mailer.issues.desk import Desk
from mailer.issues.issue import (
    APPROVED_STATES,
    FROZEN_STATES,
    IssueRecord,
    IssueState,
    next_state,
)
from mailer.issues.lock import BOUND_KINDS, Input, bound_checksums, is_moved
from mailer.publication import Publication
from mailer.selection.filtering import some


class Approvals:
    """The approvals of one publication's issues."""

    def __init__(self, desk: Desk, publication: Publication, archive: Archive) -> None:
        self._desk = desk
        self._publication = publication
        self._archive = archive

    def approve(
        self,
        issue_id: str,
        *,
        by: str,
        editions: Mapping[str, str],
        contents: Mapping[str, str],
        audience_rule: str,
        inputs: Sequence[Input] = (),
        tools: str = "",
        detail: Mapping[str, Any] | None = None,
        text: str | None = None,
    ) -> IssueRecord:
        """Freeze the issue as it is: only this is sent.

        An approved issue that has changed since is voided and approved as it is now.

        Args:
            issue_id: the issue.
            by: who approves.
            editions: ``Edition.checksum`` of every region.
            contents: ``Edition.to_json()`` of every region.
            audience_rule: who is to get it.
            inputs: what the editions were made of.
            tools: the versions of what made them.
            detail: what the history should say beside.
            text: the file's text that was rendered; a file that differs by now is refused.
        Raises:
            InvalidInput: the file is faulty, its number is another's, or an edition is missing.
            IllegalTransition: the state forbids it, or the file changed meanwhile.
        """
        record = self._archive.find(issue_id)
        if record is not None and record.state not in APPROVED_STATES:
            next_state(record.state, "approve", issue_id=issue_id)
        issue = self._desk.load(issue_id)
        now_text = self._desk.text(issue_id)
        where = str(self._desk.path(issue_id))
        if text is not None and text != now_text:
            problem = "changed while it was being approved"
            raise IllegalTransition(Fault(problem, where=where, remedy="approve it again"))
        check_editions(issue_id, self._publication.regions, editions, contents)
        check_number(issue, self._archive.records(), where=where)
        record = self._archive.adopt(IssueRecord(issue_id, issue.number, IssueState.DRAFT))
        changed: list[str] = []
        if record.state in APPROVED_STATES:
            changed = self._changes(record, now_text, editions, audience_rule, inputs)
        return self._archive.approve(
            issue_id,
            by=by,
            number=issue.number,
            checksum=approval_checksum(now_text, editions, audience_rule, bound_checksums(inputs)),
            audience_rule=audience_rule,
            text=now_text,
            contents=contents,
            inputs=inputs,
            tools=tools,
            detail=detail,
            voided=changed,
        )

    def verify(
        self,
        issue_id: str,
        *,
        editions: Mapping[str, str],
        audience_rule: str,
        inputs: Sequence[Input] = (),
    ) -> IssueRecord:
        """Hold an issue to its approval; returns its row when nothing has changed.

        Args:
            issue_id: the issue.
            editions: ``Edition.checksum`` of every region as rendered now.
            audience_rule: who would get it now.
            inputs: what the editions would be made of now.
        Raises:
            IllegalTransition: it is not approved; or something changed, its approval is void
                now, and the message says which part.
        """
        record = self._desk.record(issue_id)
        if record.state in FROZEN_STATES:
            return record
        if record.state not in APPROVED_STATES:
            next_state(record.state, "send", issue_id=issue_id)
        try:
            text: str | None = self._desk.text(issue_id)
        except (NotFound, InvalidInput):
            text = None
        changed = self._changes(record, text, editions, audience_rule, inputs)
        if not changed:
            return record
        self._archive.transition(issue_id, "void", detail={"changed": changed})
        raise IllegalTransition(
            Fault(
                f"issue {issue_id} has changed since it was approved ({some(changed)}); "
                "its approval is void",
                where=str(self._desk.path(issue_id)),
                remedy=f"look at it and run `mailer issue approve {issue_id}` again",
            )
        )

    def _changes(
        self,
        record: IssueRecord,
        text: str | None,
        editions: Mapping[str, str],
        audience_rule: str,
        inputs: Sequence[Input],
    ) -> list[str]:
        bound = bound_checksums(inputs)
        if text is not None and record.checksum == approval_checksum(
            text, editions, audience_rule, bound
        ):
            return []
        changed = changed_parts(
            texts=(self._archive.frozen_text(record.id), text),
            editions=(self._archive.edition_checksums(record.id), editions),
            rules=(record.audience_rule, audience_rule),
            inputs=(self._bound(record.id), bound),
        )
        if is_moved(self._archive.lock(record.id), inputs):
            # It is in every edition, and the one thing to look at.
            changed.insert(0, "the readers' web address")
        return changed or ["its checksum"]

    def _bound(self, issue_id: str) -> dict[str, str]:
        return {
            f"{kind} {name}": checksum
            for (kind, name), checksum in self._archive.lock(issue_id).items()
            if kind in BOUND_KINDS
        }
