"""The relay: one SMTP server that takes our mail, and the event loop its connections run on.

``PipelinedRelay`` opens connections; each carries messages as ``connection`` and ``dialogue``
say. What it promises:

- a connection lost before the content was handed over whole defers: the server cannot have it;
- one lost after that, and before the reply, is in doubt: the server may have it;
- what only stood in line behind it is untried and may go at once;
- a lost or timed-out connection is never used again;
- with ``starttls`` or ``implicit`` the certificate and the name are verified, and nothing is
  ever sent in the clear instead;
- a server that objects to us yields ``Trouble`` or an outcome with ``is_sender_at_fault``.

Failures: a CA file that cannot be used raises ``ConfigurationError``; everything the network does
is returned. Standards: RFC 5321, 2920 (PIPELINING), 1870 (SIZE), 3207 (STARTTLS), 3461 (RET,
ENVID), 4954 (AUTH), 6531 (SMTPUTF8).
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
from collections.abc import Coroutine
from typing import Any, TypeVar

from mailer.delivery.connection import Connection, open_connection, reason
from mailer.delivery.delivery import Trouble
from mailer.delivery.opening import RelayPolicy
from mailer.delivery.transaction import Outgoing, Work
from mailer.errors import ConfigurationError, Fault

__all__ = ["Connection", "Outgoing", "PipelinedRelay", "RelayPolicy", "Work", "run_loop"]


class PipelinedRelay:
    """Opens connections to one relay; what it learns of the server it remembers for the next.

    Raises:
        ConfigurationError: the CA file cannot be read.
    """

    def __init__(self, policy: RelayPolicy) -> None:
        self.policy = policy
        self._context = _context(policy) if policy.tls != "none" else None
        self._distrusted: set[str] = set()

    async def connect(self) -> Connection | Trouble:
        """Open a session; what stands in the way is returned."""
        return await open_connection(self.policy, self._context, self._distrusted)


Result = TypeVar("Result")


def run_loop(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on the fastest event loop there is: uvloop's, else the standard one."""
    try:
        factory = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def _context(policy: RelayPolicy) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=policy.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            Fault(
                f"cannot be used: {reason(error)}",
                where=policy.ca_file,
                field="MAILER_RELAY_CA_FILE",
                remedy="name a PEM file with the authority's certificate",
            )
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
