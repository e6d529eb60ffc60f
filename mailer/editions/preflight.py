"""Everything about an edition that can be checked before anybody gets it, without a network.

``check_edition`` puts one edition before every check (see ``checks``): the bytes a reader would
get, and, where it is given the issue and its articles, what an editor may have overlooked. An
error stops approval; a warning is the editor's to judge. ``docs/preflight.md`` lists every code.
Sending has its own gate for what the law wants; here a missing postal address is a warning, so
that a new publication can be looked at.

Pure: values in, findings out. Known limit: whether a link leads anywhere is not looked up here;
see ``checks.check_online``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from mailer.articles.article import Article, DiaryEntry
from mailer.editions.anatomy import Anatomy, dissect
from mailer.editions.checks.check_characters import check_characters
from mailer.editions.checks.check_duties import check_duties
from mailer.editions.checks.check_issue import check_issue
from mailer.editions.checks.check_links import check_links
from mailer.editions.checks.check_looks import check_looks
from mailer.editions.checks.check_pictures import check_pictures
from mailer.editions.checks.check_size import check_size
from mailer.editions.checks.check_stories import check_stories
from mailer.editions.checks.check_structure import check_structure
from mailer.editions.checks.check_subject import check_subject
from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.finding_places import Places
from mailer.editions.checks.rulebook import RULES, Hit
from mailer.editions.edition import SLOTS, Edition, merge_html, merge_text
from mailer.editions.finding import Finding, Level
from mailer.editions.pictures import PreparedPicture
from mailer.issues.issue import Issue
from mailer.publication import Publication, Region

CHECKS: tuple[Callable[[Exhibit], Hits], ...] = (
    check_size,
    check_characters,
    check_subject,
    check_structure,
    check_links,
    check_pictures,
    check_looks,
    check_duties,
    check_issue,
    check_stories,
)

_READER = {name: f"https://reader.invalid/{name}/{'x' * 60}" for name in SLOTS if "url" in name}
_SAMPLE = {"name": "Reader", "greeting": "Dear Reader,", "address": "reader@mail.invalid"} | _READER


def check_edition(
    edition: Edition,
    *,
    publication: Publication,
    region: Region,
    issue: Issue | None = None,
    articles: Mapping[str, Article] | None = None,
    images: Mapping[str, PreparedPicture] | None = None,
    diary: Sequence[DiaryEntry] | None = None,
    web_url: str = "",
    places: Places | None = None,
    anatomy: Anatomy | None = None,
) -> list[Finding]:
    """Check one edition.

    Args:
        issue, articles, images, diary: what it was rendered from; the checks that need one are
            left out where it is not given.
        web_url: our own address, whose pictures may be on http while developing.
        places: the texts it was made of, by which findings get file and line.
        anatomy: what ``anatomy_of`` gave for it, where somebody has asked already.
    Returns:
        Findings, errors first; empty when there is nothing to say.
    """
    html, words = as_read(edition)
    exhibit = Exhibit(
        edition,
        html=html,
        words=words,
        anatomy=anatomy or dissect(html),
        publication=publication,
        region=region,
        web_url=web_url,
        issue=issue,
        articles=articles,
        images=images,
        diary=diary,
    )
    hits = [hit for check in CHECKS for hit in check(exhibit)]
    where = places or Places(issue_file=f"issues/{edition.issue_id}.md")
    return in_order(to_finding(hit, region=region.slug, places=where) for hit in hits)


def anatomy_of(edition: Edition) -> Anatomy:
    """Return what an edition's HTML is made of, as a sample reader gets it: a third of a check."""
    return dissect(as_read(edition)[0])


def as_read(edition: Edition) -> tuple[str, str]:
    """Return the HTML and the text of an edition as a sample reader gets them."""
    return merge_html(edition.html, _SAMPLE), merge_text(edition.text, _SAMPLE)


def to_finding(hit: Hit, *, places: Places, region: str = "") -> Finding:
    """Return what a check found with its level, its remedy and its place."""
    rule = RULES[hit.code]
    where, line = places.of(hit)
    return Finding(
        rule.level, hit.code, hit.message, region, hit.remedy or rule.remedy, where, line
    )


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings, errors first, otherwise as they came."""
    order = list(Level)
    return sorted(findings, key=lambda finding: order.index(finding.level))
