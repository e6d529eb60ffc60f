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
from mailer.delivery.journal import Account, Ending
from mailer.delivery.ledger import Ledger
from mailer.delivery.planning import plan
from mailer.errors import IllegalTransition, StorageFailed
from mailer.storage import schema
from mailer.storage.database import Database
from tests.audience import audience_of

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
    plan(
        ledger,
        issue_id=ISSUE,
        recipients=audience_of(readers(count, region=region)),
        due_at={region: AT},
    )


def states(ledger: Ledger) -> dict[str, DeliveryState]:
    return {item.address: item.state for item in ledger.deliveries(ISSUE)}


def send(
    ledger: Ledger, delivery: Delivery, outcome: Outcome, again: datetime | None = None
) -> None:
    assert ledger.settle([ending(delivery, outcome, again)]) == 1


def ending(delivery: Delivery, outcome: Outcome, again: datetime | None = None) -> Ending:
    return Ending(delivery.id, delivery.attempts + 1, outcome, AT, again)


def claim(ledger: Ledger, **options: object) -> list[Delivery]:
    return ledger.claim(ISSUE, **options).deliveries  # type: ignore[arg-type]


def told(*lines: Delivery | Ending, journal_id: str = "j1") -> Account:
    """What a journal of that id tells: a delivery was begun, an ending ended."""
    account = Account(journal_id)
    for line in lines:
        if isinstance(line, Ending):
            account.ended[line.delivery_id, line.number] = line
        else:
            account.begun[line.id] = line.attempts + 1
    return account


def test_a_claim_takes_due_rows_once_the_longest_due_first(
    ledger: Ledger, clock: FixedClock
) -> None:
    planned(ledger, 5)
    first = claim(ledger, limit=2)
    assert [item.address for item in first] == [
        "reader0000@wales.example",
        "reader0001@wales.example",
    ]
    assert all(item.state is S.CLAIMED for item in first)
    assert len(claim(ledger, limit=9)) == 3
    assert claim(ledger) == []


def test_a_claim_leaves_what_is_not_due_or_of_another_region(
    ledger: Ledger, clock: FixedClock
) -> None:
    later = AT + timedelta(hours=1)
    plan(
        ledger,
        issue_id=ISSUE,
        recipients=audience_of(
            readers(1) + readers(1, region="essex") + readers(1, region="bristol")
        ),
        due_at={"wales": AT, "essex": later, "bristol": AT},
    )
    assert [item.region for item in claim(ledger, regions=["wales", "essex"])] == ["wales"]
    assert ledger.next_due_at(ISSUE, regions=["essex"]) == later
    clock.set(later)
    assert {item.region for item in claim(ledger)} == {"essex", "bristol"}


def test_two_claimers_never_get_the_same_row(ledger: Ledger) -> None:
    planned(ledger, 60)
    taken: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        while batch := claim(ledger, limit=7):
            with lock:
                taken.extend(item.id for item in batch)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 60


def test_a_group_is_settled_in_one_commit_with_its_evidence(ledger: Ledger) -> None:
    planned(ledger, 3)
    one, two, _ = claim(ledger)
    refusal = Outcome(Verdict.REFUSE, Reply(550, "5.1.1", "nobody"), "at RCPT")
    assert ledger.settle([ending(one, OK), ending(two, refusal)]) == 2
    assert list(states(ledger).values()) == [S.ACCEPTED, S.REFUSED, S.CLAIMED]
    ((accepted, tries),) = ledger.history(one.address)
    assert accepted.attempts == 1
    assert accepted.reply == OK.reply
    assert [(item.number, item.ended_at, item.verdict, item.reply) for item in tries] == [
        (1, AT, Verdict.ACCEPT, OK.reply)
    ]
    ((_, tries),) = ledger.history(two.address)
    assert (tries[0].reply, tries[0].note) == (refusal.reply, "at RCPT")
    assert ledger.settle([]) == 0


def test_what_is_told_twice_is_settled_once_and_the_rest_of_the_group_too(ledger: Ledger) -> None:
    planned(ledger, 3)
    one, two, three = claim(ledger)
    assert ledger.settle([ending(one, OK)]) == 1
    ledger.release({three.id: None})
    assert ledger.settle([ending(one, OK), ending(two, OK), ending(three, OK)]) == 1
    assert list(states(ledger).values()) == [S.ACCEPTED, S.ACCEPTED, S.PLANNED]
    assert [len(ledger.history(item.address)[0][1]) for item in (one, two, three)] == [1, 1, 0]


def test_an_attempt_that_is_not_the_next_one_is_not_settled(ledger: Ledger) -> None:
    planned(ledger, 1)
    (one,) = claim(ledger)
    send(ledger, one, Outcome(Verdict.DEFER), AT)
    (again,) = claim(ledger)
    assert again.attempts == 1
    assert ledger.settle([ending(one, OK)]) == 0
    assert states(ledger)[one.address] is S.CLAIMED


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
    (one,) = claim(ledger)
    send(ledger, one, Outcome(verdict, None, "why"), again)
    ((row, tries),) = ledger.history(one.address)
    assert row.state is state
    assert tries[0].note == "why"
    assert (row.state in OPEN) == (again is not None)


def test_a_deferred_delivery_comes_back_when_due_with_the_same_token(
    ledger: Ledger, clock: FixedClock
) -> None:
    planned(ledger, 1)
    (one,) = claim(ledger)
    again = AT + timedelta(minutes=5)
    send(ledger, one, Outcome(Verdict.DEFER, Reply(451)), again)
    assert claim(ledger) == []
    assert ledger.next_due_at(ISSUE) == again
    clock.set(again)
    (second,) = claim(ledger)
    assert (second.token, second.dated_at, second.attempts) == (one.token, one.dated_at, 1)
    assert ledger.first_tried_at(one.id) == AT


def test_under_hold_what_is_in_doubt_waits_for_an_operator(
    ledger: Ledger, clock: FixedClock
) -> None:
    planned(ledger, 2)
    one, two = claim(ledger)
    for item in (one, two):
        send(ledger, item, Outcome(Verdict.DOUBT), AT)
    assert claim(ledger, may_resend=False) == []
    assert ledger.next_due_at(ISSUE, may_resend=False) is None
    assert ledger.open_count(ISSUE) == 2
    ledger.resolve(one.id, "accept", why="the relay's log has it")
    with pytest.raises(IllegalTransition):
        ledger.resolve(one.id, "accept", why="again")
    assert [item.id for item in claim(ledger)] == [two.id]


def test_recovery_judges_each_claim_by_the_journal(ledger: Ledger) -> None:
    planned(ledger, 5)
    ledger.recover(journal_id="j1")
    one, two, three, four, five = claim(ledger)
    send(ledger, one, OK)
    again = AT + timedelta(minutes=5)
    deferral = Outcome(Verdict.DEFER, Reply(450, "4.2.0", "later"))
    # The journal still tells of the settled one: it is begun anew only when it has grown.
    journal = told(ending(one, OK), ending(two, OK), ending(three, deferral, again), four)
    recovery = ledger.recover(journal, journal_id="j2")
    assert (recovery.settled, recovery.in_doubt, recovery.released) == (2, 1, 1)
    assert list(states(ledger).values()) == [
        S.ACCEPTED, S.ACCEPTED, S.DEFERRED, S.IN_DOUBT, S.PLANNED,
    ]  # fmt: skip
    assert ledger.history(four.address)[0][1][0].verdict is Verdict.DOUBT
    assert {item.id for item in claim(ledger)} == {four.id, five.id}
    # The next sender's journal is another: the old one says nothing of its claims.
    recovery = ledger.recover(told(journal_id="j2"), journal_id="j3")
    assert (recovery.settled, recovery.in_doubt, recovery.released) == (0, 0, 2)


@pytest.mark.parametrize("journal", [None, told(journal_id="another"), Account(damaged=1)])
def test_without_its_journal_every_claim_is_in_doubt(ledger: Ledger, journal) -> None:
    planned(ledger, 3)
    ledger.recover(journal_id="j1")
    claim(ledger, limit=2)
    recovery = ledger.recover(journal, journal_id="j2")
    assert (recovery.in_doubt, recovery.released) == (2, 0)
    assert list(states(ledger).values()) == [S.IN_DOUBT, S.IN_DOUBT, S.PLANNED]
    assert claim(ledger, may_resend=False)[0].attempts == 0


def test_after_a_clean_end_no_journal_is_expected(ledger: Ledger) -> None:
    planned(ledger, 2)
    ledger.recover(journal_id="j1")
    ledger.closed()
    claim(ledger)
    assert ledger.recover(journal_id="j2").released == 2


def test_skipping_keeps_the_reason(ledger: Ledger) -> None:
    planned(ledger, 2)
    one, _two = claim(ledger)
    assert ledger.skip({one.id: "left since the plan"}) == 1
    assert ledger.skip({one.id: "again"}) == 0
    assert states(ledger)[one.address] is S.SKIPPED
    assert ledger.skip({}) == 0


def test_cancelling_leaves_the_sender_its_claims_until_it_gives_them_back(ledger: Ledger) -> None:
    planned(ledger, 5)
    one, two, three = claim(ledger, limit=3)
    send(ledger, one, OK)
    assert ledger.cancel(ISSUE, by="nora") == 2
    order = ledger.order(ISSUE)
    assert order is not None
    assert (order.word, order.by, order.is_by_person) == ("cancel", "nora", True)
    # What is on the wire ends as it ends.
    send(ledger, two, OK)
    assert ledger.release({three.id: None}) == 1
    assert ledger.carry_out_cancel(ISSUE) == 1
    assert list(states(ledger).values()) == [S.ACCEPTED] * 2 + [S.CANCELLED] * 3
    with pytest.raises(IllegalTransition):
        ledger.pause(ISSUE, by="nora")
    ledger.reopen(ISSUE)
    assert ledger.order(ISSUE) is None


def test_a_pause_is_an_order_until_it_is_taken_back(ledger: Ledger) -> None:
    planned(ledger, 1)
    ledger.pause(ISSUE, by="nora", reason="a mistake in the lead")
    order = ledger.order(ISSUE)
    assert str(order) == "paused by nora: a mistake in the lead"
    ledger.pause(ISSUE, by="mailer", reason="550 5.7.26")
    order = ledger.order(ISSUE)
    assert order is not None
    assert not order.is_by_person
    assert ledger.carry_out_cancel(ISSUE) == 0
    assert ledger.resume(ISSUE, by="nora")
    assert not ledger.resume(ISSUE, by="nora")
    assert ledger.order(ISSUE) is None


def test_releasing_gives_back_only_claims_and_may_put_them_off(ledger: Ledger) -> None:
    planned(ledger, 3)
    one, two, three = claim(ledger)
    send(ledger, one, OK)
    later = AT + timedelta(seconds=90)
    assert ledger.release({one.id: None, two.id: None, three.id: later}) == 2
    assert list(states(ledger).values()) == [S.ACCEPTED, S.PLANNED, S.PLANNED]
    assert [item.id for item in claim(ledger)] == [two.id]
    assert ledger.next_due_at(ISSUE) == later


def test_domains_retries_and_troubles_in_figures(ledger: Ledger, clock: FixedClock) -> None:
    planned(ledger, 3)
    planned(ledger, 2, region="essex")
    one, two, three, *_ = claim(ledger, regions=["wales"])
    again = AT + timedelta(minutes=5)
    deferral = Outcome(Verdict.DEFER, Reply(450, "4.2.0", "later"))
    ledger.settle([ending(one, OK), ending(two, deferral, again), ending(three, deferral, again)])
    wales, essex = ledger.domains(ISSUE)
    assert (wales.name, wales.total, wales.next_due_at) == ("wales.example", 3, again)
    assert wales.states == {S.ACCEPTED: 1, S.DEFERRED: 2}
    assert (essex.name, essex.states, essex.next_due_at) == ("essex.example", {S.PLANNED: 2}, None)
    assert len(ledger.domains(ISSUE, limit=1)) == 1
    retries = ledger.retries(ISSUE, now=AT)
    assert (retries.waiting, retries.due, retries.next_due_at) == (2, 0, again)
    assert ledger.retries(ISSUE, now=again).due == 2
    assert ledger.troubles(ISSUE) == [(S.DEFERRED, "450 later", 2)]
    assert ledger.tried_since(AT) == 3
    assert ledger.tried_since(again) == 0


def test_figures_per_region_and_state(ledger: Ledger) -> None:
    planned(ledger, 3)
    planned(ledger, 2, region="essex")
    one, *_ = claim(ledger, regions=["essex"])
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
        self.begun: list[Delivery] = []
        self.accepted: list[int] = []
        self.ended: list[Ending] = []
        self.journal_id = "j"
        ledger.recover(journal_id="j")

    def claim(self) -> None:
        self.claimed += self.ledger.claim(self.issue_id, limit=1).deliveries

    def begin(self) -> None:
        if self.claimed and not self.begun:
            self.begun.append(self.claimed.pop())

    def release(self) -> None:
        if self.claimed:
            self.ledger.release({self.claimed.pop().id: None})

    def skip(self) -> None:
        if self.claimed:
            self.ledger.skip({self.claimed.pop().id: "gone"})

    def cancel(self) -> None:
        self.ledger.cancel(self.issue_id, by="nora")

    def settle(self) -> None:
        assert self.ledger.settle(self.ended) == len(self.ended)
        self.ended = []

    def crash(self) -> None:
        account = told(*self.begun, *self.ended, journal_id="j")
        recovery = self.ledger.recover(account, journal_id="j")
        assert recovery.in_doubt == len(self.begun)
        assert recovery.settled == len(self.ended)
        self.claimed, self.begun, self.ended = [], [], []

    def later(self) -> None:
        self.clock.sleep(3600)

    def end(self, verdict: Verdict) -> None:
        if self.begun:
            one = self.begun.pop()
            again = self.clock.now() + timedelta(minutes=5)
            self.ended.append(ending(one, Outcome(verdict), again))
            self.accepted += [one.id] * (verdict is Verdict.ACCEPT)

    def states(self) -> dict[int, DeliveryState]:
        return {item.id: item.state for item in self.ledger.deliveries(self.issue_id)}


PLAIN = ("claim", "begin", "release", "skip", "cancel", "settle", "crash", "later")
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
    plan(ledger, issue_id=issue_id, recipients=audience_of(readers(3)), due_at={"wales": AT})
    world = World(ledger, clock, issue_id)
    allowed = {(start, end) for (start, _), end in TRANSITIONS.items()}
    # Settling makes two steps at once, and the second may end a delivery that is too old.
    ends = {end for (start, _), end in TRANSITIONS.items() if start is S.TRANSMITTING}
    allowed |= {(S.CLAIMED, end) for end in {*ends, S.EXPIRED}}
    before = world.states()
    for step in steps:
        world.end(step) if isinstance(step, Verdict) else getattr(world, step)()
        after = world.states()
        assert after.keys() == before.keys()
        # A final state has no way out in the table, so this also holds what is final in place.
        assert {(before[key], after[key]) for key in after if after[key] != before[key]} <= allowed
        before = after
    world.settle()
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
