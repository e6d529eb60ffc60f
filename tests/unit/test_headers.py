"""The header writer: nothing gets in that should not, everything comes out as it went in."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.headers import (
    mailbox,
    needs_smtputf8,
    phrase,
    structured,
    unstructured,
    wire_address,
)
from mailer.errors import InvalidInput

# Text as an editor may write it: any character, but no controls, line ends or surrogates.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=0, max_size=300)
ENCODED_WORD = re.compile(r"=\?utf-8\?([qb])\?([^?]*)\?=")


def parsed(field: bytes, name: str) -> str:
    return str(message_from_bytes(field + b"\r\n", policy=policy.default)[name])


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\r\nBcc: x@y.example", "a\x00b"])
@pytest.mark.parametrize("write", [unstructured, structured])
def test_a_line_break_or_nul_is_refused(write, bad) -> None:
    with pytest.raises(InvalidInput, match="line break or NUL"):
        write("Subject", bad)


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@y.example", "\x00"])
def test_a_display_name_with_a_line_break_is_refused(bad) -> None:
    with pytest.raises(InvalidInput):
        mailbox(bad, "a@b.example")
    with pytest.raises(InvalidInput):
        phrase(bad)


def test_a_bad_field_name_is_refused() -> None:
    for name in ("", "Sub ject", "Subject:", "Tête"):
        with pytest.raises(InvalidInput, match="not a header field name"):
            unstructured(name, "x")


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(InvalidInput, match="surrogate"):
        unstructured("Subject", "a\ud800b")


def test_plain_text_stays_plain() -> None:
    assert unstructured("Subject", "The week in Wales") == b"Subject: The week in Wales\r\n"


def test_text_imitating_an_encoded_word_stays_text() -> None:
    hostile = "=?utf-8?q?a=0d=0aBcc:_x=40y.example?="
    field = unstructured("Subject", hostile)
    assert field.count(b"\r\n") == len(field.splitlines())
    message = message_from_bytes(field + b"\r\n", policy=policy.default)
    assert message.keys() == ["Subject"]
    assert str(make_header(decode_header(field.decode().partition(": ")[2]))).startswith("=?utf-8")


@given(TEXT)
def test_any_subject_comes_back(text: str) -> None:
    field = unstructured("Subject", text)
    raw = field.decode("ascii")
    assert raw.endswith("\r\n")
    for line in raw[:-2].split("\r\n"):
        assert len(line) <= 998
        assert line.strip()
    unfolded = raw[:-2].replace("\r\n", "").partition(":")[2].strip()
    decoded = "".join(
        part.decode(charset or "ascii") if isinstance(part, bytes) else part
        for part, charset in decode_header(unfolded)
    )
    assert decoded == text.strip()


@given(TEXT)
def test_encoded_words_are_short_and_whole(text: str) -> None:
    raw = unstructured("Subject", text).decode("ascii")
    for word in ENCODED_WORD.finditer(raw):
        assert len(word[0]) <= 75
        kind, body = word.groups()
        if kind == "b":
            import base64

            data = base64.b64decode(body, validate=True)
        else:
            import quopri

            data = quopri.decodestring(body.replace("_", " "))
        # Decoding each word alone fails if a character was split between two.
        data.decode("utf-8")
    if ENCODED_WORD.search(raw):
        assert all(len(line) <= 78 for line in raw.split("\r\n"))


@given(st.lists(st.text(st.sampled_from("abcdefgh,;<>"), min_size=1, max_size=60), max_size=30))
def test_folding_only_adds_line_breaks_before_spaces(words: list[str]) -> None:
    text = " ".join(words)
    field = structured("X-Test", text).decode()
    assert field[:-2].replace("\r\n ", " ") == f"X-Test: {text}".rstrip()
    assert all(len(line) <= 78 for line in field.split("\r\n") if line.count(" ") > 1)


def test_the_first_word_stays_on_the_first_line() -> None:
    url = "https://mail.lantern.example/u/" + "x" * 120
    field = structured("List-Unsubscribe", f"<{url}>, <mailto:leave@lantern.example>")
    first, second, _ = field.split(b"\r\n")
    assert first == f"List-Unsubscribe: <{url}>,".encode()
    assert second == b" <mailto:leave@lantern.example>"
    assert b"=?" not in field


def test_a_word_longer_than_a_line_is_refused_and_a_long_title_is_encoded() -> None:
    with pytest.raises(InvalidInput, match="longer than a line"):
        structured("X-Test", "x" * 1000)
    field = unstructured("Subject", "x" * 1000)
    assert max(len(line) for line in field.split(b"\r\n")) <= 78
    assert parsed(field, "Subject") == "x" * 1000


def test_structured_fields_are_ascii() -> None:
    with pytest.raises(InvalidInput, match="ASCII"):
        structured("List-Id", "café <a.b.example>")


@pytest.mark.parametrize(
    "name",
    [
        "Nora Whitfield",
        "Whitfield, Nora",
        'Nora "Lantern" O\'Brien\\Jones',
        "Zoë Brontë",
        "李小龍",
        "=?utf-8?q?x?=",
        "a@b.example",
        "👩‍👩‍👧 family",
        "Dr. N. (Nora)",
    ],
)
def test_display_names_come_back(name: str) -> None:
    field = structured("To", mailbox(name, "nora@lantern.example"))
    message = message_from_bytes(field + b"\r\n", policy=policy.default)
    (address,) = message["To"].addresses
    assert address.display_name == name
    assert address.addr_spec == "nora@lantern.example"


@given(TEXT)
def test_any_display_name_leaves_the_address_alone(name: str) -> None:
    field = structured("To", mailbox(name, "nora@lantern.example"))
    (address,) = message_from_bytes(field + b"\r\n", policy=policy.default)["To"].addresses
    assert address.addr_spec == "nora@lantern.example"


def test_domains_become_a_labels() -> None:
    assert wire_address("nora@bücher.example") == "nora@xn--bcher-kva.example"
    assert wire_address("Nora@Lantern.EXAMPLE") == "Nora@lantern.example"


def test_an_odd_local_part_is_quoted() -> None:
    assert wire_address("a..b@c.example") == '"a..b"@c.example'
    assert wire_address('"a b"x@c.example'.replace(" ", "")) == '"\\"ab\\"x"@c.example'


@pytest.mark.parametrize(
    "bad", ["", "a", "@b.example", "a@", "a b@c.example", "a<b@c.example", "a@b.example\r\n"]
)
def test_what_is_no_address_is_refused(bad: str) -> None:
    with pytest.raises(InvalidInput):
        wire_address(bad)


def test_only_the_local_part_asks_for_smtputf8() -> None:
    assert needs_smtputf8("zoë@b.example")
    assert not needs_smtputf8("zoe@bücher.example")
