"""The columnist's slot: whether the text is there, and what stands in its place; pure."""

from __future__ import annotations

from dataclasses import replace

from mailer.issues.issue import Issue
from mailer.publication import Publication


def is_filed(issue: Issue) -> bool:
    """Say whether the columnist's text is there; a draft's comment is none."""
    return bool(issue.opening.strip())


def is_expected(publication: Publication) -> bool:
    """Say whether a missing column is anybody's trouble."""
    return bool(publication.columnist) and publication.column.when_missing != "without"


def is_substituted(issue: Issue, publication: Publication) -> bool:
    """Say whether the substitute stands in the issue, as ``with_column`` puts it there."""
    return bool(publication.substitute) and issue.opening == publication.substitute


def with_column(issue: Issue, publication: Publication) -> Issue:
    """Return the issue as it is rendered: with the substitute where the column was not filed.

    What stands in never appears under the columnist's name.
    """
    policy = publication.column
    if is_filed(issue) or policy.when_missing != "substitute" or not publication.substitute:
        return issue
    return replace(
        issue,
        opening=publication.substitute,
        opening_title=policy.substitute_title or issue.opening_title,
        columnist=policy.substitute_by or publication.title,
    )
