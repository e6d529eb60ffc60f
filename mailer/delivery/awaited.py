"""Which replies are due in an SMTP session, and what each means: the table of the dialogue.

Standards: RFC 5321 sections 4.2, 4.3.2 and 4.5.3.2, RFC 2920 section 3.1.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from mailer.delivery.smtp import Stage


class Awaited(IntEnum):
    """What a reply that is due belongs to; ``EMPTY`` is the dot of a message without content."""

    RESET = 0
    MAIL = 1
    RCPT = 2
    DATA = 3
    END = 4
    EMPTY = 5


class Step(Enum):
    """What a reply makes the dialogue do."""

    GO_ON = 1
    REFUSED = 2
    WRITE = 3
    SETTLED = 4
    WRITE_NOTHING = 5
    GIVEN_UP = 6


_A, _S = Awaited, Step

TABLE: dict[tuple[Awaited, bool, int], Step] = {
    (_A.RESET, True, 2): _S.GO_ON,
    (_A.MAIL, True, 2): _S.GO_ON,
    (_A.MAIL, True, 4): _S.REFUSED,
    (_A.MAIL, True, 5): _S.REFUSED,
    (_A.RCPT, True, 2): _S.GO_ON,
    (_A.RCPT, True, 4): _S.REFUSED,
    (_A.RCPT, True, 5): _S.REFUSED,
    (_A.DATA, True, 3): _S.WRITE,
    (_A.DATA, True, 4): _S.REFUSED,
    (_A.DATA, True, 5): _S.REFUSED,
    (_A.END, True, 2): _S.SETTLED,
    (_A.END, True, 4): _S.SETTLED,
    (_A.END, True, 5): _S.SETTLED,
    # The rest of a group whose message was refused. A client that meets 354 although no RCPT
    # succeeded "SHOULD send a single dot" (RFC 2920 section 3.1).
    (_A.RCPT, False, 2): _S.GO_ON,
    (_A.RCPT, False, 4): _S.GO_ON,
    (_A.RCPT, False, 5): _S.GO_ON,
    (_A.DATA, False, 3): _S.WRITE_NOTHING,
    (_A.DATA, False, 4): _S.GIVEN_UP,
    (_A.DATA, False, 5): _S.GIVEN_UP,
    (_A.EMPTY, False, 2): _S.GIVEN_UP,
    (_A.EMPTY, False, 4): _S.GIVEN_UP,
    (_A.EMPTY, False, 5): _S.GIVEN_UP,
}
"""(what is awaited, whether its message is still wanted, first figure of the code) to a step.

What is not in it makes no sense, and ends the session. 421 ends it whatever is awaited, because
the server "may" send it in answer to any command (RFC 5321 section 4.2.3).
"""

STAGES = {
    _A.RESET: Stage.MAIL,
    _A.MAIL: Stage.MAIL,
    _A.RCPT: Stage.RCPT,
    _A.DATA: Stage.DATA,
    _A.END: Stage.END,
    _A.EMPTY: Stage.END,
}
"""How ``judge`` calls each."""

PATIENCE = {_A.RESET: 1.0, _A.MAIL: 1.0, _A.RCPT: 1.0, _A.DATA: 0.4, _A.END: 2.0, _A.EMPTY: 2.0}
"""How long to wait, in parts of RFC 5321's five minutes (section 4.5.3.2: MAIL and RCPT 5
minutes, DATA 2, the final dot 10)."""

WRITE_PATIENCE = 0.6
"""The same for each piece of content that the server has to take (3 minutes)."""


def meaning(awaited: Awaited, *, is_wanted: bool, code: int) -> Step | None:
    """Return the step that a reply makes; None when it ends the session."""
    if code == 421 or (awaited is _A.DATA and code // 100 == 3 and code != 354):
        return None
    return TABLE.get((awaited, is_wanted, code // 100))
