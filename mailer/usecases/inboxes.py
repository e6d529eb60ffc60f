"""Running and reading the development inbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mailer.app import App
from mailer.inbox import serving
from mailer.inbox.page import inbox_app
from mailer.inbox.server import InboxServer

Announce = Callable[[str], None]


def serve_inbox(
    app: App, *, smtp_port: int | None, web_port: int | None, announce: Announce
) -> None:
    """Catch mail and show it until SIGINT or SIGTERM."""
    settings = app.settings
    port = settings.inbox_smtp_port if smtp_port is None else smtp_port
    with InboxServer(app.inbox, host=settings.inbox_host, port=port) as server:
        serve_page(
            app,
            port=settings.inbox_web_port if web_port is None else web_port,
            announce=announce,
            smtp_port=server.port,
        )


def serve_page(app: App, *, port: int, announce: Announce, smtp_port: int) -> None:
    """Show the inbox as a web page on loopback until SIGINT or SIGTERM."""
    host = app.settings.inbox_host

    def ready(address: str) -> None:
        announce(f"SMTP on {host}:{smtp_port}, delivering nowhere")
        announce(f"The inbox is at {address} (Ctrl-C ends it)")

    page = inbox_app(app.inbox, images=app.images, web_url=app.web_url)
    serving.serve_page(page, host=host, port=port, ready=ready)


def inbox_data(app: App) -> list[dict[str, Any]]:
    """Return the caught messages, oldest first."""
    return [
        {
            "id": message.id,
            "received_at": message.received_at,
            "to": message.to,
            "envelope_to": message.recipients,
            "envelope_from": message.sender,
            "list": message.list_id,
            "subject": message.subject,
            "size_bytes": message.size_bytes,
        }
        for message in app.inbox.messages()
    ]
