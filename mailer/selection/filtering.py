"""What may not enter an issue at all, whatever its score: the hard filters, in order.

The window is half open, ``[from, until)``, and looks at when an article was first seen: the cut-
off of one issue is the start of the next, so that nothing is missed and nothing comes twice.
Embargo, expiry and deadline are judged at the time the issue goes out, not when it is drafted.
The first filter that holds names the rule; every one that holds gives its sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailer.almanac import short_date
from mailer.articles.article import Article
from mailer.selection.reasons import Decision
from mailer.selection.scoring import DAY
from mailer.sources import source_key


def _no_nation(_region: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class SelectionContext:
    """What a selection is made for.

    ``now`` and the window's ends are aware UTC. ``exposures`` are the pairs (region, article id)
    that lists have been sent in other issues. ``pins`` maps a block to the ids an editor wants
    in it, in order: they pass the window, the twins and the caps, never another filter or a
    quota. ``blocked`` are ids an editor does not want. ``due_at`` is when the issue goes out, in
    the publication's own time zone (its date is held against deadlines); None means ``now``.

    ``source_weights`` has the sources' own weights by folded name, 1 where one is not named;
    ``own_sources`` the folded names under which the publication itself publishes. ``names`` has the
    regions' names for readers; ``nation_of`` says in which nation a region lies, "" for none or
    several.
    """

    issue_id: str
    now: datetime
    window_from: datetime
    window_until: datetime
    exposures: frozenset[tuple[str, str]] = frozenset()
    pins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    due_at: datetime | None = None
    source_weights: Mapping[str, float] = field(default_factory=dict)
    own_sources: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    nation_of: Callable[[str], str] = _no_nation

    def worth(self, source: str) -> float:
        """Return a source's own weight; 1 for one that nobody weighed."""
        return self.source_weights.get(source_key(source), 1.0)

    @property
    def goes_out_at(self) -> datetime:
        """When readers get it, as far as is known."""
        return self.due_at or self.now


@dataclass(frozen=True, slots=True)
class Refusal:
    """The rule that leaves an article out, and a clause saying why, with figures."""

    rule: str
    why: str


def refusals(
    article: Article, context: SelectionContext, *, sent_to: Collection[str], is_pinned: bool
) -> list[Refusal]:
    """Return every hard filter that leaves the article out, in the filters' order.

    Args:
        article: the piece.
        context: what the selection is made for.
        sent_to: the lists that had it already and would get it again; empty when none.
        is_pinned: an editor asked for it, so the window does not count.
    """
    due = context.goes_out_at
    found = []
    if article.is_draft:
        found.append(Refusal("draft", "it is marked as a draft"))
    if article.embargo_until is not None and article.embargo_until > due:
        found.append(
            Refusal(
                "embargo",
                f"its embargo ends {instant(article.embargo_until)}, "
                f"after the issue goes out {instant(due)}",
            )
        )
    elif article.dated_at is not None and article.dated_at > due:
        found.append(
            Refusal(
                "dated-later",
                f"it is dated {instant(article.dated_at)}, after the issue goes out {instant(due)}",
            )
        )
    if article.expires_at is not None and article.expires_at <= due:
        found.append(
            Refusal(
                "expired",
                f"it expires {instant(article.expires_at)}, "
                f"by the time the issue goes out {instant(due)}",
            )
        )
    if _is_late(article, due) and not _is_guessed(article):
        found.append(Refusal("deadline-past", _lateness(article, due)))
    if not is_pinned and (outside := _outside(article, context)):
        found.append(outside)
    if sent_to:
        found.append(Refusal("already-sent", f"already sent to {some(sorted(sent_to))}"))
    if article.id in context.blocked:
        found.append(Refusal("blocked", "an editor blocked it for this issue"))
    return found


def never_considered(article: Article, context: SelectionContext) -> Decision | None:
    """Say why an issue's choice never came to an article; None where it ought to have."""
    found = refusals(article, context, sent_to=(), is_pinned=False)
    if not found:
        return None
    why = tuple(f"left out: {refusal.why}" for refusal in found)
    return Decision(article.id, block="", is_chosen=False, rule=found[0].rule, reasons=why)


def cautions(article: Article, context: SelectionContext) -> tuple[str, ...]:
    """Return what does not leave an article out but wants an editor's eye, in sentences.

    A deadline in a year that nobody wrote may be next year's, so it cannot decide.
    """
    due = context.goes_out_at
    if _is_late(article, due) and _is_guessed(article):
        return ("its deadline looks past; the year was inferred, check it",)
    return ()


def _is_late(article: Article, due: datetime) -> bool:
    return article.deadline is not None and article.deadline < due.date()


def _is_guessed(article: Article) -> bool:
    # Both flags: a year may have been inferred for another date than the deadline.
    return {"deadline-from-text", "year-inferred"} <= {flag.code for flag in article.flags}


def _lateness(article: Article, due: datetime) -> str:
    deadline = short_date(article.deadline) if article.deadline else ""
    return f"its deadline {deadline} is past when the issue goes out on {short_date(due.date())}"


MOMENT = timedelta(microseconds=1)


def _outside(article: Article, context: SelectionContext) -> Refusal | None:
    # A piece under embargo, or dated ahead, comes into the window on the day it is free.
    seen = article.first_seen_at
    free_at = max(seen, article.embargo_until or seen, article.dated_at or seen)
    if free_at > seen:
        seen = min(free_at, max(seen, context.window_until - MOMENT))
    if seen < context.window_from:
        early = (context.window_from - seen) / DAY
        return Refusal(
            "window",
            f"first seen {instant(seen)}, {early:.1f} days before the window opened "
            f"{instant(context.window_from)}",
        )
    if seen >= context.window_until:
        until = instant(context.window_until)
        return Refusal("too-new", f"first seen {instant(seen)}, not before the cut-off {until}")
    return None


def instant(value: datetime) -> str:
    """Write an instant for a person: 2026-11-27 12:00 UTC."""
    return f"{value:%Y-%m-%d %H:%M} {value.tzname() or ''}".rstrip()


def some(names: Collection[str], *, most: int = 6) -> str:
    """Join names, the first few and how many more."""
    listed = list(names)
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")
