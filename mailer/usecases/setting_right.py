"""Setting right what went out: its page on the web, and those who got it by mail.

A page is amended from the issue's file and articles as they are now, drawn by the templates and for
the publication that the approval kept: only what was said changes, not how it looks. What readers
were sent stays in the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mailer.app import App
from mailer.delivery.frozen import FrozenEdition
from mailer.delivery.message import letterhead
from mailer.delivery.pruning import require_ledger
from mailer.delivery.receivers import count_receivers
from mailer.editions.checks.finding_places import Places
from mailer.editions.finding import Finding, Level
from mailer.editions.images import prepare_images
from mailer.editions.preflight import check_edition
from mailer.editions.recipe import Recipe, unpack
from mailer.errors import Fault, IllegalTransition, InvalidInput
from mailer.issues.amending import no_note
from mailer.issues.difference import Change, Version, compare
from mailer.issues.issue import next_state
from mailer.issues.manifest import read_issue
from mailer.languages import load_languages
from mailer.usecases.comparing import approved_version
from mailer.usecases.editing import operator_name

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Amended:
    """What an amendment would put on the web: the regions that change, and what changed."""

    issue_id: str
    contents: dict[str, str]
    changes: list[Change]
    notes: list[dict[str, Any]]


def prepare_amendment(app: App, name: str, *, progress: Progress | None = None) -> Amended:
    """Render an issue that went out from its file and articles as they are now; write nothing.

    Raises:
        IllegalTransition: it has not gone out, or its approval kept no lock.
        InvalidInput: the file is faulty, or a check found an error.
    """
    next_state(app.archive.record(name).state, "amend", issue_id=name)
    kept = app.archive.inputs(name)
    if not kept:
        raise IllegalTransition(
            Fault(f"issue {name} has no lock to start from", remedy="its page stays as it is")
        )
    recipe = _as_now(app, unpack(name, kept, root=app.root))
    issue = recipe.issue()
    sent = app.archive.editions(name)
    contents: dict[str, str] = {}
    errors: list[Finding] = []
    places = Places(issue_file=f"issues/{name}.md", issue_text=recipe.issue_text)
    for done, slug in enumerate(sent, 1):
        region = recipe.publication.region(slug)
        edition = recipe.render(issue, region)
        errors += [
            finding
            for finding in check_edition(
                edition,
                publication=recipe.publication,
                region=region,
                web_url=recipe.web_url,
                places=places,
            )
            if finding.level is Level.ERROR
        ]
        head = letterhead(recipe.publication, region)
        content = FrozenEdition(edition, head, web_url=recipe.web_url).to_json()
        contents[slug] = content
        if progress:
            progress(done, len(sent))
    if errors:
        raise InvalidInput(
            Fault(f.message, where=f.where, line=f.line, field=f.region, remedy=f.remedy)
            for f in dict.fromkeys(errors)
        )
    shown = _shown(app, name, sent)
    before = approved_version(app, name)
    titles = {entry.id: entry.title for entry in recipe.diary}
    after = Version(issue, recipe.articles, titles, before.blocks)
    return Amended(
        name,
        {slug: content for slug, content in contents.items() if content != shown[slug]},
        compare(before, after),
        notes_of(app, name),
    )


def amend(app: App, prepared: Amended, *, note: str, by: str = "") -> dict[str, Any]:
    """Put an amendment on the web, under its note."""
    done = app.amendments.amend(
        prepared.issue_id,
        by=by or operator_name(app),
        note=note,
        contents=prepared.contents,
    )
    return {
        "id": prepared.issue_id,
        "at": done.at,
        "by": done.by,
        "note": done.note,
        "regions": sorted(prepared.contents),
    }


def require_new_note(app: App, name: str, note: str) -> None:
    """Refuse a note that cannot stand on an issue's page, before anybody is asked.

    Raises:
        InvalidInput: it is empty or too long, or stands there already.
    """
    app.amendments.new_note(name, note)


def note_to_withdraw(app: App, name: str, number: int) -> str:
    """Return the words of one of an issue's notes, by its number from 1.

    Raises:
        NotFound: there is no such note.
    """
    standing = app.amendments.of(name)
    if not 1 <= number <= len(standing):
        raise no_note(name, number)
    return standing[number - 1].note


def withdraw(app: App, name: str, number: int, *, note: str, by: str = "") -> dict[str, Any]:
    """Take a note with these words off an issue's page; see ``Amendments.withdraw``."""
    done = app.amendments.withdraw(name, number, by=by or operator_name(app), note=note)
    return {"id": name, "at": done.at, "by": done.by, "withdrawn": done.note}


def correct(app: App, name: str, *, by: str = "") -> dict[str, Any]:
    """Draft a correction of an issue to those who got it.

    Raises:
        IllegalTransition: nobody has it, or it is still going out, or its ledger was pruned.
    """
    require_ledger(app.database, name)
    record = app.archive.record(name)
    next_state(record.state, "correct", issue_id=name)
    text = app.archive.frozen_text(name) or app.desk.text(name)
    issue = read_issue(text, where=str(app.desk.path(name)), publication=app.publication)
    receivers = count_receivers(app.database, name)
    languages = load_languages(app.root / "templates", of_mail=True)
    words = languages.spoken(app.publication.language)
    done = app.corrections.draft(
        issue, receivers=receivers, words=words, by=by or operator_name(app)
    )
    return {
        "id": done.issue_id,
        "path": done.path,
        "corrects": done.corrects,
        "receivers": receivers,
    }


def notes_of(app: App, name: str) -> list[dict[str, Any]]:
    """Return what was corrected on an issue's page, oldest first."""
    return [{"at": each.at, "by": each.by, "note": each.note} for each in app.amendments.of(name)]


def _as_now(app: App, kept: Recipe) -> Recipe:
    """Return the kept recipe with the issue's file, articles and diary as they are now."""
    text = app.desk.text(kept.issue_id)
    issue = replace(kept, issue_text=text).issue()
    now = {each.id: each for each in app.library.articles(ids=sorted(issue.article_ids))}
    # What the library has let go of is as it was.
    was = {name: article for name, article in kept.articles.items() if name in issue.article_ids}
    articles = was | now
    entries = {entry.id: entry for entry in kept.diary}
    entries |= {entry.id: entry for entry in app.library.diary(since=issue.date)}
    prepared = prepare_images(app.root, articles.values(), app.images)
    return replace(
        kept,
        issue_text=text,
        articles=articles,
        diary=list(entries.values()),
        images={**kept.images, **prepared.pictures},
    )


def _shown(app: App, name: str, sent: dict[str, str]) -> dict[str, str]:
    """Return what the archive shows of an issue by now, by region."""
    from mailer.issues.published import PastIssues

    past = PastIssues(app.database)
    return {slug: past.contents(slug, [name]).get(name, content) for slug, content in sent.items()}
