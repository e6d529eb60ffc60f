"""What would have given an article its place: one clause for each rule that can leave it out.

Said to an editor beside the reason; it names what is theirs to do. A pin, which is an article's
id written into the issue's file, passes the window, the twins and the caps, so it is the last
resort of most; what would reach readers too early, too late or twice it does not help.
"""

from __future__ import annotations

import math

from mailer.selection.reasons import Decision

MOST = 100
"""The highest priority there is."""

PIN = "a pin: write its id into the issue's file"

_BY_RULE = {
    "draft": "being finished: take `draft: true` out of its front matter",
    "embargo": "an earlier embargo, or a later issue",
    "dated-later": "an earlier `date:` if it is out already, or a later issue",
    "expired": "a later `expires`, or none",
    "deadline-past": "a deadline that is still to come; correct it if it is wrong",
    "already-sent": "`follow_up: true` under it in the issue's file, if readers may have it again",
    "blocked": "nothing but the editor who blocked it",
    "window": f"{PIN}; by itself it does not come up again",
    "too-new": f"drafting once more; the next issue looks at it by itself; or {PIN}",
    "no-region": "a region of this publication in its front matter",
    "no-section": "a section of this publication in its front matter",
    "kind": "another section, or another kind, in its front matter",
    "no-picture": "a picture with its alternative text in its front matter",
    "no-standfirst": "a standfirst in its front matter",
    "author": f"a higher `per_author`, or {PIN}",
    "source": f"a higher `per_source`, or {PIN}",
}


def remedy(decision: Decision, *, priority: int, weight: float) -> str:
    """Say what would have changed a decision; "" for a choice.

    Args:
        decision: what was decided.
        priority: the article's own, -100 to 100.
        weight: what the publication lets a priority of 100 add to a score.
    """
    if decision.is_chosen:
        return ""
    if decision.needed is not None:
        return _more(max(decision.needed - decision.score, 0.0), priority, weight)
    if decision.rule == "twin" and decision.nearest is not None:
        return f"ranking above {decision.nearest.article_id}, which tells the same; or {PIN}"
    return _BY_RULE.get(decision.rule, PIN)


def _more(lacking: float, priority: int, weight: float) -> str:
    if weight <= 0:
        return f"{lacking:.2f} more, and priority counts for nothing here; {PIN}"
    # The same score is not enough: of two equals the other one may stay.
    wanted = priority + math.floor(round(lacking * MOST / weight, 6)) + 1
    if wanted <= MOST:
        return f"{lacking:.2f} more: a priority of {wanted} instead of {priority}"
    return f"{lacking:.2f} more, which no priority gives; {PIN}"
