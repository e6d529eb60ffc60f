"""The opening of a session, what a server offers, and replies cut from bytes: no sockets."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.answers import LONGEST, AnswerReader
from mailer.delivery.capabilities import Capabilities, read_capabilities
from mailer.delivery.delivery import Trouble
from mailer.delivery.opening import START_TLS, RelayPolicy, Wish, open_session

PIPELINING = Capabilities(has_pipelining=True)


def reply(code: int, text: str = "ok") -> tuple[int, bytes]:
    return code, text.encode()


def run(
    policy: RelayPolicy, *answers: tuple[int, bytes]
) -> tuple[list[bytes | Wish], Capabilities | Trouble]:
    """Open a session against these answers; return what was written and the result."""
    steps = open_session(policy)
    said = [next(steps)]
    queue = list(answers)
    try:
        while True:
            wish = said[-1]
            said.append(next(steps) if wish is START_TLS else steps.send(queue.pop(0)))
    except StopIteration as end:
        assert not queue
        return said, end.value


def policy(**values: object) -> RelayPolicy:
    return RelayPolicy(**({"host": "127.0.0.1", "port": 25, "hello_name": "me.example"} | values))  # type: ignore[arg-type]


def test_a_session_is_opened() -> None:
    said, offered = run(policy(), reply(220), (250, b"relay\nPIPELINING\nSIZE 1000\nDSN"))
    assert said == [b"", b"EHLO me.example\r\n"]
    assert offered == Capabilities(has_pipelining=True, size_limit=1000, has_dsn=True)


@pytest.mark.parametrize("code", [500, 502, 504, 550])
def test_a_server_without_ehlo_is_greeted_with_helo(code: int) -> None:
    said, offered = run(policy(), reply(220), reply(code), reply(250))
    assert said[-1] == b"HELO me.example\r\n"
    assert offered == Capabilities()


@pytest.mark.parametrize(
    ("answers", "is_lasting"),
    [
        ([reply(554, "5.3.2 no service")], True),
        ([reply(421, "4.3.2 not now")], False),
        ([reply(220), reply(421)], False),
        ([reply(220), reply(502), reply(550)], True),
        ([reply(250)], False),
    ],
)
def test_a_server_that_will_not_serve_us_is_trouble(answers, is_lasting) -> None:
    _, found = run(policy(), *answers)
    assert isinstance(found, Trouble)
    assert found.is_lasting is is_lasting
    assert str(answers[-1][0]) in found.problem


def test_starttls_forgets_what_was_said_before() -> None:
    said, offered = run(
        policy(tls="starttls"),
        reply(220),
        (250, b"relay\nSTARTTLS\nPIPELINING\nAUTH LOGIN"),
        reply(220),
        (250, b"relay\nAUTH PLAIN"),
    )
    assert said == [
        b"",
        *[b"EHLO me.example\r\n", b"STARTTLS\r\n", START_TLS, b"EHLO me.example\r\n"],
    ]
    assert offered == Capabilities(mechanisms=frozenset({"PLAIN"}))


@pytest.mark.parametrize(
    "answers",
    [
        [reply(220), reply(250, "relay")],
        [reply(220), reply(250, "relay\nSTARTTLS"), reply(454, "not now")],
        [reply(220), reply(502), reply(250)],
    ],
)
def test_no_starttls_is_trouble_and_nothing_more_is_said(answers) -> None:
    said, found = run(policy(tls="starttls", username="u", password="secret"), *answers)
    assert isinstance(found, Trouble)
    assert not [line for line in said if isinstance(line, bytes) and line[:4] in {b"AUTH", b"MAIL"}]


HELLO = [reply(220), (250, b"relay\nAUTH LOGIN PLAIN XOAUTH2")]


def test_plain_is_preferred() -> None:
    said, offered = run(policy(username="lantern", password="pä ss"), *HELLO, reply(235))
    assert isinstance(offered, Capabilities)
    assert isinstance(said[-1], bytes)
    assert base64.b64decode(said[-1].split()[-1]) == "\0lantern\0pä ss".encode()
    assert said[-1].startswith(b"AUTH PLAIN ")


def test_login_answers_name_then_password() -> None:
    asked = [reply(334, "VXNlcm5hbWU6"), reply(334, "UGFzc3dvcmQ6"), reply(235)]
    said, offered = run(policy(username="u", password="p", auth="login"), *HELLO, *asked)
    assert said[-3:] == [b"AUTH LOGIN\r\n", b"dQ==\r\n", b"cA==\r\n"]
    assert isinstance(offered, Capabilities)


def test_xoauth2_hands_over_the_token_and_asks_for_the_refusal() -> None:
    answers = [reply(334, "eyJzdGF0dXMiOiI0MDEifQ=="), reply(535, "5.7.8 token expired")]
    said, found = run(policy(username="u", password="tok", auth="xoauth2"), *HELLO, *answers)
    assert isinstance(said[-2], bytes)
    told = base64.b64decode(said[-2].split()[-1])
    assert told == b"user=u\x01auth=Bearer tok\x01\x01"
    assert said[-1] == b"\r\n"
    assert isinstance(found, Trouble)
    assert found.is_lasting
    assert "refused the login: 535 5.7.8 token expired" in found.problem


@pytest.mark.parametrize(
    ("offer", "auth"),
    [("relay", "auto"), ("relay\nAUTH CRAM-MD5", "auto"), ("relay\nAUTH=PLAIN", "login")],
)
def test_no_mechanism_in_common_is_lasting_trouble(offer: str, auth: str) -> None:
    _, found = run(policy(username="u", password="p", auth=auth), reply(220), reply(250, offer))
    assert isinstance(found, Trouble)
    assert found.is_lasting
    assert "takes no login: it does not offer" in found.problem


def test_no_password_leaves_for_another_machine_in_the_clear() -> None:
    said, found = run(policy(host="relay.example", username="u", password="p"), *HELLO)
    assert isinstance(found, Trouble)
    assert "not encrypted" in found.problem
    assert len(said) == 2


@pytest.mark.parametrize(
    ("code", "is_lasting"), [(535, True), (454, False), (250, True), (334, True)]
)
def test_a_refused_login(code: int, is_lasting: bool) -> None:
    more = [reply(code)] * (5 if code == 334 else 1)
    _, found = run(policy(username="u", password="secret"), *HELLO, *more)
    assert isinstance(found, Trouble)
    assert found.is_lasting is is_lasting
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        (b"me", Capabilities()),
        (b"PIPELINING", Capabilities()),
        (b"me\npipelining\nX-UNKNOWN a b", PIPELINING),
        (b"me\n8bitmime", Capabilities(has_8bitmime=True)),
        (b"me\nSIZE", Capabilities(size_limit=0)),
        (b"me\nSIZE many", Capabilities(size_limit=0)),
        (b"me\nSIZE 35882577", Capabilities(size_limit=35882577)),
        (b"me\nAUTH=plain\nAUTH LOGIN", Capabilities(mechanisms=frozenset({"PLAIN", "LOGIN"}))),
        (b"me\nSMTPUTF8\nSTARTTLS", Capabilities(has_smtputf8=True, has_starttls=True)),
        (b"me\nCHUNKING", Capabilities()),
        (b"me\n\n \n\xff\xfe", Capabilities()),
    ],
)  # fmt: skip
def test_capabilities_are_read(text: bytes, offered: Capabilities) -> None:
    assert read_capabilities(text) == offered


@given(st.binary(max_size=200))
def test_any_ehlo_text_can_be_read(text: bytes) -> None:
    read_capabilities(text)


def test_what_proved_false_is_taken_out() -> None:
    offered = Capabilities(has_pipelining=True, has_dsn=True, size_limit=5)
    assert offered.without(set()) is offered
    assert offered.without({"pipelining", "dsn", "size"}) == Capabilities()


ANSWERS = st.lists(
    st.tuples(
        st.integers(200, 599),
        st.lists(
            st.binary(max_size=12).map(lambda text: text.replace(b"\n", b"").replace(b"\r", b"")),
            min_size=1,
            max_size=4,
        ),
    ),
    max_size=6,
)


@given(ANSWERS, st.lists(st.integers(0, 80)), st.sampled_from([b"\r\n", b"\n"]))
def test_replies_are_the_same_however_the_bytes_are_split(answers, cuts, end) -> None:
    wire = b""
    for code, lines in answers:
        marks = b"-" * (len(lines) - 1) + b" "
        both = zip(marks, lines, strict=True)
        wire += b"".join(b"%d%c%b%b" % (code, mark, line, end) for mark, line in both)
    reader = AnswerReader()
    found = []
    last = 0
    for cut in sorted(cuts):
        found += reader.feed(wire[last:cut])
        last = max(last, cut)
    found += reader.feed(wire[last:])
    assert found == [(code, b"\n".join(lines)) for code, lines in answers]
    assert reader.fault == ""
    assert not reader.has_part


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"gibberish\r\n", "it is no reply: gibberish"),
        (b"\r\n", "it is no reply"),
        (b"\x00\xff\x80\r\n", "it is no reply"),
        (b"999 9.9.9 what\r\n", "it is no reply"),
        (b"25 0 what\r\n", "it is no reply"),
        (b"2500 what\r\n", "it is no reply"),
        (b"250-2.0.0 well\r\n550 5.0.0 or not\r\n", "different codes"),
        (b"250-x\r\n" * 12_000, "it never ends"),
        (b"250-" + b"x" * (LONGEST + 1), "it never ends"),
        (b"x" * (LONGEST + 1), "it never ends"),
    ],
)
def test_what_makes_no_sense_ends_the_reading(data: bytes, why: str) -> None:
    reader = AnswerReader()
    assert reader.feed(b"250 fine\r\n" + data) == [(250, b"fine")]
    assert why in reader.fault
    assert reader.feed(b"250 too late\r\n") == []


def test_a_long_line_and_a_bare_code_are_understood() -> None:
    reader = AnswerReader()
    assert reader.feed(b"250 " + b"2.0.0 " * 120 + b"\r\n354\r\n") == [
        (250, b"2.0.0 " * 120),
        (354, b""),
    ]
