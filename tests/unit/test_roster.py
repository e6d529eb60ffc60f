"""Rosters as office programs really write them, and formulas that stay text."""

from __future__ import annotations

import csv
import io
import json
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience import roster_form
from mailer.audience.decoding import LONGEST_LINE
from mailer.audience.roster_form import RosterRow, open_roster
from mailer.audience.spreadsheet import (
    LONGEST_ROW_LINES,
    guard,
    lines_of,
    read_rows,
    shown,
    unguard,
    write_rows,
)
from mailer.audience.stance import Stance
from mailer.errors import InvalidInput


@dataclass
class Read:
    rows: list[RosterRow]
    encoding: str
    delimiter: str
    notes: tuple[str, ...]


def read(content: str | bytes | Path, where: str = "wales.csv") -> Read:
    data = content.encode() if isinstance(content, str) else content
    with open_roster(data, where=where) as roster:
        rows = list(roster.rows)
        return Read(rows, roster.encoding, roster.delimiter, roster.notes)


def good(roster: Read) -> list[tuple[int, str, str]]:
    return [(row.line, row.address, row.name) for row in roster.rows if row.fault is None]


def bad(roster: Read) -> list[tuple[int, str]]:
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
    assert roster.notes == ("keeps as fields name,_in_full",)


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
    assert roster.notes == ("keeps as fields address",)


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


@pytest.mark.parametrize(
    ("word", "stance"),
    [
        ("", Stance.CONFIRMED),
        ("Subscribed", Stance.CONFIRMED),
        ("opted-in", Stance.CONFIRMED),
        ("pending", Stance.UNCONFIRMED),
        ("Unsubscribed", Stance.LEFT),
        ("opted_out", Stance.LEFT),
        ("Cleaned", Stance.BOUNCED),
        ("hard bounce", Stance.BOUNCED),
        ("suppressed", Stance.BLOCKED),
        ("spam complaint", Stance.COMPLAINED),
    ],
)
def test_what_a_status_says_is_believed(word: str, stance: Stance) -> None:
    (row,) = read(f"email,status\nada@x.example,{word}\n").rows
    assert (row.stance, row.said, row.fault) == (stance, word, None)


def test_an_unknown_status_is_not_guessed_at() -> None:
    roster = read("email,status\nada@x.example,maybe\n")
    assert bad(roster) == [(2, "status")]
    assert "'maybe'" in str(roster.rows[0].fault)


@pytest.mark.parametrize(
    ("header", "value", "stance"),
    [
        ("unsubscribed", "yes", Stance.LEFT),
        ("unsubscribed", "no", Stance.CONFIRMED),
        ("unsubscribed", "", Stance.CONFIRMED),
        ("Unsubscribed At", "2024-01-02", Stance.LEFT),
        ("opted out", "1", Stance.LEFT),
        ("subscribed", "false", Stance.LEFT),
        ("subscribed", "true", Stance.CONFIRMED),
        ("accepts marketing", "no", Stance.LEFT),
        ("bounced", "x", Stance.BOUNCED),
        ("complained", "TRUE", Stance.COMPLAINED),
    ],
)
def test_an_objection_may_be_a_column_of_its_own(header: str, value: str, stance: Stance) -> None:
    (row,) = read(f"email,{header}\nada@x.example,{value}\n").rows
    assert row.stance is stance


def test_an_objection_beats_a_status() -> None:
    (row,) = read("email,status,bounced\nada@x.example,subscribed,yes\n").rows
    assert row.stance is Stance.BOUNCED
    (row,) = read("email,status,unsubscribed\nada@x.example,complained,yes\n").rows
    assert row.stance is Stance.COMPLAINED


def test_a_state_beside_a_town_is_where_somebody_lives() -> None:
    (row,) = read("email,City,State\nada@x.example,Quay,unsubscribed\n").rows
    assert row.stance is Stance.CONFIRMED
    (row,) = read("email,State\nada@x.example,unsubscribed\n").rows
    assert row.stance is Stance.LEFT


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2018-02-12 10:54:27", datetime(2018, 2, 12, 10, 54, 27, tzinfo=UTC)),
        ("2018-08-27T15:06:27.713Z", datetime(2018, 8, 27, 15, 6, 27, 713000, tzinfo=UTC)),
        ("2024-05-01T12:00:00+02:00", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("2024-05-01 10:00:00 UTC", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("03/04/2021", None),
        ("1900-01-01", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_dates_of_consent_are_read_and_never_guessed(written: str, at: datetime | None) -> None:
    roster = read(f"email,subscribed_at\nada@x.example,{written}\n")
    assert roster.rows[0].given_at == at
    assert any("dates of consent" in note for note in roster.notes) == (at is None)


@pytest.mark.parametrize(
    ("header", "row", "name"),
    [
        ("E-Mail-Adresse;Vorname;Nachname", "ada@x.example;Ada;Lovelace", "Ada Lovelace"),
        ("E-Mail;Name;Vorname", "ada@x.example;Lovelace;Ada", "Ada Lovelace"),
        ("Courriel;Prénom;Nom", "ada@x.example;Ada;Lovelace", "Ada Lovelace"),
        ("Correo electrónico;Nombre;Apellidos", "ada@x.example;Ada;Lovelace", "Ada Lovelace"),
        ("Indirizzo email;Nome;Cognome", "ada@x.example;Ada;Lovelace", "Ada Lovelace"),
        ("E-mailadres;Voornaam;Achternaam", "ada@x.example;Ada;Lovelace", "Ada Lovelace"),
        ("Adres e-mail;Imię i nazwisko", "ada@x.example;Ada Lovelace", "Ada Lovelace"),
        ("Cyfeiriad e-bost;Enw", "ada@x.example;Ada Lovelace", "Ada Lovelace"),
        ("E-post;Namn", "ada@x.example;Ada Lovelace", "Ada Lovelace"),
    ],
)
def test_headers_in_other_languages(header: str, row: str, name: str) -> None:
    assert good(read(f"{header}\n{row}\n")) == [(2, "ada@x.example", name)]


def test_numbers_that_a_spreadsheet_was_told_to_keep_as_text() -> None:
    (row,) = read('email,Postcode\nada@x.example,="01234"\n').rows
    assert json.loads(row.fields) == {"postcode": "01234"}


def test_a_time_zone_that_is_none_is_told_with_its_row() -> None:
    zones = ["Europe/London", "", "Mars/Phobos", "half past noon"]
    roster = read(
        "email,time zone\n" + "".join(f"r{n}@x.example,{zone}\n" for n, zone in enumerate(zones))
    )
    assert len(good(roster)) == 4
    assert [row.fields for row in roster.rows] == [
        '{"time_zone": "Europe/London"}',
        "{}",
        "{}",
        "{}",
    ]
    assert (
        "names 2 time zones that are none, first 'Mars/Phobos' in line 4; write one such as "
        "Europe/London, else the region's hour is theirs"
    ) in roster.notes
    assert not any("time zones" in note for note in read("email,zone\na@x.example,x\n").notes)


def test_further_columns_are_fields_with_limits() -> None:
    header = ",".join(["email", *(f"F {n}" for n in range(45)), "N" * 61, "f-0"])
    roster = read(f"{header}\nada@x.example,{'v' * 600}{',x' * 44},long,twice\n")
    fields = json.loads(roster.rows[0].fields)
    assert len(fields) == 40
    assert list(fields)[:2] == ["f_0", "f_1"]
    assert len(fields["f_0"]) == 500
    assert any("ignored the columns F 40, F 41" in note for note in roster.notes)
    assert "cut 1 values to 500 characters" in roster.notes


def test_a_short_row_lacks_its_last_cells_only() -> None:
    assert good(read("email,name,town\nada@x.example\n")) == [(2, "ada@x.example", "")]


def test_a_line_without_end_is_one_bad_row_and_little_memory() -> None:
    endless = "y" * (LONGEST_LINE * 3)
    roster = read(f"email,name\nada@x.example,Ada\nbob@x.example,{endless}\nzoe@x.example,Zoë\n")
    assert good(roster) == [(2, "ada@x.example", "Ada"), (4, "zoe@x.example", "Zoë")]
    assert bad(roster) == [(3, "unreadable")]
    many = "bob@x.example" + ",b" * LONGEST_LINE
    roster = read(f"email,name\n{many}\nzoe@x.example,Zoë\n")
    assert bad(roster) == [(2, "unreadable")]
    assert "too long" in str(roster.rows[0].fault)


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(PLAIN.encode(),))
    writer.start()
    assert good(read(pipe)) == EXPECTED
    writer.join(timeout=10)


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"", 1, "the file is empty"),
        (b"\xef\xbb\xbf\r\n \n", 1, "the file is empty"),
        (b"\x00\x00\x00\x00\n", 1, "the file is empty"),
        (b"ada@x.example,Ada\nzoe@x.example,Zoe\n", 1, "there is no header"),
        (b"\n\nname,town\nAda,Quay\n", 3, "no column of mail addresses"),
        (b"email,e-mail\na,b\n", 1, "'email' and 'e-mail'"),
        (b"email,Email\na,b\n", 1, "'email' and 'Email'"),
        (b'"email,name\nada@x.example\n', 1, "never closed"),
        (b"sep=;\n", 2, "no column of mail addresses"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 1, "header"),
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
        read(tmp_path / "wales.csv", where="")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read(tmp_path)


def test_a_file_too_large_to_be_a_roster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster_form, "LARGEST_OCTETS", 1 << 20)
    path = tmp_path / "wales.csv"
    path.write_bytes(b"email\n" + b"\n" * (1 << 20))
    with pytest.raises(InvalidInput, match="is larger than 1 MiB; import it in parts"):
        read(path)


def test_a_header_without_rows_is_said() -> None:
    roster = read("email,name\n")
    assert roster.rows == []
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
        roster = read(b"email,name\n" + content, where="fuzz.csv")
    except InvalidInput:
        return
    for row in roster.rows:
        stored = shown(row.raw)
        assert stored.encode().decode() == stored
        assert "\x00" not in stored
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
    rows = list(read_rows(lines_of(text), delimiter=","))
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


def test_the_date_of_joining_is_not_the_date_of_leaving() -> None:
    (row,) = read("email,status,created_at\nada@x.example,unsubscribed,2024-05-01\n").rows
    assert row.given_at is None
    (row,) = read("email,status,since\nada@x.example,unsubscribed,2024-05-01\n").rows
    assert row.given_at == datetime(2024, 5, 1, tzinfo=UTC)
