"""Which regions would have nothing of their own in the coming issue: for before the deadline."""

from __future__ import annotations

from datetime import date
from typing import Any

from mailer.app import App
from mailer.issues.drafting import selection_context
from mailer.localtime import send_at
from mailer.selection.filling import region_block
from mailer.selection.ladders import for_everybody
from mailer.selection.reasons import Decision


def coverage(app: App, day: date | None = None) -> dict[str, Any]:
    """Return for each region what the coming issue would hold of it; nothing is written.

    Args:
        app: the publication.
        day: the issue's date; the coming send day's if none is given.
    Returns:
        ``regions``, those that lack most first, without one that is everybody's: the stories of
        their own, how many more missed a place, what would be lent, and when the edition leaves.
    """
    now = app.clock.now()
    on = day or app.desk.next_issue_date(now)
    context = selection_context(
        app.publication,
        on,
        now=now,
        records=app.archive.records(),
        exposures=app.archive.exposures(besides=on.isoformat()),
    )
    proposal, articles = app.desk.propose(context)
    titles = {article.id: article.title for article in articles}
    by_block: dict[str, list[Decision]] = {}
    for decision in proposal.decisions:
        by_block.setdefault(decision.block, []).append(decision)
    ladders = {slug: app.publication.ladder(slug) for slug in app.publication.regions}
    everyones = for_everybody(ladders)
    rows: list[dict[str, Any]] = []
    for region in app.regions(None):
        if region.slug in everyones:
            continue
        found = by_block.get(region_block(region.slug), [])
        own = [d for d in found if d.is_chosen and not d.steps]
        lent = [d for d in found if d.is_chosen and d.steps]
        rows.append(
            {
                "region": region.slug,
                "name": region.name,
                "own": [_story(d, titles) for d in own],
                "lent": [_story(d, titles) for d in lent],
                "lent_from": proposal.lent.get(region.slug, ""),
                "missed": sum(not d.is_chosen and not d.steps for d in found),
                "sends_at": send_at(app.publication, region, on),
            }
        )
    minimum = app.publication.selection.region_minimum
    rows.sort(key=lambda row: min(len(row["own"]), minimum))
    return {
        "issue": on.isoformat(),
        "minimum": minimum,
        "without_own": [row["region"] for row in rows if not row["own"]],
        "regions": rows,
    }


def _story(decision: Decision, titles: dict[str, str]) -> dict[str, str]:
    return {"article": decision.article_id, "title": titles[decision.article_id]}
