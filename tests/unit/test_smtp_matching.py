"""A reply is never matched to the wrong message, whatever the server answers, splits or cuts.

A model server and a model network stand at the other end of the dialogue: no sockets, no time.
The server answers each reader differently and names the reader in every reply, so a reply that
went to another message is seen. The network hands over and delivers in pieces of any size, and
may be cut at any octet.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.delivery.answers import AnswerReader
from mailer.delivery.capabilities import Capabilities
from mailer.delivery.delivery import Delivery, DeliveryState, Envelope, Outcome, Verdict
from mailer.delivery.dialogue import Dialogue
from mailer.delivery.transaction import Outgoing

AT = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Plan:
    """What the server answers to one reader: a code at each stage, and in how many lines."""

    mail: int = 250
    rcpt: int = 250
    data: int = 354
    end: int = 250
    lines: int = 1
    body: bytes = b"hello\r\n"


plans = st.builds(
    Plan,
    mail=st.sampled_from([250, 250, 250, 451, 550, 555]),
    rcpt=st.sampled_from([250, 250, 251, 450, 550, 553]),
    data=st.sampled_from([354, 354, 354, 451, 554]),
    end=st.sampled_from([250, 250, 250, 451, 452, 552, 554]),
    lines=st.integers(1, 3),
    body=st.lists(st.sampled_from([b"", b".", b"..", b".a", b"MAIL FROM:<x>", b"QUIT"]), max_size=4)
    .map(lambda rows: b"".join(row + b"\r\n" for row in rows)),
)  # fmt: skip

kind_plans = st.builds(Plan, end=st.sampled_from([250, 250, 250, 451]), lines=st.integers(1, 2))


@dataclass
class Server:
    """Knows RFC 5321 and 2920; ``is_lax`` says 354 though no recipient was taken."""

    plans: list[Plan]
    is_lax: bool = False
    is_pipelining: bool = True
    has_dsn: bool = False
    kept: dict[int, bytes] = field(default_factory=dict)
    said: bytes = b""
    most_at_once: int = 0
    _got: bytes = b""
    _sender: int | None = None
    _recipient: int | None = None
    _is_content: bool = False

    def take(self, data: bytes) -> None:
        self._got += data
        self.most_at_once = max(
            self.most_at_once, self._got.count(b"\r\n") * (not self._is_content)
        )
        while self._step():
            pass

    def _step(self) -> bool:
        if self._is_content:
            if self._got.startswith(b".\r\n"):
                content, self._got = b"", self._got[3:]
            else:
                content, dot, rest = self._got.partition(b"\r\n.\r\n")
                if not dot:
                    return False
                content, self._got = content + b"\r\n", rest
            self._end(re.sub(rb"(?m)^\.", b"", content))
            return True
        line, end, rest = self._got.partition(b"\r\n")
        if not end:
            return False
        self._got = rest
        self._obey(line.decode())
        return True

    def _obey(self, line: str) -> None:
        verb = line.split(" ", maxsplit=1)[0]
        number = int(found[1]) if (found := re.search(r"[+<]r(\d+)", line)) else -1
        if verb == "RSET":
            self._sender = self._recipient = None
            self._say(250, "reset", 1)
        elif verb == "MAIL":
            plan = self.plans[number]
            if self._sender is not None:
                self._say(503, "nested MAIL", 1)
            elif plan.mail == 555 and "RET=" not in line:
                self._sender = number
                self._say(250, f"for r{number}.", plan.lines)
            else:
                self._sender = number if plan.mail == 250 else None
                self._say(plan.mail, f"for r{number}.", plan.lines)
        elif verb == "RCPT":
            plan = self.plans[number]
            is_open = self._sender is not None
            self._recipient = number if is_open and plan.rcpt // 100 == 2 else None
            self._say(plan.rcpt if is_open else 503, f"for r{number}.", plan.lines)
        elif verb == "DATA":
            self._data()
        else:
            raise AssertionError(f"the client said {line!r}")

    def _data(self) -> None:
        if self._recipient is None:
            if self.is_lax and self._sender is not None:
                self._is_content = True
                self._say(354, "go on, for nobody", 1)
            else:
                self._say(503, "no recipient", 1)
            return
        plan = self.plans[self._recipient]
        self._is_content = plan.data == 354
        self._say(plan.data, f"for r{self._recipient}.", plan.lines)

    def _end(self, content: bytes) -> None:
        who, self._recipient, self._sender, self._is_content = self._recipient, None, None, False
        if who is None:
            assert content == b"", "content was sent for a reader who was refused"
            self._say(554, "no valid recipients", 1)
            return
        plan = self.plans[who]
        if plan.end == 250:
            assert who not in self.kept, "a message came twice"
            self.kept[who] = content
        self._say(plan.end, f"for r{who}.", plan.lines)

    def _say(self, code: int, text: str, lines: int) -> None:
        marks = "-" * (lines - 1) + " "
        self.said += "".join(f"{code}{mark}{text}\r\n" for mark in marks).encode()


class Readers:
    """The work: every reader once."""

    def __init__(self, plans: list[Plan]) -> None:
        self.items = [outgoing(number, plan) for number, plan in enumerate(plans)]
        self.left = list(self.items)
        self.started: list[int] = []
        self.ends: dict[int, Outcome] = {}

    def next(self) -> Outgoing | None:
        return self.left.pop(0) if self.left else None

    def starting(self, item: Outgoing) -> None:
        assert item.delivery.id not in self.ends
        self.started.append(item.delivery.id)

    def ended(self, item: Outgoing, outcome: Outcome) -> None:
        assert item.delivery.id not in self.ends, "an item ended twice"
        self.ends[item.delivery.id] = outcome


def outgoing(number: int, plan: Plan) -> Outgoing:
    address = f"r{number}@reader.example"
    row = Delivery(
        number, "i", "wales", number, address, "", f"t{number}", AT, AT, DeliveryState.CLAIMED
    )
    return Outgoing(row, Envelope(f"bounces+r{number}.@lantern.example", address), plan.body)


def expected(plan: Plan) -> Verdict:
    """Say how a reader ends when nothing is cut."""
    # 555 means the parameters alone: without them the model takes the message.
    mail = 250 if plan.mail == 555 else plan.mail
    if mail != 250:
        # Whoever refuses MAIL objects to us, not to the reader.
        return Verdict.DEFER
    by_class = {2: Verdict.ACCEPT, 4: Verdict.DEFER, 5: Verdict.REFUSE}
    for code in (plan.rcpt, plan.data):
        if code // 100 in {4, 5}:
            return by_class[code // 100]
    return by_class[plan.end // 100]


def converse(
    chance: random.Random, server: Server, work: Readers, dialogue: Dialogue, cut_at: int | None
) -> bool:
    """Let the two talk until nothing moves; lose the connection after ``cut_at`` octets.

    They are those heard, or where it is negative, those handed over. Returns whether
    the last content had been handed over.
    """
    reader = AnswerReader()
    held = b""
    handed = heard = mark_at = written = 0
    sizes = [1, 2, 3, 5, 17, 64, 100_000]
    dialogue.begin(work)
    while not dialogue.is_over:
        pieces, mark = dialogue.take()
        out = b"".join(pieces)
        if mark:
            mark_at = written + mark
        written += len(out)
        held += out
        if held:
            size = chance.choice(sizes)
            if cut_at is not None and cut_at < 0:
                size = min(size, -cut_at - handed)
            piece, held = held[:size], held[size:]
            handed += len(piece)
            server.take(piece)
            if handed == -(cut_at or 0):
                dialogue.lost("cut", is_handed_over=handed >= mark_at)
                break
        if server.said and (not held or chance.random() < 0.5):
            size = chance.choice(sizes)
            if cut_at is not None and cut_at > 0:
                size = min(size, cut_at - heard)
            piece, server.said = server.said[:size], server.said[size:]
            heard += len(piece)
            for answer in reader.feed(piece):
                dialogue.hear(answer, is_handed_over=handed >= mark_at)
            assert not reader.fault
            if heard == cut_at:
                dialogue.lost("cut", is_handed_over=handed >= mark_at)
        elif not held and not out:
            break
    return handed >= mark_at


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 2**32),
    st.lists(plans, min_size=1, max_size=7),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_every_reply_goes_to_its_own_message(seed, plans, is_pipelining, has_dsn, is_lax) -> None:
    server = Server(plans, is_lax=is_lax)
    work = Readers(plans)
    offered = Capabilities(has_pipelining=is_pipelining, has_dsn=has_dsn)
    dialogue = Dialogue(offered)
    converse(random.Random(seed), server, work, dialogue, None)
    assert dialogue.is_idle
    assert not dialogue.is_over
    assert sorted(work.ends) == list(range(len(plans)))
    for number, plan in enumerate(plans):
        outcome = work.ends[number]
        assert outcome.verdict is expected(plan), (plan, outcome)
        assert outcome.reply is not None
        assert f"for r{number}." in outcome.reply.text, outcome
        assert (number in server.kept) == (outcome.verdict is Verdict.ACCEPT)
    for number, content in server.kept.items():
        assert content == (plans[number].body or b"\r\n")
    assert len(set(work.started)) == len(work.started)
    if not is_pipelining:
        assert server.most_at_once <= 1


@settings(max_examples=400, deadline=None)
@given(
    st.integers(0, 2**32),
    st.lists(plans | kind_plans, min_size=1, max_size=5),
    st.booleans(),
    st.integers(1, 300) | st.integers(-400, -1),
)
def test_a_cut_leaves_at_most_one_in_doubt_and_forgets_nobody(
    seed, plans, is_pipelining, cut_at
) -> None:
    server = Server(plans)
    work = Readers(plans)
    dialogue = Dialogue(Capabilities(has_pipelining=is_pipelining))
    is_handed_over = converse(random.Random(seed), server, work, dialogue, cut_at)
    taken = {item.delivery.id for item in work.items} - {item.delivery.id for item in work.left}
    assert set(work.ends) == taken
    verdicts = {number: outcome.verdict for number, outcome in work.ends.items()}
    doubtful = {number for number, verdict in verdicts.items() if verdict is Verdict.DOUBT}
    accepted = {number for number, verdict in verdicts.items() if verdict is Verdict.ACCEPT}
    assert len(doubtful) <= is_handed_over
    assert accepted <= set(server.kept) <= accepted | doubtful
    for number, outcome in work.ends.items():
        if outcome.reply is not None:
            assert f"for r{number}." in outcome.reply.text
        if outcome.is_untried:
            assert number not in work.started
        if outcome.verdict in {Verdict.ACCEPT, Verdict.DOUBT}:
            assert number in work.started
