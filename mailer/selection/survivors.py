"""Of articles that tell one story, which one stays: by a rule that can be said aloud.

First what an editor pinned; then the higher priority; the whole text before the beginning of one;
our own before what was taken over; the source that counts more; the earlier; the longer; at last
the smaller id. Nothing of it hangs on the order in which the articles came in. What repeats the
text of a piece that lists have had does not stay either, unless it is pinned.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailer.articles.article import Article
from mailer.articles.traits import Traits
from mailer.selection.candidate import Candidate
from mailer.selection.filtering import Refusal, SelectionContext
from mailer.selection.reasons import Likeness
from mailer.selection.scoring import published
from mailer.selection.similarity import TwinIndex, print_of
from mailer.sources import source_key

_RULES = (
    "it is pinned",
    "its priority is higher",
    "it is the whole text",
    "it is our own",
    "its source counts more",
    "it came out earlier",
    "it is longer",
    "its id comes first",
)

Standing = tuple[bool, int, bool, bool, float, float, int, str]


def tell_apart(
    passed: Iterable[Candidate],
    past: Iterable[tuple[Article, Traits]],
    context: SelectionContext,
) -> tuple[list[Candidate], list[tuple[Candidate, Refusal, Likeness]]]:
    """Return those that stay, and those left out with the one they repeat.

    Args:
        passed: what the filters let through, in any order.
        past: what lists have had.
        context: says which sources count how much.
    """
    had = TwinIndex(by_title=False)
    for article, traits in sorted(past, key=lambda pair: pair[0].id):
        had.add(print_of(article, traits))
    index = TwinIndex()
    kept: dict[str, Standing] = {}
    staying, left = [], []
    for standing, candidate in sorted(
        ((_standing(each, context), each) for each in passed), key=lambda pair: pair[0]
    ):
        found = print_of(candidate.article, candidate.traits)
        if not candidate.is_pinned:
            if twin := index.find(found):
                why = f"a twin of {twin.article_id}, which stays: {twin}, and "
                why += _difference(kept[twin.article_id], standing)
                left.append((candidate, Refusal("twin", why), twin))
                continue
            if twin := had.find(found):
                why = f"a twin of {twin.article_id}, which was sent before: {twin}"
                left.append((candidate, Refusal("twin", why), twin))
                continue
        index.add(found)
        kept[found.id] = standing
        staying.append(candidate)
    return staying, left


def _standing(candidate: Candidate, context: SelectionContext) -> Standing:
    """Return the key by which articles of one story are ordered; the least one stays."""
    article, traits = candidate.article, candidate.traits
    came_out = published(article)
    return (
        not candidate.is_pinned,
        -article.priority,
        traits.is_excerpt,
        bool(article.source) and source_key(article.source) not in context.own_sources,
        -context.worth(article.source),
        came_out.timestamp(),
        -traits.word_count,
        article.id,
    )


def _difference(staying: Standing, leaving: Standing) -> str:
    return next(
        rule for rule, one, other in zip(_RULES, staying, leaving, strict=True) if one != other
    )
