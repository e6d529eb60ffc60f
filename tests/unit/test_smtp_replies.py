"""Replies read and judged, content stuffed: SMTP without a socket."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.delivery import Delivery, DeliveryState, Envelope, Reply, Verdict
from mailer.delivery.smtp import Stage, bounce_address, judge, read_reply, xtext
from mailer.delivery.transaction import Outgoing, Transaction

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
ROW = Delivery(1, "i", "wales", 1, "a@reader.example", "", "t", AT, AT, DeliveryState.CLAIMED)


@pytest.mark.parametrize(
    ("code", "text", "reply"),
    [
        (250, b"2.1.0 Ok", Reply(250, "2.1.0", "Ok")),
        (250, b"Ok", Reply(250, "", "Ok")),
        (550, b"5.1.1 No such\n5.1.1 user", Reply(550, "5.1.1", "No such user")),
        (450, b"4.2.0", Reply(450, "4.2.0", "")),
        (250, b"5.1.1 odd", Reply(250, "", "5.1.1 odd")),
        (550, b"caf\xe9 \x1b[31m", Reply(550, "", "caf\ufffd [31m")),
        (550, b"", Reply(550, "", "")),
        (550, b"5.1.11 x", Reply(550, "5.1.11", "x")),
        (550, b"version 5.1.1", Reply(550, "", "version 5.1.1")),
    ],
)
def test_a_reply_is_read(code: int, text: bytes, reply: Reply) -> None:
    assert read_reply(code, text) == reply


@given(st.integers(200, 599), st.binary(max_size=2000))
def test_any_reply_is_one_short_printable_line(code: int, text: bytes) -> None:
    reply = read_reply(code, text)
    assert reply.text.isprintable()
    assert len(reply.text) <= 500


@pytest.mark.parametrize(
    ("stage", "reply", "verdict", "is_usable", "is_ours"),
    [
        (Stage.END, Reply(250), Verdict.ACCEPT, True, False),
        (Stage.END, Reply(451, "4.3.0"), Verdict.DEFER, True, False),
        (Stage.END, Reply(554, "5.6.0"), Verdict.REFUSE, True, False),
        (Stage.END, Reply(354), Verdict.DOUBT, False, False),
        (Stage.END, Reply(-1), Verdict.DOUBT, False, False),
        (Stage.RCPT, Reply(550, "5.1.1"), Verdict.REFUSE, True, False),
        (Stage.RCPT, Reply(552, "5.2.2", "mailbox full"), Verdict.REFUSE, True, False),
        (Stage.RCPT, Reply(550, "5.7.1", "blocked by the reader"), Verdict.REFUSE, True, False),
        (Stage.RCPT, Reply(450, "4.2.0"), Verdict.DEFER, True, False),
        (Stage.RCPT, Reply(421), Verdict.DEFER, False, False),
        (Stage.RCPT, Reply(-1), Verdict.DEFER, False, False),
        (Stage.DATA, Reply(250), Verdict.DEFER, False, False),
        (Stage.MAIL, Reply(451, "4.7.1"), Verdict.DEFER, True, False),
        (Stage.MAIL, Reply(550, "5.7.1"), Verdict.DEFER, True, True),
        (Stage.MAIL, Reply(530), Verdict.DEFER, True, True),
        (Stage.RCPT, Reply(530, "5.7.0"), Verdict.DEFER, True, True),
        (Stage.RCPT, Reply(554, "5.7.1", "Relay access denied"), Verdict.DEFER, True, True),
        (Stage.END, Reply(550, "5.7.26"), Verdict.DEFER, True, True),
        (Stage.END, Reply(421, "4.7.28"), Verdict.DEFER, False, True),
        (Stage.END, Reply(552, "5.3.4"), Verdict.DEFER, True, True),
    ],
)
def test_verdicts(stage, reply, verdict, is_usable, is_ours) -> None:
    outcome = judge(stage, reply)
    assert outcome.verdict is verdict
    assert outcome.is_connection_usable is is_usable
    assert outcome.is_sender_at_fault is is_ours
    assert outcome.reply is reply


def on_the_wire(content: bytes) -> bytes:
    item = Outgoing(ROW, Envelope("b@lantern.example", "a@reader.example"), content)
    return b"".join((*Transaction(item).wire(), b".\r\n"))


@given(st.lists(st.sampled_from([b"", b".", b"..", b"a", b".a", b"a."]), max_size=12))
def test_dots_survive_the_wire(lines: list[bytes]) -> None:
    content = b"".join(line + b"\r\n" for line in lines) or b"\r\n"
    wire = on_the_wire(content)
    assert wire.endswith(b"\r\n.\r\n")
    assert wire.find(b"\r\n.\r\n") == len(wire) - 5
    assert not wire.startswith(b".\r\n")
    read = wire[:-3].split(b"\r\n")
    assert b"\r\n".join(line.removeprefix(b".") for line in read) == content


def test_content_without_a_last_line_end_gets_one() -> None:
    assert on_the_wire(b"a") == b"a\r\n.\r\n"


def test_xtext_and_the_bounce_address() -> None:
    assert xtext("a+b=c d\u00e9") == "a+2Bb+3Dc+20d+C3+A9"
    assert bounce_address("abc234", "bücher.example") == "bounces+abc234@xn--bcher-kva.example"
