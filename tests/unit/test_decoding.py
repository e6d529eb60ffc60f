"""A file is read the same whole or in pieces, in any encoding and with any line ends."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.audience import decoding
from mailer.audience.decoding import find_encoding, text_lines
from mailer.audience.spreadsheet import lines_of

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff")
    | st.sampled_from("\r\n,;\"'é€😀"),
    min_size=1,
    max_size=80,
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_PIECE", 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts)
def test_every_character_and_line_end_survives(encoding: str, text: str) -> None:
    file = io.BytesIO(text.encode(encoding))
    found = find_encoding(file)
    assert found.note == ""
    assert list(text_lines(file, found)) == list(lines_of(text))
    assert found.lines == text.count("\n")
    assert not file.closed


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=120))
def test_any_bytes_are_text_of_some_kind(content: bytes) -> None:
    file = io.BytesIO(content)
    found = find_encoding(file)
    assert file.tell() == 0
    lines = list(text_lines(file, found))
    if found.name in {"utf-8", "windows-1252", "latin-1"}:
        whole = "".join(lines)
        assert whole.encode(found.name, found.errors) == content or "\ufeff" in content.decode(
            found.name, found.errors
        )


@pytest.mark.parametrize(
    ("content", "name", "note"),
    [
        ("Zoë\nAda\nRené".encode("windows-1252"), "windows-1252", "first at line 1"),
        (b"a\nb\nc\nRen\xe9", "windows-1252", "first at line 4"),
        (b"a\nRen\xe9\x81", "latin-1", "first at line 2"),
        ("Zoë\n".encode() + b"Ren\xe9\n", "utf-8", "mixes encodings, first at line 2"),
        ("Zoë".encode("utf-16") + b"\x00", "utf-16", "damaged UTF-16 at byte 8"),
        (b"\xff\xfea\x00\x00\xd8b\x00", "utf-16", "damaged UTF-16 at byte 4"),
        ("Zoë".encode()[:-1], "windows-1252", "first at line 1"),
    ],
)
def test_what_is_no_clean_unicode_is_said_with_its_place(
    content: bytes, name: str, note: str
) -> None:
    found = find_encoding(io.BytesIO(content))
    assert found.name == name
    assert note in found.note
