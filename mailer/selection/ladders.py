"""Which blocks an article may stand in: the regions it is for, and the ladder above each region.

An article is for the regions it names. One that names none is for every reader; where its places
lie mostly in one region, that region's block may have it too, if no section takes it. What is for a
region is also for those below it on the ladder, as long as they have too little of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from mailer.policies import SelectionPolicy
from mailer.publication import Section
from mailer.selection.candidate import Candidate
from mailer.selection.filling import Block, region_block
from mailer.selection.filtering import Refusal, SelectionContext
from mailer.selection.scoring import Fit

MOSTLY = 0.5
"""The share of its places that makes an article a region's, or a nation's."""

ENOUGH_MENTIONS = 2
"""One passing mention makes no local story; a place in the headline counts three."""

MOST_LENT = 30
"""So many of the best are looked at to fill a thin region's block."""


def for_everybody(ladders: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Return the regions that every other falls back to: no places, they mean every reader."""
    steps = [frozenset(ladder) for ladder in ladders.values()]
    return frozenset.intersection(*steps) if len(steps) > 1 else frozenset()


class Router:
    """Says which blocks an article may stand in, and how it belongs there."""

    def __init__(
        self,
        sections: Sequence[Section],
        ladders: Mapping[str, tuple[str, ...]],
        context: SelectionContext,
    ) -> None:
        self._sections = sections
        self._slugs = {section.slug for section in sections}
        self._ladders = ladders
        self._context = context
        self._everyone = for_everybody(ladders)
        had: dict[str, set[str]] = {}
        for region, article_id in context.exposures:
            had.setdefault(article_id, set()).add(region)
        self.had = {article_id: frozenset(regions) for article_id, regions in had.items()}

    def blocks(self, policy: SelectionPolicy) -> dict[str, Block]:
        """Return every block by name: sections first, then the regions'."""
        found = {s.slug: Block(s.slug, s.title, s.quota, section=s) for s in self._sections}
        for region in self._ladders:
            name = region_block(region)
            found[name] = Block(name, f"the {region} block", policy.region_quota, region=region)
        return found

    def is_for_all(self, candidate: Candidate) -> bool:
        """Say whether an article names no region, or one that means every reader."""
        named = candidate.article.regions
        return not named or not self._everyone.isdisjoint(named)

    def fits(self, candidate: Candidate) -> dict[str, Fit]:
        """Return how an article belongs to each region's block it may stand in."""
        named = candidate.article.regions
        if named:
            if self.is_for_all(candidate):
                return {}
            found = {}
            for slug, ladder in self._ladders.items():
                steps = next((n for n, step in enumerate(ladder) if step in named), None)
                if steps is not None:
                    found[slug] = Fit(ladder[steps], steps)
            return found
        places = candidate.traits.places
        for region, (weight, names) in places.regions.items():
            share = weight / places.total
            if share < MOSTLY or weight < ENOUGH_MENTIONS or region in self._everyone:
                continue
            return {
                slug: Fit(region, ladder.index(region), round(share, 2), names)
                for slug, ladder in self._ladders.items()
                if region in ladder
            }
        return {}

    def sent_to(self, candidate: Candidate) -> Collection[str]:
        """Return the lists that bar an article: any, for all readers; else all of its own."""
        had = self.had.get(candidate.article.id, frozenset())
        if not had or self.is_for_all(candidate):
            return had
        regions = candidate.fits
        return had if regions and set(regions) <= had else frozenset()

    def route(self, candidate: Candidate) -> tuple[list[str], Refusal | None]:
        """Return the blocks to offer an article to, or why there is none."""
        article = candidate.article
        regional = [region_block(slug) for slug in candidate.fits]
        if not self.is_for_all(candidate):
            if regional:
                return regional, None
            named = ", ".join(article.regions)
            return [], Refusal("no-region", f"{named} is not a region of the publication")
        named = article.section if article.section in self._slugs else ""
        offered = [
            section.slug
            for place, section in enumerate(self._sections)
            if section.slug == named or (section.takes_any and (not named or place == 0))
        ]
        if offered or regional:
            return [*offered, *regional], None
        if article.section:
            return [], Refusal("no-section", f"{article.section} is not a section here")
        return [], Refusal("no-section", "it names no section and none takes any story")

    def from_above(
        self,
        region: str,
        candidates: Iterable[Candidate],
        is_taken: Callable[[Candidate], bool],
        standing: Collection[str],
    ) -> list[Candidate]:
        """Return what may fill a thin region's block, with how each belongs there.

        Args:
            region: whose block.
            candidates: everything that is for every reader, the best first.
            is_taken: says of what every edition holds.
            standing: what the block holds.
        """
        ladder = self._ladders[region]
        if len(ladder) < 2:
            return []
        nation = self._context.nation_of(region)
        near: list[Candidate] = []
        wide: list[Candidate] = []
        for candidate in candidates:
            article_id = candidate.article.id
            if (
                article_id in standing
                or region in candidate.fits
                or is_taken(candidate)
                or (region, article_id) in self._context.exposures
            ):
                continue
            places = candidate.traits.places
            share = places.nations.get(nation, 0) / places.total if places.total else 0.0
            is_near = bool(nation) and share >= MOSTLY
            group = near if is_near else wide
            if len(group) < MOST_LENT:
                named, steps = (nation, len(ladder) - 1) if is_near else (ladder[-1], len(ladder))
                candidate.fits[region] = Fit(named, steps)
                group.append(candidate)
            if len(near) == len(wide) == MOST_LENT:
                break
        return [*near, *wide]


def lent_from(block: Block, ladder: Sequence[str]) -> str:
    """Return the step of the ladder a block's stories are from when none is its own; else ""."""
    if not block.chosen or any(not offer.steps for offer in block.chosen):
        return ""
    named = {fit.named for o in block.chosen if (fit := o.candidate.fits.get(block.region))}
    return named.pop() if len(named) == 1 and named <= set(ladder) else ladder[-1]
