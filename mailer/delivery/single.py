"""One message at a time over the pipelined client: for proofs, the doctor, whatever is synchronous.

The event loop runs only inside a call. A connection that was closed between two messages is
replaced once, since nothing of the message was sent; every other loss is that message's outcome.
"""

from __future__ import annotations

import asyncio

from mailer.delivery.connection import Connection
from mailer.delivery.delivery import Outcome, Trouble, Verdict
from mailer.delivery.opening import RelayPolicy
from mailer.delivery.relay import PipelinedRelay
from mailer.delivery.transaction import Outgoing


class SingleRelay:
    """A relay that is waited for.

    Raises:
        ConfigurationError: the CA file cannot be read.
    """

    def __init__(self, policy: RelayPolicy) -> None:
        self._relay = PipelinedRelay(policy)
        self._runner: asyncio.Runner | None = None
        self._connection: Connection | None = None

    def open(self) -> Trouble | None:
        """Connect, unless connected; say what stands in the way."""
        if self._connection is not None and self._connection.is_open:
            return None
        if self._runner is None:
            self._runner = asyncio.Runner()
        self._drop()
        found = self._runner.run(self._relay.connect())
        if isinstance(found, Trouble):
            return found
        self._connection = found
        return None

    def deliver(self, item: Outgoing) -> Outcome:
        """Carry one message through one transaction."""
        outcome = self._carry(item)
        return self._carry(item) if outcome.is_untried else outcome

    def close(self) -> None:
        """Say goodbye; never fails, and may be called again."""
        if self._runner is None:
            return
        if self._connection is not None:
            self._runner.run(self._connection.close())
            self._connection = None
        self._runner.close()
        self._runner = None

    def _carry(self, item: Outgoing) -> Outcome:
        if trouble := self.open():
            return Outcome(
                Verdict.DEFER,
                trouble.reply,
                str(trouble),
                is_connection_usable=False,
                is_sender_at_fault=trouble.is_lasting,
            )
        work = _One(item)
        if self._runner is not None and self._connection is not None:
            trouble = self._runner.run(self._connection.drive(work))
            if trouble is not None:
                self._drop()
        # Lost before it was asked for the message: nothing of it was sent.
        return work.outcome or Outcome(
            Verdict.DEFER, None, str(trouble), is_connection_usable=False, is_untried=True
        )

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.abort()
            self._connection = None


class _One:
    """The work of one message."""

    def __init__(self, item: Outgoing) -> None:
        self.outcome: Outcome | None = None
        self._item: Outgoing | None = item

    def next(self) -> Outgoing | None:
        item, self._item = self._item, None
        return item

    def starting(self, _item: Outgoing) -> None:
        """Nobody keeps a journal of proofs."""

    def ended(self, _item: Outgoing, outcome: Outcome) -> None:
        self.outcome = outcome
