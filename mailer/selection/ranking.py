"""Choosing: from articles to a proposal in which every choice and rejection keeps its reasons.

1. The hard filters (``filtering``) leave out what may not go in.
2. Twins: of articles that tell one story, the best by priority and recency stays; so does none
   that repeats the text of a piece the lists have had.
3. Greedy filling. Articles for every reader go to sections, the others to the blocks of their
   regions (an article for a parent region also fits its children). The lead, which is the first
   section when it takes any story, is filled first; then the best pair of story and section,
   again and again, until quotas are full; then each region's block.

Invariants: no quota is exceeded; no author or source has more than its cap of places in the
sections together, nor in a region's block, save by an editor's pin; nothing left out by a filter
is chosen; every article has a decision; the order of the input does not matter. Ties: the higher
score, then the newer, then the smaller id, then the earlier block.

Known limit: greedy is not optimal; the second best pair of a capped author can lose a place that
a cleverer search would have found. It is explained in one sentence each, which matters more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mailer.articles.article import Article
from mailer.errors import Fault, InvalidInput
from mailer.policies import SelectionPolicy
from mailer.publication import Section
from mailer.selection.filling import (
    Block,
    Candidate,
    Filling,
    region_block,
)
from mailer.selection.filtering import Refusal, SelectionContext, cautions, refusals
from mailer.selection.reasons import Decision, Likeness, Proposal
from mailer.selection.scoring import priority_term, recency_term, sentences, total
from mailer.selection.similarity import TwinIndex

__all__ = ["SelectionContext", "propose"]


def propose(
    articles: Sequence[Article],
    *,
    sections: Sequence[Section],
    policy: SelectionPolicy,
    ladders: Mapping[str, tuple[str, ...]],
    context: SelectionContext,
) -> Proposal:
    """Choose the articles of one issue.

    Args:
        articles: every piece to consider, ids unique, in any order. Pieces that lists have had
            may be among them: a new piece that repeats one is then noticed.
        sections: the publication's, in order.
        policy: caps, half-life, weights.
        ladders: for each region, in the publication's order, itself and its parents, nearest
            first.
        context: the issue, its window, and what editors and lists have had to say.
    Returns:
        The proposal; ``decisions`` lists the choices in reading order, then the rejections,
        best first.
    Raises:
        InvalidInput: an id stands twice, or a pin names an unknown block or article.
    """
    _check(articles, sections, ladders, context)
    router = _Router(sections, ladders)
    pinned = {article_id for ids in context.pins.values() for article_id in ids}
    candidates = [
        _candidate(article, policy=policy, context=context, is_pinned=article.id in pinned)
        for article in articles
    ]
    candidates.sort(key=lambda candidate: candidate.order)
    decisions: list[Decision] = []
    passed = []
    for candidate in candidates:
        found = refusals(
            candidate.article,
            context,
            sent_to=router.sent_to(candidate, context),
            is_pinned=candidate.is_pinned,
        )
        if found:
            decisions.append(_left_out(candidate, found))
        else:
            passed.append(candidate)
    unique = _without_twins(passed, candidates, context, decisions)

    blocks = router.blocks(policy)
    filling = Filling(policy=policy, context=context, ladders=ladders)
    by_id = {candidate.article.id: candidate for candidate in unique}
    for slug, block in blocks.items():
        filling.pin(block, [by_id[i] for i in context.pins.get(slug, ()) if i in by_id])
    for candidate in unique:
        offered, refusal = router.route(candidate)
        if refusal is not None and not filling.is_placed(candidate):
            decisions.append(_left_out(candidate, [refusal]))
        for slug in offered:
            filling.offer(blocks[slug], candidate)
    in_sections = [blocks[section.slug] for section in sections]
    if sections[0].takes_any:
        filling.fill(in_sections[:1])
    filling.fill(in_sections)
    for region in ladders:
        filling.fill([blocks[region_block(region)]])

    decisions.extend(filling.decisions)
    order = {slug: place for place, slug in enumerate(blocks)}
    decisions.sort(
        key=lambda d: (
            not d.is_chosen,
            (order[d.block], d.rank or 0) if d.is_chosen else (0, 0),
            -d.score,
            d.article_id,
            order.get(d.block, -1),
        )
    )
    return Proposal(
        sections={section.slug: blocks[section.slug].ids for section in sections},
        regions={region: ids for region in ladders if (ids := blocks[region_block(region)].ids)},
        decisions=tuple(decisions),
    )


class _Router:
    """Says which blocks an article may stand in."""

    def __init__(self, sections: Sequence[Section], ladders: Mapping[str, tuple[str, ...]]) -> None:
        self._sections = sections
        self._slugs = {section.slug for section in sections}
        self._ladders = ladders
        steps = [set(ladder) for ladder in ladders.values()]
        # A region that every other falls back to is not a place: it means every reader.
        self._everyone = set.intersection(*steps) if steps else set()

    def blocks(self, policy: SelectionPolicy) -> dict[str, Block]:
        """Return every block by name: sections first, then the regions'."""
        found = {s.slug: Block(s.slug, s.title, s.quota, section=s) for s in self._sections}
        for region in self._ladders:
            name = region_block(region)
            found[name] = Block(name, f"the {region} block", policy.region_quota, region=region)
        return found

    def regions(self, article: Article) -> list[str] | None:
        """Return the regions an article is for; None for every reader."""
        if not article.regions or self._everyone.intersection(article.regions):
            return None
        wanted = set(article.regions)
        return [slug for slug, ladder in self._ladders.items() if wanted.intersection(ladder)]

    def sent_to(self, candidate: Candidate, context: SelectionContext) -> list[str]:
        """Return the lists that bar an article: any, for all readers; else all of its own."""
        article_id = candidate.article.id
        had = [region for region, other in context.exposures if other == article_id]
        regions = self.regions(candidate.article)
        if regions is None:
            return had
        return had if regions and set(regions) <= set(had) else []

    def route(self, candidate: Candidate) -> tuple[list[str], Refusal | None]:
        """Return the blocks to offer an article to, or why there is none."""
        article = candidate.article
        regions = self.regions(article)
        if regions is not None:
            if regions:
                return [region_block(slug) for slug in regions], None
            named = ", ".join(article.regions)
            return [], Refusal("no-region", f"{named} is not a region of the publication")
        named = article.section if article.section in self._slugs else ""
        offered = [
            section.slug
            for place, section in enumerate(self._sections)
            if section.slug == named or (section.takes_any and (not named or place == 0))
        ]
        if offered:
            return offered, None
        if article.section:
            return [], Refusal("no-section", f"{article.section} is not a section here")
        return [], Refusal("no-section", "it names no section and none takes any story")


def _check(
    articles: Sequence[Article],
    sections: Sequence[Section],
    ladders: Mapping[str, tuple[str, ...]],
    context: SelectionContext,
) -> None:
    ids = [article.id for article in articles]
    known = set(ids)
    faults = []
    if len(known) < len(ids):
        twice = sorted({article_id for article_id in ids if ids.count(article_id) > 1})
        faults.append(Fault(f"articles stand twice: {', '.join(twice)}", field="articles"))
    if not sections:
        faults.append(Fault("there is no section to fill", field="sections"))
    blocks = {section.slug for section in sections} | {region_block(slug) for slug in ladders}
    for block, pinned in context.pins.items():
        if block not in blocks:
            faults.append(Fault(f"{block} is neither a section nor region:SLUG", field="pins"))
        faults.extend(
            Fault(f"there is no article {article_id}", field=f"pins.{block}")
            for article_id in pinned
            if article_id not in known
        )
    if faults:
        raise InvalidInput(faults)


def _candidate(
    article: Article, *, policy: SelectionPolicy, context: SelectionContext, is_pinned: bool
) -> Candidate:
    weights = policy.weights
    return Candidate(
        article,
        terms=(
            priority_term(article, weight=weights.priority),
            recency_term(
                article,
                until=context.window_until,
                half_life_days=policy.half_life_days,
                weight=weights.recency,
            ),
        ),
        is_pinned=is_pinned,
        cautions=cautions(article, context),
    )


def _without_twins(
    passed: Iterable[Candidate],
    everything: Iterable[Candidate],
    context: SelectionContext,
    decisions: list[Decision],
) -> list[Candidate]:
    had = {article_id for _, article_id in context.exposures}
    # Regular columns keep one title for ever, so against the past only the text counts.
    past = TwinIndex(by_title=False)
    for candidate in sorted(everything, key=lambda c: c.article.id):
        if candidate.article.id in had:
            past.add(candidate.article)
    index = TwinIndex()
    kept = []
    # A pin is kept whatever it repeats, and what repeats a pin is not.
    for candidate in sorted(passed, key=lambda c: not c.is_pinned):
        if not candidate.is_pinned:
            if twin := index.find(candidate.article):
                why = f"a twin of {twin.article_id}, which ranks higher: {twin}"
                decisions.append(_left_out(candidate, [Refusal("twin", why)], twin))
                continue
            if twin := past.find(candidate.article):
                why = f"a twin of {twin.article_id}, which was sent before: {twin}"
                decisions.append(_left_out(candidate, [Refusal("twin", why)], twin))
                continue
        index.add(candidate.article)
        kept.append(candidate)
    return sorted(kept, key=lambda c: c.order)


def _left_out(
    candidate: Candidate, found: Sequence[Refusal], nearest: Likeness | None = None
) -> Decision:
    return Decision(
        candidate.article.id,
        block="",
        is_chosen=False,
        score=total(candidate.terms),
        terms={term.name: term.value for term in candidate.terms},
        rule=found[0].rule,
        reasons=(
            *(f"left out: {refusal.why}" for refusal in found),
            *candidate.cautions,
            *sentences(candidate.terms),
        ),
        nearest=nearest,
    )
