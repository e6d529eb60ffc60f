"""The reception: takes posts from many requests at once and commits them in groups.

One thread writes. It takes what has gathered, keeps it in one transaction, and only then lets the
answers go: what was answered is on the disk. A group costs one sync however many are in it. The
same thread works off what was kept, a batch now and then, and writes the counters; because it is
one thread, looking posts over never makes a new one wait for longer than one batch, a small one
when busy.

What is counted (refused posts, by why) is held in memory and written now and then, so that ten
thousand hostile posts are a few rows of numbers. Known limits: a kill loses the counts of the
last seconds, never a post that was answered; ``CAPACITY`` posts may wait, further ones are refused.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import structlog

from mailer.audience.signups import BATCH, SignUp, SignUps
from mailer.audience.tally import Key, add_tallies
from mailer.audience.turns import in_turn
from mailer.clock import Clock
from mailer.errors import Fault, MailerError, StorageFailed
from mailer.storage.database import Database

log = structlog.get_logger()

GROUP = 500
CAPACITY = 5_000
FLUSH_S = 10.0
"""Between two writings of the counters."""

GATHER_S = 0.008
"""How long the first of a group waits for company: a commit costs the same for one as for many."""

LOOK_S = 0.1
"""Between two batches that are worked off while posts come in; each costs a transaction."""

BUSY_GROUP = 6
BATCH_WHEN_BUSY = 40
"""With so many in a group, answering comes first; the rest is worked off when it is quieter."""

PATIENCE_S = 0.5
"""How long the thread waits for a post before it looks whether it is to stop."""

REFUSED = "refused_posts"
"""The counters' name; keys say why."""


_Waiting = tuple[SignUp, asyncio.Future[None]]


class Reception:
    """Posts in, answers out, one writer between.

    Args:
        database: where the counters go.
        clock: the day of the counters.
        sign_ups: keeps and works off.
        on_kept: told after posts were worked off, so that the mail need not wait for its next look.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sign_ups: SignUps,
        *,
        on_kept: Callable[[], object] = lambda: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sign_ups = sign_ups
        self._on_kept = on_kept
        self._posts: queue.Queue[_Waiting | None] = queue.Queue(CAPACITY)
        self._counted: Counter[Key] = Counter()
        self._counting = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._flushed_s = time.monotonic()

    def start(self) -> None:
        """Begin; also takes up what an earlier process kept and did not look over.

        The first post begins as well.
        """
        if self._thread is None:
            with self._counting:
                if self._thread is None:
                    self._stopping.clear()
                    self._thread = threading.Thread(
                        target=self._work, name="reception", daemon=True
                    )
                    self._thread.start()

    def stop(self) -> None:
        """Answer what waits, write the counters, and end."""
        if self._thread is not None:
            self._stopping.set()
            with suppress(queue.Full):
                self._posts.put_nowait(None)
            self._thread.join()
            self._thread = None
        self.flush()

    async def take(self, post: SignUp) -> None:
        """Hand a post in and wait until it is on the disk.

        Raises:
            StorageFailed: it could not be written, or too many wait already.
        """
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[None] = loop.create_future()
        self.start()
        try:
            self._posts.put_nowait((post, kept))
        except queue.Full:
            raise StorageFailed(
                Fault("too many sign-ups wait to be written", remedy="try again in a minute")
            ) from None
        await kept

    def remember(self, version: str, text: str, language: str) -> None:
        """Keep the text of a form under its version, once; it is the evidence of a consent."""
        self._sign_ups.remember_text(version, text, language)

    def count(self, why: str, *, name: str = REFUSED) -> None:
        """Count something that leaves nothing else behind."""
        day = self._clock.now().date()
        with self._counting:
            self._counted[name, why, day] += 1

    def flush(self) -> None:
        """Write the counters."""
        with self._counting:
            counted, self._counted = self._counted, Counter()
        if not counted:
            return
        try:
            with in_turn(self._database) as connection:
                add_tallies(connection, counted)
        except MailerError as error:
            with self._counting:
                self._counted += counted
            log.warning("reception.counters", why=str(error))

    def _work(self) -> None:
        has_left = True
        # The machine's own seconds: a rehearsal's clock stands still.
        looked_s = time.monotonic()
        while True:
            is_stopping = self._stopping.is_set()
            group = self._gather(0.001 if is_stopping else LOOK_S if has_left else PATIENCE_S)
            if group:
                self._keep(group)
                has_left = True
            elif self._stopping.is_set() and self._posts.empty() and not has_left:
                self.flush()
                return
            if has_left and (is_stopping or time.monotonic() - looked_s >= LOOK_S):
                is_busy = len(group) >= BUSY_GROUP
                has_left = self._look_over(BATCH_WHEN_BUSY if is_busy else BATCH)
                looked_s = time.monotonic()
            if time.monotonic() - self._flushed_s >= FLUSH_S:
                self._flushed_s = time.monotonic()
                self.flush()
                # Another process may have kept something and died.
                has_left = True

    def _gather(self, patience_s: float) -> list[_Waiting]:
        group: list[_Waiting] = []
        with suppress(queue.Empty):
            first = self._posts.get(timeout=patience_s)
            self._stopping.wait(GATHER_S)
            while True:
                if first is not None:
                    group.append(first)
                if len(group) >= GROUP:
                    break
                first = self._posts.get_nowait()
        return group

    def _keep(self, group: list[_Waiting]) -> None:
        try:
            self._sign_ups.keep([post for post, _ in group])
        except Exception as error:  # noqa: BLE001 - every waiting answer must hear of it
            log.warning("reception.keep", why=_told(error), posts=len(group))
            _release(group, error)
            return
        _release(group, None)

    def _look_over(self, limit: int) -> bool:
        """Work off one batch; return whether there may be more."""
        try:
            done = self._sign_ups.work_off(limit)
        except Exception as error:  # noqa: BLE001 - the posts are kept, and tried again later
            log.warning("reception.look_over", why=_told(error))
            return False
        if done:
            self._on_kept()
        return done > 0


def _release(group: list[_Waiting], error: Exception | None) -> None:
    """Let the answers go: one call across threads for all that wait in one loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for _, kept in group:
        by_loop.setdefault(kept.get_loop(), []).append(kept)

    def release(waiting: list[asyncio.Future[None]]) -> None:
        for kept in waiting:
            # Whoever went away has cancelled theirs.
            if not kept.done():
                kept.set_result(None) if error is None else kept.set_exception(error)

    for loop, waiting in by_loop.items():
        # A loop that was closed has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(release, waiting)


def _told(error: Exception) -> str:
    # Only our own errors are sure to name nobody.
    return str(error) if isinstance(error, MailerError) else type(error).__name__
