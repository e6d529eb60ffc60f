"""How much an article is worth to an issue: four terms, each with a sentence that carries figures.

score = priority + recency + region + section, every term already multiplied by its weight:

- priority: the editor's -100 to 100, as -1 to 1;
- recency: 1 at the cut-off, halved every ``half_life_days`` before it;
- region: 1 for the region the article names, 1/2 for its parent's, 1/3 for the one above;
- section: half for naming the section, half for the share of the section's minimum still empty.

Everything here is a pure function. Values are rounded to six places, so that the last bit of a
machine's arithmetic can never decide a tie.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailer.articles.article import Article

DAY = timedelta(days=1)
PLACES = 6


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a score: weighted ``value`` and its sentence ("" when it says nothing)."""

    name: str
    value: float
    reason: str = ""


def published(article: Article) -> datetime:
    """Return when the article came out, or was first seen where nobody says."""
    return article.published_at or article.first_seen_at


def priority_term(article: Article, *, weight: float) -> Term:
    """Weigh the editor's own priority; 0 says nothing."""
    value = round(weight * article.priority / 100, PLACES)
    if not article.priority:
        return Term("priority", 0.0)
    return Term(
        "priority",
        value,
        f"priority {value:.2f}: the editor gave {article.priority} of 100{_weighed(weight)}",
    )


def recency_term(
    article: Article, *, until: datetime, half_life_days: float, weight: float
) -> Term:
    """Weigh how new the article is at the cut-off ``until``."""
    age_days = (until - published(article)) / DAY
    value = round(weight * 0.5 ** (max(age_days, 0.0) / half_life_days), PLACES)
    came = "published" if article.published_at else "undated, first seen"
    if age_days < 0:
        age = f"{came} {-age_days:.1f} days after the cut-off, counted as new"
    else:
        age = f"{came} {age_days:.1f} days before the cut-off"
    return Term(
        "recency",
        value,
        f"recency {value:.2f}: {age}, half-life {half_life_days:g} days{_weighed(weight)}",
    )


def region_term(*, region: str, named: str, steps: int, weight: float) -> Term:
    """Weigh how near the article's region is to the block's.

    Args:
        region: the block's region.
        named: the article's region on that region's ladder.
        steps: how many parents up it stands; 0 for the region itself.
        weight: what a full match is worth.
    """
    value = round(weight / (1 + steps), PLACES)
    near = f"it is for {region}" if not steps else f"it is for {named}, {steps} above {region}"
    return Term("region", value, f"region {value:.2f}: {near}{_weighed(weight)}")


def section_term(*, section: str, is_named: bool, filled: int, minimum: int, weight: float) -> Term:
    """Weigh whether the article names the section and how much the section still wants."""
    wanted = max(minimum - filled, 0)
    need = wanted / minimum if minimum else 0.0
    value = round(weight * (is_named + need) / 2, PLACES)
    said = []
    if is_named:
        said.append(f"it names {section}")
    if wanted:
        said.append(f"{section} still wants {wanted} of at least {minimum}")
    if not said:
        return Term("section", value)
    return Term("section", value, f"section {value:.2f}: {', and '.join(said)}{_weighed(weight)}")


def total(terms: tuple[Term, ...]) -> float:
    """Return the score: the sum of the terms' values."""
    return round(sum(term.value for term in terms), PLACES)


def sentences(terms: tuple[Term, ...]) -> tuple[str, ...]:
    """Return the terms' sentences, the weightiest first."""
    telling = [term for term in terms if term.reason]
    return tuple(term.reason for term in sorted(telling, key=lambda t: (-abs(t.value), t.name)))


def _weighed(weight: float) -> str:
    return "" if weight == 1 else f", weight {weight:g}"
