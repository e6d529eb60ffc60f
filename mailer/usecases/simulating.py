"""Choosing without sending: a trial of the coming issue, and a replay of past weeks.

A replay asks, issue after issue, what would have been chosen at its hour of drafting, with the
weights as they are now or others that are tried, and carries over what each list would have had by
then. The days are those of the rhythm as it is now, also from before it began. It writes nothing.
Known limit: articles count as they are today, so what was changed or taken in late is replayed as
it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from mailer.app import App
from mailer.errors import Fault, InvalidInput, NotFound
from mailer.issues.desk import LOOK_BACK
from mailer.issues.exposure import exposures_until
from mailer.localtime import first_send_at
from mailer.mistakes import said_of
from mailer.policies import SelectionPolicy
from mailer.publication import Publication
from mailer.schedule.calendar import AROUND, WEEK, draft_at
from mailer.selection.filling import region_block
from mailer.selection.filtering import SelectionContext
from mailer.selection.replay import Week, summed, week_of
from mailer.timetable import issue_days
from mailer.usecases.editing import refuse_past

BACK = 520 * WEEK
"""How far back issues are looked for: ten years."""

MOMENT = timedelta(microseconds=1)


def tried_policy(app: App, changes: Sequence[str]) -> SelectionPolicy:
    """Return the publication's policy with changes such as ``weights.recency=2``.

    Raises:
        InvalidInput: a change is not ``key=value`` of the table [selection].
    """
    data = app.publication.selection.model_dump()
    known = _keys(data)
    for change in changes:
        path, is_given, value = change.partition("=")
        path = path.strip().removeprefix("selection.")
        if not is_given or path not in known:
            raise InvalidInput(
                Fault(f"{change!r} is not KEY=VALUE of [selection]", field="--set",
                      remedy=f"use one of {', '.join(sorted(known))}")
            )  # fmt: skip
        *above, last = path.split(".")
        place = data
        for key in above:
            place = place[key]
        place[last] = value.strip()
    try:
        return SelectionPolicy.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(
            Fault(f"{'.'.join(map(str, each['loc']))} {problem}", field="--set", remedy=remedy)
            for each in error.errors()
            for problem, remedy in [said_of(each)]
        ) from None


def _keys(data: dict[str, Any], above: str = "") -> list[str]:
    found = []
    for key, value in data.items():
        found += _keys(value, f"{above}{key}.") if isinstance(value, dict) else [f"{above}{key}"]
    return found


def choose(app: App, day: date | None, *, policy: SelectionPolicy) -> dict[str, Any]:
    """Return what would be chosen for an issue now; nothing is written.

    Raises:
        InvalidInput: the day is past, and no issue of it was ever drafted.
    """
    refuse_past(app, day)
    on = day or app.desk.next_issue_date(app.clock.now())
    context = app.desk.context(on, app.archive.records())
    proposal, articles = app.desk.propose(context, policy=policy)
    titles = {article.id: article.title for article in articles}
    scores = {
        (decision.block, decision.article_id): decision
        for decision in proposal.decisions
        if decision.is_chosen
    }
    blocks = [(section.slug, section.title) for section in app.publication.sections]
    chosen = {slug: proposal.sections.get(slug, ()) for slug, _title in blocks}
    for region in app.regions(None):
        blocks.append((region_block(region.slug), region.name))
        chosen[region_block(region.slug)] = proposal.regions.get(region.slug, ())
    return {
        "issue": on.isoformat(),
        "window_from": context.window_from,
        "window_until": context.window_until,
        "considered": len({decision.article_id for decision in proposal.decisions}),
        "blocks": [
            {
                "block": block,
                "title": title,
                "stories": [
                    {
                        "article": article_id,
                        "title": titles[article_id],
                        "score": scores[block, article_id].score,
                        "terms": scores[block, article_id].terms,
                    }
                    for article_id in chosen[block]
                ],
            }
            for block, title in blocks
        ],
    }


def simulate(
    app: App,
    count: int,
    *,
    policy: SelectionPolicy,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Replay the last ``count`` issues that were due to be drafted before now.

    Returns:
        ``weeks``, oldest first, one an issue, and ``total``; see ``selection/replay`` for what is
        counted. They are fewer where named dates are, or the rhythm has fewer in ten years.

    Raises:
        NotFound: no issue was due before now, or no article was taken in before the last was
            drafted.
    """
    publication = app.publication
    before, *days = _days(publication, app.clock.now(), count)
    ladders = {slug: publication.ladder(slug) for slug in publication.regions}
    sections = [section.slug for section in publication.sections]
    opened = draft_at(publication, before)
    had = exposures_until(app.database, opened)
    weeks: list[Week] = []
    for done, on in enumerate(days, 1):
        context = _context(app, on, opened, had)
        opened = context.window_until
        proposal, found = app.desk.propose(context, policy=policy)
        articles = {article.id: article for article in found}
        week = week_of(
            on,
            proposal,
            articles,
            ladders=ladders,
            sections=sections,
            had=had,
            goes_out_at=context.goes_out_at,
            considered=sum(
                context.window_from <= article.first_seen_at < context.window_until
                for article in found
            ),
        )
        sent_at = context.goes_out_at
        had |= {(region, id_): sent_at for region, ids in week.shown.items() for id_ in ids}
        weeks.append(week)
        if progress:
            progress(done, count)
    if not any(week.considered for week in weeks):
        raise NotFound(
            Fault(
                f"no article was taken in between {before} and {days[-1]}",
                remedy="`mailer articles` lists what there is; replay more issues or wait",
            )
        )
    quotas = {section.slug: (section.minimum, section.quota) for section in publication.sections}
    return {
        "weeks": [
            {
                "issue": week.issue_id,
                "considered": week.considered,
                "chosen": week.chosen,
                "sections": week.sections,
                "regions": week.regions,
                "without_own": week.bare,
                "repeats": week.repeats,
                "age_h_median": _middle(week.ages_h),
                "authors": len(week.authors),
                "sources": len(week.sources),
            }
            for week in weeks
        ],
        "total": summed(weeks, quotas=quotas),
    }


def _days(publication: Publication, now: datetime, count: int) -> list[date]:
    """Return the last ``count`` issues' days drafted by ``now``, and before them where it opens."""
    schedule = publication.schedule
    if schedule.starts_on is not None:
        # Who begins next month wants to see what the last months would have held; an even number
        # of weeks keeps a fortnightly rhythm in step.
        schedule = schedule.model_copy(update={"starts_on": schedule.starts_on - 2 * BACK})
    today = now.date()
    days = [
        day.date
        for day in issue_days(schedule, today - BACK, today + AROUND)
        if draft_at(publication, day.date) <= now
    ][-count - 1 :]
    if not days:
        raise NotFound(
            Fault(
                "the schedule has no issue before now",
                where="publication.toml",
                field="schedule",
                remedy="name past dates in `dates`, or wait for the first issue",
            )
        )
    return days if len(days) > count else [days[0] - WEEK, *days]


def _context(
    app: App, on: date, opened: datetime, had: Mapping[tuple[str, str], datetime]
) -> SelectionContext:
    cut_off = draft_at(app.publication, on)
    due = first_send_at(app.publication, on).astimezone(ZoneInfo(app.publication.time_zone))
    return SelectionContext(
        issue_id=on.isoformat(),
        now=cut_off,
        window_from=opened,
        window_until=cut_off + MOMENT,
        # As much of the past as a draft looks at.
        exposures=frozenset(pair for pair, at in had.items() if at >= cut_off - LOOK_BACK),
        due_at=due,
    )


def _middle(values: Sequence[float]) -> float | None:
    return round(sorted(values)[len(values) // 2], 1) if values else None
