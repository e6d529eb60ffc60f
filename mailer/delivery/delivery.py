"""A delivery: the ledger's promise about one address, and the table of its states.

The promise: nobody is forgotten; nobody suppressed is mailed; a crash can repeat at most the
messages whose replies were never read (one a connection), byte for byte with the same
Message-ID.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mailer.errors import IllegalTransition


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    TRANSMITTING = "transmitting"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


_S = DeliveryState

TRANSITIONS: dict[tuple[DeliveryState, str], DeliveryState] = {
    (_S.PLANNED, "claim"): _S.CLAIMED,
    (_S.PLANNED, "skip"): _S.SKIPPED,
    (_S.PLANNED, "cancel"): _S.CANCELLED,
    (_S.CLAIMED, "transmit"): _S.TRANSMITTING,
    (_S.CLAIMED, "skip"): _S.SKIPPED,
    (_S.CLAIMED, "cancel"): _S.CANCELLED,
    (_S.CLAIMED, "crash"): _S.PLANNED,
    (_S.CLAIMED, "release"): _S.PLANNED,
    (_S.CLAIMED, "refuse"): _S.REFUSED,
    (_S.PLANNED, "expire"): _S.EXPIRED,
    (_S.SKIPPED, "replan"): _S.PLANNED,
    (_S.CANCELLED, "replan"): _S.PLANNED,
    (_S.IN_DOUBT, "defer"): _S.DEFERRED,
    (_S.TRANSMITTING, "accept"): _S.ACCEPTED,
    (_S.TRANSMITTING, "defer"): _S.DEFERRED,
    (_S.TRANSMITTING, "refuse"): _S.REFUSED,
    (_S.TRANSMITTING, "doubt"): _S.IN_DOUBT,
    (_S.TRANSMITTING, "crash"): _S.IN_DOUBT,
    (_S.DEFERRED, "claim"): _S.CLAIMED,
    (_S.DEFERRED, "skip"): _S.SKIPPED,
    (_S.DEFERRED, "cancel"): _S.CANCELLED,
    (_S.DEFERRED, "expire"): _S.EXPIRED,
    (_S.IN_DOUBT, "claim"): _S.CLAIMED,
    (_S.IN_DOUBT, "accept"): _S.ACCEPTED,
    (_S.IN_DOUBT, "cancel"): _S.CANCELLED,
    (_S.IN_DOUBT, "expire"): _S.EXPIRED,
    (_S.PLANNED, "accept"): _S.ACCEPTED,
    (_S.DEFERRED, "accept"): _S.ACCEPTED,
    (_S.ACCEPTED, "bounce"): _S.BOUNCED,
    (_S.ACCEPTED, "complain"): _S.COMPLAINED,
}
"""Every allowed step.

``crash`` is what recovery does to the rows of a dead sender: a claim was only an intention and
goes back; a transmission may have arrived and is in doubt. In doubt is claimed again under the
policy ``resend`` (the same bytes, so that a reader's server may drop the twin), or waits for an
operator under ``hold``. A relay that swallows every message without a reply would have us repeat
for ever: in doubt expires at the same age as deferred does.

``replan`` gives a row that ended before anything was sent a new start: a reader who was skipped
and may get it after all (another region), or an issue that was cancelled and reopened. An
operator settles what is in doubt: accept on evidence, cancel, or ``defer`` to send it again. A
claimed message that this program cannot write is refused without a transaction. What nobody sent
before it was too old expires: a week-old briefing is no briefing.

A ledger that was restored from a backup does not know who was sent to since; the relay's log does.
On its evidence what is planned or deferred is accepted, as what is in doubt.

``transmitting`` is kept in the sender's journal, not in the row: see ``journal`` and ``ledger``.
"""

FORBIDDEN: dict[tuple[DeliveryState, str], str] = {
    (_S.ACCEPTED, "claim"): "the relay has it; sending again would be a second copy",
    (_S.REFUSED, "claim"): "the relay said never; the address needs mending first",
    (_S.SKIPPED, "claim"): "the reader left or is suppressed",
    (_S.CANCELLED, "claim"): "an operator cancelled it",
    (_S.TRANSMITTING, "cancel"): "the content may be on the wire; wait for the reply",
    (_S.TRANSMITTING, "claim"): "another connection is sending it",
}
"""The steps a bug would try, and why they are refused."""

OPEN = (_S.PLANNED, _S.CLAIMED, _S.TRANSMITTING, _S.DEFERRED, _S.IN_DOUBT)
"""States with work left; an issue is sent when none of its deliveries is in one."""


def next_state(state: DeliveryState, step: str) -> DeliveryState:
    """Return the state after ``step``, or raise ``IllegalTransition``."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        why = FORBIDDEN.get((state, step), "the table of delivery states does not have it")
        raise IllegalTransition(f"a delivery that is {state} cannot {step}: {why}") from None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the relay said: SMTP code, enhanced code ("" when absent) and text, one line."""

    code: int
    enhanced: str = ""
    text: str = ""


class Verdict(StrEnum):
    """What an attempt came to. Each is also the step it makes in ``TRANSITIONS``."""

    ACCEPT = "accept"
    DEFER = "defer"
    REFUSE = "refuse"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt.

    ``is_connection_usable`` is False when the connection must be dropped (lost, timed out,
    421); a timed-out connection is never used again. ``is_sender_at_fault`` means the relay
    objects to us and would to every reader: the sending pauses and nobody is refused for it.
    ``is_untried`` means that nothing of the message was judged (its envelope stood in line behind
    a lost connection, say): this was no attempt, and it may go again at once.
    """

    verdict: Verdict
    reply: Reply | None = None
    note: str = ""
    is_connection_usable: bool = True
    is_sender_at_fault: bool = False
    is_untried: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing can be sent at present, whoever the reader is.

    ``is_lasting`` means that waiting does not help: a person has to mend something first.
    """

    problem: str
    remedy: str
    is_lasting: bool = False
    reply: Reply | None = None

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


class Envelope(NamedTuple):
    """RFC 5321 reverse-path and exactly one forward-path; ``envid`` is RFC 3461's."""

    sender: str
    recipient: str
    envid: str = ""


@dataclass(slots=True)
class Delivery:
    """One row of the ledger; nothing changes one (a frozen class costs four times as much to make,
    and a sending makes one for every reader).

    ``token`` is unguessable, base32, the same for every attempt: the envelope sender, the
    Message-ID and the MIME boundary derive from it, as the Date does from ``dated_at``; so a
    repeat is byte for byte the same. ``name`` is the reader's name as planned, ``note`` why it
    stands where it does when no reply says so. ``withheld``: the ids, apart by spaces, of
    articles its reader was sent before and does not get again.
    """

    id: int
    issue_id: str
    region: str
    subscriber_id: int
    address: str
    name: str
    token: str
    dated_at: datetime
    due_at: datetime
    state: DeliveryState
    attempts: int = 0
    reply: Reply | None = None
    updated_at: datetime | None = None
    note: str = ""
    withheld: str = ""
