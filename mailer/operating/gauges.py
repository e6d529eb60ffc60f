"""The figures of a running service for Prometheus, read from the database when they are asked for.

Nothing is counted in memory, so a restart forgets nothing and several processes need not agree.
What can be read off an index is read at every scrape; what has to read an issue's rows (deliveries
by state, subscriptions) is kept for ``KEPT_S``. The send rate is what left the queue between two
scrapes. No figure names a reader or an address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select, text

from mailer import __version__
from mailer.app import App
from mailer.clock import SystemClock
from mailer.issues.history import last_event
from mailer.operating.backing_up import MADE
from mailer.operating.supervising import PartState
from mailer.schedule.calendar import JOBS
from mailer.schedule.runs import Runs
from mailer.storage.schema import (
    CLAIMED,
    WAITING,
    confirmations,
    deliveries,
    issues,
    runs,
    sign_ups,
    source_states,
    subscriptions,
)
from mailer.usecases.sourcing import INGESTED

KEPT_S = 60.0

Rows = Sequence[tuple[Sequence[str], float]]
Family = GaugeMetricFamily | CounterMetricFamily


class Gauges(Collector):
    """Reads the figures; ``parts`` are those of the supervisor, if there is one."""

    def __init__(self, app: App, parts: Callable[[], Sequence[PartState]] = lambda: ()) -> None:
        self._app = app
        self._parts = parts
        self._ticker = SystemClock()
        self._kept: dict[str, tuple[float, list[Family]]] = {}
        self._queue: tuple[float, float] | None = None

    def text(self) -> bytes:
        """Return all of them in Prometheus's text format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing: what there is is known when it was read."""
        return []

    def collect(self) -> Iterator[Family]:
        """Yield every figure."""
        yield _gauge("mailer_info", "The program.", [((__version__,), 1)], ["version"])
        yield from self._service()
        with self._app.database.read() as connection:
            yield from self._queue_of(connection)
            yield from self._schedule(connection)
            yield from self._joining(connection)
            yield from _past(connection)
            yield from self._for_a_while("ledger", lambda: list(_ledger(connection)))
            yield from self._for_a_while("lists", lambda: list(_lists(connection)))

    def _for_a_while(self, name: str, read: Callable[[], list[Family]]) -> list[Family]:
        now = self._ticker.monotonic()
        kept = self._kept.get(name)
        if kept is None or now - kept[0] >= KEPT_S:
            kept = self._kept[name] = (now, read())
        return kept[1]

    def _service(self) -> Iterator[Family]:
        states = self._parts()
        yield _gauge(
            "mailer_part_up",
            "1 while the part's process is there.",
            [((state.part.name,), float(state.is_up)) for state in states],
            ["part"],
        )
        restarts = CounterMetricFamily(
            "mailer_part_restarts", "How often the part died and was started anew.", labels=["part"]
        )
        for state in states:
            restarts.add_metric([state.part.name], state.restarts)
        yield restarts

    def _queue_of(self, connection: Connection) -> Iterator[Family]:
        table = deliveries.c
        counts = {"planned": 0.0, "claimed": 0.0, "deferred": 0.0, "in_doubt": 0.0}
        for condition in (WAITING, CLAIMED):
            found = connection.execute(
                select(table.state, func.count()).where(text(condition)).group_by(table.state)
            )
            counts.update({str(state): float(count) for state, count in found})
        yield _gauge(
            "mailer_queue",
            "Deliveries with work left, by state.",
            [((state,), count) for state, count in counts.items()],
            ["state"],
        )
        now = self._app.clock.now()
        due = connection.execute(
            select(func.count())
            .where(text(WAITING), table.state.in_(("deferred", "in_doubt")))
            .where(table.due_at <= now)
        ).scalar()
        yield _gauge("mailer_retries_due", "Deliveries to be tried again now.", [((), due or 0)])
        total = sum(counts.values())
        yield _gauge("mailer_send_rate", "Deliveries that left the queue, a second, since the last "
                     "scrape.", [((), self._rate(total))])  # fmt: skip

    def _rate(self, total: float) -> float:
        now = self._ticker.monotonic()
        before, self._queue = self._queue, (now, total)
        if before is None or now <= before[0]:
            return 0.0
        return max(0.0, (before[1] - total) / (now - before[0]))

    def _schedule(self, connection: Connection) -> Iterator[Family]:
        counts = connection.execute(
            select(runs.c.job, runs.c.state, func.count())
            .where(runs.c.job.in_(JOBS))
            .group_by(runs.c.job, runs.c.state)
        )
        yield _gauge(
            "mailer_runs",
            "Slots of the schedule, by job and state.",
            [((job, state), count) for job, state, count in counts],
            ["job", "state"],
        )
        beat = Runs(self._app.database, self._app.clock).last_beat()
        yield _gauge(
            "mailer_last_tick_timestamp_seconds",
            "When the schedule was last looked at.",
            _at(beat),
        )

    def _joining(self, connection: Connection) -> Iterator[Family]:
        waiting = connection.execute(select(func.count()).select_from(sign_ups)).scalar()
        yield _gauge("mailer_sign_ups_waiting", "Sign-ups not looked at yet.", [((), waiting or 0)])
        due = connection.execute(
            select(func.count()).where(confirmations.c.due_at.is_not(None))
        ).scalar()
        yield _gauge(
            "mailer_confirmations_waiting", "Confirmations to be mailed.", [((), due or 0)]
        )


def _past(connection: Connection) -> Iterator[Family]:
    """Say when the last backup was made, when articles were taken in, and what was at fault."""
    made_at, _made = last_event(connection, MADE)
    taken_at, taken = last_event(connection, INGESTED)
    yield _gauge(
        "mailer_last_backup_timestamp_seconds",
        "When the last backup was made.",
        _at(made_at),
    )
    yield _gauge(
        "mailer_last_ingest_timestamp_seconds",
        "When the folder of articles and the sources were last looked at.",
        _at(taken_at),
    )
    yield _gauge(
        "mailer_ingest_faults",
        "Files, pages and sources that could not be read at that look.",
        [((), count) for count in [taken.get("faults")] if count is not None],
    )
    failing = connection.execute(
        select(func.count()).select_from(source_states).where(source_states.c.failures > 0)
    ).scalar()
    yield _gauge("mailer_sources_failing", "Sources whose last visit failed.", [((), failing or 0)])


def _ledger(connection: Connection) -> Iterator[Family]:
    """Count the deliveries of the issues under way and of the newest that was sent."""
    newest = connection.execute(
        select(issues.c.id).where(issues.c.state == "sent").order_by(issues.c.id.desc()).limit(1)
    ).scalar()
    under_way = connection.execute(select(issues.c.id).where(issues.c.state == "sending")).scalars()
    names = sorted({*under_way, *([newest] if newest else [])})
    table = deliveries.c
    counts = connection.execute(
        select(table.issue_id, table.state, func.count())
        .where(table.issue_id.in_(names))
        .group_by(table.issue_id, table.state)
    )
    yield _gauge(
        "mailer_deliveries",
        "Deliveries of the issues under way and of the last one sent, by state.",
        [((issue, state), count) for issue, state, count in counts],
        ["issue", "state"],
    )
    states = connection.execute(select(issues.c.state, func.count()).group_by(issues.c.state))
    yield _gauge(
        "mailer_issues", "Issues by state.", [((state,), n) for state, n in states], ["state"]
    )


def _lists(connection: Connection) -> Iterator[Family]:
    table = subscriptions.c
    counts = connection.execute(
        select(table.region, table.state, func.count()).group_by(table.region, table.state)
    )
    yield _gauge(
        "mailer_subscriptions",
        "Subscriptions by list and state.",
        [((region, state), count) for region, state, count in counts],
        ["region", "state"],
    )


def _at(instant: datetime | None) -> Rows:
    return [] if instant is None else [((), instant.timestamp())]


def _gauge(name: str, what: str, rows: Rows, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=labels)
    for values, figure in rows:
        family.add_metric(values, figure)
    return family
