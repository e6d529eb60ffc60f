"""The relays that the settings name, made ready to be opened.

Each is opened by whoever uses it: a route by the sending of an issue, a single relay by what sends
one message at a time (proofs, confirmations, alerts).
"""

from __future__ import annotations

from collections.abc import Iterator

from mailer.delivery.relay import PipelinedRelay, RelayPolicy
from mailer.delivery.routes import Route
from mailer.delivery.single import SingleRelay
from mailer.settings import RelaySetting, Settings


class Relays:
    """Every relay of the settings, the main one first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def routes(self) -> list[Route]:
        """Return every relay with what it is given, for sending an issue."""
        return [self._route(relay) for relay in self._settings.relays()]

    def first(self) -> SingleRelay:
        """Make the first relay, not yet opened, for one message at a time."""
        return next(relay for _name, relay in self.single())

    def single(self) -> Iterator[tuple[str, SingleRelay]]:
        """Make each relay by its name, for one message at a time, the main one first."""
        for relay in self._settings.relays():
            yield f"{relay.host}:{relay.port}", SingleRelay(self._policy(relay))

    def _route(self, relay: RelaySetting) -> Route:
        policy = self._policy(relay)
        return Route(
            relay=lambda: PipelinedRelay(policy),
            name=f"{relay.host}:{relay.port}",
            connections=relay.connections,
            per_second=relay.per_second,
            weight=relay.weight,
        )

    def _policy(self, relay: RelaySetting) -> RelayPolicy:
        settings = self._settings
        return RelayPolicy(
            host=relay.host,
            port=relay.port,
            tls=relay.tls,
            ca_file=settings.relay_ca_file,
            username=relay.username,
            password=relay.password,
            timeout_s=settings.relay_timeout_s,
            hello_name=settings.relay_hello_name,
            auth=relay.auth,
        )
