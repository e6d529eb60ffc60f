"""Rosters as office programs really write them, and formulas that stay text."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience import roster_form
from mailer.audience.roster_form import Roster, read_roster
from mailer.audience.spreadsheet import (
    LONGEST_ROW_LINES,
    guard,
    lines_of,
    read_rows,
    unguard,
    write_rows,
)
from mailer.errors import InvalidInput


def read(content: str | bytes) -> Roster:
    data = content.encode() if isinstance(content, str) else content
    return read_roster(data, where="wales.csv")


def good(roster: Roster) -> list[tuple[int, str, str]]:
    return [(row.line, row.address, row.name) for row in roster.rows if row.fault is None]


def bad(roster: Roster) -> list[tuple[int, str]]:
    return [(row.line, row.code) for row in roster.rows if row.fault is not None]


PLAIN = "email,name\nada@x.example,Ada\nzoe@x.example,Zoë\n"
EXPECTED = [(2, "ada@x.example", "Ada"), (3, "zoe@x.example", "Zoë")]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_encodings_of_unicode(encoding: str) -> None:
    roster = read(PLAIN.encode(encoding))
    assert good(roster) == EXPECTED
    assert bad(roster) == []
    assert roster.notes == ()


def test_windows_1252_is_read_and_flagged() -> None:
    roster = read(PLAIN.replace("Ada", "Ada “A” – €").encode("windows-1252"))
    assert good(roster)[0][2] == "Ada “A” – €"
    assert good(roster)[1][2] == "Zoë"
    assert roster.encoding == "windows-1252"
    assert "line 2" in roster.notes[0]


def test_bytes_without_a_letter_in_windows_1252_are_read_as_latin_1() -> None:
    roster = read(b"email,name\nada@x.example,Ad\xe9\x81\n")
    assert roster.encoding == "latin-1"
    assert bad(roster) == [(2, "name")]


def test_a_row_in_another_encoding_than_the_file_is_rejected_alone() -> None:
    roster = read(PLAIN.encode() + b"bob@x.example,Ren\xe9\ncyd@x.example,Cyd\n")
    assert good(roster) == [*EXPECTED, (5, "cyd@x.example", "Cyd")]
    assert bad(roster) == [(4, "unreadable")]
    assert "line 4" in roster.notes[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, end: str) -> None:
    text = PLAIN.replace(",", delimiter).replace("\n", end)
    roster = read(text)
    assert good(roster) == EXPECTED
    assert roster.delimiter == delimiter


def test_a_delimiter_inside_other_columns_does_not_mislead() -> None:
    roster = read('"name, in full";email\n"Lovelace, Ada";ada@x.example\n')
    assert good(roster) == [(2, "ada@x.example", "")]
    assert roster.notes == ("ignored the columns name, in full",)


def test_the_sep_line_of_a_spreadsheet() -> None:
    assert good(read("sep=;\nemail;name\nada@x.example;A,B\n")) == [(3, "ada@x.example", "A,B")]


@pytest.mark.parametrize(
    "header",
    ["email", "E-Mail", " MAIL ", "address", "Email Address", "email_address", "e-mail address*"],
)
def test_names_of_the_address_column(header: str) -> None:
    assert good(read(f"name,{header}\nAda,ada@x.example\n")) == [(2, "ada@x.example", "Ada")]


def test_first_and_last_name_and_a_postal_address() -> None:
    roster = read(
        "First Name,Surname,Email,Address,Name\n"
        "Ada,Lovelace,ada@x.example,1 Quay,\n"
        ",Byron,byron@x.example,2 Quay,\n"
        "Zoe,Ash,zoe@x.example,3 Quay,Zoë Ash\n"
    )
    assert [name for _, _, name in good(roster)] == ["Ada Lovelace", "Byron", "Zoë Ash"]
    assert roster.notes == ("ignored the columns Address",)


def test_a_row_is_numbered_by_the_line_it_starts_at() -> None:
    roster = read(
        'email,name\n"ada@x.example","Ada\nof\nQuay"\n\n , \nbad\nzoe@x.example,"Z\r\noe"\nworse\n'
    )
    assert good(roster) == [(2, "ada@x.example", "Ada of Quay"), (8, "zoe@x.example", "Z oe")]
    assert bad(roster) == [(7, "address"), (10, "address")]


@pytest.mark.parametrize(
    ("row", "code", "problem"),
    [
        ("nonsense,Ada", "address", "not a usable mail address"),
        (",Ada", "address", "has no address"),
        ("ada@x.example,A\x00da", "unreadable", "NUL"),
        ("ada\x00@x.example,Ada", "unreadable", "NUL"),
        ("ada@x.example,A\x1bda", "name", "control character"),
        ("ada@x.example," + "A" * 201, "name", "201 characters"),
        ("ada@x.example,Lovelace, Ada", "columns", "3 columns where the header has 2"),
        ("ada@x.example," + "A" * 140_000, "unreadable", "too long"),
        ('ada@x.example,"Ada "the" first"', "unreadable", "after a closing quotation mark"),
        ('ada@x.example,"Ada', "unreadable", "never closed"),
        ("FIRST@x.example,Again", "duplicate", "same address as line 2"),
    ],
)
def test_a_bad_row_stands_alone_and_is_told(row: str, code: str, problem: str) -> None:
    roster = read(f"email,name\nfirst@x.example,First\n{row}\nlast@x.example,Last\n")
    assert [address for _, address, _ in good(roster)] == ["first@x.example", "last@x.example"]
    assert bad(roster) == [(3, code)]
    (fault,) = [each.fault for each in roster.rows if each.fault]
    assert problem in str(fault)
    assert fault.remedy
    assert [each.raw for each in roster.rows if each.fault] == [row]


def test_an_unclosed_quotation_mark_costs_one_row_of_many() -> None:
    lines = ["email,name", *(f"r{n}@x.example,R{n}" for n in range(500))]
    lines[100] = 'r99@x.example,"R99'
    lines[400] = 'r399@x.example,"R399'
    roster = read("\n".join(lines))
    assert bad(roster) == [(101, "unreadable"), (401, "unreadable")]
    assert len(good(roster)) == 498


def test_a_quoted_value_may_have_many_lines_but_not_any_number() -> None:
    fits = "\n".join(["x"] * LONGEST_ROW_LINES)
    assert good(read(f'email,note\nada@x.example,"{fits}"\n')) == [(2, "ada@x.example", "")]
    too_long = fits + "\nx"
    roster = read(f'email,note\nada@x.example,"{too_long}"\nzoe@x.example,\n')
    assert bad(roster)[0] == (2, "unreadable")
    assert good(roster)[-1][1] == "zoe@x.example"


@pytest.mark.parametrize("word", ["unsubscribed", "Cleaned", "pending"])
def test_a_status_that_says_no_is_believed(word: str) -> None:
    roster = read(f"email,status\nada@x.example,{word}\nzoe@x.example,Subscribed\nbob@x.example,\n")
    assert bad(roster) == [(2, "status")]
    assert len(good(roster)) == 2


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"", 1, "the file is empty"),
        (b"\xef\xbb\xbf\r\n \n", 1, "the file is empty"),
        (b"\x00\x00\x00\x00\n", 1, "the file is empty"),
        (b"ada@x.example,Ada\nzoe@x.example,Zoe\n", 1, "there is no header"),
        (b"\n\nname,town\nAda,Quay\n", 3, "no column of mail addresses"),
        (b"email,e-mail\na,b\n", 1, "'email' and 'e-mail'"),
        (b"email,Email\na,b\n", 1, "'email' and 'email'"),
        (b'"email,name\nada@x.example\n', 1, "never closed"),
        (b"sep=;\n", 2, "no column of mail addresses"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 1, "header"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00", 1, "header"),
    ],
)
def test_a_file_of_no_use_is_one_fault_with_its_place(
    content: bytes, line: int, problem: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(content)
    (fault,) = caught.value.faults
    assert problem in fault.problem
    assert (fault.where, fault.line) == ("wales.csv", line)
    assert fault.remedy
    assert "\n" not in str(fault)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"wales\.csv: the file is missing"):
        read_roster(tmp_path / "wales.csv")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_roster(tmp_path)


def test_a_file_too_large_to_be_a_roster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster_form, "LARGEST_OCTETS", 1 << 20)
    path = tmp_path / "wales.csv"
    path.write_bytes(b"email\n" + b"\n" * (1 << 20))
    with pytest.raises(InvalidInput, match="is larger than 1 MiB; import it in parts"):
        read_roster(path)


def test_a_header_without_rows_is_said() -> None:
    roster = read("email,name\n")
    assert roster.rows == ()
    assert roster.notes == ("has a header and no rows",)


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)


@given(st.lists(st.lists(cells, min_size=2, max_size=4), max_size=8))
def test_a_table_survives_the_round_trip(table: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    assert write_rows(out, table) == len(table)
    read_back = list(read_rows(lines_of(out.getvalue()), delimiter=","))
    assert all(row.problem == "" for row in read_back)
    assert [list(row.cells) for row in read_back] == table


@given(cells)
def test_no_written_value_is_a_formula(value: str) -> None:
    assert guard(value)[:1] not in {*"=+-@\t\r\n"}
    assert unguard(guard(value)) == value


@given(st.binary(max_size=300))
def test_no_bytes_are_ever_an_unforeseen_error(content: bytes) -> None:
    try:
        roster = read_roster(b"email,name\n" + content, where="fuzz.csv")
    except InvalidInput:
        return
    json.dumps([row.raw for row in roster.rows])
    lines = [row.line for row in roster.rows]
    assert lines == sorted(set(lines))


@given(
    st.lists(
        st.sampled_from(['"', "a@x.example", ",", "\n", "\r\n", " ", "b@x.example", "'", '""']),
        max_size=40,
    )
)
def test_every_line_belongs_to_a_row(pieces: list[str]) -> None:
    text = "".join(pieces)
    lines = lines_of(text)
    rows = list(read_rows(lines, delimiter=","))
    covered = "".join(row.raw for row in rows)
    for letter in "ab@":
        assert covered.count(letter) == text.count(letter)


def test_the_standard_reader_understands_what_is_written() -> None:
    out = io.StringIO(newline="")
    write_rows(out, [["email", "name"], ["=a@x.example", '@SUM(1)"x"'], ["b@x.example", "B, C"]])
    assert list(csv.reader(io.StringIO(out.getvalue()))) == [
        ["email", "name"],
        ["'=a@x.example", '\'@SUM(1)"x"'],
        ["b@x.example", "B, C"],
    ]
