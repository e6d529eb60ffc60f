"""Caps: how many pieces by one author, from one source or of one kind an issue holds.

The sections together and each region's block are counted apart: a region's one story is not lost
because its author also wrote two for everybody. Counts only grow, so what a cap refuses once it
refuses for good.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from mailer.articles.article import Article
from mailer.policies import Limit, SelectionPolicy
from mailer.selection.filtering import Refusal


class Caps:
    """Who stands where, and whether one more may."""

    def __init__(self, policy: SelectionPolicy) -> None:
        self._general = {"author": policy.per_author, "source": policy.per_source}
        self._special = {
            (what, folded(name)): limit.at_most
            for limit in policy.limits
            for what, name in (limit.subject,)
            if limit.at_most is not None
        }
        self._standing: dict[tuple[str, str, str], list[tuple[str, float]]] = {}

    def refusal(self, article: Article, region: str) -> tuple[Refusal, float] | None:
        """Return which cap is used up, and the least score among those who used it; or None.

        Args:
            article: who asks for a place.
            region: the block's region; "" for the sections.
        """
        for what, name in subjects(article):
            most = self._special.get((what, folded(name)), self._general.get(what))
            users = self._standing.get((what, folded(name), region), [])
            if most is not None and len(users) >= most:
                by = f" is used by {', '.join(user for user, _ in users)}" if users else " is 0"
                quota = f"the {what} quota of {most} for {name}" if users else f"{what} {name}"
                least = min((score for _, score in users), default=0.0)
                return Refusal(what, f"{quota}{by}"), least
        return None

    def add(self, article: Article, region: str, score: float) -> None:
        """Count an article that was given a place."""
        for key in {(what, folded(name), region) for what, name in subjects(article)}:
            self._standing.setdefault(key, []).append((article.id, score))

    def count(self, limit: Limit) -> int:
        """Return how many the sections hold of what a limit is about."""
        what, name = limit.subject
        return len(self._standing.get((what, folded(name), ""), []))


def subjects(article: Article) -> Iterator[tuple[str, str]]:
    """Yield what caps look at: the authors, the source, the kind."""
    for author in article.authors:
        yield "author", author
    if article.source:
        yield "source", article.source
    yield "kind", article.kind.value


def is_about(limit: Limit, article: Article) -> bool:
    """Say whether a limit is about this article."""
    what, name = limit.subject
    return (what, folded(name)) in {(kind, folded(each)) for kind, each in subjects(article)}


def folded(name: str) -> str:
    """Return a name as it is compared: case and spaces make no difference."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
