"""Every command's tables at four widths of a terminal: nothing is cut, nothing is lost."""

from __future__ import annotations

import ast
import inspect
import io
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from mailer.app import open_app
from mailer.articles.article import DirectoryEntry, Document
from mailer.cli import tables
from tests.cli.conftest import driver
from tests.cli.driving import ISSUE, Mailer, change

REAL = tables.print_table
WIDTHS = (60, 80, 100, 200)

COMMANDS = (
    "ingest",
    "articles",
    "articles show {article}",
    "issue list",
    "issue show {issue}",
    "issue explain {issue}",
    "why --not --issue {issue}",
    "select",
    "select --simulate 2",
    "send {issue} --dry-run",
    "ledger {issue}",
    "ledger {issue} --state accepted",
    "ledger {issue} --address {address}",
    "directory",
    "subscribers count --where 'language = \"cy\"'",
    "subscribers list",
    "subscribers imports",
    "subscribers show {address}",
    "subscribers import --all --basis consent --dry-run",
    "regions",
    "regions --coverage",
    "sources list",
    "sources check",
    "diary list",
    "inbox list",
    "report audience",
    "prune",
    "subscribers forget {address} --yes",
)
"""Each in turn, on a publication whose issue was sent."""


OUT_OF_REACH = {
    ("retention_commands.py", "prune"),
    ("demonstration.py", "_draft"),
    ("edition_commands.py", "preview"),
}
"""Tables of a year's pruning, of the demonstration and of a preview's pictures."""

FOLDER = Path(tables.__file__).parent


def squeezed(text: str) -> str:
    return "".join(text.split())


class Looked:
    """Prints each table at every width and reads it back."""

    def __init__(self) -> None:
        self.sites: set[tuple[str, str]] = set()
        self.faults: list[str] = []

    def __call__(
        self,
        _console: Console,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        may_widen: bool,
    ) -> None:
        del may_widen
        caller = inspect.stack()[2]
        self.sites.add((Path(caller.filename).name, caller.function))
        heads = [column.rstrip("# ") for column in columns]
        texts = [[tables.cell_text(cell) for cell in row] for row in rows]
        for width in WIDTHS:
            shown = printed(title, columns, rows, width)
            if any(len(line.rstrip()) > width for line in shown.splitlines()):
                self.faults.append(f"{heads} at {width}: wider than the terminal")
            are_figures = [column.endswith("#") for column in columns]
            widths = tables.column_widths(heads, are_figures, texts, width)
            if widths:
                self.faults += faults_of_grid(shown, heads, texts, widths, width)
            else:
                self.faults += faults_of_blocks(shown, heads, texts, width)


def printed(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], width: int
) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, emoji=False)
    REAL(console, title, columns, rows, may_widen=False)
    file: Any = console.file
    return str(file.getvalue())


def faults_of_grid(
    shown: str, heads: list[str], texts: list[list[str]], widths: list[int], width: int
) -> Iterator[str]:
    """Read a table's columns back by their places on the line."""
    lines = shown.splitlines()
    rule = next(place for place, line in enumerate(lines) if "──" in line)
    start = 1
    for place, head in enumerate(heads):
        end = start + widths[place]
        column = [cut(line, start, end) for line in lines]
        above = squeezed("".join(column[:rule]))
        below = squeezed("".join(column[rule + 1 :]))
        if not above.endswith(squeezed(head)):
            yield f"{heads} at {width}: the head {head!r} is {above!r}"
        if below != squeezed("".join(row[place] for row in texts)):
            yield f"{heads} at {width}: of {head!r} stands {below!r}"
        start = end + tables.GAP


def cut(line: str, start: int, end: int) -> str:
    """Return what stands between two columns of the screen; a wide letter takes two."""
    found, at = "", 0
    for letter in line:
        if start <= at < end:
            found += letter
        at += cell_len(letter)
    return found


def faults_of_blocks(
    shown: str, heads: list[str], texts: list[list[str]], width: int
) -> Iterator[str]:
    """Find each row's cells, each with its head, after the row's first."""
    rest = squeezed(shown)
    for row in texts:
        first = squeezed(f"{heads[0]}: {row[0]}".lstrip(": ")) if row[0] else ""
        block, rest = rest[rest.find(first) :], rest[rest.find(first) + len(first) :]
        if not block.startswith(first):
            yield f"{heads} at {width}: {row[0]!r} is lost"
        for head, cell in list(zip(heads, row, strict=True))[1:]:
            if cell and squeezed(f"{head}: {cell}") not in block:
                yield f"{heads} at {width}: {head!r} of {row[0]!r} is lost"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Looked:
    look = Looked()
    monkeypatch.setattr(tables, "print_table", look)
    return look


def test_no_commands_table_is_cut(
    looked: Looked, drafted: Path, mailer: Mailer, tmp_path: Path, ready_sent: Path
) -> None:
    change(drafted, r"^preheader: .*$", 'preheader: "Short."')
    assert mailer("issue", "check", ISSUE).code == 0
    root = tmp_path / "sent"
    shutil.copytree(ready_sent, root)
    mailer = driver(root)
    (root / "articles" / "tide.md").write_text(
        "# A tide table for the pier\n\nBy Ada Lovelace\n\nThe pier opens at 7 pm on 4 December.\n",
        encoding="utf-8",
    )
    with open_app(root) as app:
        group = DirectoryEntry("Wales", "wales@groups.example", "01632 960001", "wales")
        app.library.keep(Document("paper.txt", directory=(group,)))
    known = {
        "issue": ISSUE,
        "article": mailer("articles", "--json").data[0]["id"],
        "address": mailer("subscribers", "list", "--json").data[0]["address"],
    }
    for command in COMMANDS:
        said = mailer(*shlex.split(command.format(**known)))
        assert said.code in {0, 8}, f"{command}: {said.err}"
    assert looked.faults == []
    missing = calls_of_table() - looked.sites - OUT_OF_REACH
    assert missing == set(), "these print tables that no command above shows"


def calls_of_table() -> set[tuple[str, str]]:
    """Return the functions that print a table, with their files."""
    found = set()
    for path in sorted(FOLDER.glob("*.py")):
        for function in ast.parse(path.read_text(encoding="utf-8")).body:
            calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(call, ast.Name) and call.id == "table" for call in calls
            ):
                found.add((path.name, function.name))
    return found


def test_what_does_not_fit_is_told_in_blocks() -> None:
    columns = ["domain", "deliveries #", "accepted #", "retry (UTC)"]
    rows = [("a-mail-house.example", 1200, 1100, "26 Nov 05:40"), ("b.example", 3, 3, "")]
    assert printed("The largest domains", columns, rows, 40) == (
        "The largest domains\n\n"
        "domain: a-mail-house.example\n"
        "  retry (UTC): 26 Nov 05:40\n"
        "  deliveries: 1200, accepted: 1100\n\n"
        "domain: b.example\n"
        "  deliveries: 3, accepted: 3\n\n"
    )
    lines = printed("The largest domains", columns, rows, 60).splitlines()
    assert [line.split() for line in lines if "b.example" in line] == [["b.example", "3", "3"]]


def test_what_no_terminal_reads_folds_no_long_cell() -> None:
    file = io.StringIO()
    rows = [("ferry", "words of a headline " * 12), ("pier", "short")]
    tables.print_table(Console(file=file, width=120), "", ["id", "title"], rows, may_widen=True)
    [line] = [line for line in file.getvalue().splitlines() if "ferry" in line]
    assert line.count("headline") == 12


def test_what_no_terminal_reads_stays_a_line_a_row() -> None:
    file = io.StringIO()
    columns = ["address", *(f"a rather long head {n}" for n in range(12))]
    rows = [("ada@reader.example", *("unbreakable-words" for _ in range(12)))]
    tables.print_table(Console(file=file, width=120), "", columns, rows, may_widen=True)
    [line] = [line for line in file.getvalue().splitlines() if "ada@" in line]
    assert line.count("unbreakable-words") == 12
