"""The choice, told: why an article is in an issue or not, and an issue line by line.

Everything told was written down when the issue was drafted; nothing is worked out anew, save what
would have changed it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from mailer.app import App
from mailer.articles.article import Article
from mailer.errors import Fault, NotFound
from mailer.issues.issue import is_correction
from mailer.selection.filling import region_block
from mailer.selection.ladders import for_everybody
from mailer.selection.reasons import Decision
from mailer.selection.remedies import remedy

RUNNERS_UP = 3
"""How many that missed a block are told with it."""


def why(
    app: App, article_id: str, *, is_left_out: bool = False
) -> tuple[Article, list[dict[str, Any]]]:
    """Return an article and the decisions about it, newest issue first.

    Raises:
        NotFound: there is no such article; names the nearest.
    """
    article = app.library.article(article_id)
    return article, [
        {"issue": issue_id} | _told(app, decision, article)
        for issue_id, decision in app.desk.why(article.id)
        if not (is_left_out and decision.is_chosen)
    ]


def left_out(app: App, name: str) -> list[dict[str, Any]]:
    """Return what was considered for an issue and is in no block of it, best first.

    Raises:
        NotFound: the issue was never drafted.
    """
    decisions = _decisions(app, name)
    chosen = {decision.article_id for decision in decisions if decision.is_chosen}
    articles = _articles(app, {decision.article_id for decision in decisions})
    best: dict[str, Decision] = {}
    for decision in sorted(decisions, key=_nearness):
        if decision.article_id not in chosen:
            best.setdefault(decision.article_id, decision)
    rows = [
        {"article": each.article_id, "title": _title(articles, each.article_id)}
        | _told(app, each, articles.get(each.article_id))
        for each in best.values()
    ]
    return sorted(rows, key=lambda row: (-row["score"], row["article"]))


def explain(app: App, name: str) -> dict[str, Any]:
    """Return an issue as it was proposed: every block, who missed it, and why not the rest.

    Raises:
        NotFound: the issue was never drafted.
    """
    decisions = _decisions(app, name)
    articles = _articles(app, {decision.article_id for decision in decisions})
    record = app.desk.record(name)
    titles = {section.slug: section.title for section in app.publication.sections}
    titles |= {
        region_block(region.slug): region.name for region in app.publication.region_map.values()
    }

    def told(decision: Decision) -> dict[str, Any]:
        named = {
            "article": decision.article_id,
            "title": _title(articles, decision.article_id),
        }
        return named | _told(app, decision, articles.get(decision.article_id))

    blocks = []
    for block, title in titles.items():
        here = [decision for decision in decisions if decision.block == block]
        in_order = sorted((d for d in here if d.is_chosen), key=lambda d: d.rank or 0)
        missed = sorted((d for d in here if not d.is_chosen), key=lambda d: -d.score)
        blocks.append(
            {
                "block": block,
                "title": title,
                "chosen": [told(decision) for decision in in_order],
                "missed": [told(decision) for decision in missed[:RUNNERS_UP]],
                "missed_count": len(missed),
            }
        )
    ladders = {slug: app.publication.ladder(slug) for slug in app.publication.regions}
    everyones = for_everybody(ladders)
    chosen = {decision.article_id for decision in decisions if decision.is_chosen}
    considered = {decision.article_id for decision in decisions}
    rules = {d.article_id: d.rule for d in decisions if d.article_id not in chosen}
    return {
        "id": record.id,
        "state": record.state,
        "window_from": record.window_from,
        "window_until": record.window_until,
        "considered": len(considered),
        "chosen": len(chosen),
        "left_out": dict(Counter(rules.values()).most_common()),
        "blocks": blocks,
        "regions_without_own": [
            slug
            for slug in app.publication.regions
            if slug not in everyones
            and not any(
                d.is_chosen and d.block == region_block(slug) and not d.steps for d in decisions
            )
        ],
    }


def _decisions(app: App, name: str) -> list[Decision]:
    record = app.desk.record(name)
    found = app.archive.decisions(record.id)
    if not found:
        raise NotFound(
            Fault(
                f"issue {record.id} was never drafted from articles",
                remedy="a correction is written by hand; nothing is chosen for it"
                if is_correction(record.id)
                else f"`mailer issue draft {record.id}` proposes one and says why",
            )
        )
    return found


def _nearness(decision: Decision) -> tuple[bool, float]:
    """Order first the block that an article was nearest to getting into."""
    if decision.needed is None:
        return True, -decision.score
    return False, decision.needed - decision.score


def _articles(app: App, ids: Collection[str]) -> dict[str, Article]:
    return {article.id: article for article in app.library.articles(ids=sorted(ids))}


def _title(articles: Mapping[str, Article], article_id: str) -> str:
    # An article may have been removed since.
    return articles[article_id].title if article_id in articles else article_id


def _told(app: App, decision: Decision, article: Article | None) -> dict[str, Any]:
    nearest = decision.nearest
    return {
        "block": decision.block,
        "is_chosen": decision.is_chosen,
        "rank": decision.rank,
        "score": decision.score,
        "needed": decision.needed,
        "terms": decision.terms,
        "rule": decision.rule,
        "reasons": decision.reasons,
        "nearest": {
            "article": nearest.article_id,
            "measure": nearest.measure,
            "value": nearest.value,
            "said": str(nearest),
        }
        if nearest
        else None,
        "would_change": remedy(
            decision,
            priority=article.priority if article else 0,
            weight=app.publication.selection.weights.priority,
        ),
    }
