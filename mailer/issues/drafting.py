"""From a proposal to the first version of an issue: pure, no files.

The subject and preheader are made of the headlines, so that a draft can be rendered at once; an
editor is expected to write better ones. The opening stays empty: nobody writes it but the
columnist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mailer.almanac import short_date
from mailer.articles.article import Article, DiaryEntry
from mailer.articles.gazetteer import nation_of
from mailer.errors import Fault, NotFound
from mailer.issues.issue import Issue, IssueRecord, IssueState, Pick, RegionBlock, Wishes, issue_day
from mailer.issues.writing import plain
from mailer.localtime import first_send_at, last_send_at
from mailer.publication import FILE_NAME, Publication
from mailer.selection.filling import region_block
from mailer.selection.filtering import SelectionContext, instant
from mailer.selection.ladders import for_everybody
from mailer.selection.reasons import Proposal
from mailer.sources import source_key
from mailer.timetable import next_issue_day

PREHEADER_CHARS = 90
"""About what a phone's list of mail shows beside the subject."""

DIARY_AHEAD = timedelta(days=56)
"""Entries further away wait for a later issue."""


def coming_issue_date(publication: Publication, now: datetime) -> date:
    """Return the coming send day; today counts until the hour of sending.

    Raises:
        NotFound: the schedule has no further issue.
    """
    local = now.astimezone(ZoneInfo(publication.time_zone))
    is_over = local.time() >= publication.schedule.send_time
    day = next_issue_day(publication.schedule, local.date() + timedelta(days=is_over))
    if day is None:
        raise NotFound(
            Fault(
                "the schedule has no further issue",
                where=FILE_NAME,
                field="schedule.dates",
                remedy="name further days there, or the issue by its date",
            )
        )
    return day


def next_number(publication: Publication, records: Iterable[IssueRecord]) -> int:
    """Return the number after the highest, or the publication's first."""
    return max((record.number + 1 for record in records), default=publication.first_number)


def selection_context(
    publication: Publication,
    on: date,
    *,
    now: datetime,
    records: Iterable[IssueRecord],
    exposures: frozenset[tuple[str, str]],
) -> SelectionContext:
    """Return what the issue of that day is chosen for.

    The window starts at the cut-off of the latest issue before that readers got or will get, and
    ends now; what was taken in at this very instant still counts. A draft, a cancelled issue and
    one whose hours of sending have passed unused reached nobody, so their cut-offs do not count
    and their articles come up again. Where no issue reached anybody, it starts ``window_days``
    back, or where the first of those issues started.
    """
    issue_id = on.isoformat()
    before = [record for record in records if record.id < issue_id]
    cut_offs = [
        (record.id, record.window_until)
        for record in before
        if record.window_until is not None and _reaches_readers(record, publication, now)
    ]
    starts = [record.window_from for record in before if record.window_from is not None]
    earliest = min([*starts, now - timedelta(days=publication.selection.window_days)])
    due = first_send_at(publication, on).astimezone(ZoneInfo(publication.time_zone))
    return SelectionContext(
        issue_id=issue_id,
        now=now,
        window_from=max(cut_offs)[1] if cut_offs else earliest,
        # The window is half open, and a rehearsal's clock stands still between two commands.
        window_until=now + timedelta(microseconds=1),
        exposures=exposures,
        due_at=max(due, now.astimezone(due.tzinfo)),
    )


def with_wishes(
    context: SelectionContext, wishes: Wishes, publication: Publication
) -> SelectionContext:
    """Return the context with what the editor pinned and blocked."""
    sections = {section.slug for section in publication.sections}
    return replace(
        context,
        pins={
            name if name in sections else region_block(name): ids
            for name, ids in wishes.pins.items()
        },
        blocked=frozenset(wishes.blocked),
    )


def weighed(context: SelectionContext, publication: Publication) -> SelectionContext:
    """Return the context with what the publication says of its sources and regions."""

    def _nation_of(slug: str) -> str:
        region = publication.region(slug)
        return nation_of((region.name, *region.places))

    own = {source_key(name) for name in (publication.title, publication.publisher) if name}
    return replace(
        context,
        source_weights={source_key(each.name): each.weight for each in publication.sources},
        own_sources=frozenset(own),
        names={slug: region.name for slug, region in publication.region_map.items()},
        nation_of=_nation_of,
    )


def compose(
    on: date,
    *,
    number: int,
    proposal: Proposal,
    articles: Mapping[str, Article],
    diary: Sequence[DiaryEntry],
    publication: Publication,
    template: str = "",
    wishes: Wishes = Wishes(),  # noqa: B008 - frozen
) -> Issue:
    """Return the draft: the proposal's picks, the diary of the coming weeks, made-up headings.

    Args:
        template: the set that draws this issue; "" is the publication's.
    """
    headlines = [
        plain(articles[article_id].title)
        for ids in proposal.sections.values()
        for article_id in ids
    ]
    fallback = f"{plain(publication.title)}, {short_date(on)}"
    entries = sorted(
        (e for e in diary if on <= (e.until or e.on) and e.on < on + DIARY_AHEAD),
        key=lambda entry: (entry.on, entry.at is not None, str(entry.at or ""), entry.id),
    )
    return Issue(
        id=on.isoformat(),
        date=on,
        number=number,
        subject=headlines[0] if headlines and headlines[0] else fallback,
        preheader=_clipped(" · ".join(headlines[1:5])),
        opening="",
        columnist=publication.columnist,
        opening_title=publication.column_title,
        sections={slug: _picks(ids) for slug, ids in proposal.sections.items()},
        # Every region stands there, so that a note is a matter of filling it in.
        regions={
            slug: RegionBlock(
                picks=_picks(proposal.regions.get(slug, ())), lent_from=proposal.lent.get(slug, "")
            )
            for slug in publication.regions
        },
        diary=tuple(entry.id for entry in entries),
        template=template,
        wishes=wishes,
    )


def preface(
    issue: Issue,
    publication: Publication,
    context: SelectionContext,
    *,
    proposal: Proposal,
    considered: int,
) -> list[str]:
    """Return the comment at the top of a drafted file."""
    everyones = for_everybody({slug: publication.ladder(slug) for slug in publication.regions})
    thin = [
        f"{slug} (lent from {proposal.lent[slug]})" if slug in proposal.lent else slug
        for slug in publication.regions
        if slug not in everyones and (slug in proposal.lent or slug not in proposal.regions)
    ]
    return [
        f"{publication.title}, issue {issue.number}, {short_date(issue.date)}.",
        f"Drafted {instant(context.now)} from {considered} articles.",
        f"The window: {instant(context.window_from)} to {instant(context.window_until)}.",
        *([f"Nothing of their own: {', '.join(thin)}."] if thin else []),
        "Everything in this file is yours to change; it is never drafted over once you did.",
        "A pick is an article's id, or {article: ID, headline: ..., standfirst: ...}.",
        "A region may have a note, in Markdown: a few words of its own over its stories.",
        f"Then: mailer issue check {issue.id}; mailer issue approve {issue.id}.",
    ]


def _reaches_readers(record: IssueRecord, publication: Publication, now: datetime) -> bool:
    """Say whether readers have the issue or, approved and in time, are going to get it."""
    if record.state in {IssueState.SENDING, IssueState.SENT}:
        return True
    if record.state not in {IssueState.APPROVED, IssueState.SCHEDULED}:
        return False
    latest = last_send_at(publication, issue_day(record.id))
    return now <= latest + timedelta(hours=publication.schedule.late_hours)


def _picks(ids: Sequence[str]) -> tuple[Pick, ...]:
    return tuple(Pick(article_id) for article_id in ids)


def _clipped(text: str) -> str:
    if len(text) <= PREHEADER_CHARS:
        return text
    return text[: PREHEADER_CHARS - 1].rsplit(" ", 1)[0].rstrip(" ·,;:") + "…"
