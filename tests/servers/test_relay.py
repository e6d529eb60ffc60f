"""One message at a time over the pipelined client, against a real SMTP server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.clock import SystemClock
from mailer.delivery.delivery import Delivery, DeliveryState, Envelope, Verdict
from mailer.delivery.relay import Outgoing, RelayPolicy
from mailer.delivery.single import SingleRelay
from mailer.inbox.server import InboxServer
from mailer.inbox.store import Store
from tests.faults.chaos import ChaosServer

CONTENT = b"Subject: hello\r\n\r\n.a dot\r\n..\r\n.\r\nend\r\n"
SENDER = "bounces+abc@lantern.example"
AT = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
ROW = Delivery(1, "i", "wales", 1, "a@b.example", "", "t", AT, AT, DeliveryState.CLAIMED)


def letter(
    recipient: str, content: bytes = CONTENT, *, envid: str = "", needs_smtputf8: bool = False
) -> Outgoing:
    return Outgoing(ROW, Envelope(SENDER, recipient, envid), content, needs_smtputf8)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[InboxServer]:
    with InboxServer(Store(tmp_path / "inbox", SystemClock())) as server:
        yield server


@pytest.fixture
def relay(inbox: InboxServer) -> Iterator[SingleRelay]:
    made = SingleRelay(RelayPolicy("127.0.0.1", inbox.port, timeout_s=5))
    yield made
    made.close()


def test_the_bytes_arrive_as_they_were_dots_and_all(inbox, relay) -> None:
    assert relay.open() is None
    outcome = relay.deliver(letter("nora@reader.example", envid="abc"))
    assert outcome.verdict is Verdict.ACCEPT
    assert outcome.reply.code == 250
    assert outcome.reply.enhanced == "2.0.0"
    (message,) = inbox.store.messages()
    assert inbox.store.content(message.id) == CONTENT
    assert (message.sender, message.recipients) == (SENDER, ("nora@reader.example",))


def test_one_connection_carries_many_messages_and_survives_a_refusal(inbox, relay) -> None:
    for number in range(5):
        outcome = relay.deliver(letter(f"r{number}@reader.example"))
        assert outcome.verdict is Verdict.ACCEPT
    bad = relay.deliver(letter("x" * 600 + "@reader.example"))
    assert bad.verdict is Verdict.REFUSE
    assert bad.is_connection_usable
    good = relay.deliver(letter("last@reader.example"))
    assert good.verdict is Verdict.ACCEPT
    assert len(inbox.store.ids()) == 6


def test_smtputf8_is_used_where_it_is_offered(inbox, relay) -> None:
    content = "To: zoë@reader.example\r\n\r\nhello\r\n".encode()
    outcome = relay.deliver(letter("zoë@reader.example", content, needs_smtputf8=True))
    assert outcome.verdict is Verdict.ACCEPT
    (message,) = inbox.store.messages()
    assert message.recipients == ("zoë@reader.example",)
    # The next message of the same connection is plain again.
    plain = relay.deliver(letter("a@reader.example"))
    assert plain.verdict is Verdict.ACCEPT


def test_closing_twice_and_opening_again_is_harmless(inbox, relay) -> None:
    relay.close()
    assert relay.open() is None
    assert relay.open() is None
    relay.close()
    relay.close()
    assert relay.deliver(letter("a@b.example")).verdict is Verdict.ACCEPT


def test_a_connection_that_was_closed_meanwhile_is_replaced(tmp_path: Path) -> None:
    server = ChaosServer(script={("mail", ""): ["", "drop", "", "421 4.4.2 idle too long"]})
    server.start()
    relay = SingleRelay(RelayPolicy("127.0.0.1", server.port, timeout_s=5))
    try:
        for number in range(3):
            outcome = relay.deliver(letter(f"r{number}@reader.example"))
            assert outcome.verdict is Verdict.ACCEPT
        assert (server.connections, len(server.taken)) == (3, 3)
        assert relay.deliver(letter("drop-dot.1@reader.example")).verdict is Verdict.DOUBT
    finally:
        relay.close()
        server.stop()


def test_an_unknown_host_is_trouble_not_an_exception() -> None:
    relay = SingleRelay(RelayPolicy("relay.invalid", 25, timeout_s=2))
    trouble = relay.open()
    assert trouble is not None
    assert "the relay relay.invalid:25 cannot be reached" in str(trouble)
    assert relay.deliver(letter("a@b.example")).verdict is Verdict.DEFER
    relay.close()


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(RelayPolicy("h", 25, username="u", password="secret"))
