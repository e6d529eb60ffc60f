"""What lists had lately, and how like it a new piece is: the term called freshness.

A piece that only some lists had weighs in the sections, which everybody gets, by their share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailer.articles.traits import Traits
from mailer.selection.reasons import Likeness
from mailer.selection.similarity import Shelf, Subjects


class Lately:
    """Pieces that were sent.

    Args:
        subjects: weighs the words.
        past: what was sent.
        lists: for each of those ids, the regions whose lists had it.
        size: how many lists there are.
    """

    def __init__(
        self,
        subjects: Subjects,
        past: Sequence[Traits],
        *,
        lists: Mapping[str, frozenset[str]],
        size: int,
    ) -> None:
        self._subjects = subjects
        self._lists = [lists.get(traits.article_id, frozenset[str]()) for traits in past]
        self._shares = [len(had) / max(size, len(had), 1) for had in self._lists]
        self._shelf = Shelf()
        for traits in past:
            self._shelf.add(traits.article_id, subjects.vector(traits))
        self._alike: dict[str, dict[int, float]] = {}

    def nearest(self, traits: Traits, region: str) -> Likeness | None:
        """Return the piece a list had that is most like this one; None where there is none.

        Args:
            traits: the new piece's.
            region: whose list; "" for the sections, where ``value`` is less when few lists had it.
        """
        alike = self._alike.get(traits.article_id)
        if alike is None:
            alike = self._shelf.alike(self._subjects.vector(traits))
            self._alike[traits.article_id] = alike
        best: tuple[float, str] | None = None
        for number, value in alike.items():
            article_id = self._shelf.ids[number]
            share = float(region in self._lists[number]) if region else self._shares[number]
            if share and article_id != traits.article_id:
                key = (-round(value * share, 4), article_id)
                best = key if best is None else min(best, key)
        return Likeness(best[1], "words", -best[0]) if best else None
