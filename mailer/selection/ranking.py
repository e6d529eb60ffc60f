"""Choosing: from articles to a proposal in which every choice and rejection keeps its reasons.

1. The hard filters (``filtering``) leave out what may not go in.
2. Twins (``survivors``): of articles that tell one story one stays, by a stated rule; so does none
   that repeats the text of a piece the lists have had.
3. Greedy filling (``filling``). Articles for every reader go to sections, the others to the blocks
   of their regions; one that names no region but is about places of one may go to either. The lead
   comes first, which is the first place of the first section when it takes any story; then what
   limits want at least; then the minimums of the sections, and those of the regions' blocks with
   their own stories; then the best pair of story and section, again and again, until quotas are
   full; then each region's block.
4. The ladder (``ladders``). A region's block takes its own stories first, then its parents', step
   by step. Where that is less than ``region_minimum``, it takes from its nation, then from what is
   for everybody and found no place in a section.

Invariants: no quota is exceeded; no author, source or kind has more than its cap of places in the
sections together, nor in a region's block, save by an editor's pin; nothing left out by a filter
is chosen; every article has a decision; the order of the input does not matter. Ties: the higher
score, then the newer, then the smaller id, then the earlier block.

Known limit: greedy is not optimal; the second best pair of a capped author can lose a place that
a cleverer search would have found. It is explained in one sentence each, which matters more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from mailer.articles.article import Article
from mailer.articles.traits import Traits, traits_of
from mailer.errors import Fault, InvalidInput
from mailer.policies import SelectionPolicy
from mailer.publication import Section
from mailer.selection.candidate import Candidate, candidate_of
from mailer.selection.filling import Block, Filling, region_block
from mailer.selection.filtering import Refusal, SelectionContext, refusals
from mailer.selection.ladders import Router, lent_from
from mailer.selection.lately import Lately
from mailer.selection.reasons import Decision, Likeness, Proposal
from mailer.selection.scoring import sentences
from mailer.selection.similarity import Subjects
from mailer.selection.survivors import tell_apart

__all__ = ["SelectionContext", "propose"]


def propose(
    articles: Sequence[Article],
    *,
    sections: Sequence[Section],
    policy: SelectionPolicy,
    ladders: Mapping[str, tuple[str, ...]],
    context: SelectionContext,
    traits: Mapping[str, Traits] | None = None,
) -> Proposal:
    """Choose the articles of one issue.

    Args:
        articles: every piece to consider, ids unique, in any order. Pieces that lists have had
            may be among them: a new piece that repeats one is then noticed. Their texts may be
            empty where ``traits`` has them.
        sections: the publication's, in order.
        policy: caps, half-life, weights.
        ladders: for each region, in the publication's order, itself and its parents, nearest
            first.
        context: the issue, its window, and what editors and lists have had to say.
        traits: what was worked out of the texts before, by id; the others are worked out now,
            without their places.
    Returns:
        The proposal; ``decisions`` lists the choices in reading order, then the rejections,
        best first.
    Raises:
        InvalidInput: an id stands twice, or a pin names an unknown block or article.
    """
    _check(articles, sections, ladders, context)
    known = traits or {}
    router = Router(sections, ladders, context)
    pinned = {article_id for ids in context.pins.values() for article_id in ids}
    candidates = [
        candidate_of(
            article,
            known.get(article.id) or traits_of(article),
            policy=policy,
            context=context,
            is_pinned=article.id in pinned,
        )
        for article in articles
    ]
    candidates.sort(key=lambda candidate: candidate.order)
    decisions: list[Decision] = []
    passed = []
    for candidate in candidates:
        candidate.fits = router.fits(candidate)
        found = refusals(
            candidate.article,
            context,
            sent_to=router.sent_to(candidate),
            is_pinned=candidate.is_pinned,
        )
        if found:
            decisions.append(_left_out(candidate, found))
        else:
            passed.append(candidate)
    past = [each for each in candidates if each.article.id in router.had]
    unique, twins = tell_apart(passed, [(c.article, c.traits) for c in past], context)
    decisions += [_left_out(candidate, [refusal], twin) for candidate, refusal, twin in twins]
    unique.sort(key=lambda candidate: candidate.order)

    subjects = Subjects(each.traits for each in candidates)
    lately = Lately(subjects, [each.traits for each in past], lists=router.had, size=len(ladders))
    filling = Filling(policy=policy, context=context, subjects=subjects, lately=lately)
    blocks = router.blocks(policy)
    by_id = {candidate.article.id: candidate for candidate in unique}
    for slug, block in blocks.items():
        filling.pin(block, [by_id[i] for i in context.pins.get(slug, ()) if i in by_id])
    for_sections = []
    for candidate in unique:
        offered, refusal = router.route(candidate)
        if any(not blocks[slug].region for slug in offered):
            for_sections.append(candidate)
        if refusal is not None and not filling.is_placed(candidate):
            decisions.append(_left_out(candidate, [refusal]))
        for slug in offered:
            filling.offer(blocks[slug], candidate)
    _fill_minimums(filling, blocks, sections, policy)
    lent = _fill_up(filling, blocks, ladders, policy, router, for_sections)

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
        lent=lent,
    )


def _fill_minimums(
    filling: Filling,
    blocks: Mapping[str, Block],
    sections: Sequence[Section],
    policy: SelectionPolicy,
) -> None:
    """Fill the sections, and of the regions' blocks as much as is wanted at least."""
    in_sections = [blocks[section.slug] for section in sections]
    if sections[0].takes_any:
        filling.fill(in_sections[:1], lambda block: min(1, block.quota))
    for limit in policy.limits:
        filling.fill_wanted(in_sections, limit)
    # Minimums before quotas: a region's one story is not spent on filling up a section.
    filling.fill(in_sections, lambda block: block.section.minimum if block.section else 0)
    for block in blocks.values():
        if block.region:
            filling.fill([block], partial(_least, policy), is_own=True)
    filling.fill(in_sections, _quota)
    # The lead last: of what missed it and another section, the other one tells more.
    for block in reversed(in_sections):
        filling.close(block)


def _fill_up(
    filling: Filling,
    blocks: Mapping[str, Block],
    ladders: Mapping[str, tuple[str, ...]],
    policy: SelectionPolicy,
    router: Router,
    for_sections: Sequence[Candidate],
) -> dict[str, str]:
    """Fill the regions' blocks, at last from up their ladders; return what is lent from where."""
    lent = {}
    for region, ladder in ladders.items():
        block = blocks[region_block(region)]
        filling.fill([block], _quota)
        filling.close(block)
        if len(block.chosen) < _least(policy, block):
            above = router.from_above(region, for_sections, filling.is_in_sections, block.ids)
            for candidate in above:
                filling.offer(block, candidate)
            filling.fill([block], partial(_least, policy))
        if source := lent_from(block, ladder):
            lent[region] = source
    return lent


def _least(policy: SelectionPolicy, block: Block) -> int:
    return min(policy.region_minimum, block.quota)


def _quota(block: Block) -> int:
    return block.quota


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


def _left_out(
    candidate: Candidate, found: Sequence[Refusal], nearest: Likeness | None = None
) -> Decision:
    return Decision(
        candidate.article.id,
        block="",
        is_chosen=False,
        score=candidate.score,
        terms={term.name: term.value for term in candidate.terms},
        rule=found[0].rule,
        reasons=(
            *(f"left out: {refusal.why}" for refusal in found),
            *candidate.cautions,
            *sentences(candidate.terms),
        ),
        nearest=nearest,
    )
