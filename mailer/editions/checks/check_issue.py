"""What an editor may have overlooked in the issue: the opening, a region with nothing."""

from __future__ import annotations

from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit
from mailer.issues.issue import Issue, RegionBlock
from mailer.issues.writing import PLACEHOLDER


def check_issue(given: Exhibit) -> Hits:
    """Yield what should be written before approving."""
    if given.issue is None:
        return
    if given.issue.corrects:
        # A correction has no stories; what was wrong is all it says.
        if not given.issue.opening.strip():
            yield Hit("correction-empty", "the correction says nothing", clue="corrects:")
        return
    yield from _opening(given, given.issue)
    yield from _region(given, given.issue)
    if not given.edition.article_ids:
        yield Hit("no-stories", "the edition shows no story", clue="sections:")


def _opening(given: Exhibit, issue: Issue) -> Hits:
    marker = PLACEHOLDER.strip("<!-> ")
    if marker in issue.opening:
        yield Hit(
            "opening-placeholder", f"the columnist's opening still says {marker!r}", clue=marker
        )
    elif not issue.opening.strip() and given.publication.column.when_missing != "without":
        yield Hit("opening-empty", "the columnist has written no opening", clue=marker)


def _region(given: Exhibit, issue: Issue) -> Hits:
    region = given.region
    ladder = given.publication.ladder(region.slug)
    blocks = [issue.regions.get(slug, RegionBlock()) for slug in ladder]
    if not blocks[0].picks and not blocks[0].note.strip():
        if any(block.picks or block.note.strip() for block in blocks[1:]):
            yield Hit(
                "region-inherits",
                "the region has nothing of its own and shows its parent's block",
                clue=f"{region.slug}:",
            )
        elif region.parent:
            yield Hit("region-empty", "the region has nothing of its own", clue=f"{region.slug}:")
    if region.parent and not region.group_contact:
        yield Hit(
            "region-no-contact",
            f"{region.name} has no group_contact",
            where=f"subscribers/{region.slug}.toml",
        )
