"""Filling blocks greedily under quotas and caps, remembering why each story missed a place.

``ranking`` decides what is offered where; this module holds the working state of one selection.
The order is that of maximal marginal relevance: the best score, less what it repeats of what the
edition holds already. What is chosen later only takes more off, so a score that was worked out
earlier is never too low: only the head of each block has to be worked out anew, and the outcome is
the same as if all were. Counts only grow, so a story refused by a cap once is refused for good.

Source: Carbonell and Goldstein, "The use of MMR" (SIGIR 1998); lazy evaluation after Minoux (1978).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailer.policies import Limit, SelectionPolicy
from mailer.publication import Section
from mailer.selection.candidate import Candidate
from mailer.selection.capping import Caps, is_about
from mailer.selection.filtering import Refusal, SelectionContext
from mailer.selection.lately import Lately
from mailer.selection.reasons import Decision, Likeness
from mailer.selection.scoring import (
    Term,
    freshness_term,
    region_term,
    section_term,
    sentences,
    total,
    variety_term,
)
from mailer.selection.similarity import Shelf, Subjects

Key = tuple[int, float, float, str]
"""The step of the ladder, the score below zero, the age, the id: the least comes first."""

NOT_COMPARED = (Term("freshness", 0.0), Term("variety", 0.0))

NEAR_MISSES = 50
"""So many of those without a place in a block are compared to the end. The others have no hope:
they are told their score without freshness and variety, and of one block only."""


def region_block(region: str) -> str:
    """Return the name of a region's own block."""
    return f"region:{region}"


@dataclass(slots=True, eq=False)
class Offer:
    """A candidate for one block, with the terms that hold there."""

    candidate: Candidate
    terms: tuple[Term, ...]
    steps: int = 0
    stale: Likeness | None = None
    like: Likeness | None = None
    penalties: tuple[Term, Term] = NOT_COMPARED
    compared: int = -1

    @property
    def id(self) -> str:
        """The article's id."""
        return self.candidate.article.id


@dataclass(slots=True, eq=False)
class Block:
    """A section or a region's block while it is being filled."""

    name: str
    title: str
    quota: int
    section: Section | None = None
    region: str = ""
    chosen: list[Offer] = field(default_factory=list)
    waiting: list[tuple[Key, Offer]] = field(default_factory=list)
    offered: int = 0
    shelf: Shelf = field(default_factory=Shelf)
    last: Key = (0, 0.0, 0.0, "")

    @property
    def is_full(self) -> bool:
        """True when every place is taken."""
        return len(self.chosen) >= self.quota

    @property
    def ids(self) -> tuple[str, ...]:
        """The chosen articles' ids in order."""
        return tuple(offer.id for offer in self.chosen)


class Filling:
    """The state of one selection: who stands where, and what of it is how much alike."""

    def __init__(
        self,
        *,
        policy: SelectionPolicy,
        context: SelectionContext,
        subjects: Subjects,
        lately: Lately,
    ) -> None:
        self.decisions: list[Decision] = []
        self._policy = policy
        self._context = context
        self._subjects = subjects
        self._lately = lately
        self._caps = Caps(policy)
        self._in_sections: set[str] = set()
        self._everywhere = Shelf()
        self._placed: set[str] = set()
        self._refused: set[tuple[str, str]] = set()
        self._told: set[str] = set()

    def is_placed(self, candidate: Candidate) -> bool:
        """Say whether the article already has a place somewhere."""
        return candidate.article.id in self._placed

    def is_in_sections(self, candidate: Candidate) -> bool:
        """Say whether every edition holds it."""
        return candidate.article.id in self._in_sections

    def pin(self, block: Block, candidates: Sequence[Candidate]) -> None:
        """Place an editor's pins first; only the quota can refuse them."""
        for candidate in candidates:
            if candidate.article.id in block.ids or self.is_in_sections(candidate):
                continue
            offer = self._offer(block, candidate)
            block.offered += 1
            if block.is_full:
                why = f"it is pinned, but the {_places(block)} taken by {', '.join(block.ids)}"
                self._reject(block, offer, Refusal("quota", why))
            else:
                self._place(block, offer, "pinned by an editor")

    def offer(self, block: Block, candidate: Candidate) -> None:
        """Let an article wait for a place in the block, or say why it cannot."""
        article_id = candidate.article.id
        # What stands in a section is in every edition; what is pinned to a region stays there.
        if article_id in (self._in_sections if block.region else self._placed):
            return
        if article_id in block.ids or (article_id, block.name) in self._refused:
            return
        offer = self._offer(block, candidate)
        refusal = self._unfit(block, candidate)
        if refusal is not None:
            self._reject(block, offer, refusal)
            return
        block.offered += 1
        heapq.heappush(block.waiting, (self._key(block, offer), offer))

    def fill(
        self, blocks: Sequence[Block], room: Callable[[Block], int], *, is_own: bool = False
    ) -> None:
        """Give places to the best waiting articles, as long as a block has room for one.

        Args:
            blocks: those that compete.
            room: up to how many a block is filled.
            is_own: only with what is for the block's region itself.
        """
        while True:
            heads = [
                (self._fresh_key(block, offer), place)
                for place, block in enumerate(blocks)
                if len(block.chosen) < room(block)
                and (offer := self._head(block)) is not None
                and not (is_own and offer.steps)
            ]
            if not heads:
                return
            block = blocks[min(heads)[1]]
            self._take(block, heapq.heappop(block.waiting)[1])

    def fill_wanted(self, blocks: Sequence[Block], limit: Limit) -> None:
        """Give places to the best of what a limit wants at least, while there is any."""
        while self._caps.count(limit) < limit.at_least:
            found = []
            for place, block in enumerate(blocks):
                if block.is_full:
                    continue
                for _, offer in block.waiting:
                    if not is_about(limit, offer.candidate.article) or self._is_gone(block, offer):
                        continue
                    if self._caps.refusal(offer.candidate.article, block.region) is None:
                        self._compare(block, offer)
                        found.append((self._fresh_key(block, offer), place, offer))
            if not found:
                return
            _, place, offer = min(found, key=lambda item: item[:2])
            what, name = limit.subject
            self._take(blocks[place], offer, f"; {limit.at_least} by {what} {name} are wanted")

    def close(self, block: Block) -> None:
        """Say of everything that still waits why it has no place."""
        left = 0
        for _, offer in sorted(block.waiting, key=lambda item: item[0]):
            if self._is_gone(block, offer):
                continue
            left += 1
            if left <= NEAR_MISSES:
                self._compare(block, offer)
            elif offer.id in self._told:
                continue
            self._reject(block, offer, self._full(block, offer))
        block.waiting = []

    def _take(self, block: Block, offer: Offer, because: str = "") -> None:
        count = f"{block.offered} {'story' if block.offered == 1 else 'stories'}"
        self._place(block, offer, f"chosen from {count} offered to {block.title}{because}")

    def _is_gone(self, block: Block, offer: Offer) -> bool:
        # A section is in every edition, so what has a place anywhere has none there.
        taken = self._in_sections if block.region else self._placed
        return offer.id in taken or offer.id in block.ids

    def _head(self, block: Block) -> Offer | None:
        """Return the best article that waits, dropping those who can no longer be placed."""
        while block.waiting:
            key, offer = block.waiting[0]
            if self._is_gone(block, offer):
                heapq.heappop(block.waiting)
                continue
            if capped := self._caps.refusal(offer.candidate.article, block.region):
                heapq.heappop(block.waiting)
                self._reject(block, offer, *capped)
                continue
            self._compare(block, offer)
            if (now := self._key(block, offer)) > key:
                heapq.heapreplace(block.waiting, (now, offer))
                continue
            return offer
        return None

    def _compare(self, block: Block, offer: Offer) -> None:
        """Take into account what the edition holds by now."""
        standing = len(self._in_sections) + (len(block.chosen) if block.region else 0)
        if offer.compared == standing:
            return
        weights = self._policy.weights
        if offer.compared < 0 and weights.freshness > 0:
            offer.stale = self._lately.nearest(offer.candidate.traits, block.region)
        vector = self._subjects.vector(offer.candidate.traits)
        shelves = (self._everywhere, block.shelf) if block.region else (self._everywhere,)
        found = [like for shelf in shelves if (like := shelf.nearest(vector))]
        if weights.variety <= 0:
            found = []
        offer.like = max(found, key=lambda like: like.value) if found else None
        offer.compared = standing
        whose = self._context.names.get(block.region, block.region) or "the lists"
        offer.penalties = (
            freshness_term(offer.stale, listed_as=whose, weight=weights.freshness),
            variety_term(offer.like, weight=weights.variety),
        )

    def _offer(self, block: Block, candidate: Candidate) -> Offer:
        weights, terms, steps = self._policy.weights, list(candidate.terms), 0
        if block.region and (fit := candidate.fits.get(block.region)):
            steps = fit.steps
            terms.append(
                region_term(
                    fit, region=block.region, names=self._context.names, weight=weights.region
                )
            )
        return Offer(candidate, tuple(terms), steps)

    def _terms(self, block: Block, offer: Offer) -> tuple[Term, ...]:
        if block.section is None:
            return (*offer.terms, *offer.penalties)
        # A full block has no need left, yet a rejected story must be comparable with the last
        # chosen one; so the need is the one that was felt when that one was chosen.
        filled = len(block.chosen) - (1 if block.is_full else 0)
        need = section_term(
            section=block.title,
            is_named=offer.candidate.article.section == block.section.slug,
            filled=filled,
            minimum=min(block.section.minimum, block.quota),
            weight=self._policy.weights.section,
        )
        return (*offer.terms, need, *offer.penalties)

    def _key(self, block: Block, offer: Offer) -> Key:
        """Return an article's place in the block's line; the block's need moves all alike."""
        is_named = block.section and offer.candidate.article.section == block.section.slug
        own = self._policy.weights.section / 2 if is_named else 0.0
        score = total((*offer.terms, *offer.penalties)) + own
        return (offer.steps, -round(score, 6), *offer.candidate.age_and_id)

    def _fresh_key(self, block: Block, offer: Offer) -> Key:
        score = total(self._terms(block, offer))
        return (offer.steps, -score, *offer.candidate.age_and_id)

    def _unfit(self, block: Block, candidate: Candidate) -> Refusal | None:
        article = candidate.article
        if block.region:
            if (block.region, article.id) in self._context.exposures:
                return Refusal("already-sent", f"already sent to {block.region}")
            return None
        section = block.section
        assert section is not None
        if section.kinds and article.kind not in section.kinds:
            wanted = ", ".join(section.kinds)
            return Refusal("kind", f"{block.title} takes {wanted}; this is {article.kind}")
        if section.needs_picture:
            if article.picture is None or not article.picture.src:
                return Refusal("no-picture", f"{block.title} needs a picture and it has none")
            if not article.standfirst.strip():
                return Refusal("no-standfirst", f"{block.title} needs a standfirst and it has none")
        return None

    def _full(self, block: Block, offer: Offer) -> Refusal:
        if not block.quota:
            return Refusal("quota", f"{block.title} has a quota of 0")
        score = total(self._terms(block, offer))
        if block.last[0] < offer.steps:
            ahead = f"{block.title} has enough that is nearer"
        else:
            ahead = f"the last scores {-block.last[1]:.2f}, this one {score:.2f}"
        return Refusal("quota", f"the {_places(block)} taken by {', '.join(block.ids)}; {ahead}")

    def _place(self, block: Block, offer: Offer, how: str) -> None:
        terms = self._terms(block, offer)
        score = total(terms)
        block.last = self._fresh_key(block, offer)
        block.chosen.append(offer)
        self._placed.add(offer.id)
        vector = self._subjects.vector(offer.candidate.traits)
        if block.region:
            block.shelf.add(offer.id, vector)
        else:
            self._in_sections.add(offer.id)
            self._everywhere.add(offer.id, vector)
        self._caps.add(offer.candidate.article, block.region, score)
        rank = len(block.chosen)
        lent = f", from {offer.steps} above on its ladder" if offer.steps else ""
        self.decisions.append(
            Decision(
                offer.id,
                block=block.name,
                is_chosen=True,
                score=score,
                terms={term.name: term.value for term in terms},
                rank=rank,
                reasons=(
                    f"{how}: place {rank} of {block.quota}{lent}",
                    *offer.candidate.cautions,
                    *sentences(terms),
                ),
                nearest=_nearer(offer),
                steps=offer.steps,
            )
        )

    def _reject(
        self, block: Block, offer: Offer, refusal: Refusal, needed: float | None = None
    ) -> None:
        terms = self._terms(block, offer)
        self._refused.add((offer.id, block.name))
        self._told.add(offer.id)
        if refusal.rule == "quota" and block.chosen and block.last[0] >= offer.steps:
            needed = -block.last[1]
        self.decisions.append(
            Decision(
                offer.id,
                block=block.name,
                is_chosen=False,
                score=total(terms),
                terms={term.name: term.value for term in terms},
                rule=refusal.rule,
                reasons=(
                    f"left out: {refusal.why}",
                    *offer.candidate.cautions,
                    *sentences(terms),
                ),
                nearest=_nearer(offer),
                needed=needed,
                steps=offer.steps,
            )
        )


def _nearer(offer: Offer) -> Likeness | None:
    return max(
        (like for like in (offer.like, offer.stale) if like),
        key=lambda like: (like.value, like.article_id),
        default=None,
    )


def _places(block: Block) -> str:
    places = "place" if block.quota == 1 else f"{block.quota} places"
    return f"{places} of {block.title} {'is' if block.quota == 1 else 'are'}"
