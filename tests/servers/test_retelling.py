"""An alarm that no relay takes is mailed again, until one does or it is no longer true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailer.app import App
from mailer.clock import FixedClock
from mailer.operating.overview import overview
from mailer.usecases.telling import TOLD, UNTOLD
from mailer.usecases.unattended import make_runner
from tests.faults.chaos import ChaosServer
from tests.town import (
    FRIDAY,
    ISSUE,
    MONDAY_7,
    approve,
    got,
    mails,
    make_town,
    open_town,
    write_article,
)

DESK, NORA = "desk@lantern.example", "nora@lantern.example"
NOT_TODAY = "451 4.3.2 not today"
HELD = f"The Lantern: issue {ISSUE} is held"


@pytest.fixture
def town(tmp_path: Path, relay: ChaosServer, clock: FixedClock) -> Iterator[App]:
    root = make_town(
        tmp_path / "town",
        port=relay.port,
        schedule='draft = "fri 12:00"\nremind = ""',
        tables='[column]\nwhen_missing = "without"',
        regions={"national": {}},
    )
    path = root / "publication.toml"
    text = path.read_text()
    assert f'"{DESK}"' in text
    path.write_text(text.replace(f'"{DESK}"', f'"{DESK}", "{NORA}"', 1))
    write_article(root, FRIDAY - timedelta(days=1), "The last ferry")
    app = open_town(root, clock, readers=2)
    yield app
    app.__exit__()


Look = Callable[[datetime], list[tuple[str, str]]]


@pytest.fixture
def look(town: App, clock: FixedClock, relay: ChaosServer) -> Look:
    """Look as a process that has just been started; who was mailed what alarm by that look."""

    def once(at: datetime) -> list[tuple[str, str]]:
        clock.set(at)
        before = len(mails(relay))
        make_runner(town).tick()
        return [(str(mail["To"]), str(mail["Subject"])) for mail in mails(relay)[before:]]

    return once


def refuse(relay: ChaosServer, address: str, times: int) -> None:
    relay.script["dot", address] = [NOT_TODAY] * times


def minutes(count: float) -> datetime:
    return MONDAY_7 + timedelta(minutes=count)


def nobody_takes_it(look: Look, relay: ChaosServer, times: int) -> None:
    """Raise an alarm on Monday at seven that both refuse, so many times."""
    look(FRIDAY)
    refuse(relay, DESK, times)
    refuse(relay, NORA, times)
    assert look(minutes(0)) == []


def test_an_alarm_nobody_took_is_mailed_again_with_growing_pauses(
    town: App, look: Look, relay: ChaosServer
) -> None:
    nobody_takes_it(look, relay, 3)
    # After one minute, then two, then four.
    assert [bool(look(minutes(at))) for at in (0.5, 1, 2, 3, 4, 5, 6)] == [False] * 7
    assert look(minutes(7)) == [(DESK, HELD), (NORA, HELD)]
    assert [look(minutes(at)) for at in (8, 15, 60)] == [[]] * 3
    kinds = [event.kind for event in town.archive.events(ISSUE) if event.kind in {TOLD, UNTOLD}]
    assert kinds == [UNTOLD] * 3 + [TOLD]


def test_who_was_reached_is_not_told_twice(town: App, look: Look, relay: ChaosServer) -> None:
    look(FRIDAY)
    refuse(relay, NORA, 2)
    assert look(minutes(0)) == [(DESK, HELD)]
    assert look(minutes(1)) == []
    assert look(minutes(3)) == [(NORA, HELD)]
    assert look(minutes(9)) == []


def test_what_is_no_longer_true_is_not_told(town: App, look: Look, relay: ChaosServer) -> None:
    look(FRIDAY)
    refuse(relay, DESK, 9)
    refuse(relay, NORA, 9)
    look(minutes(0))
    approve(town, ISSUE)
    relay.script.clear()
    assert look(minutes(1)) == []
    assert len(got(relay)) == 2
    assert look(minutes(30)) == []


def test_what_was_missed_stays_true_for_a_day_and_is_given_up_then(
    town: App, look: Look, relay: ChaosServer
) -> None:
    look(FRIDAY)
    look(minutes(0))
    over = minutes(12 * 60 + 1)
    refuse(relay, DESK, 99)
    refuse(relay, NORA, 99)
    assert look(over) == []
    left = len(relay.script["dot", DESK])
    for hour in range(1, 49):
        look(over + timedelta(hours=hour))
    # Once an hour at most, and not at all when a day had passed since the first.
    assert left - len(relay.script["dot", DESK]) == 23
    relay.script.clear()
    assert look(over + timedelta(hours=49)) == []


def test_who_is_no_longer_named_is_not_tried_any_more(
    town: App, look: Look, relay: ChaosServer
) -> None:
    nobody_takes_it(look, relay, 1)
    path = town.root / "publication.toml"
    path.write_text(path.read_text().replace(f'"{DESK}", "{NORA}"', f'"{DESK}"'))
    assert look(minutes(1)) == [(DESK, HELD)]
    assert look(minutes(9)) == []


def test_an_address_that_cannot_be_sent_to_does_not_have_the_others_told_twice(
    town: App, look: Look, relay: ChaosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(FRIDAY)
    unusable = "nora whitfield@lantern.example"
    # A file with such an address is refused; this one is meant to come through.
    changed = town.publication.model_copy(update={"editors": (DESK, unusable, NORA)})
    monkeypatch.setattr("mailer.usecases.rereading.load_publication", lambda _root: changed)
    assert look(minutes(0)) == [(DESK, HELD), (NORA, HELD)]
    (event,) = [each for each in town.archive.events(ISSUE) if each.kind == UNTOLD]
    assert event.detail["left"] == [unusable]
    assert [look(minutes(at)) for at in (1, 3, 60)] == [[]] * 3


def test_the_status_has_a_repeated_failure_once(
    town: App, look: Look, relay: ChaosServer, clock: FixedClock
) -> None:
    look(FRIDAY)
    approve(town, ISSUE)
    objection = "550 5.7.26 unauthenticated mail from this domain is not accepted"
    for reader in ("national0@reader.example", "national1@reader.example"):
        relay.script["dot", reader] = [objection] * 9
    refuse(relay, "post@lantern.example", 2)
    assert look(minutes(0)) == []
    assert look(minutes(1)) == []
    errors = [error["what"] for error in overview(town)["errors"]]
    assert errors.count(f"alert.failed {ISSUE}") == 1
    ((to, subject),) = look(minutes(3))
    assert to == "post@lantern.example"
    assert ISSUE in subject
    assert look(minutes(10)) == []


def test_an_alert_is_not_told_once_the_sending_goes_on(
    town: App, look: Look, relay: ChaosServer
) -> None:
    look(FRIDAY)
    approve(town, ISSUE)
    for reader in ("national0@reader.example", "national1@reader.example"):
        relay.script["dot", reader] = ["550 5.7.26 unauthenticated mail is not accepted"]
    refuse(relay, "post@lantern.example", 1)
    assert look(minutes(0)) == []
    relay.script.clear()
    assert look(minutes(5 * 60)) == []
    assert len(got(relay)) == 2
