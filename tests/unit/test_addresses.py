"""Addresses have one form; names are safe for a header."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.audience.addresses import clean_name, normalise
from mailer.errors import InvalidInput


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("ada@mail.example", "ada@mail.example"),
        ("ADA.Lovelace+News@Mail.EXAMPLE", "ada.lovelace+news@mail.example"),
        ("\u00a0 ada@mail.example\u200b\r\n", "ada@mail.example"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
        ("ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"),
        ("ZOE\u0308@mail.example", "zoë@mail.example"),
        ("дмитрий@пример.example", "дмитрий@xn--e1afmkfd.example"),
        ("o'brien=x/y@mail.example", "o'brien=x/y@mail.example"),
        ("=sum@mail.example", "=sum@mail.example"),
    ],
)
def test_one_form(written: str, stored: str) -> None:
    assert normalise(written) == stored


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "must have an @-sign"),
        ("ada", "must have an @-sign"),
        ("@mail.example", "something before the @-sign"),
        ("ada@", "something after the @-sign"),
        ("ada@mail", "should have a period"),
        ("ada@localhost", "should have a period"),
        ("ada@printer.local", "special-use"),
        ("ada@mail.invalid", "special-use"),
        ("a b@mail.example", "SPACE"),
        ("ada@@mail.example", "invalid characters"),
        ("ada@one.example,bob@two.example", "invalid characters"),
        ("ada..l@mail.example", "two periods in a row"),
        ("Ada <ada@mail.example>", "angle brackets"),
        ('"a b"@mail.example', "quoting"),
        ("ada@[127.0.0.1]", "bracketed"),
        ("ada\x00@mail.example", "U+0000"),
        ("ada\r\nBcc: x@mail.example", "invalid characters"),
        ("a" * 65 + "@mail.example", "longer than 64 octets"),
        ("ж" * 33 + "@mail.example", "longer than 64 octets"),
        ("a@" + "b" * 64 + ".example", "after the @-sign"),
        ("a@" + ".".join(["b" * 60] * 5) + ".example", "too long"),
    ],
)
def test_unusable_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        normalise(written)
    (fault,) = caught.value.faults
    assert why in fault.problem
    assert fault.field == "address"
    assert "\n" not in str(fault)


@given(
    st.builds(
        "{}@{}.example".format,
        st.text(st.characters(exclude_characters="@"), min_size=1, max_size=20),
        st.text(min_size=1, max_size=12),
    )
)
@example("İ@mail.example")
@example("ΑΣ@mail.example")
@example("ﬁ@mail.example")
@example("ẞ@straẞe.example")
def test_normalising_twice_changes_nothing(written: str) -> None:
    try:
        once = normalise(written)
    except InvalidInput:
        return
    assert normalise(once) == once
    assert once == once.strip()
    assert unicodedata.is_normalized("NFC", once)
    assert once.rpartition("@")[2].isascii()
    assert len(once.encode()) <= 254
    assert all(ch.isprintable() for ch in once)


@given(st.from_regex(r"[a-zA-Z0-9+_-]{1,20}", fullmatch=True))
def test_case_never_makes_a_second_reader(local: str) -> None:
    forms = {f"{local}@mail.example", f"{local.upper()}@MAIL.example", f"{local}@Mail.Example"}
    assert len({normalise(form) for form in forms}) == 1


def test_a_name_is_one_line_in_nfc() -> None:
    assert clean_name("  Zoe\u0308\t van\r\n Gogh\u202c ") == "Zoë van Gogh"
    assert clean_name("می\u200cخواهم") == "می\u200cخواهم"
    assert clean_name("x" * 200) == "x" * 200
    assert clean_name("") == ""


@pytest.mark.parametrize("name", ["a\x00b", "a\x1bb", "a\x7fb", "a\x9bb", "a\ud800b", "x" * 201])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        clean_name(name)
    assert caught.value.faults[0].field == "name"
    assert caught.value.faults[0].remedy


@given(st.text(max_size=210))
def test_a_clean_name_stays_as_it_is(name: str) -> None:
    try:
        clean = clean_name(name)
    except InvalidInput:
        return
    assert clean_name(clean) == clean
    assert not any(unicodedata.category(ch) in {"Cc", "Cs", "Zl", "Zp"} for ch in clean)
    assert len(clean) <= 200
