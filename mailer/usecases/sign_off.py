"""Approving an issue: render, check, ask for a second person, freeze; and hold it to that.

What is frozen is every region's edition and everything it was made of, so that it can be made again
(see ``rebuilding``). A publication may want a second person (``[approval]`` in publication.toml):
whoever approves must not be who last edited the issue's file. An override is possible, wants a
reason, and stays in the issue's history.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mailer.app import App
from mailer.delivery.frozen import FrozenEdition
from mailer.delivery.message import letterhead
from mailer.editions.edition import Edition
from mailer.editions.finding import Finding
from mailer.editions.recipe import Recipe, present_tools
from mailer.errors import Fault, IllegalTransition, InvalidInput, RenderFailed
from mailer.issues.authorship import Editor, is_same_person, last_editor, read_editor
from mailer.usecases.addressing import audience_rule
from mailer.usecases.checking import check
from mailer.usecases.editing import OVERRIDE, operator_name
from mailer.usecases.proofing import Ingredients, gather, render_region

Progress = Callable[[int, int], None]


def approve(
    app: App,
    name: str,
    *,
    by: str = "",
    override: str = "",
    is_strict: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Freeze an issue as it is now.

    Args:
        by: who approves; the operator of this machine if "".
        override: why the rule of two persons is set aside this time.
        is_strict: warnings stop it too, as `[approval] strict` says for always.
    Raises:
        InvalidInput: a check found what stops it; one fault each.
        IllegalTransition: it is not a draft; or a second person must approve it.
    """
    text = app.desk.text(name)
    approver = by or operator_name(app)
    editor = last_editor(app.desk.path(name))
    setting_aside = _second_person(app, name, approver, editor, override)
    checked = check(app, name, progress=progress)
    rendered = checked.rendered
    stopping = checked.stopping(is_strict=is_strict or app.publication.approval.strict)
    if stopping or rendered is None:
        raise (InvalidInput if rendered else RenderFailed)(
            _as_fault(finding, name) for finding in stopping
        )
    would_freeze = freeze(app, rendered.editions)
    with app.database.write():
        record = app.approvals.approve(
            name,
            by=approver,
            editions={slug: frozen.checksum for slug, frozen in would_freeze.items()},
            contents={slug: frozen.to_json() for slug, frozen in would_freeze.items()},
            audience_rule=audience_rule(app, name),
            inputs=recipe_of(app, rendered.given).pack(),
            tools=present_tools().to_json(),
            detail={"edited_by": str(editor), "edited_by_source": editor.source},
            text=text,
        )
        if setting_aside:
            app.archive.note(
                OVERRIDE,
                name,
                by=approver,
                detail={"rule": "second person", "edited_by": str(editor), "reason": override},
            )
    return {
        "id": record.id,
        "number": record.number,
        "state": record.state,
        "checksum": record.checksum,
        "approved_by": record.approved_by,
        "approved_at": record.approved_at,
        "edited_by": str(editor),
        "override": override if setting_aside else "",
        "editions": {slug: frozen.checksum for slug, frozen in would_freeze.items()},
    }


def _second_person(app: App, name: str, approver: str, editor: Editor, override: str) -> bool:
    """Hold the approver to the rule of two persons; return whether it was set aside."""
    if not app.publication.approval.second_person:
        return False
    if editor.name and not is_same_person(read_editor(approver), editor):
        return False
    if override.strip():
        return True
    edited = (
        f"last edited by {editor} ({editor.source})"
        if editor.name
        else "edited by nobody knows whom"
    )
    raise IllegalTransition(
        Fault(
            f"a second person must approve: it was {edited}, and {approver} may be the same",
            where=f"issues/{name}.md",
            remedy=f"let somebody else run `mailer issue approve {name} --by NAME`, or give a "
            "reason with --override; it is kept in the history",
        )
    )


def _as_fault(finding: Finding, name: str) -> Fault:
    return Fault(
        finding.message,
        where=finding.where or f"issues/{name}.md",
        line=finding.line,
        field=finding.region,
        remedy=finding.remedy,
    )


def freeze(app: App, editions: Mapping[str, Edition]) -> dict[str, FrozenEdition]:
    """Return what an approval of these editions would keep, by region."""
    return {
        slug: FrozenEdition(
            edition, letterhead(app.publication, app.region(slug)), web_url=app.web_url
        )
        for slug, edition in editions.items()
    }


def recipe_of(app: App, given: Ingredients) -> Recipe:
    """Return what an approval keeps of what an issue's editions are made of."""
    return Recipe(
        issue_id=given.issue.id,
        issue_text=app.desk.text(given.issue.id),
        publication=app.publication,
        articles=given.articles,
        diary=given.diary,
        images=given.prepared.pictures,
        templates=given.templates,
        web_url=app.web_url,
    )


def require_unchanged(app: App, name: str) -> None:
    """Void the approval, and say what changed, unless all is as it was approved.

    Raises:
        IllegalTransition: something changed that the approval covers; it is a draft again.
    """
    # What the checks found was settled by the approval; only what would go counts now.
    given = gather(app, name)
    editions = {region.slug: render_region(app, given, region) for region in app.regions(None)}
    would_freeze = freeze(app, editions)
    app.approvals.verify(
        name,
        editions={slug: frozen.checksum for slug, frozen in would_freeze.items()},
        audience_rule=audience_rule(app, name),
        inputs=recipe_of(app, given).pack(),
    )
