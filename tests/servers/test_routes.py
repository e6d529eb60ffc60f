"""Several relays: shares, one that dies and comes back, a reserve, and a ceiling that grows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mailer.clock import FixedClock
from mailer.delivery import routes, sending
from mailer.delivery.delivery import DeliveryState
from mailer.delivery.pacing import WarmUp
from mailer.delivery.relay import PipelinedRelay, RelayPolicy
from mailer.delivery.sending import Route, Sender, SendPolicy
from mailer.policies import RetryPolicy
from mailer.storage import schema
from mailer.storage.database import Database, open_database
from tests.faults.chaos import ChaosServer
from tests.faults.world import AT, ISSUE, World, make_world

READERS = 300
ACCEPTED = DeliveryState.ACCEPTED


@dataclass
class Named:
    """A server and what it took, in the order in which all of them took it."""

    name: str
    order: list[str]
    server: ChaosServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = ChaosServer(watch=self._saw)

    def _saw(self, stage: str, _recipient: str) -> None:
        if stage == "dot":
            self.order.append(self.name)

    def route(self, weight: float, *, connections: int = 1) -> Route:
        policy = RelayPolicy("127.0.0.1", self.server.port, timeout_s=5.0)
        return Route(
            relay=lambda: PipelinedRelay(policy),
            name=self.name,
            weight=weight,
            connections=connections,
        )


Serve = Callable[[str], Named]


@pytest.fixture
def order() -> list[str]:
    return []


@pytest.fixture
def serve(order: list[str]) -> Iterator[Serve]:
    made: list[Named] = []

    def start(name: str) -> Named:
        named = Named(name, order)
        named.server.start()
        made.append(named)
        return named

    yield start
    for named in made:
        if not named.server._loop.is_closed():
            named.server.stop()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(AT)


@pytest.fixture
def world(tmp_path: Path, clock: FixedClock) -> Iterator[World]:
    database = open_database("", root=tmp_path)
    readers = [f"r{number}@d{number % 7}.example" for number in range(READERS)]
    yield make_world(database, clock, readers)
    database.close()


def sender(world: World, *routes: Route, **policy: object) -> Sender:
    options = {"retry": RetryPolicy(max_age_hours=240), **policy}
    return replace(
        world.sender(0),
        routes=routes,
        policy=SendPolicy(**options),  # type: ignore[arg-type]
    )


def relay_events(database: Database) -> list[str]:
    events = schema.events
    with database.read() as connection:
        return [
            row.detail["relay"]
            for row in connection.execute(select(events).where(events.c.kind == "relay.failed"))
        ]


def everybody_has_one(world: World, *named: Named, repeats: int = 0) -> None:
    assert set(world.states().values()) == {ACCEPTED}
    copies: Counter[str] = Counter()
    for each in named:
        copies += each.server.copies()
    assert len(copies) == READERS
    assert sum(copies.values()) - READERS <= repeats
    bodies: dict[str, set[bytes]] = {}
    for each in named:
        for recipient, content in each.server.accepted:
            bodies.setdefault(recipient, set()).add(content)
    assert all(len(contents) == 1 for contents in bodies.values())


@pytest.mark.parametrize(("first", "second"), [(1.0, 1.0), (3.0, 1.0), (0.5, 2.0)])
def test_relays_share_by_their_weights(
    world: World, serve: Serve, first: float, second: float
) -> None:
    one, other = serve("one"), serve("other")
    sender(world, one.route(first, connections=3), other.route(second, connections=2)).run(ISSUE)
    everybody_has_one(world, one, other)
    wanted = READERS * first / (first + second)
    assert abs(len(one.server.taken) - wanted) <= routes.LEAD


def test_when_a_relay_dies_the_other_carries_the_rest(
    world: World, serve: Serve, order: list[str]
) -> None:
    one, other = serve("one"), serve("other")
    died_at: list[int] = []

    def progress(done: int, _total: int) -> None:
        if done >= 60 and not died_at:
            one.server.stop()
            died_at.append(len(order))

    one.server.pace_s = other.server.pace_s = 0.002
    routes_ = (one.route(1, connections=2), other.route(1, connections=2))
    report = sender(world, *routes_).run(ISSUE, wait_s=3600, progress=progress)
    assert report.is_finished, report.sentence()
    assert died_at
    assert set(order[died_at[0] :]) == {"other"}
    assert len(one.server.taken) > 10
    # What the dead one had on the wire may be there, too.
    everybody_has_one(world, one, other, repeats=2)
    assert set(relay_events(world.database)) == {"one"}


def test_a_reserve_steps_in_and_steps_back_when_the_relay_recovers(
    world: World, serve: Serve, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "RETRY_S", 0.2)
    main, reserve = serve("main"), serve("reserve")
    main.server.pace_s = reserve.server.pace_s = 0.01
    places: dict[str, int] = {}

    def progress(done: int, _total: int) -> None:
        if done >= 60 and "died" not in places:
            places["died"] = len(order)
            main.server.stop()
        elif done >= 120 and "died" in places and "back" not in places:
            main.server.start()
            places["back"] = len(order)

    report = sender(world, main.route(1), reserve.route(0)).run(
        ISSUE, wait_s=3600, progress=progress
    )
    assert report.is_finished, report.sentence()
    everybody_has_one(world, main, reserve, repeats=1)
    assert set(order[: places["died"]]) == {"main"}, "the reserve was used without need"
    assert set(order[places["died"] + 1 : places["back"]]) == {"reserve"}
    # Up to the first message of the one that recovered; then only what the reserve had in hand.
    came_back = order.index("main", places["back"])
    assert came_back < READERS - 30, "it came back late"
    assert order[came_back:].count("reserve") <= 3
    assert set(order[-20:]) == {"main"}


def test_without_any_relay_the_run_ends_and_the_next_one_goes_on(
    world: World, serve: Serve
) -> None:
    one, other = serve("one"), serve("other")

    def progress(done: int, _total: int) -> None:
        if done >= 60 and not one.server._loop.is_closed():
            one.server.stop()
            other.server.stop()

    both = sender(world, one.route(1), other.route(1))
    one.server.pace_s = other.server.pace_s = 0.002
    report = both.run(ISSUE, progress=progress)
    assert report.trouble is not None
    assert not report.trouble.is_lasting
    assert 0 < report.left < READERS
    one.server.start()
    world.clock.sleep(600)
    assert both.run(ISSUE, wait_s=3600).is_finished
    everybody_has_one(world, one, other, repeats=2)


def attempts_by_day(world: World) -> dict[str, int]:
    day = func.substr(schema.attempts.c.ended_at, 1, 10)
    with world.database.read() as connection:
        rows = connection.execute(select(day, func.count()).group_by(day).order_by(day)).all()
    return {str(row[0]): int(row[1]) for row in rows}


def test_a_warm_up_keeps_to_each_days_ceiling_and_the_rest_waits(
    world: World, serve: Serve, clock: FixedClock
) -> None:
    one = serve("one")
    plan = WarmUp(AT.date(), 50, 2.0)
    slowly = sender(world, one.route(1, connections=4), warm_up=plan)
    left = []
    for day in range(3):
        clock.set(AT + timedelta(days=day))
        report = slowly.run(ISSUE)
        left.append(report.left)
        assert report.is_at_ceiling is (day < 2)
        if day < 2:
            assert "today's warm-up allowance is used up" in report.sentence()
        again = slowly.run(ISSUE)
        assert again.left == report.left, "a second run of the day sent more"
    assert left == [250, 150, 0]
    assert attempts_by_day(world) == {"2026-11-30": 50, "2026-12-01": 100, "2026-12-02": 150}
    everybody_has_one(world, one)


def test_one_run_waits_for_the_next_days_ceiling(
    world: World, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "POLL_S", 600)
    one = serve("one")
    slowly = sender(world, one.route(1), warm_up=WarmUp(AT.date(), 50, 2.0), time_zone="Asia/Tokyo")
    report = slowly.run(ISSUE, wait_s=7 * 24 * 3600)
    assert report.is_finished
    everybody_has_one(world, one)
    # The day ends at the publication's midnight: Tokyo is nine hours ahead.
    assert attempts_by_day(world) == {"2026-11-30": 150, "2026-12-01": 150}
