"""A candidate: an article with what choosing knows of it before any block looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailer.articles.article import Article
from mailer.articles.traits import Traits
from mailer.policies import SelectionPolicy
from mailer.selection.filtering import SelectionContext, cautions
from mailer.selection.scoring import (
    Fit,
    Term,
    length_term,
    priority_term,
    published,
    recency_term,
    source_term,
    total,
)


@dataclass(slots=True, eq=False)
class Candidate:
    """An article with the terms of its score that hold for every block.

    ``fits`` says how it belongs to each region's block it may stand in.
    """

    article: Article
    traits: Traits
    terms: tuple[Term, ...]
    score: float
    is_pinned: bool = False
    cautions: tuple[str, ...] = ()
    fits: dict[str, Fit] = field(default_factory=dict)

    @property
    def age_and_id(self) -> tuple[float, str]:
        """What decides a tie: the newer, then the smaller id."""
        return (-published(self.article).timestamp(), self.article.id)

    @property
    def order(self) -> tuple[float, float, str]:
        """Sort key: the best first, whatever block it may go to."""
        return (-self.score, *self.age_and_id)


def candidate_of(
    article: Article,
    traits: Traits,
    *,
    policy: SelectionPolicy,
    context: SelectionContext,
    is_pinned: bool,
) -> Candidate:
    """Return an article with its terms."""
    weights = policy.weights
    terms = (
        priority_term(article, weight=weights.priority),
        recency_term(
            article,
            until=context.window_until,
            half_life_days=policy.half_life_days,
            weight=weights.recency,
        ),
        source_term(article, worth=context.worth(article.source), weight=weights.source),
        length_term(
            traits.word_count,
            short=policy.short_words,
            long=policy.long_words,
            weight=weights.length,
        ),
    )
    return Candidate(
        article,
        traits,
        terms=terms,
        score=total(terms),
        is_pinned=is_pinned,
        cautions=cautions(article, context),
    )
