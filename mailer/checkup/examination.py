"""The order in which the doctor looks, and what it needs to be allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from mailer.app import App, open_app
from mailer.checkup.findings import Check
from mailer.checkup.machine import clock_checks, database_checks, disk_checks
from mailer.checkup.mailway import relay_checks, sent_checks
from mailer.checkup.preparation import settings_checks, template_checks
from mailer.checkup.routine import backup_checks, reader_checks, schedule_checks
from mailer.errors import ConfigurationError, MailerError
from mailer.whereabouts import find_root


def examine(
    folder: Path | None,
    *,
    online: bool = False,
    send_to: str = "",
    step: Callable[[int, int, str], None] = lambda _done, _total, _what: None,
) -> list[Check]:
    """Run every check on the publication at ``folder`` (None: the nearest one).

    Args:
        folder: the publication.
        online: ask name servers, the relay and the web address as well.
        send_to: mail one test message to this address.
        step: told how many looks are done, of how many, and what is being looked at.
    """
    try:
        root = find_root(folder)
        app = open_app(folder)
    except ConfigurationError as error:
        return [Check("fail", "configuration", str(fault)) for fault in error.faults]
    found: list[Check] = []
    with app:
        found.append(Check("ok", "publication", f"{app.publication.title} in {root}"))
        looks: list[tuple[str, Callable[[App], Iterator[Check]]]] = [
            ("settings", settings_checks),
            ("templates", template_checks),
            ("database", database_checks),
            ("disk", disk_checks),
            ("clock", clock_checks),
            ("readers", reader_checks),
            ("schedule", schedule_checks),
            ("backup", backup_checks),
            ("relay", lambda app: relay_checks(app, online=online)),
        ]
        if online:
            # dnspython and the HTTP client cost a moment that an offline look need not pay.
            from mailer.checkup.naming import naming_checks
            from mailer.checkup.reaching import reaching_checks

            looks += [("DNS", naming_checks), ("web", reaching_checks)]
        if send_to:
            looks.append(("sending", lambda app: sent_checks(app, send_to)))
        for done, (subject, look) in enumerate(looks):
            step(done, len(looks), subject)
            found += _looked(app, subject, look)
    return found


def _looked(app: App, subject: str, look: Callable[[App], Iterator[Check]]) -> list[Check]:
    """Look at one thing; what stops the look is a finding as well."""
    found = []
    try:
        for check in look(app):
            found.append(check)  # noqa: PERF402  what was found before a failure is kept
    except (MailerError, ConfigurationError) as error:
        found += [Check("fail", subject, fault.problem, fault.remedy) for fault in error.faults]
    return found
