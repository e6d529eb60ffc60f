"""How sure the reading of a piece is, from 0 to 1, and what makes it less than sure.

Every doubt is a flag with a code; ``DOUBTS`` says what each takes away. The sure part is the
product: two doubts of 0.2 leave 0.64. Flags that only inform take nothing. So a figure always has
its reasons beside it, and a piece without doubts is 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailer.articles.article import Flag

UNSURE = 0.8
"""Below this a piece is shown in the review."""

DOUBTS: dict[str, float] = {
    # Where a piece begins and ends.
    "headline-made": 0.4,
    "continuation-unmatched": 0.4,
    "part-or-article": 0.35,
    "continuation-unsure": 0.35,
    "continuation-missing": 0.3,
    "heading-above": 0.3,
    "very-short": 0.25,
    "text-rejoined": 0.15,
    "opening-moved": 0.1,
    "continued": 0.1,
    "break-unclear": 0.1,
    "tail-dropped": 0.1,
    "after-comment-form": 0.1,
    # What it is called and who wrote it.
    "headline-unclear": 0.3,
    "strapline-dropped": 0.1,
    "standfirst-unclear": 0.1,
    "title-joined": 0.1,
    "title-recased": 0.05,
    "no-byline": 0.15,
    "beginning-only": 0.3,
    "byline-from-heading": 0.1,
    "byline-from-headline": 0.05,
    "byline-from-standfirst": 0.05,
    "organisation-byline": 0.05,
    # What stands beside it.
    "pull-quote": 0.1,
    "pull-quote-taken": 0.05,
    "caption-from-repeat": 0.05,
    "kicker": 0.05,
    # When it is from.
    "no-date": 0.1,
    "deadline-unclear": 0.1,
    "deadline-from-text": 0.05,
    "expires-before-date": 0.1,
    "date-odd": 0.1,
    "date-from-masthead": 0.0,
    # What only informs an editor.
    "syndicated": 0.0,
    "page-reference": 0.0,
    "region-suggested": 0.0,
    # What is about a whole document.
    "left-over": 0.0,
    "ruling-unmatched": 0.0,
    "item-refused": 0.0,
    "items-without-words": 0.0,
}


def confidence(flags: Sequence[Flag]) -> float:
    """Return how sure a reading with these flags is, to two places."""
    sure = 1.0
    for flag in flags:
        sure *= 1 - doubt_of(flag.code)
    return round(sure, 2)


def doubt_of(code: str) -> float:
    """Return what a flag takes away; one that is not known takes a little."""
    return DOUBTS.get(code, 0.05)
