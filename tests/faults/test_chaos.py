"""Every fault at every stage, one reader struck at a time, and all of them together."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from mailer.clock import FixedClock
from mailer.delivery.delivery import DeliveryState
from mailer.policies import RetryPolicy
from mailer.storage.database import Database
from tests.faults.accounts import take_account
from tests.faults.chaos import FAULTS, NO_ANSWER, UNDERSTOOD, ChaosServer
from tests.faults.world import AT, ISSUE, World, make_world

S = DeliveryState
STRIKES = [
    (fault, stage)
    for stage in ("rcpt", "data", "content", "dot")
    for fault in (("drop", "reset", "silent") if stage == "content" else FAULTS)
]
NEIGHBOURS = tuple(f"n{number}@reader.example" for number in range(4))


def promised(fault: str, stage: str) -> set[DeliveryState]:
    """Say where the first try may leave the reader who was struck."""
    if fault in {*UNDERSTOOD, "slow"}:
        return {S.ACCEPTED}
    if fault == "550":
        return {S.REFUSED}
    if fault in {"421", "450"}:
        return {S.DEFERRED}
    if fault == "wrong" and stage != "data":
        # A positive code that is not the usual one may be taken for what it is.
        return {S.ACCEPTED, S.DEFERRED, S.IN_DOUBT}
    if stage == "content":
        # A small message may be in the socket's buffer whole before the loss is seen.
        return {S.DEFERRED, S.IN_DOUBT}
    if stage == "dot":
        return {S.IN_DOUBT}
    # A server that answers half of a group may only dislike groups: then it is asked singly.
    return {S.DEFERRED, S.ACCEPTED}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(AT)


def until_settled(world: World, server: ChaosServer, *, runs: int = 12, **relay: object) -> int:
    """Run the sender again and again; return how many runs it took."""
    assert isinstance(world.clock, FixedClock)
    for number in range(1, runs + 1):
        if world.sender(server.port, **relay).run(ISSUE).is_finished:
            return number
        world.clock.sleep(timedelta(hours=1).total_seconds())
    pytest.fail(f"not settled after {runs} runs: {world.states()}")


@pytest.mark.parametrize(("fault", "stage"), STRIKES)
def test_a_fault_strikes_one_reader_and_harms_no_other(
    database: Database, clock: FixedClock, faulty, fault: str, stage: str
) -> None:
    struck = f"{fault}-{stage}.1@reader.example"
    world = make_world(database, clock, [*NEIGHBOURS[:2], struck, *NEIGHBOURS[2:]])
    server = faulty(slow_s=0.05)
    world.sender(server.port, timeout_s=0.4).run(ISSUE)
    states = world.states()
    assert states.pop(struck) in promised(fault, stage)
    assert set(states.values()) == {S.ACCEPTED}

    clock.sleep(3600)
    assert world.sender(server.port, timeout_s=0.4).run(ISSUE).is_finished
    account = take_account(world, server)
    assert account.is_kept, account
    assert account.repeated <= (stage == "dot")
    assert world.states()[struck] is (S.REFUSED if fault == "550" else S.ACCEPTED)
    for neighbour in NEIGHBOURS:
        assert server.copies()[neighbour] == 1


@pytest.mark.parametrize("fault", [*NO_ANSWER, "421", "450", "silent", *UNDERSTOOD])
@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail"])
def test_a_fault_before_there_is_a_recipient_harms_nobody(
    mailer: World, faulty, fault: str, stage: str
) -> None:
    server = faulty(script={(stage, ""): [FAULTS[fault]] * 2})
    until_settled(mailer, server, timeout_s=0.4)
    assert set(mailer.states().values()) == {S.ACCEPTED}
    account = take_account(mailer, server)
    assert account.is_kept, account
    assert account.repeated == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_storm_of_every_fault_nobody_is_forgotten(
    database: Database, clock: FixedClock, faulty, counted, seed: int
) -> None:
    chance = random.Random(seed)
    # A wait for each silence would only make the storm long.
    strikes = [item for item in STRIKES if item[0] not in {"silent", "endless", "babbling"}]
    readers = [f"{f}-{s}.{n}@reader.example" for f, s in strikes for n in range(4)]
    readers += [f"greylist.{n}@reader.example" for n in range(20)]
    readers += [f"n{n}@reader.example" for n in range(300)]
    chance.shuffle(readers)
    world = make_world(database, clock, readers)
    world.retry = RetryPolicy(first_delay_minutes=5, max_age_hours=48)
    gone = chance.sample(readers, 12)
    for address in gone:
        world.register.suppress(address, "complaint", "pressed the button")
    server = faulty(slow_s=0.02)
    until_settled(world, server, runs=40, timeout_s=5)
    account = take_account(world, server, suppressed=gone)
    counted(account)
    assert account.is_kept, account
    states = world.states()
    refused = {address for address in readers if address.startswith("550-")} - set(gone)
    assert {who for who, state in states.items() if state is S.REFUSED} >= refused
    assert {who for who, state in states.items() if state is S.SKIPPED} == set(gone)
    assert set(states.values()) == {S.ACCEPTED, S.REFUSED, S.SKIPPED}


def test_greylisting_passes_because_the_same_sender_comes_back(
    database: Database, clock: FixedClock, faulty, counted
) -> None:
    # Fewer a domain than make the sender leave a domain to rest.
    readers = [f"greylist.{number}@d{number % 10}.example" for number in range(50)]
    world = make_world(database, clock, readers)
    server = faulty()
    world.sender(server.port).run(ISSUE)
    assert server.taken == []
    assert set(world.states().values()) == {S.DEFERRED}
    assert until_settled(world, server) <= 2
    account = take_account(world, server)
    counted(account)
    assert account.is_kept, account
    assert (account.messages, account.repeated) == (50, 0)
