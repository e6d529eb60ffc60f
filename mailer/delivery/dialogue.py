"""The transactions of an open SMTP session, pipelined. No I/O.

``Dialogue`` takes the server's replies and gives the bytes to write. With PIPELINING it has two
messages under way: the content of one, and behind its final dot, in the same write, the envelope
of the next (RFC 2920 section 3.1 allows it), so that a message costs one round trip. Without it,
each command waits for its answer.

Invariants:

- every command that gets a reply leaves one entry in ``_awaited``, in the order of writing; a
  reply belongs to the first entry, because a server "MUST NOT ... send responses in any other
  order" than the commands came (RFC 2920 section 3.2). A reply that nothing awaits, or one that
  makes no sense, ends the session: a guess would match later ones to the wrong message;
- content is written only after that message's own 354; ``Work.starting`` is called before;
- every item taken from ``Work.next`` is told to ``Work.ended`` exactly once.

Fall-backs, each noted in ``distrusted`` so that later sessions begin with it: a server that
refuses MAIL's parameters gets none, one that objects to pipelining gets one command at a time, and
so does one that answers part of a group and then falls silent.

What each reply means is the table in ``awaited``.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from mailer.delivery.answers import Answer
from mailer.delivery.awaited import PATIENCE, STAGES, Awaited, Step, meaning
from mailer.delivery.capabilities import Capabilities
from mailer.delivery.delivery import Outcome, Reply, Trouble, Verdict
from mailer.delivery.smtp import Stage, deferred, judge, read_reply, untried
from mailer.delivery.transaction import Outgoing, Transaction, Work

_A = Awaited

_BURST = (250, 250, 250, 354)
_PARAMETERS = frozenset({501, 504, 555})
"""What a server says that knows no such parameter (RFC 5321 section 4.1.1.11: 555)."""
_PIPELINING = re.compile(r"pipelin|synchroni[sz]ation error", re.IGNORECASE)

_PROVED = 2
"""So many messages answered in one session prove that pipelining is what was offered."""

_CLOSING = "reconnect; what is not sent stays in the ledger"


class Dialogue:
    """The transactions of one session.

    Args:
        offered: what the server can do.
        name: the relay, for sentences.
        distrusted: names of capabilities that proved false, shared with later sessions.
    """

    def __init__(
        self, offered: Capabilities, *, name: str = "the relay", distrusted: set[str] | None = None
    ) -> None:
        self.offered = offered
        self.trouble: Trouble | None = None
        self.count = 0
        self._name = name
        self._distrusted = set() if distrusted is None else distrusted
        self._work: Work | None = None
        self._awaited: deque[tuple[Awaited, Transaction | None]] = deque()
        self._later: deque[tuple[Awaited, Transaction | None, bytes]] = deque()
        self._under_way: deque[Transaction] = deque()
        self._again: deque[Outgoing] = deque()
        self._envelope: Transaction | None = None
        self._out: list[bytes] = []
        self._mark = 0
        self._needs_reset = False
        self._is_draining = True
        self._has_half_answered = False
        self._outcomes: dict[Answer, Outcome] = {}

    @property
    def is_over(self) -> bool:
        """True when the session must be closed; ``trouble`` says why."""
        return self.trouble is not None

    @property
    def is_idle(self) -> bool:
        """True when nothing is under way."""
        return not self._awaited and not self._later and not self._under_way

    @property
    def patience(self) -> float:
        """How long to wait for the reply that is due, in parts of five minutes."""
        return PATIENCE[self._awaited[0][0]] if self._awaited else 1.0

    def begin(self, work: Work) -> None:
        """Take messages from ``work`` until it has none."""
        self._work = work
        self._is_draining = False
        self._ask()

    def take(self) -> tuple[Sequence[bytes], int]:
        """Return the pieces to be written, and how much of them reaches a content's final dot."""
        pieces, mark = self._out, self._mark
        self._out, self._mark = [], 0
        return pieces, mark

    def hear_all(self, answers: Sequence[Answer], *, is_handed_over: bool = True) -> None:
        """Take replies that came together; see ``hear``."""
        if len(answers) == len(_BURST) and self._is_burst(answers) and is_handed_over:
            self._take_burst(answers)
            return
        for answer in answers:
            self.hear(answer, is_handed_over=is_handed_over)

    def _is_burst(self, answers: Sequence[Answer]) -> bool:
        """True for the four replies of the usual way: a content kept, the next envelope taken."""
        awaited = self._awaited
        return (
            tuple(answer[0] for answer in answers) == _BURST
            and len(awaited) == len(_BURST)
            and awaited[0][0] is _A.END
            and awaited[3][0] is _A.DATA
            and awaited[1][1] is awaited[2][1] is awaited[3][1] is self._envelope is not None
            and self._envelope.outcome is None
            and self.trouble is None
            and not self._mark
        )

    def _take_burst(self, answers: Sequence[Answer]) -> None:
        """Do for the four together what the table says of each."""
        kept, envelope = self._awaited[0][1], self._envelope
        if kept is None or envelope is None:
            raise ValueError("a burst has a content and an envelope")
        self._awaited.clear()
        self._has_half_answered = False
        self.count += 1
        self._end(kept, self._judged(answers[0]))
        self._write(envelope)

    def hear(self, answer: Answer, *, is_handed_over: bool = True) -> None:
        """Take the next reply.

        Args:
            answer: the reply.
            is_handed_over: whether the content under way is with the kernel, to its final dot.
        """
        if self.trouble is not None:
            return
        if not self._awaited:
            self._unasked(answer)
            return
        awaited, transaction = self._awaited.popleft()
        is_wanted = transaction is None or transaction.outcome is None
        # What still waits to be taken is with nobody.
        is_handed_over = is_handed_over and not self._mark
        step = meaning(awaited, is_wanted=is_wanted, code=answer[0])
        if step is None or (awaited is _A.END and not is_handed_over):
            self._broken_off(awaited, transaction, self._reply(answer), is_handed_over)
            return
        self._has_half_answered = awaited is not _A.DATA
        if transaction is not None and step is not Step.GO_ON:
            self._take(step, awaited, transaction, answer)
        if not self._awaited:
            self._send_later()
            self._ask()

    def _take(self, step: Step, awaited: Awaited, transaction: Transaction, answer: Answer) -> None:
        if step is Step.SETTLED:
            self.count += 1
            self._end(transaction, self._judged(answer))
        elif step is Step.WRITE:
            self._write(transaction)
        elif step is Step.REFUSED:
            self._refuse(awaited, transaction, self._reply(answer))
        elif step is Step.WRITE_NOTHING:
            self._out.append(b".\r\n")
            self._awaited.append((_A.EMPTY, transaction))
        else:
            self._give_up(transaction, has_ended=awaited is _A.EMPTY)

    def lost(self, why: str, *, is_handed_over: bool, is_timeout: bool = False) -> None:
        """End the session: the connection is gone, or silent, or talks nonsense.

        Args:
            why: for a person.
            is_handed_over: whether the content under way is with the kernel, to its final dot.
            is_timeout: the server kept silent.
        """
        if self.trouble is None:
            self.trouble = Trouble(f"{self._name}: {why}", _CLOSING)
        blamed = self._awaited[0] if self._awaited else None
        if blamed and is_timeout and self._may_have_lied(blamed[0]):
            self._distrusted.add("pipelining")
            blamed = None
        self._close(why, blamed, is_handed_over=is_handed_over and not self._mark)

    def _close(
        self, why: str, blamed: tuple[Awaited, Transaction | None] | None, *, is_handed_over: bool
    ) -> None:
        while self._under_way:
            transaction = self._under_way[0]
            if transaction.is_written and is_handed_over:
                outcome = Outcome(
                    Verdict.DOUBT,
                    None,
                    f"the content was sent and the reply never came: {why}",
                    is_connection_usable=False,
                )
            elif transaction.is_written:
                outcome = deferred(f"the connection was lost at CONTENT: {why}")
            elif blamed and blamed[1] is transaction and self._is_to_blame(blamed[0]):
                outcome = deferred(f"the connection was lost at {blamed[0].name}: {why}")
            else:
                outcome = untried(f"the connection was lost before its turn: {why}")
            self._end(transaction, outcome)
        while self._again:
            self._tell(self._again.popleft(), untried(f"the connection was lost: {why}"))
        self._awaited.clear()
        self._later.clear()
        self._out.clear()
        self._mark = 0

    def _may_have_lied(self, awaited: Awaited) -> bool:
        """Whether silence there looks as if the server had thrown a part of a group away.

        One that does so does it at the first chance: with the first group, or the first content.
        """
        is_inside = self._has_half_answered and awaited is not _A.END
        return self.offered.has_pipelining and is_inside and self.count < _PROVED

    def _is_to_blame(self, awaited: Awaited) -> bool:
        """Whether losing the connection there says something about the message.

        A server may close between messages: what was lost with the next MAIL was never begun.
        """
        return not (awaited in {_A.RESET, _A.MAIL} and self.count)

    def _unasked(self, answer: Answer) -> None:
        reply = self._reply(answer)
        why = "closes the connection" if reply.code == 421 else "said something unasked"
        self.trouble = Trouble(f"{self._name} {why}: {_said(reply)}", _CLOSING, reply=reply)
        self._close(_said(reply), None, is_handed_over=False)

    def _broken_off(
        self, awaited: Awaited, transaction: Transaction | None, reply: Reply, is_handed_over: bool
    ) -> None:
        """Settle what the reply speaks of, then end the session."""
        outcome = judge(STAGES[awaited], reply)
        if awaited is _A.END and not is_handed_over and outcome.verdict in _KEPT:
            # It has not seen the final dot: it cannot have the message.
            outcome = deferred("it answered before it had the content", reply)
        is_closing = reply.code == 421
        self.trouble = Trouble(
            f"{self._name} closes the connection: {_said(reply)}"
            if is_closing
            else f"{self._name} made no sense at {awaited.name}: {_said(reply)}",
            _CLOSING,
            reply=reply,
        )
        if transaction is not None and transaction.outcome is None:
            is_sender = outcome.is_sender_at_fault
            if is_closing and not is_sender and not self._is_to_blame(awaited):
                outcome = untried("the relay had closed the connection", reply)
            elif outcome.is_connection_usable:
                outcome = replace(outcome, is_connection_usable=False)
            self._end(transaction, outcome)
        self._close(_said(reply), None, is_handed_over=is_handed_over)

    def _write(self, transaction: Transaction) -> None:
        self._must_work().starting(transaction.item)
        transaction.is_written = True
        self._envelope = None
        self._out += transaction.wire()
        self._out.append(b".\r\n")
        self._mark = sum(map(len, self._out))
        self._awaited.append((_A.END, transaction))
        if self.offered.has_pipelining:
            self._ask()

    def _refuse(self, awaited: Awaited, transaction: Transaction, reply: Reply) -> None:
        if fall_back := self._fall_back(awaited, transaction, reply):
            transaction.outcome = untried(fall_back, reply)
            self._under_way.remove(transaction)
            self._again.append(transaction.item)
        else:
            outcome = judge(STAGES[awaited], reply)
            if awaited is _A.MAIL and transaction.item.needs_smtputf8 and reply.code // 100 == 5:
                # The server may mean the one address that asked for SMTPUTF8.
                outcome = Outcome(Verdict.REFUSE, reply)
            self.count += 1
            self._end(transaction, outcome)
        self._needs_reset = True
        if self._later and self._later[0][1] is transaction:
            self._later.clear()
        if not any(owner is transaction for _, owner in self._awaited):
            self._envelope = None

    def _fall_back(self, awaited: Awaited, transaction: Transaction, reply: Reply) -> str:
        """Do without what the server stumbled over; return a sentence, or "" when it did not."""
        if reply.code // 100 != 5:
            return ""
        if self.offered.has_pipelining and _PIPELINING.search(reply.text):
            self._without({"pipelining"})
            return "the relay objects to pipelining"
        if awaited is _A.MAIL and transaction.has_options and reply.code in _PARAMETERS:
            self._without({"dsn", "size"})
            return "the relay objects to a parameter it offered"
        return ""

    def _without(self, names: set[str]) -> None:
        self._distrusted |= names
        self.offered = self.offered.without(names)

    def _give_up(self, transaction: Transaction, *, has_ended: bool) -> None:
        """A refused message's group is answered whole; go on with the next."""
        self._needs_reset = not has_ended
        if self._envelope is transaction:
            self._envelope = None
        self._ask()

    def _ask(self) -> None:
        """Put the next envelope on its way, if there is room for one."""
        may_follow = self.offered.has_pipelining or not self._awaited
        if self._work is None or self._envelope or not may_follow:
            return
        while self._again or not self._is_draining:
            item = self._again.popleft() if self._again else self._work.next()
            if item is None:
                self._is_draining = True
                return
            transaction = Transaction(item)
            if (obstacle := transaction.obstacle(self.offered)) is None:
                self._offer(transaction)
                return
            self._work.ended(item, obstacle)

    def _offer(self, transaction: Transaction) -> None:
        self._envelope = transaction
        self._under_way.append(transaction)
        if self.offered.has_pipelining and not (self._needs_reset or self._later):
            # The usual way: the three at once.
            self._awaited += (
                (_A.MAIL, transaction),
                (_A.RCPT, transaction),
                (_A.DATA, transaction),
            )
            self._out.append(transaction.group(self.offered))
            return
        group: list[tuple[Awaited, Transaction | None, bytes]] = [
            (_A.MAIL, transaction, transaction.mail(self.offered)),
            (_A.RCPT, transaction, transaction.rcpt()),
            (_A.DATA, transaction, b"DATA\r\n"),
        ]
        if self._needs_reset:
            group.insert(0, (_A.RESET, None, b"RSET\r\n"))
            self._needs_reset = False
        self._later.extend(group)
        self._send_later()

    def _send_later(self) -> None:
        while self._later and (self.offered.has_pipelining or not self._awaited):
            awaited, transaction, line = self._later.popleft()
            self._awaited.append((awaited, transaction))
            self._out.append(line)

    def _end(self, transaction: Transaction, outcome: Outcome) -> None:
        transaction.outcome = outcome
        self._under_way.remove(transaction)
        if self._envelope is transaction and self.trouble is not None:
            self._envelope = None
        self._tell(transaction.item, outcome)

    def _tell(self, item: Outgoing, outcome: Outcome) -> None:
        self._must_work().ended(item, outcome)

    def _must_work(self) -> Work:
        if self._work is None:
            raise ValueError("the dialogue has not begun")
        return self._work

    def _judged(self, answer: Answer) -> Outcome:
        """Judge the reply to a content."""
        # Servers say the same few words again and again; those with a queue id pass through.
        outcome = self._outcomes.get(answer)
        if outcome is None:
            outcome = judge(Stage.END, self._reply(answer))
            if len(self._outcomes) < 16:
                self._outcomes[answer] = outcome
        return outcome

    def _reply(self, answer: Answer) -> Reply:
        return read_reply(*answer)


_KEPT = frozenset({Verdict.ACCEPT, Verdict.DOUBT})


def _said(reply: Reply) -> str:
    return " ".join(f"{reply.code} {reply.enhanced} {reply.text}".split())
