"""Figures of a choice over several weeks: coverage, repeats, age, spread. Pure.

What is counted: a *showing* is one article in one region's edition of one week. A *repeat* is a
showing of an article that the region was shown before; there should be none. *Age* is from when an
article was first seen until its issue goes out. *Spread* is how many hands the week's stories come
from: authors and sources, and the share of the largest source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median, quantiles

from mailer.articles.article import Article
from mailer.selection.filling import region_block
from mailer.selection.reasons import Proposal

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Week:
    """What one replayed week chose.

    ``shown`` maps each region to the articles of its edition: the sections' and its own block's,
    or, where that is empty, its nearest parent's. ``ages_h`` are hours, one an article chosen.
    """

    issue_id: str
    goes_out_at: datetime
    considered: int
    sections: Mapping[str, int]
    regions: Mapping[str, int]
    shown: Mapping[str, tuple[str, ...]]
    repeats: int
    ages_h: tuple[float, ...]
    authors: Mapping[str, int]
    sources: Mapping[str, int]

    @property
    def chosen(self) -> int:
        """How many articles it holds, over all its blocks."""
        return len({article_id for ids in self.shown.values() for article_id in ids})

    @property
    def bare(self) -> tuple[str, ...]:
        """The regions without a story of their own."""
        return tuple(region for region, count in self.regions.items() if not count)


def week_of(
    on: date,
    proposal: Proposal,
    articles: Mapping[str, Article],
    *,
    ladders: Mapping[str, tuple[str, ...]],
    sections: Sequence[str],
    had: Iterable[tuple[str, str]],
    goes_out_at: datetime,
    considered: int,
) -> Week:
    """Return the figures of one week's proposal.

    Args:
        had: pairs of region and article shown in the weeks before.
        considered: how many articles its window held.
    """
    everywhere = tuple(i for slug in sections for i in proposal.sections.get(slug, ()))
    shown = {}
    for region, ladder in ladders.items():
        own = next((proposal.regions[step] for step in ladder if proposal.regions.get(step)), ())
        shown[region] = tuple(dict.fromkeys((*everywhere, *own)))
    before = frozenset(had)
    chosen = sorted({article_id for ids in shown.values() for article_id in ids})
    pieces = [articles[article_id] for article_id in chosen]
    return Week(
        issue_id=on.isoformat(),
        goes_out_at=goes_out_at,
        considered=considered,
        sections={slug: len(proposal.sections.get(slug, ())) for slug in sections},
        regions={region: own_stories(proposal, region) for region in ladders},
        shown=shown,
        repeats=sum((region, i) in before for region, ids in shown.items() for i in ids),
        ages_h=tuple((goes_out_at - piece.first_seen_at) / HOUR for piece in pieces),
        authors=Counter(author for piece in pieces for author in piece.authors),
        sources=Counter(piece.source for piece in pieces if piece.source),
    )


def own_stories(proposal: Proposal, region: str) -> int:
    """Return how many stories of its own a region's block holds: what is lent does not count."""
    block = region_block(region)
    return sum(d.is_chosen and d.block == block and not d.steps for d in proposal.decisions)


def summed(weeks: Sequence[Week], *, quotas: Mapping[str, tuple[int, int]]) -> dict[str, object]:
    """Return the figures of all weeks together.

    Args:
        weeks: one or more.
        quotas: a section's minimum and quota.
    """
    showings = sum(len(ids) for week in weeks for ids in week.shown.values())
    ages = sorted(age for week in weeks for age in week.ages_h)
    sources: Counter[str] = Counter()
    authors: Counter[str] = Counter()
    for week in weeks:
        sources.update(week.sources)
        authors.update(week.authors)
    largest, most = sources.most_common(1)[0] if sources else ("", 0)
    return {
        "weeks": len(weeks),
        "sections": {
            slug: {
                "stories_a_week": _mean([week.sections[slug] for week in weeks]),
                "filled": _mean([week.sections[slug] / quota for week in weeks]),
                "weeks_below_minimum": sum(week.sections[slug] < minimum for week in weeks),
            }
            for slug, (minimum, quota) in quotas.items()
        },
        "regions": {
            region: {
                "stories_a_week": _mean([week.regions[region] for week in weeks]),
                "weeks_with_own": sum(week.regions[region] > 0 for week in weeks),
            }
            for region in weeks[0].regions
        },
        "repeat_rate": sum(week.repeats for week in weeks) / showings if showings else 0.0,
        "age_h": {
            "median": round(median(ages), 1) if ages else None,
            "p90": round(quantiles(ages, n=10)[-1], 1) if len(ages) > 1 else None,
        },
        "spread": {
            "authors": len(authors),
            "sources": len(sources),
            "largest_source": largest,
            "largest_share": round(most / sources.total(), 3) if sources else 0.0,
        },
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 2)
