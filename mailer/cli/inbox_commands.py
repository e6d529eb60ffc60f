"""``mailer inbox``: the development inbox, a real SMTP server on loopback that delivers nowhere."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mailer.cli.options import Json, Yes, folder
from mailer.cli.output import confirm, say, say_json, table

app = typer.Typer(
    no_args_is_help=True, help="The development inbox: catch mail on loopback and read it."
)


@app.command()
def serve(
    ctx: typer.Context,
    smtp_port: Annotated[
        int | None,
        typer.Option(
            "--smtp-port", min=0, max=65535, help="Else MAILER_INBOX_SMTP_PORT; 0: a free one."
        ),
    ] = None,
    web_port: Annotated[
        int | None,
        typer.Option(
            "--web-port", min=0, max=65535, help="Else MAILER_INBOX_WEB_PORT; 0: a free one."
        ),
    ] = None,
) -> None:
    """Accept mail by SMTP and show it as a web page, until Ctrl-C. Loopback only.

    Example: `mailer inbox serve`
    """
    from mailer.app import open_app
    from mailer.usecases import inboxes

    with open_app(folder(ctx)) as opened:
        inboxes.serve_inbox(opened, smtp_port=smtp_port, web_port=web_port, announce=say)


@app.command("list")
def list_messages(ctx: typer.Context, as_json: Json = False) -> None:
    """List the caught messages, oldest first."""
    from mailer.app import open_app
    from mailer.usecases import inboxes

    with open_app(folder(ctx)) as opened:
        rows = inboxes.inbox_data(opened)
    if as_json:
        say_json(rows)
        return
    if not rows:
        say("The inbox is empty. `mailer inbox serve` catches what `mailer send` sends.")
        return
    table(
        f"{len(rows)} messages",
        ["id", "to", "list", "subject", "bytes #"],
        [(r["id"], r["to"], r["list"], r["subject"], r["size_bytes"]) for r in rows],
    )


@app.command()
def show(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(metavar="ID", help="An id from `inbox list`.")],
) -> None:
    """Print one message exactly as it was received."""
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        content = opened.inbox.content(message)
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


@app.command()
def clear(ctx: typer.Context, yes: Yes = False) -> None:
    """Throw away every caught message."""
    from mailer.app import open_app

    with open_app(folder(ctx)) as opened:
        confirm("Throw away every message in the inbox?", is_sure=yes)
        count = opened.inbox.clear()
    say(f"{count} messages thrown away.")
