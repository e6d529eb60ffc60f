"""``mailer issue``: draft, show, check, approve, cancel, reopen, list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli import revision_commands
from mailer.cli.options import IssueDay, IssueName, Json, Regions, Yes, folder
from mailer.cli.output import UNFINISHED, confirm, progress, say, say_json, table

if TYPE_CHECKING:
    from mailer.editions.finding import Finding

app = typer.Typer(no_args_is_help=True, help="The issue as a file: draft, edit, check, approve.")


@app.command()
def draft(
    ctx: typer.Context,
    day: IssueDay = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Draft anew over an edited file; the old one is kept beside."),
    ] = False,
    template: Annotated[
        str,
        typer.Option(
            "--template",
            help="The template set that draws it: briefing, bulletin, single, urgent or your own.",
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Choose articles and write the issue's file with the reasons as comments.

    An edited file is never overwritten. Example: `mailer issue draft 2026-11-30 --template urgent`
    """
    from mailer.app import open_app
    from mailer.usecases import agenda, editing

    with open_app(folder(ctx)) as opened:
        on = day.date() if day else None
        result = editing.draft(opened, on, force=force, template=template)
        found = editing.issue_data(opened, result.issue_id, issue=result.issue)
        hint = agenda.unscheduled(opened, result.issue_id)
    if as_json:
        say_json(found | {"path": result.path, "kept": result.kept, "unscheduled": hint})
        return
    say(f"Drafted {result.path}")
    if result.kept:
        say(f"Your version is kept as {result.kept}")
    _show(found)
    if hint:
        say(f"The schedule has {hint}: nothing but `mailer send` sends it.", style="yellow")
    say(f"Edit the file, then `mailer preview {result.issue_id} --open`.")


@app.command()
def show(ctx: typer.Context, issue: IssueName, as_json: Json = False) -> None:
    """Show an issue: its state and what it holds.

    Example: `mailer issue show next`
    """
    from mailer.app import open_app
    from mailer.usecases import editing

    with open_app(folder(ctx)) as opened:
        found = editing.issue_data(opened, opened.desk.resolve(issue))
    if as_json:
        say_json(found)
    else:
        _show(found)


@app.command("list")
def list_issues(ctx: typer.Context, as_json: Json = False) -> None:
    """List the issues and their states, newest first.

    Example: `mailer issue list --json`
    """
    from mailer.app import open_app
    from mailer.usecases import agenda

    with open_app(folder(ctx)) as opened:
        rows = agenda.issues_data(opened)
    if as_json:
        say_json(rows)
        return
    if not rows:
        say("No issues yet. Run `mailer issue draft`.")
        return
    table(
        "",
        ["issue", "number #", "state", "approved by", "approved (UTC)"],
        [(r["id"], r["number"], r["state"], r["approved_by"], r["approved_at"]) for r in rows],
    )


@app.command()
def check(
    ctx: typer.Context,
    issue: IssueName,
    regions: Regions = None,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask for every page that it links to.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 8 for warnings as well as errors.")
    ] = False,
    show_accepted: Annotated[
        bool, typer.Option("--accepted", help="Also show what was looked at and accepted.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Render every region's edition and look for faults; exit code 8 when there is an error.

    docs/preflight.md lists every finding. Example: `mailer issue check next --online --strict`
    """
    from mailer.app import open_app
    from mailer.usecases import checking

    with open_app(folder(ctx)) as opened, progress("Rendering") as step:
        issue_id = opened.desk.resolve(issue)
        wanted = [region.slug for region in opened.regions(regions)] if regions else None
        found = checking.check(opened, issue_id, regions=wanted, is_online=online, progress=step)
    rows = [asdict(finding) for finding in found.findings]
    levels = Counter(str(finding.level) for finding in found.findings)
    accepted = [asdict(finding) | {"reason": why} for finding, why in found.accepted]
    if as_json:
        say_json(
            {
                "issue": issue_id,
                "errors": levels["error"],
                "warnings": levels["warning"],
                "notes": levels["note"],
                "findings": rows,
                "accepted": accepted,
            }
        )
    else:
        _show_findings(found.findings)
        if show_accepted:
            for finding, why in found.accepted:
                say(f"accepted: {finding.message} ({why})", style="dim")
        editions = len(found.rendered.editions) if found.rendered else 0
        counts = [
            (editions, "edition"),
            *((levels[level], level) for level in ("error", "warning", "note")),
        ]
        said = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
        say(f"{said}; {len(accepted)} accepted.")
    if found.stopping(is_strict=strict):
        raise typer.Exit(UNFINISHED)


def _show_findings(findings: Sequence[Finding]) -> None:
    rows = [(f.level, f.place, f.region, f.message, f.remedy) for f in findings]
    if rows:
        table("", ["level", "where", "region", "what", "what to do"], rows)


@app.command()
def approve(
    ctx: typer.Context,
    issue: IssueName,
    by: Annotated[
        str, typer.Option("--by", help="Who approves; your login name if left out.")
    ] = "",
    override: Annotated[
        str,
        typer.Option(
            "--override",
            metavar="REASON",
            help="Approve although a second person should; the reason is kept in the history.",
        ),
    ] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings of `issue check` stop it too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Freeze an issue as it is now: only this is sent. A later change voids the approval.

    Errors of `issue check` stop it. Example: `mailer issue approve next --by nora`
    """
    from mailer.app import open_app
    from mailer.usecases import agenda, sign_off

    with open_app(folder(ctx)) as opened, progress("Rendering") as step:
        record = sign_off.approve(
            opened,
            opened.desk.resolve(issue),
            by=by,
            override=override,
            is_strict=strict,
            progress=step,
        )
        said = agenda.outlook(opened, record["id"])
    if as_json:
        say_json(record)
        return
    say(f"Issue {record['id']} is approved by {record['approved_by']}.")
    if record["override"]:
        say(f"The rule of two persons was set aside: {record['override']}", style="yellow")
    say(f"Checksum {record['checksum']}")
    say(said)


@app.command()
def cancel(ctx: typer.Context, issue: IssueName, yes: Yes = False) -> None:
    """Stop an issue: whatever has not been sent yet is not sent.

    `mailer issue reopen` makes it a draft again. Example: `mailer issue cancel 2026-11-30`
    """
    from mailer.app import open_app
    from mailer.usecases import editing

    with open_app(folder(ctx)) as opened:
        issue_id = opened.desk.resolve(issue)
        confirm(f"Cancel issue {issue_id}?", is_sure=yes)
        count = editing.cancel(opened, issue_id)
    say(f"Issue {issue_id} is cancelled; {count} deliveries were still to be made.")


@app.command()
def reopen(ctx: typer.Context, issue: IssueName) -> None:
    """Make a cancelled issue a draft again; whoever has it already does not get it twice."""
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        issue_id = opened.desk.resolve(issue)
        opened.desk.reopen(issue_id)
    say(f"Issue {issue_id} is a draft again.")


@app.command()
def pause(
    ctx: typer.Context,
    issue: IssueName,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown to whoever asks.")] = "",
) -> None:
    """Hold an issue's sending, wherever it runs; nothing is lost.

    `mailer issue resume` goes on. Example: `mailer issue pause latest --reason "wrong link"`
    """
    from mailer.app import open_app
    from mailer.usecases import editing

    with open_app(folder(ctx)) as opened:
        issue_id = opened.desk.resolve(issue)
        editing.pause(opened, issue_id, reason=reason)
    say(f"Issue {issue_id} is paused; `mailer issue resume {issue_id}` goes on.")


@app.command()
def resume(ctx: typer.Context, issue: IssueName) -> None:
    """Take a pause back; a sending that waits goes on within a second.

    Example: `mailer issue resume latest`
    """
    from mailer.app import open_app
    from mailer.usecases import editing

    with open_app(folder(ctx)) as opened:
        issue_id = opened.desk.resolve(issue)
        was_paused = editing.resume(opened, issue_id)
    say(f"Issue {issue_id} {'goes on' if was_paused else 'was not paused'}.")


def _show(found: dict[str, object]) -> None:
    say(f"Issue {found['id']}, number {found['number']}, {found['state']}", style="bold")
    say(f"{found['subject']}")
    if found["order"]:
        say(f"It is {found['order']}.", style="yellow")
    if isinstance(gone := found["voided"], dict):
        say(
            f"Its approval is void since {gone['at']:%Y-%m-%d %H:%M} UTC, because of what changed: "
            f"{gone['changed']}.",
            style="yellow",
        )
    say(f"Drawn by the template set {found['template']}.")
    if found["approved_by"]:
        edited = f", last edited by {found['edited_by']}" if found["edited_by"] else ""
        say(f"Approved by {found['approved_by']}{edited}.")
    if found["override"]:
        say(f"The rule of two persons was set aside: {found['override']}", style="yellow")
    if found["corrects"]:
        say(f"It corrects issue {found['corrects']}, for those who got that one.")
    amendments = found["amendments"]
    assert isinstance(amendments, list)
    for number, each in enumerate(amendments, 1):
        at = f"{each['at']:%Y-%m-%d %H:%M}"
        say(f"{number}. Its page was corrected {at} by {each['by']}: {each['note']}")
    if found["audience"]:
        say(f"Only to readers for whom: {found['audience']}")
    if found["changed_since_approval"]:
        say("The file has changed since it was approved: approve it again.", style="yellow")
    rows = []
    blocks = found["blocks"]
    assert isinstance(blocks, list)
    for block in blocks:
        for place, pick in enumerate(block["picks"], 1):
            rows.append((block["title"] if place == 1 else "", place, pick["title"], pick["why"]))
    table("", ["section", "#", "story", "why"], rows)


revision_commands.add_to(app)
