"""Comparing two versions of an issue: as a file, as it was approved, or one kept beside it.

A version is named by the issue (its file as it is now), by ``ISSUE@approved`` (the file and the
articles as the approval froze them), or by a path to a file that drafting kept, such as
``issues/2026-11-30.md.~1~``.
"""

from __future__ import annotations

import re
from pathlib import Path

from mailer.app import App
from mailer.articles.article import Article
from mailer.editions.recipe import unpack
from mailer.errors import Fault, InvalidInput, NotFound
from mailer.issues.difference import Change, Version, compare
from mailer.issues.issue import Issue
from mailer.issues.manifest import read_issue
from mailer.selection.filling import region_block

APPROVED = "approved"


def differences(app: App, first: str, second: str = "") -> tuple[str, str, list[Change]]:
    """Return the names of two versions and what changed from the first to the second.

    With one name alone, the issue as it was approved is compared with its file as it is now.

    Raises:
        NotFound: there is no such issue, version or file.
        InvalidInput: a file is faulty.
    """
    if not second:
        issue_id = app.desk.resolve(first.removesuffix(f"@{APPROVED}"))
        first, second = f"{issue_id}@{APPROVED}", issue_id
    before, after = _version(app, first), _version(app, second)
    return before[0], after[0], compare(before[1], after[1])


def _version(app: App, name: str) -> tuple[str, Version]:
    bare, _, which = name.partition("@")
    if which not in {"", APPROVED}:
        raise NotFound(
            Fault(
                f"there is no version {which!r} of an issue",
                remedy=f"write {bare}@{APPROVED}, or {bare} for the file as it is now",
            )
        )
    if which:
        issue_id = app.desk.resolve(bare)
        return f"{issue_id} as approved", approved_version(app, issue_id)
    path = Path(bare)
    if path.parent != Path() or "~" in path.name:
        return str(path), _kept_file(app, path)
    issue_id = app.desk.resolve(bare)
    return f"{issue_id} as its file is now", present_version(app, issue_id)


def present_version(app: App, issue_id: str) -> Version:
    """Return an issue as its file says it now, with the library's articles."""
    text = app.desk.text(issue_id)
    return _read(app, text, str(app.desk.path(issue_id)))


def approved_version(app: App, issue_id: str) -> Version:
    """Return an issue as it was approved, with the articles as they were then.

    Raises:
        NotFound: it is not approved.
    """
    inputs = app.archive.inputs(issue_id)
    if not inputs:
        raise NotFound(
            Fault(
                f"issue {issue_id} is not approved, so there is nothing to compare its file with",
                remedy="name two versions, or approve it",
            )
        )
    made_of = unpack(issue_id, inputs, root=app.root)
    titles = {entry.id: entry.title for entry in made_of.diary}
    return Version(made_of.issue(), made_of.articles, titles, _blocks(app))


def _kept_file(app: App, path: Path) -> Version:
    found = path if path.is_absolute() or path.exists() else app.root / path
    try:
        text = found.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFound(Fault(f"cannot be read: {error.strerror}", where=str(path))) from None
    except UnicodeDecodeError:
        raise InvalidInput(Fault("is not UTF-8", where=str(path))) from None
    # A kept version has its number after the name; the issue is named by what stands before.
    bare = re.sub(r"\.~\d+~$", "", found.name)
    return _read(app, text, str(found.with_name(bare)))


def _read(app: App, text: str, where: str) -> Version:
    issue = read_issue(text, where=where, publication=app.publication)
    titles = {entry.id: entry.title for entry in app.library.diary(since=issue.date)}
    return Version(issue, _articles(app, issue), titles, _blocks(app))


def _articles(app: App, issue: Issue) -> dict[str, Article]:
    found = app.library.articles(ids=sorted(issue.article_ids))
    return {article.id: article for article in found}


def _blocks(app: App) -> dict[str, str]:
    names = {section.slug: section.title for section in app.publication.sections}
    return names | {region_block(r.slug): r.name for r in app.publication.region_map.values()}
