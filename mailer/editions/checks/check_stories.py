"""Stories held against the hour they go out: drafts, embargoes, what has expired or is past.

An embargo and an expiry are held against the hour of the *first* region, because from then on the
issue is in the public archive. A deadline and an event are held against this region's own hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mailer.almanac import long_date
from mailer.articles.article import Article, DiaryEntry
from mailer.articles.entries import upcoming
from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit
from mailer.editions.text import paragraphs
from mailer.issues.issue import Issue
from mailer.issues.remarks import nearest
from mailer.selection.filtering import instant


def check_stories(given: Exhibit) -> Hits:
    """Yield stories and events that should not go out, or not like this."""
    issue = given.issue
    if issue is None:
        return
    due = given.due_at(issue)
    if given.articles is not None:
        public_at = given.public_at(issue)
        for place, name in enumerate(given.edition.article_ids):
            article = given.articles.get(name)
            if article is not None:
                yield from _hour(article, public_at=public_at, due=due)
                yield from _content(article, is_lead=place == 0)
    if given.diary is not None:
        yield from _diary(issue, given.diary, due=due)


def _hour(article: Article, *, public_at: datetime, due: datetime) -> Hits:
    name = f"article {article.id!r}"
    if article.is_draft:
        yield Hit("article-draft", f"{name} is a draft", article=article.id, clue="draft")
    goes_out = f"the issue goes out {instant(public_at)}"
    # The same comparisons as the hard filters of ``selection``: a pick by hand passes neither.
    if article.embargo_until and article.embargo_until > public_at:
        yield Hit(
            "article-embargo",
            f"{name} is under embargo until {instant(article.embargo_until)}; {goes_out}",
            article=article.id,
            clue="embargo",
        )
    if article.expires_at and article.expires_at <= public_at:
        yield Hit(
            "article-expired",
            f"{name} expires {instant(article.expires_at)}; {goes_out}",
            article=article.id,
            clue="expires",
        )
    if article.deadline and article.deadline < due.date():
        yield Hit(
            "deadline-past",
            f"{name}: the deadline was {long_date(article.deadline)}",
            article=article.id,
            clue="deadline",
        )


def _content(article: Article, *, is_lead: bool) -> Hits:
    name = f"article {article.id!r}"
    if not article.standfirst and not paragraphs(article.body_text):
        yield Hit("article-empty", f"{name} has no text", article=article.id)
    for flag in article.flags:
        yield Hit("article-flagged", f"{name}: {flag.note}", article=article.id)
    if is_lead and (article.picture is None or not article.picture.src):
        yield Hit("lead-no-picture", f"the lead, {name}, has no picture", article=article.id)


def _diary(issue: Issue, diary: Sequence[DiaryEntry], *, due: datetime) -> Hits:
    by_id = {entry.id: entry for entry in diary}
    for name in issue.diary:
        entry = by_id.get(name)
        if entry is None:
            near = nearest(name, by_id.keys())
            said = f"diary: there is no entry {name!r}, or it is past"
            yield Hit("diary-unknown", f"{said}; did you mean {near}?" if near else said, clue=name)
        elif upcoming(entry, due.replace(tzinfo=None)) is None:
            at = f", {entry.at:%H:%M}" if entry.at else ""
            yield Hit(
                "diary-past",
                f"diary: {entry.title!r} was on {long_date(entry.until or entry.on)}{at}; "
                f"readers get it {instant(due)}",
                clue=name,
            )
