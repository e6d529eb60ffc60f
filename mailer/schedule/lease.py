"""The lease: of all processes that could work the schedule, on whatever machines, one may.

A row in the database names the holder and until when. The holder renews it long before; whoever
finds it expired takes it and raises the *fence*, a number that only grows. Everything the holder
writes about a run is written in a transaction that asks whether the fence is still its own: a
process that was asleep for ten minutes, or whose machine was, cannot write as if it had not been.

A lease need not be waited out where its holder is known to be dead: one that this machine has no
process for any more, or only one that has ended and whose parent has not asked, is taken at once.
Nor is it believed when it runs longer than any lease does: then a clock that was ahead wrote it.

Clocks: two machines' may differ by less than a third of ``LENGTH``. If they differ by more, two
processes may both think they hold it for a while; the fence still lets only one of them write.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select, update

from mailer.clock import Clock
from mailer.errors import IllegalTransition, StorageFailed
from mailer.storage.database import Database
from mailer.storage.schema import leases
from mailer.storage.upsert import insert_into

LENGTH = timedelta(minutes=3)
"""Three looks at the schedule: a holder that misses two is given up."""

RENEW_S = 45.0
"""How often the holder of a long job renews, by its own monotonic clock."""


class LeaseLost(IllegalTransition):
    """Another process works the schedule by now; what this one was doing is left to it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as its row says it."""

    holder: str
    fence: int
    expires_at: datetime


def may_take(held: Held, now: datetime, *, is_dead: bool) -> bool:
    """Say whether somebody else's lease may be taken: it is over, misdated, or a dead process's."""
    return is_dead or held.expires_at <= now or held.expires_at > now + 2 * LENGTH


class Lease:
    """One process's claim to a named lease; safe to use from several threads.

    Args:
        database: where the row is.
        clock: what "expired" means.
        name: which lease.
        holder: who asks, ``host:process:nonce``; this process unless given.
    """

    def __init__(
        self, database: Database, clock: Clock, *, name: str = "scheduler", holder: str = ""
    ) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self.holder = holder or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._fence = 0
        self._is_lost = threading.Event()

    @property
    def is_lost(self) -> bool:
        """True once another process took a lease that this one held and still works under."""
        return self._is_lost.is_set()

    def is_free(self) -> bool:
        """Say whether ``take`` would give it now; changes nothing."""
        now = self._clock.now()
        with self._database.read() as connection:
            row = connection.execute(select(leases).where(leases.c.name == self._name)).first()
        return row is None or self._is_ours_to_take(
            Held(row.holder, row.fence, row.expires_at), now
        )

    def take(self) -> bool:
        """Take or renew the lease; False when another process has it."""
        now = self._clock.now()
        with self._database.write() as connection:
            held = self._row(connection) or self._first(connection, now)
            if not self._is_ours_to_take(held, now):
                return False
            is_ours = self._is_ours(held)
            fence = held.fence if is_ours else held.fence + 1
            values = {"holder": self.holder, "fence": fence, "expires_at": now + LENGTH}
            connection.execute(
                update(leases)
                .where(leases.c.name == self._name)
                .values(values if is_ours else values | {"taken_at": now})
            )
        if not is_ours:
            self._fence = fence
            self._is_lost.clear()
        return True

    def release(self) -> None:
        """Give the lease back, if it is ours, so that another need not wait for its end."""
        with self._database.write() as connection:
            connection.execute(
                update(leases)
                .where(leases.c.name == self._name, leases.c.holder == self.holder)
                .where(leases.c.fence == self._fence)
                .values(holder="", expires_at=self._clock.now())
            )

    def guard(self, connection: Connection) -> None:
        """Refuse to go on in this transaction unless the lease is still ours.

        Raises:
            LeaseLost: another process has taken it.
        """
        held = self._row(connection)
        if held is None or not self._is_ours(held):
            self._is_lost.set()
            raise LeaseLost("another process has taken over the schedule; this one leaves it alone")

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lease in the background for as long as the work within takes."""
        is_over = threading.Event()

        def renew() -> None:
            while not is_over.wait(RENEW_S):
                try:
                    if not self.take():
                        self._is_lost.set()
                        return
                except StorageFailed:
                    # Whether it is lost is asked again before anything is written.
                    continue

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _is_ours(self, held: Held) -> bool:
        return held.holder == self.holder and held.fence == self._fence

    def _is_ours_to_take(self, held: Held, now: datetime) -> bool:
        is_dead = _is_dead(held.holder, self.holder)
        return self._is_ours(held) or may_take(held, now, is_dead=is_dead)

    def _row(self, connection: Connection) -> Held | None:
        row = connection.execute(
            select(leases).where(leases.c.name == self._name).with_for_update()
        ).one_or_none()
        return None if row is None else Held(row.holder, row.fence, row.expires_at)

    def _first(self, connection: Connection, now: datetime) -> Held:
        connection.execute(
            insert_into(leases, is_sqlite=self._database.is_sqlite)
            .values(name=self._name, holder="", fence=0, taken_at=now, expires_at=now)
            .on_conflict_do_nothing()
        )
        return self._row(connection) or Held("", 0, now)


def _is_dead(holder: str, me: str) -> bool:
    """Say whether a holder was a process of this machine that is there no more."""
    host, _, rest = holder.partition(":")
    my_host, _, my_rest = me.partition(":")
    pid, my_pid = rest.partition(":")[0], my_rest.partition(":")[0]
    if host != my_host or not pid.isdigit():
        return False
    if pid == my_pid:
        # The number was given again, to us: after a restart a container's first process has it.
        return holder != me
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return _is_unburied(int(pid))


def _is_unburied(pid: int) -> bool:
    """Say whether a process ended and its parent has not asked yet; False where nothing tells."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return False
    # "7 (a name) Z 1 …": the name may hold brackets itself (proc_pid_stat(5)).
    return stat.rpartition(")")[2].split()[:1] in (["Z"], ["X"])
