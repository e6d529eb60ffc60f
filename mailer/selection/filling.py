"""Filling blocks greedily under quotas and caps, remembering why each story missed a place.

``ranking`` decides what is offered where; this module holds the working state of one selection.
Counts only grow, so a story refused by a cap once is refused for good, and within a block the
order of the stories never changes: only the head of each block has to be looked at.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mailer.articles.article import Article
from mailer.policies import SelectionPolicy
from mailer.publication import Section
from mailer.selection.filtering import Refusal, SelectionContext
from mailer.selection.reasons import Decision
from mailer.selection.scoring import (
    Term,
    published,
    region_term,
    section_term,
    sentences,
    total,
)


def region_block(region: str) -> str:
    """Return the name of a region's own block."""
    return f"region:{region}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article with the terms of its score that hold for every block."""

    article: Article
    terms: tuple[Term, ...]
    is_pinned: bool = False
    cautions: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[float, float, str]:
        """Sort key: the best first, whatever block it may go to."""
        return (-total(self.terms), *_age_and_id(self.article))


@dataclass(slots=True, eq=False)
class Block:
    """A section or a region's block while it is being filled."""

    name: str
    title: str
    quota: int
    section: Section | None = None
    region: str = ""
    chosen: list[Candidate] = field(default_factory=list)
    waiting: list[Candidate] = field(default_factory=list)
    offered: int = 0
    last_score: float = 0.0

    @property
    def is_full(self) -> bool:
        """True when every place is taken."""
        return len(self.chosen) >= self.quota

    @property
    def ids(self) -> tuple[str, ...]:
        """The chosen articles' ids in order."""
        return tuple(candidate.article.id for candidate in self.chosen)


class Filling:
    """The state of one selection: who stands where, and how often each author and source."""

    def __init__(
        self,
        *,
        policy: SelectionPolicy,
        context: SelectionContext,
        ladders: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.decisions: list[Decision] = []
        self._policy = policy
        self._context = context
        self._ladders = ladders
        self._in_sections: set[str] = set()
        self._placed: set[str] = set()
        self._refused: set[tuple[str, str]] = set()
        self._standing: dict[tuple[str, str, str], list[str]] = {}

    def is_placed(self, candidate: Candidate) -> bool:
        """Say whether the article already has a place somewhere."""
        return candidate.article.id in self._placed

    def pin(self, block: Block, candidates: Sequence[Candidate]) -> None:
        """Place an editor's pins first; only the quota can refuse them."""
        for candidate in candidates:
            article_id = candidate.article.id
            if article_id in block.ids or article_id in self._in_sections:
                continue
            terms = self._terms(block, candidate)
            block.offered += 1
            if block.is_full:
                why = f"it is pinned, but the {_places(block)} taken by {', '.join(block.ids)}"
                self._reject(block, candidate, terms, Refusal("quota", why))
            else:
                self._place(block, candidate, terms, "pinned by an editor")

    def offer(self, block: Block, candidate: Candidate) -> None:
        """Let an article wait for a place in the block, or say why it cannot."""
        article = candidate.article
        # What stands in a section is in every edition; what is pinned to a region stays there.
        if article.id in (self._in_sections if block.region else self._placed):
            return
        if article.id in block.ids or (article.id, block.name) in self._refused:
            return
        refusal = self._unfit(block, article)
        if refusal is not None:
            self._reject(block, candidate, self._terms(block, candidate), refusal)
            return
        block.offered += 1
        block.waiting.append(candidate)

    def fill(self, blocks: Sequence[Block]) -> None:
        """Give places to the best waiting articles until none waits in any of the blocks."""
        for block in blocks:
            # Within a block the need is the same for all, so this order holds to the end.
            block.waiting.sort(key=lambda candidate: self._key(block, candidate))
        while True:
            heads = [
                (self._key(block, block.waiting[0]), place)
                for place, block in enumerate(blocks)
                if self._settle(block)
            ]
            if not heads:
                return
            block = blocks[min(heads)[1]]
            candidate = block.waiting.pop(0)
            count = f"{block.offered} {'story' if block.offered == 1 else 'stories'}"
            how = f"chosen from {count} offered to {block.title}"
            self._place(block, candidate, self._terms(block, candidate), how)

    def _settle(self, block: Block) -> bool:
        """Drop those who can no longer be placed; True while somebody waits for a free place."""
        while block.waiting:
            candidate = block.waiting[0]
            if not block.region and candidate.article.id in self._in_sections:
                block.waiting.pop(0)
                continue
            refusal = self._full(block, candidate) or self._cap(block, candidate.article)
            if refusal is None:
                return True
            block.waiting.pop(0)
            self._reject(block, candidate, self._terms(block, candidate), refusal)
        return False

    def _key(self, block: Block, candidate: Candidate) -> tuple[float, float, str]:
        return (-total(self._terms(block, candidate)), *_age_and_id(candidate.article))

    def _terms(self, block: Block, candidate: Candidate) -> tuple[Term, ...]:
        weights = self._policy.weights
        article = candidate.article
        if block.section is not None:
            # A full block has no need left, yet a rejected story must be comparable with the
            # last chosen one; so the need is the one that was felt when that one was chosen.
            filled = len(block.chosen) - (1 if block.is_full else 0)
            own = section_term(
                section=block.title,
                is_named=article.section == block.section.slug,
                filled=filled,
                minimum=min(block.section.minimum, block.quota),
                weight=weights.section,
            )
            return (*candidate.terms, own)
        ladder = self._ladders[block.region]
        named = [step for step in ladder if step in article.regions]
        if not named:
            return candidate.terms
        own = region_term(
            region=block.region,
            named=named[0],
            steps=ladder.index(named[0]),
            weight=weights.region,
        )
        return (*candidate.terms, own)

    def _unfit(self, block: Block, article: Article) -> Refusal | None:
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

    def _full(self, block: Block, candidate: Candidate) -> Refusal | None:
        if not block.is_full:
            return None
        if not block.quota:
            return Refusal("quota", f"{block.title} has a quota of 0")
        score = total(self._terms(block, candidate))
        return Refusal(
            "quota",
            f"the {_places(block)} taken by {', '.join(block.ids)}; "
            f"the last scores {block.last_score:.2f}, this one {score:.2f}",
        )

    def _cap(self, block: Block, article: Article) -> Refusal | None:
        for author in article.authors:
            users = self._users("author", _folded(author), block)
            if len(users) >= self._policy.per_author:
                return Refusal(
                    "author",
                    f"the author quota of {self._policy.per_author} for {author} is used by "
                    f"{', '.join(users)}",
                )
        if article.source:
            users = self._users("source", _folded(article.source), block)
            if len(users) >= self._policy.per_source:
                return Refusal(
                    "source",
                    f"the source quota of {self._policy.per_source} for {article.source} is used "
                    f"by {', '.join(users)}",
                )
        return None

    def _users(self, kind: str, name: str, block: Block) -> list[str]:
        """Return the stories of that author or source in the sections, or in the region's block.

        The two are counted apart: a region's one story is not lost because its author also
        wrote two for everybody.
        """
        return self._standing.get((kind, name, block.region), [])

    def _place(self, block: Block, candidate: Candidate, terms: tuple[Term, ...], how: str) -> None:
        article = candidate.article
        block.chosen.append(candidate)
        block.last_score = total(terms)
        self._placed.add(article.id)
        if not block.region:
            self._in_sections.add(article.id)
        names = [("author", _folded(author)) for author in article.authors]
        if article.source:
            names.append(("source", _folded(article.source)))
        for kind, name in dict.fromkeys(names):
            self._standing.setdefault((kind, name, block.region), []).append(article.id)
        rank = len(block.chosen)
        self.decisions.append(
            Decision(
                article.id,
                block=block.name,
                is_chosen=True,
                score=total(terms),
                terms={term.name: term.value for term in terms},
                rank=rank,
                reasons=(
                    f"{how}: place {rank} of {block.quota}",
                    *candidate.cautions,
                    *sentences(terms),
                ),
            )
        )

    def _reject(
        self, block: Block, candidate: Candidate, terms: tuple[Term, ...], refusal: Refusal
    ) -> None:
        self._refused.add((candidate.article.id, block.name))
        self.decisions.append(
            Decision(
                candidate.article.id,
                block=block.name,
                is_chosen=False,
                score=total(terms),
                terms={term.name: term.value for term in terms},
                rule=refusal.rule,
                reasons=(f"left out: {refusal.why}", *candidate.cautions, *sentences(terms)),
                needed=block.last_score if refusal.rule == "quota" and block.quota else None,
            )
        )


def _age_and_id(article: Article) -> tuple[float, str]:
    return (-published(article).timestamp(), article.id)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _places(block: Block) -> str:
    places = "place" if block.quota == 1 else f"{block.quota} places"
    return f"{places} of {block.title} {'is' if block.quota == 1 else 'are'}"
