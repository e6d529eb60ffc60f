"""How the command line speaks: tables, JSON, progress bars, and one line for each error.

Results go to standard output, everything else (progress, notes, errors) to standard error, so
that ``--json`` can always be piped. ``EXIT_CODES`` is the one table from error to exit code.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailer.errors import (
    ConfigurationError,
    Fault,
    IllegalTransition,
    InvalidInput,
    MailerError,
    NotFound,
    RenderFailed,
    StorageFailed,
)

if TYPE_CHECKING:
    from rich.console import Console

EXIT_CODES: dict[type[Exception], int] = {
    InvalidInput: 1,
    ConfigurationError: 3,
    NotFound: 4,
    IllegalTransition: 5,
    RenderFailed: 6,
    StorageFailed: 7,
    MailerError: 1,
}
"""2 is the command line's own (a wrong option); 8 is ``UNFINISHED``; 70 is a bug of ours; 130
is Ctrl-C (``mailer.__main__``)."""

UNFINISHED = 8
"""The command ran, but something is left: a row rejected, a check failed, mail not accepted."""

INTERNAL = 70
"""An error nobody foresaw (sysexits' EX_SOFTWARE)."""


def exit_code(error: Exception) -> int:
    """Return the exit code of an error."""
    for kind, code in EXIT_CODES.items():
        if isinstance(error, kind):
            return code
    return INTERNAL


def out() -> Console:
    """Return the console of standard output."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _plain_width()
    # Otherwise the ":100:" of a file and line becomes a picture.
    return Console(highlight=False, emoji=False, width=width)


def err() -> Console:
    """Return the console of standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def _plain_width() -> int:
    # A pipe has no width; tables should not be folded for whoever reads them with grep.
    import shutil

    return max(120, shutil.get_terminal_size().columns)


def say(text: str = "", *, style: str | None = None) -> None:
    """Print a line of result; text is never read as markup."""
    out().print(text, style=style, markup=False, soft_wrap=True)


def page(text: str) -> None:
    """Print a long text as it is: a page at a time on a terminal, else at once."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        import pydoc

        pydoc.pager(text)
    else:
        sys.stdout.write(text)
        sys.stdout.flush()


def note(text: str) -> None:
    """Print a line that is not a result."""
    err().print(text, style="dim", markup=False, soft_wrap=True)


def complain(error: Exception) -> None:
    """Print one line for each fault of an error."""
    faults = getattr(error, "faults", ()) or (str(error) or type(error).__name__,)
    for fault in faults:
        err().print("error:", style="bold red", end=" ")
        err().print(str(fault), markup=False, soft_wrap=True)


def warn(faults: Iterable[Fault]) -> None:
    """Print one line for each thing that an editor should know and that stops nothing."""
    for fault in faults:
        err().print("warning:", style="bold yellow", end=" ")
        err().print(str(fault), markup=False, soft_wrap=True)


def say_json(data: Any) -> None:
    """Print data as JSON with sorted meaning: instants in ISO 8601, enums as their words."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=_plain) + "\n")


def say_json_with(
    documents: Iterable[tuple[dict[str, Any], str, Iterable[Any]]], *, is_list: bool
) -> None:
    """Print JSON objects that each have a list which need not fit in memory.

    Args:
        documents: the object, the key of its list, and the items of the list.
        is_list: print a list of them; else there is just one.
    """
    write = sys.stdout.write
    write("[\n" if is_list else "")
    for place, (data, key, items) in enumerate(documents):
        head = json.dumps(data, indent=2, ensure_ascii=False, default=_plain).removesuffix("\n}")
        write((",\n" if place else "") + head + f',\n  "{key}": [')
        for number, item in enumerate(items):
            text = json.dumps(item, ensure_ascii=False, default=_plain)
            write(("," if number else "") + "\n    " + text)
        write("\n  ]\n}")
    write("\n]\n" if is_list else "\n")


def write_json(data: Any, path: Path | None) -> None:
    """Write data as JSON to a file that only its owner may read; None is standard output."""
    if path is None:
        say_json(data)
        return
    path.touch(mode=0o600)
    text = json.dumps(data, indent=2, ensure_ascii=False, default=_plain)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table that fits; a column whose name ends in ``#`` is a figure, set to the right."""
    from mailer.cli.tables import print_table

    print_table(out(), title, columns, rows, may_widen=not sys.stdout.isatty())


Progress = Callable[..., None]
"""Called with done, total and, if it is to change, the label."""


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """Show a bar on a terminal's standard error; elsewhere, nothing."""
    console = err()
    if not console.is_terminal:
        yield lambda _done, _total, _label="": None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Counted(MofNCompleteColumn):
        def render(self, task: Task) -> Text:
            # "0/?" is no news.
            return Text() if task.total is None else super().render(task)

    columns = (TextColumn("{task.description}"), BarColumn(), Counted())
    with Bar(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total, said="": bar.update(
            task, completed=done, total=total, description=said or label
        )


def confirm(question: str, *, is_sure: bool) -> None:
    """Ask before something that cannot be undone; every command that asks does so through here.

    Args:
        question: as the person reads it; it goes to standard error, beside any ``--json``.
        is_sure: ``--yes`` was given.
    Raises:
        InvalidInput: there is nobody to ask, and ``--yes`` was not given.
        typer.Exit: the answer was no.
    """
    if is_sure:
        return
    if not sys.stdin.isatty():
        # A script that forgot it must stop here, and not publish or erase unasked.
        raise InvalidInput(
            Fault(
                f"there is no terminal to ask on: {question}",
                field="--yes",
                remedy="give --yes to do it without being asked",
            )
        )
    # typer.confirm would print a part of its prompt among the results.
    err().print(f"{question} [y/N] ", end="", markup=False, soft_wrap=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        import typer

        raise typer.Exit(1)
