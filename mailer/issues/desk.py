"""The editor's desk: drafting an issue and reading it.

The file under ``issues/`` is the editor's. Drafting writes it only where there is none or where
the one there is, byte for byte, a draft of ours; else it refuses, and with ``force`` keeps it
beside (see ``folder``).

Until sending has begun the file is the truth; from then on what was frozen (see ``approving``).

Failures: ``InvalidInput`` with file and line, ``IllegalTransition``, ``NotFound``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from rapidfuzz import process

from mailer.articles.article import Article, DiaryEntry
from mailer.articles.traits import Traits
from mailer.clock import Clock
from mailer.errors import Fault, InvalidInput, NotFound
from mailer.issues.archive import Archive
from mailer.issues.drafting import (
    coming_issue_date,
    compose,
    next_number,
    preface,
    selection_context,
    weighed,
    with_wishes,
)
from mailer.issues.folder import IssueFolder, edited, file_checksum
from mailer.issues.issue import (
    APPROVED_STATES,
    FROZEN_STATES,
    Issue,
    IssueRecord,
    IssueState,
    Wishes,
    is_correction,
    is_issue_id,
    next_state,
)
from mailer.issues.manifest import read_issue, read_wishes, write_issue
from mailer.policies import SelectionPolicy
from mailer.publication import Publication
from mailer.selection.filtering import SelectionContext, never_considered
from mailer.selection.ranking import propose
from mailer.selection.reasons import Decision, Proposal

LOOK_BACK = timedelta(days=56)
"""How far back it counts what lists have had: a piece that repeats one of those weeks is noticed,
and one on the same subject is worth less."""

_BY_HAND = "was written by hand"


class Shelf(Protocol):
    """What the desk needs of the library of articles."""

    def articles(
        self, *, ids: Collection[str] | None = None, since: datetime | None = None
    ) -> list[Article]:
        """Return articles: those named, or those first seen since, or all."""
        ...

    def considered(
        self, *, since: datetime, until: datetime, had: Collection[str] = ()
    ) -> tuple[list[Article], dict[str, Traits]]:
        """Return what may be chosen, and what lists have had, without texts but with traits."""
        ...

    def ids(self) -> list[str]:
        """Return every article's id."""
        ...

    def headlines(self, ids: Collection[str]) -> dict[str, str]:
        """Return the titles of those of these articles that there are."""
        ...

    def diary(self, *, since: date) -> list[DiaryEntry]:
        """Return the diary's entries from a day on."""
        ...


@dataclass(frozen=True, slots=True)
class DraftResult:
    """A drafted issue: its file, the version kept beside it if any, and why it holds what."""

    issue_id: str
    path: Path
    kept: Path | None
    issue: Issue
    proposal: Proposal
    window_from: datetime
    window_until: datetime


class Desk:
    """The issues of one publication's folder."""

    def __init__(
        self,
        root: Path,
        publication: Publication,
        archive: Archive,
        library: Shelf,
        clock: Clock,
    ) -> None:
        self._folder = IssueFolder(root)
        self._publication = publication
        self._archive = archive
        self._library = library
        self._clock = clock
        self._read: tuple[str, str, Issue] | None = None

    def path(self, issue_id: str) -> Path:
        """Return the issue's file, whether or not it exists."""
        return self._folder.path(issue_id)

    def next_issue_date(self, now: datetime) -> date:
        """Return the coming send day; today counts until the hour of sending."""
        return coming_issue_date(self._publication, now)

    def resolve(self, name: str) -> str:
        """Return the id of the issue a person means: a date, ``latest`` or ``next``.

        Raises:
            NotFound: it is none of these, or there is no issue yet.
        """
        if name == "next":
            return self._coming()
        known = [record.id for record in self.issues()]
        if name == "latest":
            # A correction is named in full: "latest" is an issue of the week.
            if weekly := [each for each in known if not is_correction(each)]:
                return weekly[0]
            raise NotFound(Fault("there is no issue yet", remedy="run `mailer issue draft`"))
        stem = Path(name).name.removesuffix(".md")
        if is_issue_id(stem):
            return stem
        try:
            return date.fromisoformat(stem).isoformat()
        except ValueError:
            near = process.extractOne(stem, known, score_cutoff=60)
            remedy = f"did you mean {near[0]}?" if near else "name it by its date, latest or next"
            raise NotFound(Fault(f"there is no issue {name!r}", remedy=remedy)) from None

    def _coming(self) -> str:
        now = self._clock.now()
        today = now.astimezone(ZoneInfo(self._publication.time_zone)).date().isoformat()
        record = self._archive.find(today)
        # However late it is, today's issue is the coming one until somebody has got it.
        is_waiting = record is not None and record.state in {IssueState.DRAFT, *APPROVED_STATES}
        return today if is_waiting else self.next_issue_date(now).isoformat()

    def issues(self) -> list[IssueRecord]:
        """Return every issue, newest first; a file written by hand is a draft without a number."""
        found = {record.id: record for record in self._archive.records()}
        for issue_id in self._folder.ids():
            found.setdefault(issue_id, IssueRecord(issue_id, 0, IssueState.DRAFT))
        return sorted(found.values(), key=lambda record: record.id, reverse=True)

    def record(self, issue_id: str) -> IssueRecord:
        """Return an issue's row; a file written by hand and not yet approved counts as a draft.

        Raises:
            NotFound: there is neither row nor file.
        """
        found = self._archive.find(issue_id)
        if found is None and self.path(issue_id).is_file():
            return IssueRecord(issue_id, self.load(issue_id).number, IssueState.DRAFT)
        return found or self._archive.record(issue_id)

    def text(self, issue_id: str) -> str:
        """Return the issue file's text exactly.

        Raises:
            NotFound: there is no file. InvalidInput: it is not UTF-8.
        """
        return self._folder.text(issue_id)

    def load(self, issue_id: str) -> Issue:
        """Return the issue as its file says it; once sending has begun, as it was approved.

        Raises:
            NotFound: there is no file. InvalidInput: every fault in it.
        """
        where = str(self.path(issue_id))
        record = self._archive.find(issue_id)
        if record is not None and record.state in FROZEN_STATES:
            frozen = self._archive.frozen_text(issue_id)
            if frozen is not None:
                return read_issue(frozen, where=where, publication=self._publication)
        text = self.text(issue_id)
        try:
            issue = self._issue_of(text, where)
        except InvalidInput:
            issue = None
        if issue is not None:
            picked = issue.article_ids
            if picked <= set(self._library.headlines(picked)):
                return issue
        # Something is wrong: now all ids are worth fetching, to name the nearest.
        return read_issue(
            text,
            where=where,
            publication=self._publication,
            known_articles=self._library.ids(),
        )

    def _issue_of(self, text: str, where: str) -> Issue:
        # A preview that follows the templates asks for the same file again and again.
        known = self._read
        if known is None or known[:2] != (text, where):
            issue = read_issue(text, where=where, publication=self._publication)
            known = self._read = (text, where, issue)
        return known[2]

    def why(self, article_id: str) -> list[tuple[str, Decision]]:
        """Return what was decided on an article, with the issue's id; newest issue first.

        What was too old or too new for the newest draft was not even looked at; that is said too.
        """
        found = self._archive.decisions_on(article_id)
        drafted = [r for r in self._archive.records() if r.window_from and r.window_until]
        if drafted and drafted[0].id not in {issue_id for issue_id, _ in found}:
            record, articles = drafted[0], self._library.articles(ids=[article_id])
            assert record.window_from
            assert record.window_until
            window = SelectionContext(
                record.id,
                now=record.window_until,
                window_from=record.window_from,
                window_until=record.window_until,
            )
            for article in articles:
                if decision := never_considered(article, window):
                    found.insert(0, (record.id, decision))
        return found

    # Drafting

    def draft(
        self, day: date, *, force: bool = False, by: str = "", template: str = ""
    ) -> DraftResult:
        """Choose articles for the issue of that day and write its file.

        Args:
            force: draft over an edited file, keeping it beside.
            by: who asked, for the history.
            template: the set that draws the issue; "" is the publication's.
        Raises:
            IllegalTransition: the issue is past drafting, or its file has been edited.
        """
        issue_id = day.isoformat()
        path = self.path(issue_id)
        record = self._archive.find(issue_id)
        if record is not None:
            next_state(record.state, "draft", issue_id=issue_id)
        standing = self._folder.content(issue_id)
        ours = self._archive.drafted_checksums(issue_id)
        if standing is not None and not force and file_checksum(standing) not in ours:
            raise edited(path, "has been edited since it was drafted" if record else _BY_HAND)

        records = self._archive.records()
        context = self.context(day, records)
        wishes = self._wishes(issue_id, standing)
        context = with_wishes(context, wishes, self._publication)
        proposal, articles = self.propose(context)
        by_id = {article.id: article for article in articles}
        chosen = {each.article_id for each in proposal.decisions if each.is_chosen}
        by_id |= {article.id: article for article in self._library.articles(ids=chosen)}
        diary = self._library.diary(since=day)
        issue = compose(
            day,
            number=record.number if record else next_number(self._publication, records),
            proposal=proposal,
            articles=by_id,
            diary=diary,
            publication=self._publication,
            template=template,
            wishes=wishes,
        )
        text = write_issue(
            issue,
            proposal,
            by_id,
            diary={entry.id: entry for entry in diary},
            preface=preface(
                issue,
                self._publication,
                context,
                proposal=proposal,
                considered=len(articles),
            ),
        )
        content = text.encode()
        is_lost = force and standing not in {None, content}
        kept = self._folder.free_name(issue_id) if is_lost else None
        self._archive.announce_draft(issue_id, file_checksum(content))
        self._archive.keep_draft(
            IssueRecord(
                issue_id,
                issue.number,
                IssueState.DRAFT,
                drafted_checksum=file_checksum(content),
                window_from=context.window_from,
                window_until=context.window_until,
            ),
            proposal.decisions,
            by=by,
            detail={
                "considered": len(articles),
                "chosen": len(issue.article_ids),
                "kept": kept.name if kept else "",
            },
            write_file=lambda: self._folder.replace(
                issue_id, content, standing=standing, kept=kept
            ),
        )
        return DraftResult(
            issue_id, path, kept, issue, proposal, context.window_from, context.window_until
        )

    def context(self, day: date, records: Sequence[IssueRecord]) -> SelectionContext:
        """Return what the issue of that day is chosen for now, an editor's wishes aside."""
        now = self._clock.now()
        return selection_context(
            self._publication,
            day,
            now=now,
            records=records,
            exposures=self._archive.exposures(besides=day.isoformat(), since=now - LOOK_BACK),
        )

    def _wishes(self, issue_id: str, standing: bytes | None) -> Wishes:
        """Return what the file that stands there pins and blocks."""
        try:
            text = (standing or b"").decode()
        except UnicodeDecodeError:
            return Wishes()
        # To know which ids there are is a long list; most files wish for nothing.
        if not re.search(r"^(?:pins|blocked):", text, re.MULTILINE):
            return Wishes()
        return read_wishes(
            text,
            where=str(self.path(issue_id)),
            publication=self._publication,
            known_articles=self._library.ids(),
        )

    def propose(
        self, context: SelectionContext, *, policy: SelectionPolicy | None = None
    ) -> tuple[Proposal, list[Article]]:
        """Choose without writing anything; return the choice, and the articles considered.

        The articles come without their texts.

        Args:
            context: what it is chosen for.
            policy: another than the publication's, to try it.
        """
        articles, traits = self._library.considered(
            since=context.window_from,
            until=context.window_until,
            had={article_id for _, article_id in context.exposures}.union(*context.pins.values()),
        )
        proposal = propose(
            articles,
            sections=self._publication.sections,
            policy=policy or self._publication.selection,
            ladders={slug: self._publication.ladder(slug) for slug in self._publication.regions},
            context=weighed(context, self._publication),
            traits=traits,
        )
        return proposal, articles

    def cancel(self, issue_id: str, *, by: str = "") -> IssueRecord:
        """Stop an issue; what was sent stays sent."""
        self._archive.adopt(self.record(issue_id))
        return self._archive.transition(issue_id, "cancel", by=by)

    def reopen(self, issue_id: str, *, by: str = "") -> IssueRecord:
        """Make a cancelled issue a draft again."""
        return self._archive.transition(issue_id, "reopen", by=by)
