"""The dialogue, step by step: what is written when, and how each thing a server may do ends."""

from __future__ import annotations

import datetime as dt

import pytest

from mailer.delivery.awaited import TABLE, Awaited, meaning
from mailer.delivery.capabilities import Capabilities
from mailer.delivery.delivery import Delivery, DeliveryState, Envelope, Outcome, Verdict
from mailer.delivery.dialogue import Dialogue
from mailer.delivery.transaction import Outgoing

AT = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
PIPELINING = Capabilities(has_pipelining=True)
OK = (250, b"2.0.0 ok")
GO = (354, b"go on")


class Log:
    """Work that keeps a log."""

    def __init__(self, *items: Outgoing) -> None:
        self.left = list(items)
        self.log: list[str] = []
        self.ends: list[Outcome] = []

    def next(self) -> Outgoing | None:
        return self.left.pop(0) if self.left else None

    def starting(self, item: Outgoing) -> None:
        self.log.append(f"starting {item.envelope.recipient}")

    def ended(self, item: Outgoing, outcome: Outcome) -> None:
        self.log.append(f"{outcome.verdict} {item.envelope.recipient}")
        self.ends.append(outcome)


def item(address: str, content: bytes = b"hello\r\n", **flags: bool) -> Outgoing:
    row = Delivery(1, "i", "wales", 1, address, "", "t", AT, AT, DeliveryState.CLAIMED)
    return Outgoing(row, Envelope("b@lantern.example", address, "e+1"), content, **flags)


def begun(work: Log, offered: Capabilities = PIPELINING, **known: object) -> Dialogue:
    dialogue = Dialogue(offered, **known)  # type: ignore[arg-type]
    dialogue.begin(work)
    return dialogue


def taken(dialogue: Dialogue) -> tuple[bytes, int]:
    """Return what is to be written, in one piece, and its mark."""
    pieces, mark = dialogue.take()
    return b"".join(pieces), mark


def hear(dialogue: Dialogue, *answers: tuple[int, bytes], is_handed_over: bool = True) -> bytes:
    """Let the dialogue hear replies one by one; return what it writes meanwhile."""
    said = b""
    for answer in answers:
        dialogue.hear(answer, is_handed_over=is_handed_over)
        said += taken(dialogue)[0]
    return said


ENVELOPE = b"MAIL FROM:<b@lantern.example>\r\nRCPT TO:<%b>\r\nDATA\r\n"


def test_the_next_envelope_goes_out_with_the_content() -> None:
    work = Log(item("a@x"), item("b@x"))
    dialogue = begun(work)
    assert taken(dialogue) == (ENVELOPE % b"a@x", 0)
    for answer in (OK, OK, GO):
        dialogue.hear(answer)
    assert taken(dialogue) == (b"hello\r\n.\r\n" + ENVELOPE % b"b@x", len(b"hello\r\n.\r\n"))
    assert hear(dialogue, OK, OK, OK, GO, OK) == b"hello\r\n.\r\n"
    assert dialogue.is_idle
    assert work.log == ["starting a@x", "accept a@x", "starting b@x", "accept b@x"]


def test_without_pipelining_each_command_waits() -> None:
    work = Log(item("a@x"), item("b@x"))
    dialogue = begun(work, Capabilities())
    assert taken(dialogue)[0] == b"MAIL FROM:<b@lantern.example>\r\n"
    assert hear(dialogue, OK) == b"RCPT TO:<a@x>\r\n"
    assert hear(dialogue, OK) == b"DATA\r\n"
    assert hear(dialogue, GO) == b"hello\r\n.\r\n"
    assert len(work.left) == 1
    assert hear(dialogue, OK) == b"MAIL FROM:<b@lantern.example>\r\n"


def test_a_refused_reader_gets_no_content_and_the_next_begins_with_rset() -> None:
    work = Log(item("a@x"), item("b@x"))
    dialogue = begun(work)
    taken(dialogue)
    assert hear(dialogue, OK, (550, b"5.1.1 no"), (503, b"no")) == b"RSET\r\n" + ENVELOPE % b"b@x"
    assert work.log == ["refuse a@x"]
    assert hear(dialogue, OK, OK, OK, GO) == b"hello\r\n.\r\n"


def test_354_for_nobody_is_answered_with_a_dot_alone() -> None:
    work = Log(item("a@x"), item("b@x"))
    dialogue = begun(work)
    taken(dialogue)
    assert hear(dialogue, OK, (450, b"later"), GO) == b".\r\n"
    assert hear(dialogue, (554, b"no recipients")) == ENVELOPE % b"b@x"
    assert work.log == ["defer a@x"]


def test_parameters_are_used_where_they_are_offered() -> None:
    offered = Capabilities(size_limit=100, has_dsn=True, has_smtputf8=True, has_8bitmime=True)
    dialogue = begun(Log(item("zoë@x", needs_smtputf8=True)), offered)
    assert taken(dialogue)[0].decode() == (
        "MAIL FROM:<b@lantern.example> SIZE=7 RET=HDRS ENVID=e+2B1 BODY=8BITMIME SMTPUTF8\r\n"
    )


def test_what_the_server_cannot_take_is_not_begun() -> None:
    work = Log(
        item("a@x", b"x" * 200),
        item("b@x", needs_8bit=True),
        item("zoë@x", needs_smtputf8=True),
        item("c@x>\r\nQUIT"),
        item("d@x"),
    )
    dialogue = begun(work, Capabilities(size_limit=100, has_pipelining=True))
    assert taken(dialogue)[0].count(b"MAIL") == 1
    assert [end.verdict for end in work.ends] == [Verdict.DEFER] * 2 + [Verdict.REFUSE] * 2
    assert [end.is_sender_at_fault for end in work.ends] == [True, True, False, False]
    assert "200 bytes, the relay takes 100" in work.ends[0].note


def test_a_server_that_refuses_its_own_parameters_gets_none() -> None:
    distrusted: set[str] = set()
    work = Log(item("a@x"))
    offered = Capabilities(has_pipelining=True, has_dsn=True, size_limit=0)
    dialogue = begun(work, offered, distrusted=distrusted)
    assert b"RET=HDRS" in taken(dialogue)[0]
    said = hear(dialogue, (555, b"5.5.4 unsupported"), (503, b"no"), (503, b"no"))
    assert said == b"RSET\r\n" + ENVELOPE % b"a@x"
    assert distrusted == {"dsn", "size"}
    assert work.log == []
    hear(dialogue, OK, OK, OK, GO, OK)
    assert work.log == ["starting a@x", "accept a@x"]
    # Without parameters there is nothing left to do without: then it is about us.
    hear(begun(work := Log(item("a@x"))), (555, b"5.5.4 unsupported"))
    assert work.ends[0].is_sender_at_fault


def test_a_server_that_objects_to_pipelining_gets_one_command_at_a_time() -> None:
    distrusted: set[str] = set()
    work = Log(item("a@x"), item("b@x"))
    dialogue = begun(work, distrusted=distrusted)
    taken(dialogue)
    said = hear(dialogue, OK, OK, (503, b"5.5.0 improper use of SMTP command pipelining"))
    assert said == b"RSET\r\n"
    assert distrusted == {"pipelining"}
    assert hear(dialogue, OK) == b"MAIL FROM:<b@lantern.example>\r\n"
    assert hear(dialogue, OK) == b"RCPT TO:<a@x>\r\n"
    assert work.log == []


def test_a_server_that_throws_a_group_away_is_found_out_by_its_silence() -> None:
    distrusted: set[str] = set()
    work = Log(item("a@x"))
    dialogue = begun(work, distrusted=distrusted)
    hear(dialogue, OK)
    dialogue.lost("no answer in time", is_handed_over=True, is_timeout=True)
    assert distrusted == {"pipelining"}
    assert work.ends[0].is_untried


def test_a_slow_server_is_not_taken_for_a_liar() -> None:
    distrusted: set[str] = set()
    work = Log(*(item(f"{n}@x") for n in range(4)))
    dialogue = begun(work, distrusted=distrusted)
    hear(dialogue, *(OK, OK, GO) * 1, *(OK, OK, OK, GO) * 2)
    hear(dialogue, OK, OK)
    dialogue.lost("no answer in time", is_handed_over=True, is_timeout=True)
    assert distrusted == set()
    assert [end.verdict for end in work.ends] == [Verdict.ACCEPT] * 3 + [Verdict.DEFER]
    assert not work.ends[-1].is_untried


@pytest.mark.parametrize("answers", [0, 1])
def test_lost_with_the_next_mail_is_untried_unless_the_session_is_new(answers: int) -> None:
    work = Log(item("a@x"), item("b@x"))
    dialogue = begun(work)
    hear(dialogue, *(OK, OK, GO, OK) * answers)
    dialogue.lost("closed", is_handed_over=True)
    assert work.ends[-1].is_untried == bool(answers)
    assert dialogue.is_over


@pytest.mark.parametrize(("is_handed_over", "verdict"), [(True, "doubt"), (False, "defer")])
def test_lost_after_the_content_is_doubt_only_if_the_dot_was_handed_over(
    is_handed_over: bool, verdict: str
) -> None:
    work = Log(item("a@x"), item("b@x"))
    dialogue = begun(work)
    hear(dialogue, OK, OK, GO)
    dialogue.lost("reset", is_handed_over=is_handed_over)
    assert work.log == ["starting a@x", f"{verdict} a@x", "defer b@x"]
    assert [end.is_untried for end in work.ends] == [False, True]
    assert not work.ends[0].is_connection_usable


def test_content_nobody_took_from_the_dialogue_was_not_handed_over() -> None:
    work = Log(item("a@x"))
    dialogue = begun(work)
    for answer in (OK, OK, GO):
        dialogue.hear(answer)
    dialogue.lost("nonsense", is_handed_over=True)
    assert work.log == ["starting a@x", "defer a@x"]


@pytest.mark.parametrize(
    ("before", "verdict", "is_untried"),
    [
        ([], "defer", False),
        ([OK], "defer", False),
        ([OK, OK], "defer", False),
        ([OK, OK, GO], "defer", False),
        ([OK, OK, GO, OK], "accept", False),
    ],
)
def test_421_ends_the_session_wherever_it_comes(before, verdict, is_untried) -> None:
    work = Log(item("a@x"), item("b@x"))
    dialogue = begun(work)
    for answer in before:
        hear(dialogue, answer)
    hear(dialogue, (421, b"4.3.2 closing"))
    assert dialogue.is_over
    assert dialogue.trouble.reply.code == 421
    assert work.ends[0].verdict == verdict
    assert work.ends[0].is_untried == is_untried
    if len(before) >= 3:
        assert work.ends[1].is_untried
    assert hear(dialogue, OK) == b""


@pytest.mark.parametrize(("code", "verdict"), [(552, "refuse"), (451, "defer"), (250, "defer")])
def test_an_answer_before_the_content_is_whole_ends_the_session(code: int, verdict: str) -> None:
    work = Log(item("a@x"))
    dialogue = begun(work)
    hear(dialogue, OK, OK, GO)
    hear(dialogue, (code, b"too big"), is_handed_over=False)
    assert work.log == ["starting a@x", f"{verdict} a@x"]
    assert not work.ends[0].is_connection_usable
    assert dialogue.is_over


def test_a_reply_nobody_asked_for_ends_the_session() -> None:
    dialogue = begun(Log())
    assert dialogue.is_idle
    hear(dialogue, OK)
    assert "said something unasked: 250 2.0.0 ok" in str(dialogue.trouble)


@pytest.mark.parametrize("answer", [(354, b"?"), (334, b"?")])
def test_a_code_that_does_not_belong_there_ends_the_session(answer) -> None:
    work = Log(item("a@x"))
    dialogue = begun(work)
    hear(dialogue, answer)
    assert dialogue.is_over
    assert work.log == ["defer a@x"]


def test_a_journal_that_fails_stops_the_content() -> None:
    class Broken(Log):
        def starting(self, item: Outgoing) -> None:
            raise OSError("disk full")

    work = Broken(item("a@x"), item("b@x"))
    dialogue = begun(work)
    taken(dialogue)
    dialogue.hear(OK)
    dialogue.hear(OK)
    with pytest.raises(OSError, match="disk full"):
        dialogue.hear(GO)
    assert taken(dialogue) == (b"", 0)
    dialogue.lost("stopped", is_handed_over=True)
    assert [end.verdict for end in work.ends] == [Verdict.DEFER]


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"a\r\n.b\r\n..\r\n", b"a\r\n..b\r\n...\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        ([b"a\r\n", b".b\r\n"], b"a\r\n..b\r\n.\r\n"),
    ],
)
def test_dots_are_doubled(content, wire: bytes) -> None:
    dialogue = begun(Log(item("a@x", content)))
    taken(dialogue)
    assert hear(dialogue, OK, OK, GO) == wire


def test_the_table_never_lets_a_421_pass_and_knows_every_wanted_answer() -> None:
    for awaited in Awaited:
        for is_wanted in (True, False):
            assert meaning(awaited, is_wanted=is_wanted, code=421) is None
    assert {awaited for awaited, is_wanted, _ in TABLE if is_wanted} == set(Awaited) - {
        Awaited.EMPTY
    }
    assert meaning(Awaited.DATA, is_wanted=True, code=355) is None
