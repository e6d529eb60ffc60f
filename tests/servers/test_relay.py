"""The relay against a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.clock import SystemClock
from mailer.delivery.delivery import Envelope, Verdict
from mailer.delivery.relay import RelayPolicy, SmtplibRelay
from mailer.inbox.server import InboxServer
from mailer.inbox.store import Store

CONTENT = b"Subject: hello\r\n\r\n.a dot\r\n..\r\n.\r\nend\r\n"
SENDER = "bounces+abc@lantern.example"


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[InboxServer]:
    with InboxServer(Store(tmp_path / "inbox", SystemClock())) as server:
        yield server


@pytest.fixture
def relay(inbox: InboxServer) -> Iterator[SmtplibRelay]:
    made = SmtplibRelay(RelayPolicy("127.0.0.1", inbox.port, timeout_s=5))
    yield made
    made.close()


def test_the_bytes_arrive_as_they_were_dots_and_all(inbox, relay) -> None:
    assert relay.open() is None
    outcome = relay.deliver(
        Envelope(SENDER, "nora@reader.example", "abc"), CONTENT, needs_smtputf8=False
    )
    assert outcome.verdict is Verdict.ACCEPT
    assert outcome.reply.code == 250
    assert outcome.reply.enhanced == "2.0.0"
    (message,) = inbox.store.messages()
    assert inbox.store.content(message.id) == CONTENT
    assert (message.sender, message.recipients) == (SENDER, ("nora@reader.example",))


def test_one_connection_carries_many_messages_and_survives_a_refusal(inbox, relay) -> None:
    for number in range(5):
        envelope = Envelope(SENDER, f"r{number}@reader.example")
        assert relay.deliver(envelope, CONTENT, needs_smtputf8=False).verdict is Verdict.ACCEPT
    bad = relay.deliver(
        Envelope(SENDER, "x" * 600 + "@reader.example"), CONTENT, needs_smtputf8=False
    )
    assert bad.verdict is Verdict.REFUSE
    assert bad.is_connection_usable
    good = relay.deliver(Envelope(SENDER, "last@reader.example"), CONTENT, needs_smtputf8=False)
    assert good.verdict is Verdict.ACCEPT
    assert len(inbox.store.ids()) == 6


def test_smtputf8_is_used_where_it_is_offered(inbox, relay) -> None:
    content = "To: zoë@reader.example\r\n\r\nhello\r\n".encode()
    envelope = Envelope(SENDER, "zoë@reader.example")
    assert relay.deliver(envelope, content, needs_smtputf8=True).verdict is Verdict.ACCEPT
    (message,) = inbox.store.messages()
    assert message.recipients == ("zoë@reader.example",)
    # The next message of the same connection is plain again.
    plain = relay.deliver(Envelope(SENDER, "a@reader.example"), CONTENT, needs_smtputf8=False)
    assert plain.verdict is Verdict.ACCEPT


def test_closing_twice_and_opening_again_is_harmless(inbox, relay) -> None:
    relay.close()
    assert relay.open() is None
    assert relay.open() is None
    relay.close()
    relay.close()
    assert relay.deliver(Envelope(SENDER, "a@b.example"), CONTENT).verdict is Verdict.ACCEPT


def test_an_unknown_host_is_trouble_not_an_exception() -> None:
    relay = SmtplibRelay(RelayPolicy("relay.invalid", 25, timeout_s=2))
    trouble = relay.open()
    assert trouble is not None
    assert "the relay relay.invalid:25 cannot be reached" in str(trouble)
    assert relay.deliver(Envelope(SENDER, "a@b.example"), CONTENT).verdict is Verdict.DEFER


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(RelayPolicy("h", 25, username="u", password="secret"))
