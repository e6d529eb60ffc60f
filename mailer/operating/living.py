"""The lock that every running service shares, and that an upgrade or a restore must have alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mailer.errors import Fault, IllegalTransition
from mailer.storage.database import Database

LIVE = "live"
NAMES = (LIVE, "scheduler", "sender", "confirming")
"""What a process holds that is at work on the database."""


@contextmanager
def living(database: Database) -> Iterator[None]:
    """Say for as long as it is held that a service runs on this database.

    Raises:
        IllegalTransition: an upgrade or a restore is under way.
    """
    with database.shared(LIVE) as is_held:
        if not is_held:
            raise IllegalTransition(
                Fault(
                    "an upgrade or a restore of this database is under way",
                    remedy="start again when it is done",
                )
            )
        yield


@contextmanager
def undisturbed(database: Database, *, what: str) -> Iterator[None]:
    """Have the database alone.

    Args:
        database: which.
        what: what is to be done, for the error.

    Raises:
        IllegalTransition: a service or a sending is at work.
    """
    held = []
    try:
        for name in NAMES:
            lock = database.exclusive(name)
            is_ours = lock.__enter__()
            held.append(lock)
            if not is_ours:
                raise IllegalTransition(
                    Fault(
                        f"{what} needs the database alone, and a `mailer run`, `mailer serve` or "
                        "`mailer send` is at work on it",
                        remedy="stop it (`systemctl stop mailer`) and run this again",
                    )
                )
        yield
    finally:
        for lock in reversed(held):
            lock.__exit__(None, None, None)
