"""The figures of a running service, on each kind of database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mailer.app import App, make_publication, open_app
from mailer.clock import FixedClock
from mailer.operating.gauges import Gauges
from mailer.operating.supervising import Part, PartState
from mailer.schedule.runs import Runs
from mailer.storage.database import Database
from mailer.usecases.sourcing import ingest
from tests.conftest import NOW
from tests.faults.world import ISSUE, World, make_world

READERS = [f"reader{n}@reader.example" for n in range(7)]


@pytest.fixture
def world(database: Database, clock: FixedClock) -> World:
    return make_world(database, clock, READERS, due_at=NOW - timedelta(hours=1))


@pytest.fixture
def opened(tmp_path: Path, world: World, clock: FixedClock) -> App:
    make_publication(tmp_path / "lantern")
    app = open_app(tmp_path / "lantern")
    app.__dict__["database"] = world.database
    app.__dict__["clock"] = clock
    return app


def figures(gauges: Gauges) -> dict[tuple[Any, ...], float]:
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): (
            sample.value
        )
        for family in text_string_to_metric_families(gauges.text().decode())
        for sample in family.samples
    }


def test_the_ledger_is_told_in_figures(opened: App, world: World) -> None:
    world.ledger.claim(ISSUE, limit=2)
    Runs(opened.database, opened.clock).beat(NOW)
    state = PartState(Part("pages", ()), restarts=3)
    found = figures(Gauges(opened, lambda: [state]))
    assert found["mailer_queue", "state=planned"] == 5
    assert found["mailer_queue", "state=claimed"] == 2
    assert found["mailer_queue", "state=in_doubt"] == 0
    assert found["mailer_deliveries", f"issue={ISSUE}", "state=planned"] == 5
    assert found["mailer_issues", "state=sending"] == 1
    assert found["mailer_subscriptions", "region=wales", "state=confirmed"] == len(READERS)
    assert found["mailer_retries_due",] == 0
    assert found["mailer_last_tick_timestamp_seconds",] == NOW.timestamp()
    assert found["mailer_part_up", "part=pages"] == 0
    assert found["mailer_part_restarts_total", "part=pages"] == 3


def test_the_rate_is_what_left_the_queue(opened: App, world: World) -> None:
    gauges = Gauges(opened)
    assert figures(gauges)["mailer_send_rate",] == 0
    claim = world.ledger.claim(ISSUE, limit=7)
    world.ledger.skip({item.id: "left" for item in claim.deliveries})
    assert figures(gauges)["mailer_send_rate",] > 0
    assert figures(gauges)["mailer_send_rate",] == 0


def test_ingestion_is_told_with_what_was_at_fault(opened: App) -> None:
    assert ("mailer_last_ingest_timestamp_seconds",) not in figures(Gauges(opened))
    named = opened.root / "articles" / "broken.md"
    named.write_text("---\ntitle: [\n---\nNo way to read this.\n")
    ingest(opened, [named])
    assert ("mailer_ingest_faults",) not in figures(Gauges(opened))
    ingest(opened, [])
    found = figures(Gauges(opened))
    assert found["mailer_last_ingest_timestamp_seconds",] == NOW.timestamp()
    assert found["mailer_ingest_faults",] == 1
    assert found["mailer_sources_failing",] == 0
    named.unlink()
    ingest(opened, [])
    assert figures(Gauges(opened))["mailer_ingest_faults",] == 0


def test_no_figure_names_a_reader(opened: App) -> None:
    assert b"reader.example" not in Gauges(opened).text()
