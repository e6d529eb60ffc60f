"""Issues in the database: where each is in its life, why it holds what it holds, what was frozen.

Every change of state goes through ``transition``: the table in ``issue`` decides, the row and
its event are written in one transaction, and of two processes that try at once the second sees
the first one's state. Events, decisions of past issues and exposures are never rewritten, except
that drafting an issue anew replaces its own decisions.

Failures: ``NotFound`` names the nearest issues; ``IllegalTransition`` comes from the table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from mailer.clock import Clock
from mailer.issues import last_approval
from mailer.issues.history import Event, note_event, read_events
from mailer.issues.issue import IssueRecord, IssueState, next_state
from mailer.issues.last_approval import Revivals
from mailer.issues.lock import Input
from mailer.issues.rows import (
    decision_values,
    find_issue,
    record_values,
    require_issue,
    to_decision,
    to_record,
    update_issue,
)
from mailer.issues.vault import (
    forget_approval,
    keep_editions,
    keep_inputs,
    read_checksums,
    read_editions,
    read_inputs,
    read_lock,
)
from mailer.selection.reasons import Decision
from mailer.storage.database import Database
from mailer.storage.schema import articles, decisions, exposures, issues


class Archive(Revivals):
    """The issues' rows, decisions, frozen editions, exposures and events."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def together(self) -> AbstractContextManager[Connection]:
        """Make what is written within it one transaction."""
        return self._database.write()

    # Issues

    def find(self, issue_id: str) -> IssueRecord | None:
        """Return an issue's row, or None."""
        with self._database.read() as connection:
            return find_issue(connection, issue_id)

    def record(self, issue_id: str) -> IssueRecord:
        """Return an issue's row.

        Raises:
            NotFound: there is none; names the nearest.
        """
        with self._database.read() as connection:
            return require_issue(connection, issue_id)

    def records(self) -> list[IssueRecord]:
        """Return every issue's row, newest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(issues).order_by(issues.c.id.desc()))
            return [to_record(row) for row in rows]

    def adopt(self, record: IssueRecord) -> IssueRecord:
        """Write the row of an issue that was written by hand; an existing row wins."""
        with self._database.write() as connection:
            found = find_issue(connection, record.id)
            if found is None:
                connection.execute(insert(issues).values(**record_values(record), frozen=None))
                note_event(
                    connection,
                    self._clock.now(),
                    "adopt",
                    record.id,
                    detail={"number": record.number},
                )
            return found or record

    def keep_draft(
        self,
        record: IssueRecord,
        chosen: Sequence[Decision],
        *,
        by: str = "",
        detail: Mapping[str, Any] | None = None,
        write_file: Callable[[], None],
    ) -> None:
        """Write a drafted issue: its row, its decisions, the event and, last, its file.

        ``write_file`` runs before the commit: when it fails nothing is kept. A crash between the
        two leaves a file without its row; ``announce_draft`` is how it is known again.

        Raises:
            IllegalTransition: the issue is no draft.
        """
        with self._database.write() as connection:
            found = find_issue(connection, record.id, lock=True)
            if found is None:
                connection.execute(insert(issues).values(**record_values(record), frozen=None))
            else:
                next_state(found.state, "draft", issue_id=record.id)
                update_issue(connection, found, **record_values(record))
            connection.execute(delete(decisions).where(decisions.c.issue_id == record.id))
            if chosen:
                connection.execute(
                    insert(decisions), [decision_values(record.id, each) for each in chosen]
                )
            note_event(connection, self._clock.now(), "draft", record.id, by=by, detail=detail)
            write_file()

    def announce_draft(self, issue_id: str, checksum: str) -> None:
        """Note which file is about to be written, in case nothing after this is kept."""
        self.note("drafting", issue_id, detail={"checksum": checksum})

    def drafted_checksums(self, issue_id: str) -> frozenset[str]:
        """Return the checksums of every file that was drafted or was about to be."""
        record = self.find(issue_id)
        announced = {
            str(event.detail["checksum"])
            for event in self.events(issue_id)
            if event.kind == "drafting"
        }
        return frozenset(announced | {record.drafted_checksum if record else ""})

    def transition(
        self,
        issue_id: str,
        step: str,
        *,
        by: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> IssueRecord:
        """Take one step of the table and note it; approval has ``approve``.

        Going back to draft forgets what was frozen, since nothing is approved any more.

        Raises:
            NotFound: there is no such issue.
            IllegalTransition: the table does not have the step.
        """
        with self._database.write() as connection:
            found = require_issue(connection, issue_id, lock=True)
            state = next_state(found.state, step, issue_id=issue_id)
            changes: dict[str, Any] = {"state": state.value}
            if state is IssueState.DRAFT:
                # What a person takes back is gone; what a change voids was good once.
                (last_approval.shelve if step == "void" else last_approval.discard)(
                    connection, issue_id
                )
                forget_approval(connection, issue_id, changes)
            update_issue(connection, found, **changes)
            note_event(
                connection,
                self._clock.now(),
                step,
                issue_id,
                by=by,
                detail={**(detail or {}), "from": found.state.value, "to": state.value},
            )
            return require_issue(connection, issue_id)

    def approve(
        self,
        issue_id: str,
        *,
        by: str,
        number: int,
        checksum: str,
        audience_rule: str,
        text: str,
        contents: Mapping[str, str],
        inputs: Sequence[Input] = (),
        tools: str = "",
        detail: Mapping[str, Any] | None = None,
        voided: Sequence[str] = (),
    ) -> IssueRecord:
        """Freeze an issue in one step: its file's text, every edition, what they were made of.

        ``inputs`` and ``tools`` are what a rebuild starts from; ``detail`` is for the history.
        ``voided`` names what has changed since an earlier approval, which is voided first.

        Raises:
            NotFound, IllegalTransition: as ``transition``.
        """
        with self._database.write() as connection:
            found = require_issue(connection, issue_id, lock=True)
            state = found.state
            if voided:
                state = next_state(state, "void", issue_id=issue_id)
                note_event(
                    connection,
                    self._clock.now(),
                    "void",
                    issue_id,
                    by=by,
                    detail={"changed": list(voided)},
                )
            state = next_state(state, "approve", issue_id=issue_id)
            update_issue(
                connection,
                found,
                state=state.value,
                number=number,
                checksum=checksum,
                audience_rule=audience_rule,
                approved_by=by,
                approved_at=self._clock.now(),
                frozen=text,
                tools=tools,
            )
            keep_editions(connection, issue_id, contents)
            keep_inputs(connection, issue_id, inputs)
            last_approval.discard(connection, issue_id)
            note_event(
                connection,
                self._clock.now(),
                "approve",
                issue_id,
                by=by,
                detail={"checksum": checksum, "audience_rule": audience_rule, **(detail or {})},
            )
            return require_issue(connection, issue_id)

    def frozen_text(self, issue_id: str) -> str | None:
        """Return the issue file's text as it was approved, or None."""
        with self._database.read() as connection:
            found: str | None = connection.execute(
                select(issues.c.frozen).where(issues.c.id == issue_id)
            ).scalar()
            return found

    def lock(self, issue_id: str) -> dict[tuple[str, str], str]:
        """Return the checksums of what the frozen editions were made of, by kind and name."""
        with self._database.read() as connection:
            return read_lock(connection, issue_id)

    def inputs(self, issue_id: str) -> list[Input]:
        """Return what the frozen editions were made of, as it was kept."""
        with self._database.read() as connection:
            return read_inputs(connection, issue_id)

    def tools(self, issue_id: str) -> str:
        """Return the versions of what rendered the frozen editions, or ""."""
        with self._database.read() as connection:
            query = select(issues.c.tools).where(issues.c.id == issue_id)
            return connection.execute(query).scalar() or ""

    # Decisions

    def decisions(self, issue_id: str, *, is_chosen: bool = False) -> list[Decision]:
        """Return an issue's decisions: choices by block and rank, then rejections, best first.

        Args:
            issue_id: the issue.
            is_chosen: only the choices.
        """
        query = select(decisions).where(decisions.c.issue_id == issue_id)
        if is_chosen:
            query = query.where(decisions.c.is_chosen)
        with self._database.read() as connection:
            found = [to_decision(row) for row in connection.execute(query)]
        return sorted(
            found,
            key=lambda d: (
                not d.is_chosen,
                (d.block, d.rank or 0) if d.is_chosen else ("", 0),
                -d.score,
                d.article_id,
                d.block,
            ),
        )

    def decisions_on(self, article_id: str) -> list[tuple[str, Decision]]:
        """Return what was decided on an article, with the issue's id; newest issue first."""
        query = (
            select(decisions)
            .where(decisions.c.article_id == article_id)
            .order_by(decisions.c.issue_id.desc(), decisions.c.is_chosen.desc(), decisions.c.block)
        )
        with self._database.read() as connection:
            return [(row.issue_id, to_decision(row)) for row in connection.execute(query)]

    # Frozen editions and exposures

    def freeze(self, issue_id: str, contents: Mapping[str, str]) -> None:
        """Keep every region's edition (``Edition.to_json``) in the place of earlier ones."""
        with self._database.write() as connection:
            require_issue(connection, issue_id, lock=True)
            keep_editions(connection, issue_id, contents)

    def editions(self, issue_id: str) -> dict[str, str]:
        """Return the frozen editions' JSON by region."""
        with self._database.read() as connection:
            return read_editions(connection, issue_id)

    def edition_checksums(self, issue_id: str) -> dict[str, str]:
        """Return the frozen editions' checksums by region."""
        with self._database.read() as connection:
            return read_checksums(connection, issue_id)

    def expose(self, issue_id: str, region: str, article_ids: Collection[str]) -> None:
        """Note that a region's list is being shown these articles; noting it twice is harmless."""
        wanted = list(dict.fromkeys(article_ids))
        with self._database.write() as connection:
            known = set(
                connection.execute(
                    select(exposures.c.article_id).where(
                        exposures.c.region == region, exposures.c.issue_id == issue_id
                    )
                ).scalars()
            )
            new = [article_id for article_id in wanted if article_id not in known]
            if not new:
                return
            now = self._clock.now()
            connection.execute(
                insert(exposures),
                [
                    {
                        "region": region,
                        "article_id": article_id,
                        "issue_id": issue_id,
                        "sent_at": now,
                    }
                    for article_id in new
                ],
            )
            note_event(
                connection,
                self._clock.now(),
                "expose",
                issue_id,
                region=region,
                detail={"articles": new},
            )

    def exposures(
        self, *, besides: str = "", since: datetime | None = None
    ) -> frozenset[tuple[str, str]]:
        """Return the pairs (region, article id) that lists have been sent.

        Args:
            besides: an issue that does not count: its own articles are no repetition.
            since: leave out what was sent before, save of articles that are newer than that.
        """
        query = select(exposures.c.region, exposures.c.article_id).where(
            exposures.c.issue_id != besides
        )
        if since is not None:
            newer = select(articles.c.id).where(articles.c.first_seen_at >= since)
            is_new = exposures.c.article_id.in_(newer)
            query = query.where((exposures.c.sent_at >= since) | is_new)
        with self._database.read() as connection:
            return frozenset((row.region, row.article_id) for row in connection.execute(query))

    # Events

    def note(
        self,
        kind: str,
        issue_id: str,
        *,
        region: str = "",
        by: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Append an event of another stage to the issue's history."""
        with self._database.write() as connection:
            note_event(
                connection, self._clock.now(), kind, issue_id, region=region, by=by, detail=detail
            )

    def events(self, issue_id: str) -> list[Event]:
        """Return an issue's history, oldest first."""
        with self._database.read() as connection:
            return read_events(connection, issue_id)
