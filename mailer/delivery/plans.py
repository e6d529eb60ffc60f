"""Writing a plan into the ledger: one transaction, however many readers.

``plan_audience`` hands the database one statement a region, which reads who is eligible and
writes their rows without a detour through this process; a million readers cost some ten seconds.
An address that has a row for the issue keeps it: UNIQUE(issue_id, address) says so. A row that was
skipped or cancelled before anything of it can have arrived is planned anew when its reader is a
recipient again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, String, func, literal, select, text

from mailer.clock import Clock
from mailer.delivery import statements
from mailer.storage.database import Database
from mailer.storage.schema import deliveries
from mailer.storage.upsert import insert_into

PLAN_CHUNK = 10_000
"""Tokens SQLite is given at a time; progress is told after each."""
FIRST_CHUNK = 500
"""The first time so many; most lists need no more."""

CACHE_KIB = 16 * 1024
"""SQLite's page cache while it plans: what a million rows touch again and again."""

_COLUMNS = deliveries.c

Tokens = Callable[[int], Sequence[str]]
Counts = tuple[Counter[str], Counter[str], Counter[str]]


class Plans:
    """The part of the ledger that makes rows."""

    _database: Database
    _clock: Clock

    def plan_audience(
        self,
        issue_id: str,
        audience: Mapping[str, Select[Any]],
        *,
        due_at: Mapping[str, datetime],
        tokens: Tokens,
        is_dry_run: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Counts:
        """Add a row for everybody the regions' statements select; return the counts by region.

        Args:
            issue_id: whose plan.
            audience: region to a statement that selects subscriber_id, address and name.
            due_at: region to the instant its readers are due; other regions are left out.
            tokens: gives so many tokens; PostgreSQL makes its own, of 128 bits, where the rows are.
            is_dry_run: count only.
            progress: called with the number of rows planned so far.

        Returns:
            Rows added, rows there already, readers left out.
        """
        planned: Counter[str] = Counter()
        already: Counter[str] = Counter()
        left_out: Counter[str] = Counter()
        door = self._database.read if is_dry_run else self._database.write
        with door() as connection, self._tokens(connection, tokens, progress) as token:
            is_new = not connection.execute(
                select(_COLUMNS.id).where(_COLUMNS.issue_id == issue_id).limit(1)
            ).first()
            for region, chosen in audience.items():
                everybody = chosen.order_by(None).subquery()
                if region not in due_at:
                    left_out[region] = _count(connection, everybody)
                    continue
                if not is_new:
                    already[region] = _count(
                        connection,
                        everybody.join(
                            deliveries,
                            (_COLUMNS.address == everybody.c.address)
                            & (_COLUMNS.issue_id == issue_id)
                            & text(f"NOT ({statements.RENEWABLE})"),
                        ),
                    )
                if is_dry_run:
                    planned[region] = _count(connection, everybody) - already[region]
                    continue
                statement = self._plan_statement(issue_id, region, chosen, due_at[region], token)
                done = connection.execute(statement, execution_options={"preserve_rowcount": True})
                planned[region] = done.rowcount
        return +planned, +already, +left_out

    def _plan_statement(
        self, issue_id: str, region: str, chosen: Select[Any], due_at: datetime, token: Any
    ) -> Any:
        rows = chosen.subquery()
        at = literal(due_at, _COLUMNS.due_at.type)
        values = {
            "issue_id": literal(issue_id),
            "region": literal(region),
            "subscriber_id": rows.c.subscriber_id,
            "address": rows.c.address,
            "name": rows.c.name,
            "token": token,
            "state": literal("planned"),
            "dated_at": at,
            "due_at": at,
            "updated_at": literal(self._clock.now(), _COLUMNS.updated_at.type),
        }
        # SQLite takes ON for a join's without a WHERE before it.
        selected = select(*values.values()).select_from(rows).where(text("1 = 1"))
        planned = insert_into(deliveries, is_sqlite=self._database.is_sqlite)
        planned = planned.from_select(list(values), selected, include_defaults=False)
        renewed = ("region", "subscriber_id", "name", "state", "dated_at", "due_at", "updated_at")
        return planned.on_conflict_do_update(
            index_elements=[_COLUMNS.issue_id, _COLUMNS.address],
            set_={name: planned.excluded[name] for name in renewed}
            | {"reply_text": "", "withheld": ""},
            where=text(statements.RENEWABLE),
        )

    @contextmanager
    def _tokens(
        self, connection: Connection, tokens: Tokens, progress: Callable[[int], None] | None
    ) -> Iterator[Any]:
        """Give the SQL expression that makes a row's token; SQLite asks this process for it."""
        if not self._database.is_sqlite:
            drawn = "gen_random_uuid()::text || gen_random_uuid()::text"
            letters = f"translate(encode(sha256(({drawn})::bytea), 'hex'), '0189', 'ghij')"
            yield text(f"substr({letters}, 1, 32)")
            return
        stock: Iterator[str] = iter(())
        given = 0

        def token() -> str:
            nonlocal stock, given
            for each in stock:
                return each
            if progress and given:
                progress(given)
            count = PLAN_CHUNK if given else FIRST_CHUNK
            stock = iter(tokens(count))
            given += count
            return next(stock)

        driver = connection.connection.driver_connection
        if driver is None:
            raise TypeError("the connection has no driver beneath it")
        driver.create_function("mailer_token", 0, token)
        (before,) = driver.execute("PRAGMA cache_size").fetchone()
        driver.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        try:
            yield func.mailer_token(type_=String)
        finally:
            driver.create_function("mailer_token", 0, None)
            driver.execute(f"PRAGMA cache_size = {before}")
            driver.execute("PRAGMA shrink_memory")


def _count(connection: Connection, rows: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(rows)).scalar_one())
