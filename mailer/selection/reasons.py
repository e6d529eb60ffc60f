"""The choice, explained: one decision an article and list, chosen or not, with its reasons.

These values are what the draft prints as comments and what ``mailer why`` reads back.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Likeness:
    """The article that another one is nearest to, by what measure, and how much (0 to 1).

    ``measure`` is ``url`` (the same page), ``title`` (headlines that read alike), ``jaccard`` (two
    versions of a text), ``containment`` (one text inside the other) or ``words`` (the same subject
    in other words, by TF-IDF). The first four make twins; the last only costs score.
    """

    article_id: str
    measure: str
    value: float

    def __str__(self) -> str:
        share = f"{self.value:.0%}"
        match self.measure:
            case "url":
                return "it is the same page"
            case "title" if self.value >= 1:
                return "the title is the same"
            case "title":
                return f"the titles are {share} alike"
            case "words":
                return f"the words are {share} alike"
            case "jaccard":
                return f"{share} of the two texts is shared"
            case _:
                return f"{share} of the text is the same"


@dataclass(frozen=True, slots=True)
class Decision:
    """What happened to one article for one block of the issue.

    ``block`` is a section's slug, or ``region:<slug>`` for a region's own block; empty when the
    article was excluded before any block looked at it. ``rank`` counts from 1 within the block
    and is None when not chosen. ``score`` is the sum of ``terms``. ``rule`` names the filter or
    cap that excluded it (``draft``, ``window``, ``quota`` ...), empty when chosen. ``reasons``
    are sentences for a person, most telling first.

    ``nearest`` is the article it is a twin of or, failing that, the chosen or sent one it is most
    like; None where it is like none. ``needed`` is the score with which it would have had a place
    in that block, as the others stood: more than the last chosen one's. It is None when chosen
    and where no score would have helped. ``steps`` is how far up its ladder a region's block took
    it from; 0 is the region's own.
    """

    article_id: str
    block: str
    is_chosen: bool
    score: float = 0.0
    terms: dict[str, float] = field(default_factory=dict)
    rank: int | None = None
    rule: str = ""
    reasons: tuple[str, ...] = ()
    nearest: Likeness | None = None
    needed: float | None = None
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A selection for one issue.

    ``sections`` maps a section slug to article ids in order, in the publication's section order;
    ``regions`` maps a region slug to the ids of its own block. ``lent`` names the regions whose
    block holds nothing of their own, with the step of the ladder it is from. ``decisions`` holds
    every choice and every rejection.
    """

    sections: dict[str, tuple[str, ...]]
    regions: dict[str, tuple[str, ...]]
    decisions: tuple[Decision, ...]
    lent: dict[str, str] = field(default_factory=dict)
