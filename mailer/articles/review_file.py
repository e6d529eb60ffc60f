"""``articles/review.toml``: an editor's rulings, kept beside the articles they are about.

The file is the editor's, in git with the rest of the publication: whoever takes a publication over,
or builds its database anew, has the rulings too. New ones are added at its end, one table each;
nothing else in it is ever changed. To take a ruling back, delete its table.

Failures: what cannot be read as rulings is one fault each, with its line; then nothing is
ingested.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailer.articles.rulings import Act, Ruling
from mailer.errors import InvalidInput
from mailer.tomlfile import faults_of, read_toml

NAME = "review.toml"
_HEAD = """\
# What editors ruled about the pieces of papers and pages. `mailer ingest --review` adds to it,
# every `mailer ingest` does it again. To take a ruling back, delete its table.
"""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: str = Field(min_length=1)
    begins: str = Field(min_length=1)
    do: Literal["accept", "retitle", "split", "join", "drop", "advert"]
    title: str = ""
    at: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ruling: list[_Row] = []


def read_rulings(path: Path) -> list[Ruling]:
    """Return the rulings of a file, in order; none when there is no file.

    Raises:
        ConfigurationError: it is no TOML.
        InvalidInput: it holds something else than rulings.
    """
    if not path.exists():
        return []
    data, text = read_toml(path)
    try:
        rows = _File.model_validate(data).ruling
    except ValidationError as error:
        raise InvalidInput(faults_of(error, where=str(path), text=text)) from None
    return [Ruling(row.file, row.begins, Act(row.do), row.title, row.at) for row in rows]


def add_ruling(path: Path, ruling: Ruling) -> None:
    """Add a ruling at the end of the file, which is made if it is not there."""
    rows: dict[str, Any] = {
        "file": ruling.file,
        "begins": ruling.begins,
        "do": ruling.do.value,
        "title": ruling.title,
        "at": ruling.at,
    }
    lines = [f"{key} = {_quoted(value)}" for key, value in rows.items() if value]
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = f"{text.rstrip()}\n\n[[ruling]]\n" + "\n".join(lines) + "\n"
    # Whoever stops it in between finds the file as it was.
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(whole, encoding="utf-8")
    beside.replace(path)


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for one character that only TOML escapes.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
