"""``mailer subscribers show`` and ``forget``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mailer.cli.options import Json, Yes, folder
from mailer.cli.output import UNFINISHED, confirm, note, say, say_json, table

Address = Annotated[str, typer.Argument(metavar="ADDRESS")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``mailer subscribers``."""
    app.command("show")(show)
    app.command("forget")(forget)


def show(ctx: typer.Context, address: Address, as_json: Json = False) -> None:
    """Show all that is held of one person; `export --subject` gives the same to hand over.

    Example: `mailer subscribers show zoe@reader.example --json`
    """
    from mailer.app import open_app
    from mailer.usecases import rights

    with open_app(folder(ctx)) as opened:
        held = rights.held_data(opened, address)
    if as_json:
        say_json(held)
        return
    say(f"{held['address']}  {held['name']}".rstrip(), style="bold")
    for name, value in _plain_facts(held):
        say(f"{name}: {value}")
    table(
        "",
        ["list", "state", "since", "source"],
        [
            (row["region"], row["state"], f"{row['changed_at']:%Y-%m-%d %H:%M}", row["source"])
            for row in held["subscriptions"]
        ],
    )
    if held["events"]:
        table("Consent", ["when (UTC)", "list", "step", "source", "record"], _events(held))
    for row in held["confirmations"]:
        used = f"used {row['used_at']:%Y-%m-%d %H:%M}" if row["used_at"] else "not used"
        lists = ", ".join(row["regions"])
        say(f"Confirmation asked for {row['created_at']:%Y-%m-%d %H:%M}: {lists}; {used}")
    if held["deliveries"]:
        table(
            "Deliveries",
            ["issue", "list", "state", "when (UTC)", "reply"],
            [
                (row["issue"], row["region"], row["state"].value,
                 f"{row['updated_at']:%Y-%m-%d %H:%M}", row["reply"])
                for row in held["deliveries"]
            ],
        )  # fmt: skip
    for row in held["mentions"]:
        say(f"{row['at']:%Y-%m-%d %H:%M} {row['kind']} {row['by']}".rstrip())


def _plain_facts(held: dict[str, Any]) -> list[tuple[str, str]]:
    barred = held["suppression"]
    facts = [(f"  {name}", value) for name, value in sorted(held["fields"].items())]
    if barred:
        evidence = f" ({barred['evidence']})" if barred["evidence"] else ""
        facts.append(("Suppressed", f"{barred['reason']}, {barred['at']:%Y-%m-%d}{evidence}"))
    if held["language"]:
        facts.append(("Language", held["language"]))
    if held["known_since"]:
        facts.append(("Known since", f"{held['known_since']:%Y-%m-%d}"))
    if held["paused_until"]:
        facts.append(("Paused until", f"{held['paused_until']:%Y-%m-%d}"))
    return facts


def _events(held: dict[str, Any]) -> list[tuple[str, ...]]:
    known = {"region", "step", "state", "source", "at", "id"}
    return [
        (
            f"{row['at']:%Y-%m-%d %H:%M}",
            row["region"],
            row["step"],
            row["source"],
            "; ".join(
                f"{name.replace('_', ' ')}: {value}"
                for name, value in row.items()
                if value and name not in known
            ),
        )
        for row in held["events"]
    ]


def forget(
    ctx: typer.Context,
    address: Address,
    reason: Annotated[
        str, typer.Option("--reason", help="Kept with the hash; nothing personal.")
    ] = "asked",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Erase one person everywhere; only a keyed hash, the reason and the date stay.

    Imports refuse the address from then on; only the reader can come back, by signing up again.
    Exit code 8 when files that are yours still name it. It cannot be undone.
    Example: `mailer subscribers forget zoe@reader.example`
    """
    from mailer.app import open_app
    from mailer.usecases import rights

    with open_app(folder(ctx)) as opened:
        confirm(f"Erase {address} everywhere? It cannot be undone.", is_sure=yes)
        done = rights.forget(opened, address, reason=reason)
    if as_json:
        say_json(done)
    else:
        say("Erased. What stays is a hash that knows the address again, the reason and the date.")
        table(
            "",
            ["subscriptions #", "consent events #", "confirmations #", "deliveries #", "texts #",
             "inbox #", "roster rows #"],
            [
                (done["subscriptions"], done["events"], done["confirmations"],
                 done["deliveries"], done["texts"], done["inbox"],
                 sum(row["rows"] for row in done["rosters"]))
            ],
        )  # fmt: skip
        note("Backups and what git keeps of old versions are yours to clean.")
    for name in done["remains"]:
        note(f"{name} still names the address; it is yours to change.")
    if done["remains"]:
        raise typer.Exit(UNFINISHED)
