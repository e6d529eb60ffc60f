"""A process that runs for months follows the publication's files, and survives their mistakes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mailer.app import App
from mailer.clock import FixedClock
from mailer.publication import Publication
from mailer.schedule.jobs import Runner
from mailer.schedule.runs import Runs, RunState
from mailer.usecases import mailing
from mailer.usecases.rereading import Rereading
from mailer.usecases.unattended import make_runner
from tests.faults.chaos import ChaosServer
from tests.town import FRIDAY, ISSUE, MONDAY_7, approve, got, make_town, open_town, write_article


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock, relay: ChaosServer) -> Iterator[App]:
    root = make_town(
        tmp_path / "town",
        port=relay.port,
        schedule='remind = ""',
        regions={"national": {}},
        tables='[column]\nwhen_missing = "without"',
    )
    write_article(root, FRIDAY - timedelta(hours=20), "The last ferry")
    opened = open_town(root, clock, readers=2)
    yield opened
    opened.__exit__()


def change(path: Path, before: str, after: str) -> None:
    """Change a file, seen to be newer whatever the file system's clock can show."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    stamp = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(stamp, stamp))


def look(runner: Runner, clock: FixedClock, at: datetime) -> None:
    clock.set(at)
    runner.tick()


def test_an_hour_that_was_changed_is_the_one_that_counts(
    app: App, clock: FixedClock, relay: ChaosServer
) -> None:
    runner = make_runner(app)
    look(runner, clock, FRIDAY)
    approve(app, ISSUE)
    with capture_logs() as logs:
        change(app.root / "publication.toml", 'remind = ""', 'remind = ""\nsend_time = "08:30"')
        look(runner, clock, MONDAY_7)
    assert "publication.reread" in {log["event"] for log in logs}
    assert got(relay) == []
    look(runner, clock, MONDAY_7 + timedelta(minutes=90))
    assert len(got(relay)) == 2
    # And once it is sent, another hour sends nothing more.
    change(app.root / "publication.toml", 'send_time = "08:30"', 'send_time = "09:00"')
    look(runner, clock, MONDAY_7 + timedelta(hours=2))
    assert len(got(relay)) == 2
    (row,) = [run for run in Runs(app.database, clock).latest(9) if run.job == "send"]
    assert row.state is RunState.DONE


def test_what_was_saved_before_the_first_look_is_not_missed(app: App) -> None:
    change(app.root / "publication.toml", 'remind = ""', 'remind = "sun 18:00"')
    assert not app.publication.schedule.remind
    assert str(Rereading(app)().schedule.remind[0]) == "sun 18:00"


def test_what_fails_for_another_reason_is_tried_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_root: Path) -> Publication:
        raise OSError("the disk is away")

    follow = Rereading(app)
    follow()
    change(app.root / "publication.toml", 'remind = ""', 'remind = "sun 18:00"')
    with monkeypatch.context() as patch:
        patch.setattr("mailer.usecases.rereading.load_publication", fail)
        with pytest.raises(OSError, match="away"):
            follow()
    assert str(follow().schedule.remind[0]) == "sun 18:00"


def test_a_mistake_is_reported_once_and_the_old_stays(app: App) -> None:
    follow = Rereading(app)
    before = app.publication
    path = app.root / "publication.toml"
    change(path, 'remind = ""', 'remind = "soon"')
    with capture_logs() as logs:
        assert follow() is before
        assert follow() is before
    (error,) = logs
    assert error["event"] == "publication.at_fault"
    assert "schedule.remind" in error["why"]
    change(path, 'remind = "soon"', 'remind = "sun 18:00"')
    assert str(follow().schedule.remind[0]) == "sun 18:00"
    assert app.publication is follow()


def test_a_new_region_and_a_new_template_are_taken_up(app: App) -> None:
    follow = Rereading(app)
    before, library = app.templates, app.library
    main = app.root / "publication.toml"
    change(main, 'regions = ["national"]', 'regions = ["national", "wales"]')
    region = (app.root / "subscribers" / "national.toml").read_text()
    (app.root / "subscribers" / "wales.toml").write_text(region.replace("national", "wales"))
    assert list(follow().region_map) == ["national", "wales"]
    assert app.register is not None
    # It places articles in regions.
    assert app.library is not library
    assert app.desk._publication is app.publication
    folder = app.root / "templates" / "mail" / "reminder"
    folder.mkdir(parents=True)
    (folder / "subject.txt.j2").write_text("Please look at {{ issue }}\n")
    taken = follow()
    assert app.publication is taken
    assert app.templates is not before


def test_what_was_only_just_planned_is_sent_however_old_its_hour(
    app: App, clock: FixedClock, relay: ChaosServer
) -> None:
    """The clock jumps, by more than a delivery may be old, between the claim and the plan."""
    runner = make_runner(app)
    look(runner, clock, FRIDAY)
    approve(app, ISSUE)
    clock.set(MONDAY_7 + timedelta(days=6))
    report = mailing.send_regions(app, ISSUE, due_at={"national": MONDAY_7})
    assert report.trouble is None
    assert len(got(relay)) == 2


def test_what_waited_too_long_is_given_up(app: App, clock: FixedClock, relay: ChaosServer) -> None:
    runner = make_runner(app)
    look(runner, clock, FRIDAY)
    approve(app, ISSUE)
    clock.set(MONDAY_7)
    relay.stop()
    mailing.send_regions(app, ISSUE, due_at={"national": MONDAY_7})
    assert app.ledger.open_count(ISSUE) == 2
    relay.start()
    clock.set(MONDAY_7 + timedelta(days=6))
    look(runner, clock, clock.now())
    assert got(relay) == []
    assert app.ledger.open_count(ISSUE) == 0
