"""Alive and ready: what a watcher of the service may ask.

*Alive* means that the process answers; who does not get that answer starts it again. *Ready* means
that it can do its work now: the database answers and has this program's schema, the schedule was
looked at a short while ago or is at work, every part is up, and the pages can be asked. Who is not
ready gets no traffic and a look from a person; starting it again would not help.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from mailer.clock import Clock
from mailer.errors import MailerError
from mailer.schedule.runs import Runs
from mailer.storage.database import HEAD, Database

RECENT = timedelta(minutes=3)
"""The schedule is looked at every minute; two looks may be late."""


KNOCK_S = 1.0
"""A port on this machine answers at once, or nobody listens."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One question and its answer; ``trouble`` is "" when all is well."""

    name: str
    trouble: str = ""


def port_trouble(host: str, port: int) -> str:
    """Say why nobody answers on a port of this machine; "" when somebody does."""
    # Who listens on every address is asked on one.
    asked = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    try:
        socket.create_connection((asked, port), KNOCK_S).close()
    except OSError:
        return f"port {port} does not answer yet"
    return ""


def database_probes(database: Database) -> list[Probe]:
    """Ask the database whether it is there and what schema it has."""
    try:
        with database.read() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except MailerError as error:
        return [Probe("database", str(error))]
    schema = "" if found == HEAD else f"it is at {found}, this program needs {HEAD}"
    return [Probe("database"), Probe("schema", schema)]


def schedule_probe(database: Database, clock: Clock) -> Probe:
    """Ask when the schedule was last looked at; a job that takes long is no silence."""
    runs = Runs(database, clock)
    try:
        beat = runs.last_beat()
        is_at_work = bool(runs.unfinished())
    except MailerError as error:
        return Probe("schedule", str(error))
    return Probe("schedule", "" if is_at_work else silence(beat, clock.now()))


def silence(beat: datetime | None, now: datetime) -> str:
    """Say what is wrong with the last look at the schedule, "" when nothing is."""
    if beat is None:
        return "it was never looked at"
    # A clock that was set back makes no silence.
    if now - beat > RECENT:
        return f"it was last looked at {beat:%Y-%m-%d %H:%M} UTC"
    return ""


def is_ready(probes: Sequence[Probe]) -> bool:
    """Say whether every answer was good."""
    return not any(probe.trouble for probe in probes)
