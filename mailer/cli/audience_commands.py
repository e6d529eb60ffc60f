"""``mailer subscribers …`` and ``mailer regions``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from mailer.cli.options import Json, RegionName, Where, Yes, folder
from mailer.cli.output import confirm, note, say, say_json, table

app = typer.Typer(no_args_is_help=True, help="Who gets it, and who may not.")

Address = Annotated[str, typer.Argument(metavar="ADDRESS")]


@app.command("add")
def add(
    ctx: typer.Context,
    address: Address,
    region: RegionName,
    name: Annotated[str, typer.Option("--name", help="The reader's name.")] = "",
    rejoin: Annotated[
        bool, typer.Option("--rejoin", help="They left and have now asked to come back.")
    ] = False,
) -> None:
    """Put one person on a region's list; you answer for their consent.

    Example: `mailer subscribers add zoe@reader.example --region wales --name Zoë`
    """
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        subscriber = opened.register.add(
            address, opened.region(region).slug, name=name, source="command line", rejoin=rejoin
        )
    say(f"{subscriber.address} is on the list of {region}.")


@app.command("remove")
def remove(
    ctx: typer.Context,
    address: Address,
    region: Annotated[
        str, typer.Option("--region", "-r", help="Only this list; else all.", metavar="REGION")
    ] = "",
    suppress: Annotated[
        bool, typer.Option("--suppress", help="And never mail this address again.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Unsubscribe one person; imports will not bring them back.

    Example: `mailer subscribers remove zoe@reader.example`
    """
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        confirm(f"Unsubscribe {address}?", is_sure=yes)
        if suppress:
            opened.register.suppress(address, "manual", "command line")
            say(f"{address} is suppressed: no list will mail it.")
            return
        slug = opened.region(region).slug if region else None
        lists = opened.register.remove(address, slug, source="command line")
    say(f"{address} is off: {', '.join(lists) or 'no list had it'}.")


@app.command("unsuppress")
def unsuppress(
    ctx: typer.Context,
    address: Address,
    why: Annotated[str, typer.Option("--why", help="Kept with the record.")] = "",
    yes: Yes = False,
) -> None:
    """Lift a suppression made by mistake; the subscriptions stay as they are."""
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        confirm(f"Let {address} be mailed again?", is_sure=yes)
        opened.register.unsuppress(address, why=why)
    say(f"{address} may be mailed again.")


@app.command("list")
def list_subscribers(
    ctx: typer.Context,
    region: Annotated[
        str, typer.Option("--region", "-r", help="Only this list.", metavar="REGION")
    ] = "",
    state: Annotated[
        Literal["pending", "confirmed", "unsubscribed"] | None,
        typer.Option("--state", help="Only these."),
    ] = None,
    where: Where = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """List subscribers.

    Example: `mailer subscribers list --region wales --where 'field.town = "Swansea"'`
    """
    from mailer.app import open_app
    from mailer.usecases import readers, segmenting

    with open_app(folder(ctx)) as opened:
        slug = opened.region(region).slug if region else None
        if where:
            rows = segmenting.list_data(opened, where, slug, state, limit)
        else:
            rows = readers.subscribers_data(opened, slug, state, limit)
    if as_json:
        say_json(rows)
        return
    table(
        "",
        ["address", "name", "list", "state", "since"],
        [
            (r["address"], r["name"], r["region"], r["state"], f"{r['changed_at']:%Y-%m-%d}")
            for r in rows
        ],
    )
    if len(rows) == limit:
        note(f"The first {limit}; --limit shows more.")


def regions(
    ctx: typer.Context,
    is_coverage: Annotated[
        bool,
        typer.Option(
            "--coverage",
            help="What the coming issue would hold of each region instead; nothing is written.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """List the regions with their lists, hours and readers, or which lack stories of their own.

    Examples: `mailer regions --json`, `mailer regions --coverage`
    """
    from mailer.app import open_app
    from mailer.usecases import covering, readers

    with open_app(folder(ctx)) as opened:
        if is_coverage:
            found = covering.coverage(opened)
            if as_json:
                say_json(found)
            else:
                _show_coverage(found)
            return
        rows = readers.regions_data(opened)
    if as_json:
        say_json(rows)
        return
    table(
        "",
        ["region", "name", "list-id", "parent", "sends", "confirmed #", "left #"],
        [
            (
                row["slug"],
                row["name"],
                row["list_id"],
                row["parent"],
                f"{row['send_day']} {row['send_time']:%H:%M} {row['time_zone']}",
                row["confirmed"],
                row["unsubscribed"],
            )
            for row in rows
        ],
    )


def _show_coverage(found: dict[str, Any]) -> None:
    table(
        f"What issue {found['issue']} would hold of each region",
        ["region", "own #", "missed a place #", "lent", "leaves"],
        [
            (
                row["name"],
                len(row["own"]),
                row["missed"],
                f"{len(row['lent'])} from {row['lent_from'] or 'above'}" if row["lent"] else "",
                f"{row['sends_at']:%a %d %b %H:%M} UTC",
            )
            for row in found["regions"]
        ],
    )
    if found["without_own"]:
        say(f"Nothing of their own: {', '.join(found['without_own'])}.", style="yellow")
    else:
        say("Every region has something of its own.")
