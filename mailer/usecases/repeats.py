"""Never the same story twice, as an editor meets it: what a draft holds that readers have had.

A proposal offers no list what it has had; a hand-made pick may. In a section it would reach
everybody who had it again, so it stops the approval, unless the editor says that it is a follow-up.
In a region's block only those get it who did not: the ledger leaves it out for the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mailer.app import App
from mailer.editions.checks.rulebook import found
from mailer.editions.finding import Finding
from mailer.issues.exposure import Shown, earlier_exposures
from mailer.issues.issue import Issue


def repeats(app: App, issue: Issue) -> list[Finding]:
    """Return a finding for each pick that some list was shown in an earlier issue."""
    had = earlier_exposures(app.database, issue.article_ids, besides=issue.id)
    findings = [
        found(
            "already-sent",
            f"{pick.article_id} in {slug} was sent before: {_said(had[pick.article_id])}",
            where=f"issues/{issue.id}.md",
        )
        for slug, picks in issue.sections.items()
        for pick in picks
        if pick.article_id in had and not pick.follow_up
    ]
    for slug, block in issue.regions.items():
        for pick in block.picks:
            if pick.article_id not in had or pick.follow_up:
                continue
            shown = had[pick.article_id]
            is_own = any(each.region == slug for each in shown)
            finding = found(
                "already-sent-here" if is_own else "already-sent-elsewhere",
                f"{pick.article_id} was sent before: {_said(shown)}; readers who had it get "
                "the issue without it",
                where=f"issues/{issue.id}.md",
            )
            findings.append(replace(finding, region=slug))
    return findings


def _said(shown: Sequence[Shown]) -> str:
    issues: dict[str, list[str]] = {}
    for each in shown:
        issues.setdefault(each.issue_id, []).append(each.region)
    return "; ".join(
        f"to {', '.join(regions[:3])}{f' and {len(regions) - 3} more' if len(regions) > 3 else ''} "
        f"on {issue_id}"
        for issue_id, regions in issues.items()
    )
