"""Twelve labelled weeks: reading them, choosing for each, and holding the choice to its labels.

A file of ``tests/fixtures/weeks`` has the cut-off, its articles and its labels:

- ``must_pick``: by section or ``region:SLUG``, what has to stand there; under ``any``, anywhere;
  ``lent`` names the regions that have nothing of their own;
- ``must_not``: ``rule`` names the rule that has to leave an article out, ``sections`` the one that
  keeps it out of the sections (a region may be lent it), ``nowhere`` what must be
  in no block whatever the rule, ``not_in`` the blocks that one must not be in, ``twins`` what
  must not be taken for one story with anything;
- ``one_story``: articles that are one story, the one that stays, and those that give way to it;
- ``pins`` and ``blocked``: what the editor asked for.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from mailer.articles.article import Article, Kind, Picture
from mailer.articles.gazetteer import nation_of
from mailer.articles.placing import Placer
from mailer.articles.traits import Traits, traits_of
from mailer.policies import Limit, SelectionPolicy
from mailer.publication import Section
from mailer.selection.ranking import SelectionContext, propose
from mailer.selection.reasons import Proposal

FOLDER = Path(__file__).parent / "fixtures" / "weeks"
WHOLE_WORDS = 130
SECTIONS = (
    Section(slug="lead", title="Lead", quota=1, minimum=1, takes_any=True, needs_picture=True),
    Section(slug="news", title="News", quota=3, minimum=2, takes_any=True),
    Section(slug="analysis", title="Analysis", quota=1),
    Section(slug="culture", title="Culture", quota=1),
)
LADDERS = {
    "national": ("national",),
    "north": ("north", "national"),
    "hull": ("hull", "north", "national"),
    "west": ("west", "national"),
    "wales": ("wales", "national"),
    "thames": ("thames", "national"),
    "kent": ("kent", "national"),
}
PLACES = {
    "national": ("The whole country",),
    "north": ("Yorkshire",),
    "hull": ("Hull", "East Riding of Yorkshire"),
    "west": ("Somerset", "Bristol"),
    "wales": ("Wales",),
    "thames": ("Berkshire",),
    "kent": ("Kent",),
}
PLACER = Placer(PLACES)
POLICY = SelectionPolicy(
    region_quota=2,
    limits=(Limit(kind="interview", at_most=1), Limit(source="Harbour Wire", at_most=2)),
)


@dataclass(frozen=True)
class Week:
    """One week's articles, and what is said of them."""

    number: int
    cut_off: datetime
    articles: tuple[Article, ...]
    labels: dict[str, Any]

    @property
    def window_from(self) -> datetime:
        return self.cut_off - timedelta(days=7)


def _filler(article_id: str, count: int) -> str:
    # The same words in every text, in an order of its own: it shares no run with another.
    chance = random.Random(article_id)
    return " ".join(chance.choice(_COMMON) for _ in range(max(count, 0)))


_COMMON = [
    f"{first}{last}"
    for first in ["belo", "dari", "falu", "gemo", "hasi", "jeka"]
    for last in "nrtlsk"
]


@cache
def weeks() -> tuple[Week, ...]:
    """Return the twelve weeks in order."""
    texts: dict[str, str] = {}
    found = []
    for number, path in enumerate(sorted(FOLDER.glob("*.toml")), 1):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        cut_off = data["cut_off"].astimezone(UTC)
        rows = sorted(data.pop("articles"), key=lambda row: "copy_of" in row or "copy_also" in row)
        articles = tuple(_article(row, cut_off, path.stem, texts) for row in rows)
        found.append(Week(number, cut_off, articles, data))
    return tuple(found)


def _article(row: dict[str, Any], cut_off: datetime, week: str, texts: dict[str, str]) -> Article:
    def text_of(name: str) -> str:
        return texts[name if "/" in name else f"{week}/{name}"]

    text = row.get("text", "")
    if copied := row.get("copy_of"):
        text = " ".join(text_of(copied).split()[: row["words"]]) + f" {row.get('more', '')}"
    elif not row.get("brief"):
        text = f"{text} {_filler(row['id'], WHOLE_WORDS - len(text.split()))}"
    if also := row.get("copy_also"):
        text = f"{text} {text_of(also)}"
    texts[f"{week}/{row['id']}"] = text = text.strip()
    days = row["days"]
    return Article(
        id=row["id"],
        title=row["title"],
        body_html=f"<p>{text}</p>",
        body_text=text,
        content_hash=row["id"],
        first_seen_at=cut_off - timedelta(days=days),
        published_at=cut_off - timedelta(days=days),
        kind=Kind(row.get("kind", "news")),
        standfirst=row.get("standfirst", ""),
        authors=tuple(row.get("authors", ())),
        url=row.get("url", ""),
        picture=Picture("images/view.jpg", "A view") if row.get("picture") else None,
        section=row.get("section", ""),
        regions=tuple(row.get("regions", ())),
        priority=row.get("priority", 0),
        source=row.get("source", ""),
        is_draft=row.get("is_draft", False),
        embargo_until=_after(cut_off, row.get("embargo_days")),
        expires_at=_after(cut_off, row.get("expires_days")),
        deadline=(cut_off + timedelta(days=row["deadline_days"])).date()
        if "deadline_days" in row
        else None,
    )


def _after(cut_off: datetime, days: float | None) -> datetime | None:
    return cut_off + timedelta(days=days) if days is not None else None


@cache
def traits(article: Article) -> Traits:
    """Return an article's traits, worked out once for all tests."""
    return traits_of(article, PLACER)


Stocked = Callable[[Week, set[str]], tuple[Iterable[Article], dict[str, Traits]]]


def choose_all(stocked: Stocked) -> list[Proposal]:
    """Choose for each week in turn, with what the lists had carried over.

    Args:
        stocked: returns what may be chosen in a week, and what lists had of the ids given.
    """
    exposures: set[tuple[str, str]] = set()
    found = []
    for week in weeks():
        articles, known = stocked(week, {article_id for _, article_id in exposures})
        context = SelectionContext(
            issue_id=f"{week.cut_off + timedelta(days=3):%Y-%m-%d}",
            now=week.cut_off,
            window_from=week.window_from,
            window_until=week.cut_off,
            due_at=week.cut_off + timedelta(days=2, hours=19),
            exposures=frozenset(exposures),
            pins={slug: tuple(ids) for slug, ids in week.labels.get("pins", {}).items()},
            blocked=frozenset(week.labels.get("blocked", {}).get("ids", ())),
            source_weights={"agency": 0.6, "harbour wire": 1.0},
            own_sources=frozenset({"the lantern"}),
            nation_of=lambda slug: nation_of(PLACES[slug]),
        )
        proposal = propose(
            list(articles),
            sections=SECTIONS,
            policy=POLICY,
            ladders=LADDERS,
            context=context,
            traits=known,
        )
        for ids in proposal.sections.values():
            exposures |= {(region, article_id) for region in LADDERS for article_id in ids}
        for region, ids in proposal.regions.items():
            exposures |= {(region, article_id) for article_id in ids}
        found.append(proposal)
    return found


def broken_labels(week: Week, proposal: Proposal) -> list[str]:
    """Return what of a week's labels the choice does not keep; empty when all is well."""
    blocks = {**proposal.sections, **{f"region:{s}": ids for s, ids in proposal.regions.items()}}
    chosen = {article_id for ids in blocks.values() for article_id in ids}
    rules: dict[str, set[str]] = {}
    twins = {}
    for decision in proposal.decisions:
        rules.setdefault(decision.article_id, set()).add(decision.rule)
        if decision.rule == "twin" and decision.nearest:
            twins[decision.article_id] = decision.nearest.article_id
    faults = []
    for block, wanted in week.labels.get("must_pick", {}).items():
        if block == "lent":
            holding = set(proposal.lent)
        else:
            holding = chosen if block == "any" else set(blocks.get(block, ()))
        faults += [f"{block} does not hold {name}: {rules.get(name)}" for name in wanted
                   if name not in holding]  # fmt: skip
    banned = week.labels.get("must_not", {})
    for name, rule in banned.get("rule", {}).items():
        if name in chosen or rule not in rules.get(name, ()):
            faults.append(f"{name} is not left out by {rule}: {rules.get(name)}")
    in_sections = {article_id for ids in proposal.sections.values() for article_id in ids}
    for name, rule in banned.get("sections", {}).items():
        if name in in_sections or rule not in rules.get(name, ()):
            faults.append(f"{name} is not kept out of a section by {rule}: {rules.get(name)}")
    faults += [f"{name} is called a twin" for name in banned.get("twins", ()) if name in twins]
    faults += [f"{name} is chosen" for name in banned.get("nowhere", ()) if name in chosen]
    for name, places in banned.get("not_in", {}).items():
        faults += [f"{name} stands in {place}" for place in places if name in blocks.get(place, ())]
    for story in week.labels.get("one_story", ()):
        faults += [
            f"{other} gives way to {twins.get(other)}, not to {story['stays']}"
            for other in story["others"]
            if twins.get(other) != story["stays"]
        ]
    return [f"week {week.number}: {fault}" for fault in faults]
