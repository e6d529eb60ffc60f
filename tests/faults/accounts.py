"""What a fault came to: the ledger held against what the server really has.

``Account`` is counted from both ends. ``lost`` are readers without a message whom nothing in the
ledger explains; ``held`` are in doubt and wait for an operator; ``repeated`` are copies beyond the
first; ``strange`` are copies that are not, byte for byte, the message the ledger's row promises;
``mismatched`` are rows whose reply names another reader.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from mailer.delivery.delivery import DeliveryState
from tests.faults.chaos import ChaosServer
from tests.faults.world import ISSUE, World, render

S = DeliveryState
EXPLAINED = frozenset({S.REFUSED, S.SKIPPED, S.EXPIRED, S.CANCELLED})
"""The final states of who rightly has no message."""


@dataclass(frozen=True)
class Account:
    """What was counted."""

    readers: int
    messages: int
    lost: int
    held: int
    repeated: int
    most_copies: int
    doubts: int
    strange: int
    after_suppression: int
    mismatched: int

    @property
    def is_kept(self) -> bool:
        """True when the promise was kept: the repeated are the unanswered at most."""
        broken = self.lost + self.strange + self.mismatched + self.after_suppression
        return not broken and self.repeated <= self.doubts

    def __str__(self) -> str:
        return (
            f"{self.readers} readers, {self.messages} messages: lost {self.lost}, held "
            f"{self.held}, repeated {self.repeated} (of {self.doubts} unanswered), altered "
            f"{self.strange}, matched to another {self.mismatched}, mailed after suppression "
            f"{self.after_suppression}"
        )


def take_account(
    world: World, server: ChaosServer, *, suppressed: Collection[str] = (), before: int = 0
) -> Account:
    """Count, at the end of a fault.

    Args:
        world: whose ledger.
        server: what the readers have.
        suppressed: addresses that were suppressed when the server had ``before`` messages.
        before: see there.
    """
    copies = server.copies()
    rows = {item.address: item for item in world.ledger.deliveries(ISSUE)}
    lost = [
        address
        for address, row in rows.items()
        if not copies[address] and row.state not in {*EXPLAINED, S.IN_DOUBT}
    ]
    compiled = world.compiled("wales")
    promised = {}
    strange = 0
    for item in server.taken:
        if item.recipient not in promised:
            row = rows[item.recipient]
            promised[item.recipient] = render(compiled, row)
        strange += item.content != promised[item.recipient]
    return Account(
        readers=len(rows),
        messages=len(server.taken),
        lost=len(lost),
        held=sum(row.state is S.IN_DOUBT for row in rows.values()),
        repeated=sum(count - 1 for count in copies.values()),
        most_copies=max(copies.values(), default=0),
        doubts=sum(not item.is_answered for item in server.taken),
        strange=strange,
        after_suppression=sum(item.recipient in suppressed for item in server.taken[before:]),
        mismatched=sum(
            bool(re.search(r"[\w.-]+@[\w.-]+\w", said)) and address not in said
            for address, row in rows.items()
            if (said := row.reply.text if row.reply else "")
        ),
    )
