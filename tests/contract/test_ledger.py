"""The ledger's promises on every database: one row an address, one table of states."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from mailer.audience.subscriber import Recipient
from mailer.clock import FixedClock
from mailer.delivery.delivery import (
    OPEN,
    TRANSITIONS,
    Delivery,
    DeliveryState,
    Outcome,
    Reply,
    Verdict,
)
from mailer.delivery.ledger import Ledger
from mailer.delivery.planning import plan
from mailer.errors import IllegalTransition, StorageFailed
from mailer.storage import schema
from mailer.storage.database import Database

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
ISSUE = "2026-11-30"
OK = Outcome(Verdict.ACCEPT, Reply(250, "2.0.0", "kept"))
S = DeliveryState


def add_issue(database: Database, issue_id: str = ISSUE) -> None:
    with database.write() as connection:
        connection.execute(
            insert(schema.issues).values(
                id=issue_id,
                number=1,
                state="sending",
                checksum="x",
                drafted_checksum="x",
                approved_by="nora",
            )
        )


def readers(count: int, *, region: str = "wales", start: int = 0) -> list[Recipient]:
    return [
        Recipient(number, f"reader{number:04}@{region}.example", f"Reader {number}", region)
        for number in range(start, start + count)
    ]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(AT)


@pytest.fixture
def ledger(database: Database, clock: FixedClock) -> Ledger:
    add_issue(database)
    return Ledger(database, clock)


def planned(ledger: Ledger, count: int = 3, *, region: str = "wales") -> None:
    plan(ledger, issue_id=ISSUE, recipients=readers(count, region=region), due_at={region: AT})


def states(ledger: Ledger) -> dict[str, DeliveryState]:
    return {item.address: item.state for item in ledger.deliveries(ISSUE)}


def send(
    ledger: Ledger, delivery: Delivery, outcome: Outcome, again: datetime | None = None
) -> None:
    assert ledger.settle(None, delivery)
    ledger.settle((delivery, outcome, again))


def test_a_claim_takes_due_rows_once_the_longest_due_first(
    ledger: Ledger, clock: FixedClock
) -> None:
    planned(ledger, 5)
    first = ledger.claim(ISSUE, limit=2)
    assert [item.address for item in first] == [
        "reader0000@wales.example",
        "reader0001@wales.example",
    ]
    assert all(item.state is S.CLAIMED for item in first)
    assert len(ledger.claim(ISSUE, limit=9)) == 3
    assert ledger.claim(ISSUE) == []


def test_a_claim_leaves_what_is_not_due_or_of_another_region(
    ledger: Ledger, clock: FixedClock
) -> None:
    later = AT + timedelta(hours=1)
    plan(
        ledger,
        issue_id=ISSUE,
        recipients=readers(1) + readers(1, region="essex") + readers(1, region="bristol"),
        due_at={"wales": AT, "essex": later, "bristol": AT},
    )
    assert [item.region for item in ledger.claim(ISSUE, regions=["wales", "essex"])] == ["wales"]
    assert ledger.next_due_at(ISSUE, regions=["essex"]) == later
    clock.set(later)
    assert {item.region for item in ledger.claim(ISSUE)} == {"essex", "bristol"}


def test_two_claimers_never_get_the_same_row(ledger: Ledger) -> None:
    planned(ledger, 60)
    taken: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        while batch := ledger.claim(ISSUE, limit=7):
            with lock:
                taken.extend(item.id for item in batch)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 60


def test_settling_and_marking_the_next_is_one_commit(ledger: Ledger) -> None:
    planned(ledger, 2)
    one, two = ledger.claim(ISSUE)
    assert ledger.settle(None, one)
    assert ledger.settle((one, OK, None), two)
    assert list(states(ledger).values()) == [S.ACCEPTED, S.TRANSMITTING]
    ((accepted, tries),) = ledger.history(one.address)
    assert accepted.attempts == 1
    assert accepted.reply == OK.reply
    assert [(item.number, item.verdict, item.reply) for item in tries] == [
        (1, Verdict.ACCEPT, OK.reply)
    ]


def test_settling_what_is_not_transmitting_changes_nothing(ledger: Ledger) -> None:
    planned(ledger, 2)
    one, two = ledger.claim(ISSUE)
    with pytest.raises(IllegalTransition):
        ledger.settle((one, OK, None), two)
    assert set(states(ledger).values()) == {S.CLAIMED}
    assert ledger.history(one.address)[0][1] == []


@pytest.mark.parametrize(
    ("verdict", "again", "state"),
    [
        (Verdict.ACCEPT, None, S.ACCEPTED),
        (Verdict.REFUSE, None, S.REFUSED),
        (Verdict.DEFER, AT + timedelta(minutes=5), S.DEFERRED),
        (Verdict.DEFER, None, S.EXPIRED),
        (Verdict.DOUBT, AT + timedelta(minutes=5), S.IN_DOUBT),
        (Verdict.DOUBT, None, S.EXPIRED),
    ],
)
def test_each_verdict_has_its_state(ledger: Ledger, verdict, again, state) -> None:
    planned(ledger, 1)
    (one,) = ledger.claim(ISSUE)
    send(ledger, one, Outcome(verdict, None, "why"), again)
    ((row, tries),) = ledger.history(one.address)
    assert row.state is state
    assert tries[0].note == "why"
    assert (row.state in OPEN) == (again is not None)


def test_a_deferred_delivery_comes_back_when_due_with_the_same_token(
    ledger: Ledger, clock: FixedClock
) -> None:
    planned(ledger, 1)
    (one,) = ledger.claim(ISSUE)
    again = AT + timedelta(minutes=5)
    send(ledger, one, Outcome(Verdict.DEFER, Reply(451)), again)
    assert ledger.claim(ISSUE) == []
    assert ledger.next_due_at(ISSUE) == again
    clock.set(again)
    (second,) = ledger.claim(ISSUE)
    assert (second.token, second.dated_at, second.attempts) == (one.token, one.dated_at, 1)
    assert ledger.first_tried_at(one.id) == AT


def test_under_hold_what_is_in_doubt_waits_for_an_operator(
    ledger: Ledger, clock: FixedClock
) -> None:
    planned(ledger, 2)
    one, two = ledger.claim(ISSUE)
    for item in (one, two):
        send(ledger, item, Outcome(Verdict.DOUBT), AT)
    assert ledger.claim(ISSUE, may_resend=False) == []
    assert ledger.next_due_at(ISSUE, may_resend=False) is None
    assert ledger.open_count(ISSUE) == 2
    ledger.resolve(one.id, "accept", why="the relay's log has it")
    with pytest.raises(IllegalTransition):
        ledger.resolve(one.id, "accept", why="again")
    assert [item.id for item in ledger.claim(ISSUE)] == [two.id]


def test_recovery_gives_claims_back_and_doubts_what_was_on_the_wire(ledger: Ledger) -> None:
    planned(ledger, 4)
    one, two, _, _ = ledger.claim(ISSUE)
    ledger.settle(None, one)
    ledger.settle((one, OK, None), two)
    recovery = ledger.recover()
    assert (recovery.released, recovery.in_doubt) == (2, 1)
    assert list(states(ledger).values()) == [S.ACCEPTED, S.IN_DOUBT, S.PLANNED, S.PLANNED]
    assert ledger.history(two.address)[0][1][0].verdict is Verdict.DOUBT
    assert ledger.claim(ISSUE)[0].id == two.id
    ledger.recover()
    assert ledger.recover().released == 0


def test_skipping_keeps_the_reason(ledger: Ledger) -> None:
    planned(ledger, 2)
    one, _two = ledger.claim(ISSUE)
    assert ledger.skip({one.id: "left since the plan"}) == 1
    assert ledger.skip({one.id: "again"}) == 0
    assert states(ledger)[one.address] is S.SKIPPED
    assert ledger.skip({}) == 0


def test_cancelling_leaves_the_wire_and_the_past_alone(ledger: Ledger) -> None:
    planned(ledger, 5)
    one, two, three = ledger.claim(ISSUE, limit=3)
    ledger.settle(None, one)
    ledger.settle((one, OK, None), two)
    assert ledger.cancel(ISSUE, by="nora") == 3
    assert list(states(ledger).values()) == [S.ACCEPTED, S.TRANSMITTING] + [S.CANCELLED] * 3
    # The sender finds its claim gone and does not send.
    assert ledger.settle((two, OK, None), three) is False
    assert states(ledger)[three.address] is S.CANCELLED


def test_releasing_gives_back_only_claims(ledger: Ledger) -> None:
    planned(ledger, 2)
    one, two = ledger.claim(ISSUE)
    ledger.settle(None, one)
    assert ledger.release([one.id, two.id]) == 1
    assert list(states(ledger).values()) == [S.TRANSMITTING, S.PLANNED]


def test_figures_per_region_and_state(ledger: Ledger) -> None:
    planned(ledger, 3)
    planned(ledger, 2, region="essex")
    one, *_ = ledger.claim(ISSUE, regions=["essex"])
    send(ledger, one, OK)
    assert ledger.summary(ISSUE) == {
        "essex": {S.ACCEPTED: 1, S.CLAIMED: 1},
        "wales": {S.PLANNED: 3},
    }
    assert ledger.open_count(ISSUE) == 4
    assert ledger.open_count(ISSUE, regions=["essex"]) == 1
    assert ledger.summary("2000-01-03") == {}
    assert [item.region for item in ledger.deliveries(ISSUE, state=S.ACCEPTED)] == ["essex"]


def test_deliveries_are_streamed_in_order_past_one_chunk(ledger: Ledger) -> None:
    planned(ledger, 1203)
    addresses = [item.address for item in ledger.deliveries(ISSUE, region="wales")]
    assert addresses == sorted(addresses)
    assert len(set(addresses)) == 1203


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deliveries SET state = 'delivered'",
        "UPDATE deliveries SET attempts = -1",
        "UPDATE deliveries SET address = 'reader0000@wales.example'",
    ],
)
def test_the_database_itself_refuses_what_must_not_be(
    ledger: Ledger, database: Database, statement: str
) -> None:
    planned(ledger, 2)
    with pytest.raises(StorageFailed), database.write() as connection:
        connection.execute(text(statement))


class World:
    """A sender, an operator and the weather, each doing one thing at a time."""

    def __init__(self, ledger: Ledger, clock: FixedClock, issue_id: str) -> None:
        self.ledger = ledger
        self.clock = clock
        self.issue_id = issue_id
        self.claimed: list[Delivery] = []
        self.marked: list[Delivery] = []
        self.accepted: list[int] = []

    def claim(self) -> None:
        self.claimed += self.ledger.claim(self.issue_id, limit=1)

    def mark(self) -> None:
        if self.claimed and not self.marked:
            one = self.claimed.pop()
            if self.ledger.settle(None, one):
                self.marked.append(one)

    def release(self) -> None:
        if self.claimed:
            self.ledger.release([self.claimed.pop().id])

    def skip(self) -> None:
        if self.claimed:
            self.ledger.skip({self.claimed.pop().id: "gone"})

    def cancel(self) -> None:
        self.ledger.cancel(self.issue_id, by="nora")

    def crash(self) -> None:
        self.ledger.recover()
        self.claimed, self.marked = [], []

    def later(self) -> None:
        self.clock.sleep(3600)

    def end(self, verdict: Verdict) -> None:
        if self.marked:
            one = self.marked.pop()
            again = self.clock.now() + timedelta(minutes=5)
            self.ledger.settle((one, Outcome(verdict), again))
            self.accepted += [one.id] * (verdict is Verdict.ACCEPT)

    def states(self) -> dict[int, DeliveryState]:
        return {item.id: item.state for item in self.ledger.deliveries(self.issue_id)}


PLAIN = ("claim", "mark", "release", "skip", "cancel", "crash", "later")
_names = itertools.count(1)


@given(st.lists(st.sampled_from([*PLAIN, *Verdict]), max_size=25))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_happens_rows_follow_the_table(
    ledger: Ledger, database: Database, clock: FixedClock, steps: list[str]
) -> None:
    issue_id = f"case-{next(_names)}"
    add_issue(database, issue_id)
    plan(ledger, issue_id=issue_id, recipients=readers(3), due_at={"wales": AT})
    world = World(ledger, clock, issue_id)
    allowed = {(start, end) for (start, _), end in TRANSITIONS.items()}
    before = world.states()
    for step in steps:
        world.end(step) if isinstance(step, Verdict) else getattr(world, step)()
        after = world.states()
        assert after.keys() == before.keys()
        # A final state has no way out in the table, so this also holds what is final in place.
        assert {(before[key], after[key]) for key in after if after[key] != before[key]} <= allowed
        before = after
    assert len(world.accepted) == len(set(world.accepted))


def test_an_event_is_kept(ledger: Ledger, database: Database) -> None:
    ledger.record("send.paused", ISSUE, {"problem": "the relay is down"})
    with database.read() as connection:
        (row,) = connection.execute(select(schema.events)).all()
    assert (row.kind, row.issue_id, row.detail) == (
        "send.paused",
        ISSUE,
        {"problem": "the relay is down"},
    )
