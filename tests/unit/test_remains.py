"""Taking a forgotten reader out of rosters, and nobody else with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.audience.remains import take_out_of_rosters

ADA = "ada@x.example"


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        (
            b"email,name,friend\r\nAda@x.example,Ada,\r\nbob@x.example,Bob,ADA@x.example\r\n",
            b"email,name,friend\r\nbob@x.example,Bob,[erased]\r\n",
            2,
        ),
        (
            b'friend;email\n"ada@x.example";"bob@x.example"\n"b; ob";"ada@x.example"\n',
            b'friend;email\n[erased];"bob@x.example"\n',
            2,
        ),
        (
            b"email,friend\nzo\xeb@x.example,ada@x.example\nbob@x.example,not.ada@x.example\n",
            b"email,friend\nzo\xeb@x.example,[erased]\nbob@x.example,not.ada@x.example\n",
            1,
        ),
        (
            b"sep=;\n\xef\xbb\xbfname;e-mail\nBob;bob@x.example\nAda;ada@x.example",
            b"sep=;\n\xef\xbb\xbfname;e-mail\nBob;bob@x.example\n",
            1,
        ),
        (
            b"ada@x.example,Ada\nbob@x.example,ada@x.example\n",
            b"bob@x.example,[erased]\n",
            2,
        ),
    ],
    ids=["another column", "quoted", "other bytes", "sep", "no header"],
)
def test_only_their_own_line_goes(tmp_path: Path, before: bytes, after: bytes, count: int) -> None:
    path = tmp_path / "wales.csv"
    path.write_bytes(before)
    assert take_out_of_rosters(tmp_path, ADA) == [(path, count)]
    assert path.read_bytes() == after
    assert take_out_of_rosters(tmp_path, ADA) == []
