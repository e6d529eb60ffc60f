"""The choice, explained: one decision an article and list, chosen or not, with its reasons.

These values are what the draft prints as comments and what ``mailer why`` reads back.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Decision:
    """What happened to one article for one block of the issue.

    ``block`` is a section's slug, or ``region:<slug>`` for a region's own block; empty when the
    article was excluded before any block looked at it. ``rank`` counts from 1 within the block
    and is None when not chosen. ``score`` is the sum of ``terms``. ``rule`` names the filter or
    cap that excluded it (``draft``, ``window``, ``quota`` ...), empty when chosen. ``reasons``
    are sentences for a person, most telling first.
    """

    article_id: str
    block: str
    is_chosen: bool
    score: float = 0.0
    terms: dict[str, float] = field(default_factory=dict)
    rank: int | None = None
    rule: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A selection for one issue.

    ``sections`` maps a section slug to article ids in order, in the publication's section order;
    ``regions`` maps a region slug to the ids of its own block. ``decisions`` holds every choice
    and every rejection.
    """

    sections: dict[str, tuple[str, ...]]
    regions: dict[str, tuple[str, ...]]
    decisions: tuple[Decision, ...]
