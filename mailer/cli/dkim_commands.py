"""``mailer dkim``: keys that sign the mail, and what to put into DNS for them."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.cli.options import Json, folder
from mailer.cli.output import say, say_json

app = typer.Typer(no_args_is_help=True, help="Sign your mail: make keys, print their DNS records.")


@app.command("new")
def new_keys(
    ctx: typer.Context,
    selector: Annotated[
        str, typer.Option("--selector", help="How the selectors begin; else the month, nov2026.")
    ] = "",
    rsa_only: Annotated[
        bool, typer.Option("--rsa-only", help="No Ed25519 key beside the RSA one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an RSA and an Ed25519 key; old ones stay. Nothing is signed until `.env` says so.

    Example: `mailer dkim new --selector nov2026`
    """
    from mailer.app import open_app
    from mailer.usecases import signing

    kinds = signing.KINDS[:1] if rsa_only else signing.KINDS
    with open_app(folder(ctx)) as opened:
        made = signing.make_keys(opened, selector=selector, kinds=kinds)
    if as_json:
        say_json(made)
        return
    say(f"Made {' and '.join(made['files'])}. Keep them secret.")
    say("1. Put these records into your DNS (a zone file's form):")
    for record in made["records"]:
        say(record["zone"])
    say("2. When DNS answers them, write into .env:")
    for line in made["settings"]:
        say(line)
    say("3. `mailer test next --to you@example.com`, and look for dkim=pass in its headers.")


@app.command()
def records(ctx: typer.Context, as_json: Json = False) -> None:
    """Print the DNS records of the keys that `.env` names.

    Example: `mailer dkim records`
    """
    from mailer.app import open_app
    from mailer.usecases import signing

    with open_app(folder(ctx)) as opened:
        found = signing.records(opened)
    if as_json:
        say_json(found)
        return
    for record in found:
        say(record["zone"])
