"""``mailer doctor``: is this installation fit to send? Looks, and changes nothing.

Every check answers ok, warn or fail with what to do. The relay is greeted and asked what it
offers; nothing is sent. A fault in one place never hides the others.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mailer.app import App, open_app
from mailer.errors import ConfigurationError, MailerError
from mailer.languages import load_languages
from mailer.usecases.readers import regions_data
from mailer.whereabouts import find_root

LOW_DISK_BYTES = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    level: Literal["ok", "warn", "fail"]
    subject: str
    message: str
    remedy: str = ""


def examine(folder: Path | None) -> list[Check]:
    """Run every check on the publication at ``folder`` (None: the nearest one)."""
    try:
        root = find_root(folder)
        app = open_app(folder)
    except ConfigurationError as error:
        return [Check("fail", "configuration", str(fault)) for fault in error.faults]
    with app:
        return [
            Check("ok", "publication", f"{app.publication.title} in {root}"),
            *_configuration(app),
            *_database(app),
            *_clock(app),
            *_disk(app),
            *_templates(app),
            *_audience(app),
            *_relay(app),
        ]


def _configuration(app: App) -> Iterator[Check]:
    faults = app.faults_before_sending()
    if not faults:
        yield Check("ok", "settings", "all that sending needs is there")
    for fault in faults:
        yield Check("fail", "settings", str(fault))
    if app.settings.web_url.startswith("http://"):
        yield Check(
            "warn",
            "settings",
            f"MAILER_WEB_URL is {app.settings.web_url}, which readers cannot reach",
            "write your https address before real readers get mail",
        )
    try:
        signer = app.signer
    except ConfigurationError as error:
        for fault in error.faults:
            yield Check("fail", "DKIM", str(fault))
        return
    if signer is None:
        yield Check(
            "warn",
            "DKIM",
            "messages are not signed here",
            "make keys with `mailer dkim new`, or let the relay sign",
        )
    else:
        selectors = ", ".join(key.selector for key in signer.keys)
        yield Check("ok", "DKIM", f"signs for {signer.domain} with {selectors}")


def _database(app: App) -> Iterator[Check]:
    try:
        count = len(app.archive.records())
    except (MailerError, ConfigurationError) as error:
        yield Check("fail", "database", str(error.faults[0]))
        return
    kind = "SQLite" if app.database.is_sqlite else "PostgreSQL"
    yield Check("ok", "database", f"{kind}, up to date, {count} issues")


def _clock(app: App) -> Iterator[Check]:
    try:
        count = app.ledger.misdated(app.publication.retry)
    except (MailerError, ConfigurationError):
        return  # The database has said what is wrong with it.
    if count:
        yield Check(
            "warn",
            "clock",
            f"{count} deliveries were dated by a clock that was ahead of this machine's",
            "look that this machine's time is right; the next sending takes them as due",
        )
    else:
        yield Check("ok", "clock", f"{app.clock.now():%Y-%m-%d %H:%M} UTC, as the ledger has it")


def _disk(app: App) -> Iterator[Check]:
    free = shutil.disk_usage(app.root).free
    message = f"{free // (1024 * 1024)} MB free"
    if free < LOW_DISK_BYTES:
        yield Check("warn", "disk", message, "the ledger needs room to write; free some")
    else:
        yield Check("ok", "disk", message)


def _templates(app: App) -> Iterator[Check]:
    try:
        _ = app.templates
        tags = load_languages(app.root / "templates").tags
    except (MailerError, ConfigurationError) as error:
        for fault in error.faults:
            yield Check("fail", "templates", str(fault))
        return
    yield Check(
        "ok",
        "templates",
        f"the set `{app.publication.templates}` is sound; pages in {', '.join(tags)}",
    )


def _audience(app: App) -> Iterator[Check]:
    rows = regions_data(app)
    empty = [str(row["slug"]) for row in rows if not row["confirmed"]]
    total = sum(row["confirmed"] for row in rows)
    if empty:
        yield Check(
            "warn",
            "readers",
            f"{total} subscriptions; nobody on {', '.join(empty)}",
            "`mailer subscribers import --all --basis consent` takes in the rosters",
        )
    else:
        yield Check("ok", "readers", f"{total} subscriptions on {len(rows)} lists")


def _relay(app: App) -> Iterator[Check]:
    place = f"{app.settings.relay_host}:{app.settings.relay_port}"
    relay = app.relays.first()
    trouble = relay.open()
    relay.close()
    if trouble:
        yield Check(
            "fail",
            "relay",
            f"{place}: {trouble}",
            "start it (`mailer inbox serve` for the built-in one) or check MAILER_RELAY_*",
        )
    else:
        yield Check("ok", "relay", f"{place} answers; nothing was sent")
