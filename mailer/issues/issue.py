"""An issue: one week's selection and the columnist's text, and the table of its states.

The file under ``issues/`` is the issue until it is approved; the database row only says where in
its life it is. Approval binds a checksum over the file, every rendered edition and the audience
rule; when any of them changes before the first message went out, the approval is void and the
issue is a draft again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from mailer.articles.article import Article, Picture
from mailer.errors import IllegalTransition


class IssueState(StrEnum):
    """Where in its life an issue is."""

    DRAFT = "draft"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    CANCELLED = "cancelled"


FROZEN_STATES = frozenset({IssueState.SENDING, IssueState.SENT})
"""Readers have it: what was approved is the truth, whatever the file says by now."""

APPROVED_STATES = frozenset({IssueState.APPROVED, IssueState.SCHEDULED})
"""It waits to be sent, and holds to its approval until then."""

_S = IssueState

TRANSITIONS: dict[tuple[IssueState, str], IssueState] = {
    (_S.DRAFT, "draft"): _S.DRAFT,
    (_S.DRAFT, "approve"): _S.APPROVED,
    (_S.DRAFT, "cancel"): _S.CANCELLED,
    (_S.APPROVED, "void"): _S.DRAFT,
    (_S.APPROVED, "schedule"): _S.SCHEDULED,
    (_S.APPROVED, "send"): _S.SENDING,
    (_S.APPROVED, "cancel"): _S.CANCELLED,
    (_S.SCHEDULED, "void"): _S.DRAFT,
    (_S.SCHEDULED, "send"): _S.SENDING,
    (_S.SCHEDULED, "cancel"): _S.CANCELLED,
    (_S.SENDING, "send"): _S.SENDING,
    (_S.SENDING, "finish"): _S.SENT,
    (_S.SENDING, "cancel"): _S.CANCELLED,
    (_S.SENDING, "amend"): _S.SENDING,
    (_S.SENT, "send"): _S.SENDING,
    (_S.SENT, "amend"): _S.SENT,
    (_S.SENT, "correct"): _S.SENT,
    (_S.CANCELLED, "correct"): _S.CANCELLED,
    (_S.CANCELLED, "reopen"): _S.DRAFT,
}
"""Every allowed step. ``SENT -> SENDING`` is a late reader or a bounce policy's resend: the plan
found somebody new; it never repeats a message, because the ledger holds one row an address.
``amend`` corrects what the archive shows, ``correct`` drafts a correction to those who got it: an
issue of its own. Neither touches what was sent."""

FORBIDDEN: dict[tuple[IssueState, str], str] = {
    (_S.DRAFT, "send"): "it is not approved; run `mailer issue approve` first",
    (_S.DRAFT, "schedule"): "it is not approved; run `mailer issue approve` first",
    (_S.APPROVED, "draft"): "drafting anew would lose the approval; run `mailer issue cancel` and "
    "`mailer issue reopen` first if you mean it",
    (_S.SCHEDULED, "draft"): "drafting anew would lose the approval; run `mailer issue cancel` and "
    "`mailer issue reopen` first if you mean it",
    (_S.SENDING, "draft"): "readers already have it; draft the next issue",
    (_S.SENT, "draft"): "it has been sent; draft the next issue",
    (_S.CANCELLED, "draft"): "it is cancelled; run `mailer issue reopen` first",
    (_S.APPROVED, "approve"): "it is approved already",
    (_S.SCHEDULED, "approve"): "it is approved and scheduled already",
    (_S.SENDING, "approve"): "readers already have it; what is frozen stays frozen",
    (_S.SENDING, "void"): "readers already have it; what is frozen stays frozen",
    (_S.SENT, "approve"): "it has been sent",
    (_S.SENT, "cancel"): "it has been sent; there is nothing left to cancel",
    (_S.SENT, "void"): "it has been sent",
    (_S.CANCELLED, "approve"): "it is cancelled; run `mailer issue reopen` first",
    (_S.CANCELLED, "send"): "it is cancelled",
    (_S.CANCELLED, "cancel"): "it is cancelled already",
    (_S.DRAFT, "amend"): "nobody has it yet; edit its file",
    (_S.APPROVED, "amend"): "nobody has it yet; edit its file and approve it again",
    (_S.SCHEDULED, "amend"): "nobody has it yet; edit its file and approve it again",
    (_S.CANCELLED, "amend"): "the archive does not show it; `mailer issue correct` writes to those "
    "who got it",
    (_S.DRAFT, "correct"): "nobody has it yet; edit its file",
    (_S.APPROVED, "correct"): "nobody has it yet; edit its file and approve it again",
    (_S.SCHEDULED, "correct"): "nobody has it yet; edit its file and approve it again",
    (_S.SENDING, "correct"): "it is still going out; wait, or run `mailer issue cancel` first",
    (_S.DRAFT, "reopen"): "it is a draft already; edit its file",
    (_S.APPROVED, "reopen"): "edit its file; the approval is void as soon as it differs",
    (_S.SCHEDULED, "reopen"): "edit its file; the approval is void as soon as it differs",
    (_S.SENDING, "reopen"): "readers already have it; what is frozen stays frozen",
    (_S.SENT, "reopen"): "it has been sent; draft the next issue",
}
"""The steps people try, and the sentence that explains why not."""


_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:-correction(?:-[2-9]|-[1-9]\d{1,2})?)?")


def is_issue_id(text: str) -> bool:
    """Say whether a text is an issue's id: a date, or one with ``-correction`` or so after it."""
    found = _NAME.fullmatch(text)
    if not found:
        return False
    try:
        return date.fromisoformat(found[1]).isoformat() == found[1]
    except ValueError:
        return False


def is_correction(issue_id: str) -> bool:
    """Say whether an id is a correction's; an issue of the week is named by its date alone."""
    return "-correction" in issue_id


def issue_day(issue_id: str) -> date:
    """Return the day an issue is named by; for a correction, that of the issue it corrects."""
    return date.fromisoformat(issue_id[:10])


def next_state(state: IssueState, step: str, *, issue_id: str) -> IssueState:
    """Return the state after ``step``.

    Raises:
        IllegalTransition: the table does not have it; the message says why and what to do.
    """
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        why = FORBIDDEN.get((state, step), f"`{step}` is not possible while it is {state}")
        raise IllegalTransition(f"issue {issue_id} is {state}: {why}") from None


@dataclass(frozen=True, slots=True)
class Pick:
    """One slot of an issue, filled. Empty overrides leave the article's own words.

    ``follow_up`` is the editor's word that readers who had it may have it again. ``image_alt``
    None leaves the article's; "" says that its picture only decorates.
    """

    article_id: str
    headline: str = ""
    standfirst: str = ""
    follow_up: bool = False
    has_image: bool = True
    image_alt: str | None = None
    image_credit: str = ""

    def picture_of(self, article: Article) -> Picture | None:
        """Return the article's picture as this issue shows it; None for none."""
        picture = article.picture
        if picture is None or not picture.src or not self.has_image:
            return None
        return replace(
            picture,
            alt=picture.alt if self.image_alt is None else self.image_alt,
            credit=self.image_credit or picture.credit,
        )


@dataclass(frozen=True, slots=True)
class RegionBlock:
    """What one region gets of its own: a note by the editor (Markdown) and its picks.

    ``lent_from`` is the region further up its ladder that the picks are from, where the region had
    nothing of its own; readers are told so.
    """

    note: str = ""
    picks: tuple[Pick, ...] = ()
    lent_from: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an editor wants of the next draft: ``pins`` by section or region, and no ``blocked``."""

    pins: dict[str, tuple[str, ...]] = field(default_factory=dict)
    blocked: tuple[str, ...] = ()

    @property
    def article_ids(self) -> set[str]:
        """Every article that is named."""
        return {*self.blocked, *(each for ids in self.pins.values() for each in ids)}


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as its file says it.

    ``id`` is the ISO date of its Monday and the file's name. ``sections`` maps section slug to
    picks in the file's order; the first pick of the first section is the lead. ``opening`` is
    the columnist's Markdown. ``diary`` are ids of diary entries in order. ``audience`` narrows who
    gets it (an expression of ``mailer.segment``); "" is everybody. ``corrects`` is the id of the
    issue that this one corrects: it goes to those who got that one. ``wishes`` are
    for drafting it anew and change nothing else.
    """

    id: str
    date: date
    number: int
    subject: str
    preheader: str
    opening: str
    columnist: str = ""
    opening_title: str = ""
    sections: dict[str, tuple[Pick, ...]] = field(default_factory=dict)
    regions: dict[str, RegionBlock] = field(default_factory=dict)
    diary: tuple[str, ...] = ()
    quote: str = ""
    quote_source: str = ""
    audience: str = ""
    corrects: str = ""
    template: str = ""
    wishes: Wishes = Wishes()

    @property
    def picks(self) -> tuple[Pick, ...]:
        """Every pick, of the sections first, in the file's order."""
        blocks = [*self.sections.values(), *(block.picks for block in self.regions.values())]
        return tuple(pick for picks in blocks for pick in picks)

    @property
    def article_ids(self) -> set[str]:
        """Every article picked anywhere."""
        return {pick.article_id for pick in self.picks}


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """An issue's row: its state and what was approved, by whom, when (aware UTC).

    ``checksum`` and ``audience_rule`` are what approval bound; empty while it is a draft.
    ``drafted_checksum`` is of the file as it was drafted: a file that differs has been edited.
    """

    id: str
    number: int
    state: IssueState
    checksum: str = ""
    audience_rule: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    drafted_checksum: str = ""
    window_from: datetime | None = None
    window_until: datetime | None = None
