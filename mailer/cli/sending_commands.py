"""``mailer send`` and ``mailer ledger``."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mailer.cli.options import IssueName, Json, Regions, Yes, folder
from mailer.cli.output import UNFINISHED, confirm, note, progress, say, say_json, table
from mailer.cli.segment_commands import note_unknown

STATES = ("planned", "accepted", "deferred", "refused", "in_doubt", "skipped", "expired")


def register(app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command()(send)
    app.command()(ledger)


def send(
    ctx: typer.Context,
    issue: IssueName,
    region: Regions = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say who would get what; send nothing.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until every retry is settled.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Send an approved issue now, to every region or to some; safe to run again after a crash.

    Nobody gets it twice. Exit code 8 while something is left (a retry due, a refusal). A pause from
    another terminal while it sends is waited out; one that stands before needs --wait.
    Who joins while it is going out gets it too.
    Examples: `mailer send next --dry-run`, `mailer send 2026-11-30 --region wales`
    """
    from mailer.app import open_app
    from mailer.usecases import mailing

    with open_app(folder(ctx)) as opened:
        issue_id = opened.desk.resolve(issue)
        if dry_run:
            show_plan(mailing.send_plan(opened, issue_id, region), as_json=as_json)
            return
        confirm(f"Send issue {issue_id} now?", is_sure=yes)
        with sending_bar() as watch, stopping() as should_stop:
            summary = mailing.send(
                opened,
                issue_id,
                regions=region,
                is_waiting=wait,
                watch=watch,
                on_pause=lambda order: note(f"{order}. Waiting; `mailer issue resume` goes on."),
                should_stop=should_stop,
            )
    if as_json:
        say_json(summary)
    else:
        show_summary(summary)
    if not summary["is_finished"]:
        raise typer.Exit(UNFINISHED)


@contextmanager
def sending_bar() -> Iterator[Any]:
    """Show how far the sending is: a bar, the rate, the time left, who defers."""
    with progress("Sending") as step:

        def watch(pulse: Any) -> None:
            deferred = ", ".join(f"{name} {count}" for name, count in pulse.deferrals.items())
            left = "" if pulse.left_s is None else f", {pulse.left_s:.0f} s left"
            label = f"Sending {pulse.per_second:,.0f}/s{left}"
            step(pulse.done, pulse.total, f"{label}; deferred: {deferred}" if deferred else label)

        yield watch


@contextmanager
def stopping() -> Iterator[Any]:
    """Give a question that turns true at SIGTERM or Ctrl-C; the message under way is finished."""
    heard: list[int] = []

    def hear(number: int, _frame: object) -> None:
        if not heard:
            note("Stopping after the message under way; run the command again to go on.")
        heard.append(number)

    before = {name: signal.signal(name, hear) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(heard)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def show_plan(plan: dict[str, Any], *, as_json: bool) -> None:
    """Print who would get what."""
    if as_json:
        say_json(plan)
        return
    table(
        f"Issue {plan['issue']} would go to {plan['total']} readers",
        ["region", "subject", "readers #", "done already #", "first hour (local)"],
        [
            (r["region"], r["subject"], len(r["readers"]), r["done"], r["send_at_local"])
            for r in plan["regions"]
        ],
    )
    if plan["audience"]:
        say(f"Only to readers for whom: {plan['audience']}")
        note_unknown(plan["unknown_fields"])
    for row in plan["regions"]:
        if row["where"]:
            say(f"The list of {row['region']} is narrowed to: {row['where']}")


def show_summary(summary: dict[str, Any]) -> None:
    """Print the ledger of an issue: regions down, states across."""
    extra = [state for state in summary["totals"] if state not in STATES]
    states = [
        state
        for state in (*STATES, *extra)
        if state in {"planned", "accepted", "refused", "in_doubt"} or summary["totals"].get(state)
    ]
    rows: list[tuple[object, ...]] = [
        (row["region"], row["total"], *(row["states"].get(state, 0) for state in states))
        for row in summary["regions"]
    ]
    rows.append(("all", summary["total"], *(summary["totals"].get(state, 0) for state in states)))
    heads = ["deliveries", *(state.replace("_", " ") for state in states)]
    table(
        f"Issue {summary['issue']}: {summary['state']}",
        ["region", *(f"{h} #" for h in heads)],
        rows,
    )
    for row in summary.get("troubles", []):
        say(f"  {row['count']} x {row['reply']}")
    shown = ("accepted", "deferred", "refused", "in_doubt", "planned")
    for row in summary.get("alerts", []):
        became = f"mailed to {row['to']}" if row["is_mailed"] else f"not mailed: {row['why']}"
        say(f"  Alert of {row['at']:%Y-%m-%d %H:%M} UTC, {became}: {row['problem']}")
    if len(domains := summary.get("domains", [])) > 1:
        table(
            "The largest domains",
            ["domain", "deliveries #", *(f"{s.replace('_', ' ')} #" for s in shown), "retry (UTC)"],
            [
                (
                    row["domain"],
                    row["total"],
                    *(row["states"].get(state, 0) for state in shown),
                    f"{row['next_due_at']:%d %b %H:%M}" if row["next_due_at"] else "",
                )
                for row in domains
            ],
        )
    retries = summary.get("retries", {})
    if retries.get("waiting"):
        say(f"{retries['waiting']} wait for another try, {retries['due']} of them due now.")
    if summary.get("misdated"):
        say(
            f"{summary['misdated']} were dated by a clock that was ahead; the next sending takes "
            "them as due.",
            style="yellow",
        )
    if summary.get("order"):
        say(f"This issue is {summary['order']}.", style="yellow")
    if summary.get("next_due_at"):
        say(f"The next retry is due at {summary['next_due_at']:%Y-%m-%d %H:%M} UTC.")
    if summary.get("stopped"):
        say(summary["stopped"], style="yellow")


def show_readers(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print deliveries, a reader a line."""
    if as_json:
        say_json(rows)
        return
    table(
        f"{len(rows)} readers",
        ["address", "region", "attempts #", "when (UTC)", "why"],
        [
            (
                row["address"],
                row["region"],
                row["attempts"],
                f"{row['updated_at']:%Y-%m-%d %H:%M:%S}",
                row["reply"],
            )
            for row in rows
        ],
    )


def _show_accepted(said: dict[str, Any]) -> None:
    say(f"{said['accepted']} of {said['listed']} addresses are marked as having {said['issue']}.")
    if said["unknown"]:
        say(
            f"{len(said['unknown'])} are none of its readers: {', '.join(said['unknown'][:5])}"
            f"{' …' if len(said['unknown']) > 5 else ''}",
            style="yellow",
        )


DeliveryWord = Literal[
    "planned", "deferred", "in_doubt", "accepted", "refused", "skipped", "expired", "cancelled"
]


def ledger(
    ctx: typer.Context,
    issue: Annotated[
        str,
        typer.Argument(
            metavar="[ISSUE]", help="A date, `next`, or `latest`: the last that has one."
        ),
    ] = "latest",
    address: Annotated[
        str, typer.Option("--address", help="One reader's history, over all issues.")
    ] = "",
    state: Annotated[
        DeliveryWord | None, typer.Option("--state", help="List the readers in this state.")
    ] = None,
    resolve: Annotated[
        Literal["accept", "cancel", "resend"] | None,
        typer.Option("--resolve", help="Settle one reader's delivery that is in doubt."),
    ] = None,
    accepted: Annotated[
        Path | None,
        typer.Option(
            "--accepted",
            metavar="FILE",
            help="Addresses, one a line, that have a paused ISSUE (a date) by the relay's log.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what became of every delivery of an issue, or of one reader's.

    Examples: `mailer ledger 2026-11-30`, `mailer ledger latest --state refused`,
    `mailer ledger --address zoe@reader.example`,
    `mailer ledger latest --address zoe@reader.example --resolve resend`,
    `mailer ledger 2026-11-30 --accepted from-the-log.txt`
    """
    from mailer.app import open_app
    from mailer.usecases import mailing, readers, reconciling

    with open_app(folder(ctx)) as opened:
        if accepted:
            if issue == "latest":
                # After a restore this week's issue has no ledger yet, and last week's has one.
                raise typer.BadParameter("--accepted needs the issue's date, or next")
            said = reconciling.accept(opened, opened.desk.resolve(issue), accepted)
            if as_json:
                say_json(said)
            else:
                _show_accepted(said)
            return
        if resolve:
            if not address:
                raise typer.BadParameter("--resolve needs --address")
            readers.resolve(opened, readers.ledgered(opened, issue), address, resolve)
        if address:
            history = readers.history(opened, address)
            if as_json:
                say_json(history)
                return
            table(
                f"Deliveries to {address}",
                ["issue", "region", "state", "attempts #", "when (UTC)", "last reply"],
                [
                    (
                        row["issue"],
                        row["region"],
                        row["state"],
                        row["attempts"],
                        f"{row['updated_at']:%Y-%m-%d %H:%M:%S}",
                        row["reply"],
                    )
                    for row in history
                ],
            )
            for row in history:
                if row["left_out"]:
                    note(f"{row['issue']} went without {', '.join(row['left_out'])}: had before")
            return
        name = readers.ledgered(opened, issue)
        if state:
            show_readers(readers.in_state(opened, name, state), as_json=as_json)
            return
        summary = mailing.summary(opened, name)
    if as_json:
        say_json(summary)
    else:
        show_summary(summary)
