"""How much an article is worth to an issue: its terms, each with a sentence that carries figures.

score = priority + recency + source + length + region + section + freshness + variety, every term
already multiplied by its weight from ``[selection.weights]``:

- priority: the editor's -100 to 100, as -1 to 1;
- recency: 1 at the cut-off, halved every ``half_life_days`` before it;
- source: the source's own weight less 1, so that the usual 1 says nothing;
- length: 1 between ``short_words`` and ``long_words``, less in proportion outside;
- region: 1 for the region the article is for, 1/2 for its parent's, 1/3 for the one above; where
  only its places tell, as much of that as their share in the article;
- section: half for naming the section, half for the share of the section's minimum still empty;
- freshness: taken off as far as it is about what this list had lately;
- variety: taken off as far as it is about what was chosen before it in the same edition.

Everything here is a pure function. Values are rounded to six places, so that the last bit of a
machine's arithmetic can never decide a tie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailer.articles.article import Article
from mailer.selection.reasons import Likeness

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
    return article.dated_at or article.first_seen_at


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


def source_term(article: Article, *, worth: float, weight: float) -> Term:
    """Weigh where it comes from; ``worth`` is the source's own weight, 1 is usual."""
    value = round(weight * (worth - 1), PLACES)
    if not value:
        return Term("source", 0.0)
    said = f"{article.source} counts {worth:g}, 1 is usual"
    return Term("source", value, f"source {value:.2f}: {said}{_weighed(weight)}")


def length_term(word_count: int, *, short: int, long: int, weight: float) -> Term:
    """Weigh whether there is enough to read, and not too much."""
    if word_count < short:
        fit, how = word_count / short, f"fewer than {short}"
    elif word_count > long:
        fit, how = long / word_count, f"more than {long}"
    else:
        fit, how = 1.0, f"between {short} and {long}"
    value = round(weight * fit, PLACES)
    said = f"{word_count} words, {how}"
    return Term("length", value, f"length {value:.2f}: {said}{_weighed(weight)}")


@dataclass(frozen=True, slots=True)
class Fit:
    """How an article belongs to a region's block.

    ``named`` is the step of the region's ladder it is for, ``steps`` how many up that is, 0 for the
    region itself. ``share`` is 1 where the article names the region, else the part of its places
    that lie there; ``places`` are those, the most telling first.
    """

    named: str
    steps: int
    share: float = 1.0
    places: tuple[str, ...] = ()


def region_term(fit: Fit, *, region: str, names: Mapping[str, str], weight: float) -> Term:
    """Weigh how near the article's region is to the block's.

    Args:
        fit: how it belongs there.
        region: the block's region.
        names: the regions' names for readers, by slug.
        weight: what a full match is worth.
    """
    value = round(weight * fit.share / (1 + fit.steps), PLACES)
    if fit.places:
        near = f"mentions {listed(fit.places)}: {names.get(fit.named, fit.named)}"
        near += f" ({fit.share:.0%} of its places)" if fit.share < 1 else ""
    else:
        near = f"it is for {fit.named}"
    above = f", {fit.steps} above {region}" if fit.steps else ""
    return Term("region", value, f"region {value:.2f}: {near}{above}{_weighed(weight)}")


def freshness_term(nearest: Likeness | None, *, listed_as: str, weight: float) -> Term:
    """Take off what a list had lately: ``nearest`` is the piece it had that is most like this."""
    if nearest is None or not nearest.value:
        return Term("freshness", 0.0)
    value = round(-weight * nearest.value, PLACES)
    said = f"{nearest.value:.0%} like {nearest.article_id}, which {listed_as} had lately"
    return Term("freshness", value, f"freshness {value:.2f}: {said}{_weighed(weight)}")


def variety_term(nearest: Likeness | None, *, weight: float) -> Term:
    """Take off what the edition holds already: ``nearest`` is the chosen piece most like this."""
    if nearest is None or not nearest.value:
        return Term("variety", 0.0)
    value = round(-weight * nearest.value, PLACES)
    said = f"{nearest.value:.0%} like {nearest.article_id}, chosen before it"
    return Term("variety", value, f"variety {value:.2f}: {said}{_weighed(weight)}")


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
    return round(sum([term.value for term in terms]), PLACES)


def sentences(terms: tuple[Term, ...]) -> tuple[str, ...]:
    """Return the terms' sentences, the weightiest first."""
    telling = [term for term in terms if term.reason]
    return tuple(term.reason for term in sorted(telling, key=lambda t: (-abs(t.value), t.name)))


def listed(names: Sequence[str], *, most: int = 4) -> str:
    """Join names as in a sentence: Hull, Goole and Selby."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _weighed(weight: float) -> str:
    return "" if weight == 1 else f", weight {weight:g}"
