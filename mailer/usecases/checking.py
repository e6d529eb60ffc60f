"""Preflight of an issue: every check there is, less what somebody has looked at and accepted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from mailer.app import App
from mailer.editions.acceptance import load_accepted, set_aside
from mailer.editions.anatomy import Anatomy
from mailer.editions.checks.check_names import check_names
from mailer.editions.checks.check_support import check_support
from mailer.editions.checks.exhibit import Exhibit
from mailer.editions.checks.rulebook import Hit, found
from mailer.editions.edition import Edition
from mailer.editions.finding import Finding, Level
from mailer.editions.preflight import as_read, in_order, to_finding
from mailer.errors import RenderFailed
from mailer.usecases.link_checking import check_online
from mailer.usecases.proofing import Rendered, render

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, errors first; what was accepted, with the reason; the editions.

    ``rendered`` is None where a template is not sound: then nothing else could be looked at.
    """

    findings: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, str], ...]
    rendered: Rendered | None

    def stopping(self, *, is_strict: bool = False) -> list[Finding]:
        """Return the findings that stop an approval: errors, and when strict warnings too."""
        levels = {Level.ERROR, Level.WARNING} if is_strict else {Level.ERROR}
        return [finding for finding in self.findings if finding.level in levels]


def check(
    app: App,
    name: str,
    *,
    regions: Sequence[str] | None = None,
    is_online: bool = False,
    progress: Progress | None = None,
) -> Checked:
    """Render an issue and look for everything that preflight knows.

    Args:
        is_online: also ask for the addresses that it links to.
    """
    try:
        rendered = render(app, name, regions=regions, progress=progress)
    except RenderFailed as error:
        faults = [
            replace(
                found("template", fault.problem, remedy=fault.remedy, where=fault.where),
                line=fault.line,
            )
            for fault in error.faults
        ]
        return Checked(tuple(faults), (), None)
    hits = [*check_names(rendered.issue, rendered.given.articles), *_clients(app, rendered)]
    if is_online:
        fetcher = app.fetcher()
        try:
            hits += check_online(rendered.editions.values(), fetcher, besides=app.web_url)
        finally:
            fetcher.close()
    findings = [
        *rendered.findings,
        *(to_finding(hit, places=rendered.given.places) for hit in hits),
    ]
    today = app.clock.now().astimezone(ZoneInfo(app.publication.time_zone)).date()
    standing, accepted = set_aside(findings, load_accepted(app.root), today=today)
    return Checked(tuple(in_order(standing)), tuple(accepted), rendered)


def _clients(app: App, rendered: Rendered) -> list[Hit]:
    """Return what mail programs do not know, once for all regions."""
    seen: dict[str, Hit] = {}
    for slug, edition in rendered.editions.items():
        for hit in check_support(_exhibit(app, slug, edition, rendered.anatomies[slug])):
            seen.setdefault(hit.message, hit)
    return list(seen.values())


def _exhibit(app: App, slug: str, edition: Edition, anatomy: Anatomy) -> Exhibit:
    html, words = as_read(edition)
    return Exhibit(
        edition,
        html=html,
        words=words,
        anatomy=anatomy,
        publication=app.publication,
        region=app.region(slug),
    )
