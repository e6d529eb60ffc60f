"""The handbook's lines were all typed, and the rehearsal of it can type.

On a bare server, but for what a remark in the record says was typed otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.rehearsal import RECORD, Typist, lines_of, recorded

HANDBOOK = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def test_every_line_of_the_handbook_was_typed() -> None:
    lines = lines_of(HANDBOOK)
    assert {line.who for line in lines} == {"root", "mailer"}
    record = RECORD.read_text().splitlines()
    typed = [line for line in record if not line.startswith("#")]
    assert recorded(lines).splitlines() == typed, (
        "a line of docs/operations.md is not one that was typed: run tests/ops/rehearsal.py on a "
        "server that may be thrown away (CONTRIBUTING.md says how), which writes the record anew"
    )


def test_a_changed_line_is_noticed() -> None:
    changed = HANDBOOK.replace("systemctl daemon-reload", "systemctl reload-daemon", 1)
    assert recorded(lines_of(changed)) != recorded(lines_of(HANDBOOK))


@pytest.fixture
def typist() -> Iterator[Typist]:
    made = Typist(["bash", "-c"], "bash --norc")
    yield made
    made.close()


def test_a_typist_keeps_where_it_is_and_tells_how_a_line_ended(
    typist: Typist, tmp_path: Path
) -> None:
    (tmp_path / "here").write_text("x")
    assert typist.type(f"cd {tmp_path}") == (0, "")
    assert typist.type("newest=$(ls | tail -1)") == (0, "")
    assert typist.type('echo "$newest"') == (0, "here")
    assert typist.type("(exit 8)  # 8")[0] == 8
    with pytest.raises(SystemExit, match="no-such-command"):
        typist.must("no-such-command")
