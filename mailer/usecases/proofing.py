"""Render, check and send proofs: what comes before a reader gets anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailer.app import App
from mailer.articles.article import Article, DiaryEntry
from mailer.editions.anatomy import Anatomy
from mailer.editions.checks.finding_places import Places
from mailer.editions.checks.rulebook import found
from mailer.editions.edition import Edition
from mailer.editions.finding import Finding, Level
from mailer.editions.pictures import PreparedImages
from mailer.editions.preflight import anatomy_of, check_edition
from mailer.editions.recipe import kept_entries
from mailer.editions.rendering import render_edition
from mailer.editions.templates import TemplateSet
from mailer.issues.column import is_substituted, with_column
from mailer.issues.issue import APPROVED_STATES, FROZEN_STATES, Issue
from mailer.publication import Region
from mailer.usecases.issue_texts import places_of
from mailer.usecases.picture_fetching import pictures_of
from mailer.usecases.repeats import repeats
from mailer.usecases.segmenting import absent_fields

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What an issue's editions are rendered from: the same for every region."""

    issue: Issue
    articles: Mapping[str, Article]
    diary: Sequence[DiaryEntry]
    prepared: PreparedImages
    places: Places
    templates: TemplateSet


@dataclass(frozen=True, slots=True)
class Rendered:
    """An issue with its editions by region, what the checks found, what they were made of and are.

    ``anatomies`` are what each edition's HTML is made of, by region.
    """

    issue: Issue
    editions: dict[str, Edition]
    findings: tuple[Finding, ...]
    given: Ingredients
    anatomies: dict[str, Anatomy]


def render(
    app: App,
    name: str,
    *,
    regions: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Rendered:
    """Render an issue's editions from its file as it is now, and check each.

    Args:
        app: the publication.
        name: the issue's id.
        regions: only these; None for all.
        progress: called with done and total.
    """
    wanted = app.regions(list(regions) if regions else None)
    given = gather(app, name)
    findings = check_issue(app, given)
    editions: dict[str, Edition] = {}
    anatomies: dict[str, Anatomy] = {}
    for done, region in enumerate(wanted, 1):
        edition = editions[region.slug] = render_region(app, given, region)
        anatomy = anatomies[region.slug] = anatomy_of(edition)
        findings += check_region(app, given, edition, anatomy)
        if progress:
            progress(done, len(wanted))
    findings += absent(app, editions)
    once = tuple(_once(findings, everywhere=len(wanted)))
    return Rendered(given.issue, editions, once, given, anatomies)


def gather(app: App, name: str) -> Ingredients:
    """Read an issue's file as it is now and what it names; prepare the pictures."""
    issue = with_column(app.desk.load(name), app.publication)
    picked = app.library.articles(ids=sorted(issue.article_ids))
    articles = {article.id: article for article in picked}
    diary = _diary(app, issue)
    prepared = pictures_of(app, articles.values())
    templates = app.template_set(issue.template, named_in=(str(app.desk.path(name)), "template"))
    places = places_of(app, issue.id, articles, templates)
    return Ingredients(issue, articles, diary, prepared, places, templates)


def _diary(app: App, issue: Issue) -> list[DiaryEntry]:
    """Return what is still to come; of an approved issue also what was dropped from the book."""
    entries = app.library.diary(since=issue.date)
    dropped = set(issue.diary) - app.library.diary_ids()
    record = app.archive.find(issue.id) if dropped else None
    if record is None or record.state not in APPROVED_STATES | FROZEN_STATES:
        return entries
    # To drop an entry tidies the book. Who approved the issue approved this entry in it.
    kept = kept_entries(app.archive.inputs(issue.id))
    return [*entries, *(entry for entry in kept if entry.id in dropped)]


def render_region(app: App, given: Ingredients, region: Region) -> Edition:
    """Render an issue for one region."""
    return render_edition(
        given.issue,
        region=region,
        publication=app.publication,
        articles=given.articles,
        diary=given.diary,
        images=given.prepared.pictures,
        web_url=app.web_url,
        templates=given.templates,
    )


def check_issue(app: App, given: Ingredients) -> list[Finding]:
    """Check what does not need an edition."""
    return [*given.prepared.findings, *_stands_in(app, given.issue), *repeats(app, given.issue)]


def _stands_in(app: App, issue: Issue) -> list[Finding]:
    """Note that the column was not filed and another text is in its place."""
    if not is_substituted(issue, app.publication):
        return []
    return [
        found(
            "column-substitute",
            f"the column is not there: {app.publication.column.substitute} stands in",
            where=f"issues/{issue.id}.md",
        )
    ]


def check_region(
    app: App, given: Ingredients, edition: Edition, anatomy: Anatomy | None = None
) -> list[Finding]:
    """Check an edition against what it was rendered from."""
    return check_edition(
        edition,
        publication=app.publication,
        region=app.region(edition.region),
        issue=given.issue,
        articles=given.articles,
        images=given.prepared.pictures,
        diary=given.diary,
        web_url=app.web_url,
        places=given.places,
        anatomy=anatomy,
    )


def absent(app: App, editions: Mapping[str, Edition]) -> list[Finding]:
    """Warn of a roster's field that a template names and nobody has: everybody gets the default."""
    named = {column for edition in editions.values() for column in edition.columns}
    if not named:
        return []
    absent = set(absent_fields(app, named))
    return [
        replace(
            found(
                "field-nobody-has",
                f"a template names the roster's field {column!r}, which no reader has",
            ),
            region=slug,
        )
        for slug, edition in editions.items()
        for column in sorted(edition.columns & absent)
    ]


def _once(findings: list[Finding], *, everywhere: int) -> list[Finding]:
    """Keep one of the same finding in several regions, and name them unless it is all."""
    seen: dict[tuple[Level, str, str], list[Finding]] = {}
    for finding in findings:
        seen.setdefault((finding.level, finding.code, finding.message), []).append(finding)
    merged = [
        replace(same[0], region="" if len(same) == everywhere > 1 else _regions(same))
        for same in seen.values()
    ]
    order = list(Level)
    return sorted(merged, key=lambda f: (order.index(f.level), f.code, f.region))


def _regions(findings: list[Finding]) -> str:
    return ", ".join(dict.fromkeys(f.region for f in findings if f.region))
