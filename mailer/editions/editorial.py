"""What an editor may have overlooked in an issue: checks on its content, not on its form.

Part of ``preflight``. Each check yields level, code, message and remedy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from mailer.almanac import long_date
from mailer.articles.article import Article, DiaryEntry
from mailer.editions.edition import Edition
from mailer.editions.finding import Level
from mailer.editions.pictures import PreparedPicture
from mailer.editions.text import paragraphs
from mailer.issues.issue import Issue, RegionBlock
from mailer.issues.writing import PLACEHOLDER
from mailer.localtime import first_send_at
from mailer.publication import Publication, Region
from mailer.selection.filtering import instant

_Found = Iterator[tuple[Level, str, str, str]]

SHARP = 1.5
"""A picture should have this many pixels for each it is shown at."""
SHOWN_LEAD = 640
SHOWN_THUMB = 200


def check_content(
    issue: Issue,
    *,
    edition: Edition,
    publication: Publication,
    region: Region,
    articles: Mapping[str, Article] | None,
    images: Mapping[str, PreparedPicture] | None,
    diary: Sequence[DiaryEntry] | None,
) -> _Found:
    """Yield what an editor should look at before approving."""
    yield from _opening(issue)
    yield from _region(issue, publication, region)
    if not edition.article_ids:
        yield Level.ERROR, "no-stories", "the edition shows no story", "pick some in the issue"
    if articles is not None:
        due = first_send_at(publication, issue.date).astimezone(ZoneInfo(publication.time_zone))
        for place, name in enumerate(edition.article_ids):
            if name in articles:
                yield from _article(articles[name], issue, due=due, is_lead=place == 0)
                yield from _picture(articles[name], images, is_lead=place == 0)
    if diary is not None:
        yield from _diary(issue, diary)


def _opening(issue: Issue) -> _Found:
    where = f"issues/{issue.id}.md"
    marker = PLACEHOLDER.strip("<!-> ")
    if marker in issue.opening:
        yield (
            Level.ERROR,
            "opening-placeholder",
            f"{where}: the columnist's opening still says {marker!r}",
            "write the opening in its place",
        )
    elif not issue.opening.strip():
        yield (
            Level.WARNING,
            "opening-empty",
            f"{where}: the columnist has written no opening",
            "write it below the front matter",
        )
    if not issue.preheader.strip():
        yield (
            Level.NOTE,
            "preheader-made",
            f"{where}: the preheader is made of headlines",
            "write one sentence of about 90 characters",
        )


def _region(issue: Issue, publication: Publication, region: Region) -> _Found:
    ladder = publication.ladder(region.slug)
    blocks = [issue.regions.get(slug, RegionBlock()) for slug in ladder]
    if not blocks[0].picks and not blocks[0].note.strip():
        if any(block.picks or block.note.strip() for block in blocks[1:]):
            yield (
                Level.NOTE,
                "region-inherits",
                "the region has nothing of its own and shows its parent's block",
                "",
            )
        else:
            yield Level.NOTE, "region-empty", "the region has nothing of its own", ""
    if region.parent and not region.group_contact:
        yield Level.NOTE, "region-no-contact", f"{region.name} has no group_contact", ""


def _article(article: Article, issue: Issue, *, due: datetime, is_lead: bool) -> _Found:
    """Check an article at ``due``, when the first region gets the issue."""
    name = f"article {article.id!r}"
    if article.is_draft:
        yield Level.ERROR, "article-draft", f"{name} is a draft", "publish it or take it out"
    goes_out = f"the issue goes out {instant(due)}"
    # The same comparisons as the hard filters of ``selection``: a pick by hand passes neither.
    if article.embargo_until and article.embargo_until > due:
        yield (
            Level.ERROR,
            "article-embargo",
            f"{name} is under embargo until {instant(article.embargo_until)}; {goes_out}",
            "take it out of this issue",
        )
    if article.expires_at and article.expires_at <= due:
        yield (
            Level.ERROR,
            "article-expired",
            f"{name} expires {instant(article.expires_at)}; {goes_out}",
            "take it out of this issue",
        )
    if article.deadline and article.deadline < issue.date:
        yield (
            Level.WARNING,
            "deadline-past",
            f"{name}: the deadline was {long_date(article.deadline)}",
            "take it out of this issue",
        )
    if not article.standfirst and not paragraphs(article.body_text):
        yield Level.WARNING, "article-empty", f"{name} has no text", "write a standfirst"
    if is_lead and (article.picture is None or not article.picture.src):
        yield (
            Level.NOTE,
            "lead-no-picture",
            f"the lead, {name}, has no picture",
            "an issue looks better with one",
        )


def _picture(
    article: Article, images: Mapping[str, PreparedPicture] | None, *, is_lead: bool
) -> _Found:
    picture = article.picture
    if picture is None or not picture.src:
        return
    name = f"article {article.id!r}"
    if not picture.credit:
        yield (
            Level.WARNING,
            "picture-no-credit",
            f"{name}: nobody is credited for the picture {picture.src}",
            "write image_credit into the article",
        )
    if picture.alt is None:
        yield (
            Level.WARNING,
            "picture-undescribed",
            f"{name}: nobody has said what the picture {picture.src} shows",
            'write image_alt into the article, or image_alt: "" if it only decorates',
        )
    prepared = (images or {}).get(picture.src)
    if prepared is None:
        return
    shown = prepared.lead if is_lead else prepared.thumb
    width = SHOWN_LEAD if is_lead else SHOWN_THUMB
    if shown.width < width * SHARP:
        yield (
            Level.NOTE,
            "picture-small",
            f"{name}: the picture {picture.src} has {shown.width} px where {width} are shown",
            "a larger file would be sharper",
        )


def _diary(issue: Issue, diary: Sequence[DiaryEntry]) -> _Found:
    by_id = {entry.id: entry for entry in diary}
    for name in issue.diary:
        entry = by_id.get(name)
        if entry is None:
            yield (
                Level.WARNING,
                "diary-unknown",
                f"diary: there is no entry {name!r}, or it is past",
                "take it out of the issue",
            )
        elif entry.on < issue.date:
            yield (
                Level.WARNING,
                "diary-past",
                f"diary: {entry.title!r} was on {long_date(entry.on)}",
                "take it out of the issue",
            )
