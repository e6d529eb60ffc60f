"""A small publication in a folder, for tests that live through its weeks on their own clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from mailer.app import App, open_app
from mailer.clock import FixedClock
from mailer.issues.writing import PLACEHOLDER
from mailer.settings import load_settings
from mailer.usecases import sign_off
from tests.faults.chaos import ChaosServer

ISSUE = "2026-11-30"
FRIDAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
MONDAY_7 = datetime(2026, 11, 30, 7, tzinfo=UTC)
"""An issue's name, when it is drafted, and the hour of the first region."""

REGIONS: Mapping[str, Mapping[str, str]] = {
    "national": {},
    "wales": {"parent": "national", "send_time": "07:15"},
    "new-york": {"parent": "national", "time_zone": "America/New_York"},
}

PUBLICATION = """\
title = "The Lantern"
publisher = "Lantern Press Co-operative"
postal_address = "12 Harbour Street, Exbridge EX0 0XX"
contact = "post@lantern.example"
editors = ["desk@lantern.example"]
from_name = "The Lantern"
from_address = "briefing@lantern.example"
bounce_domain = "bounce.lantern.example"
columnist = "Nora Whitfield"
time_zone = "Europe/London"
regions = [{regions}]
{top}

[[sections]]
slug = "news"
title = "News"
quota = 3
takes_any = true

[schedule]
{schedule}

{tables}
"""

ENV = """\
MAILER_SECRET_KEY=a-secret-for-the-tests-of-the-schedule-1234
MAILER_WEB_URL=http://127.0.0.1:8080
MAILER_RELAY_HOST=127.0.0.1
MAILER_RELAY_PORT={port}
"""


def make_town(
    root: Path,
    *,
    port: int,
    schedule: str = "",
    top: str = "",
    tables: str = "",
    regions: Mapping[str, Mapping[str, str]] = REGIONS,
) -> Path:
    """Make a publication of a few regions whose mail goes to ``port``."""
    (root / "subscribers").mkdir(parents=True, exist_ok=True)
    (root / "articles").mkdir()
    named = ", ".join(f'"{slug}"' for slug in regions)
    (root / "publication.toml").write_text(
        PUBLICATION.format(regions=named, schedule=schedule, top=top, tables=tables)
    )
    (root / ".env").write_text(ENV.format(port=port))
    for slug, region in regions.items():
        lines = {
            "name": slug.title(),
            "list_id": f"{slug}.lantern.example",
            "reply_to": f"{slug}@lantern.example",
            **region,
        }
        (root / "subscribers" / f"{slug}.toml").write_text(
            "".join(f'{key} = "{value}"\n' for key, value in lines.items())
        )
    return root


def open_town(root: Path, clock: FixedClock, *, readers: int = 3) -> App:
    """Open the publication on a clock, with readers of every region."""
    app = open_app(root, settings=load_settings(root))
    app.__dict__["clock"] = clock
    for slug in app.publication.regions:
        for number in range(readers):
            app.register.add(f"{slug}{number}@reader.example", slug, source="test")
    return app


def write_article(root: Path, at: datetime, words: str) -> None:
    """Put an article into the folder, as a colleague would."""
    name = words.lower().replace(" ", "-")
    (root / "articles" / f"{name}.md").write_text(
        f"---\ntitle: {words}\ndate: {at:%Y-%m-%d %H:%M}\nauthor: Nora Whitfield\n"
        f"description: What is known of {words.lower()}, and what it means.\n---\n\n"
        f"{words} was the talk of the harbour. " + "Nobody had seen it coming, they said. " * 20
    )


def file_column(app: App, name: str, words: str = "The tide was out when I wrote this.") -> None:
    """Write the opening into the issue's file, as the columnist would."""
    path = app.desk.path(name)
    path.write_text(path.read_text().replace(PLACEHOLDER, words))


def approve(app: App, name: str) -> None:
    """Approve an issue as it is."""
    sign_off.approve(app, name, by="the editor")


def mails(server: ChaosServer, *, to: str = "") -> list[EmailMessage]:
    """Return the mails that no reader got: what the mailer told people, oldest first."""
    found = [
        message_from_bytes(item.content, policy=policy.default)
        for item in server.taken
        if not item.sender
    ]
    return [mail for mail in found if to in str(mail["To"])]


def words(mail: EmailMessage) -> str:
    """Return a mail's text on one line."""
    return " ".join(str(mail.get_content()).split())


def got(server: ChaosServer) -> list[tuple[str, str]]:
    """Return (address, issue's subject) of every briefing the relay took."""
    found: list[tuple[str, str]] = []
    for item in server.taken:
        if item.sender:
            mail: Any = message_from_bytes(item.content, policy=policy.default)
            found.append((mail["To"].addresses[0].addr_spec, str(mail["Subject"])))
    return found
