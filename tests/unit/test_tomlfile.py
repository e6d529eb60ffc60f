"""TOML files and the lines of their faults."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailer.errors import ConfigurationError, Fault
from mailer.tomlfile import faults_of, find_line, read_toml

TEXT = """\
# title = "not this one"
title = "T"
regions = [
  "national",
]

[schedule]
draft_day = "fri"

[[sections]]
slug = "lead"
quota = 1

[[sections]]
"slug" = "news"
quota = 0

[selection.weights]
recency = 2
theme.ink = "#000000"
"""


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (["title"], 2),
        (["regions", 0], 3),
        (["schedule", "draft_day"], 8),
        (["schedule", "send_day"], 7),
        (["sections", 0, "quota"], 12),
        (["sections", 1, "slug"], 15),
        (["sections", 1, "quota"], 16),
        (["sections", 1, "title"], 14),
        (["selection", "weights", "recency"], 19),
        (["nowhere"], None),
        ([], None),
    ],
)
def test_the_line_of_a_key(location: list[str | int], line: int | None) -> None:
    assert find_line(TEXT, location) == line


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b'\xef\xbb\xbftitle = "T"\n')
    assert read_toml(path)[0] == {"title": "T"}


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"title = \n", 1, "Invalid value"),
        (b'a = 1\ntitle "T"\n', 2, "Expected '='"),
        (b"a = 1\na = 2\n", 2, "Cannot overwrite a value"),
        (b'a = 1\nb = """\nnever closed\n', 4, "Unterminated string"),
        (b"a = '\xff'\n", None, "not UTF-8 at byte 5"),
    ],
)
def test_what_is_not_toml_is_one_fault(
    tmp_path: Path, content: bytes, line: int | None, problem: str
) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_toml(path)
    (fault,) = caught.value.faults
    assert (fault.where, fault.line) == (str(path), line)
    assert problem in fault.problem
    assert "(at line" not in fault.problem
    assert fault.remedy


def test_a_missing_or_unreadable_file_is_one_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the file is missing"):
        read_toml(tmp_path / "a.toml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_toml(tmp_path)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    slug: str
    quota: int = Field(ge=1)


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: int
    sections: tuple[Part, ...]


def test_faults_are_in_the_files_order_with_what_was_written() -> None:
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate(
            {
                "sections": [{"slug": "lead", "quota": 1}, {"quota": 0, "colour": "red"}],
                "title": "T",
            }
        )
    text = 'title = "T"\n[[sections]]\nslug = "lead"\nquota = 1\n[[sections]]\nquota = 0\n'
    text += 'colour = "red"\n'
    faults = faults_of(caught.value, where="a.toml", text=text)
    assert [(f.line, f.field) for f in faults] == [
        (1, "title"),
        (5, "sections.1.slug"),
        (6, "sections.1.quota"),
        (7, "sections.1.colour"),
    ]
    assert faults[1] == Fault("is missing", "a.toml", 5, "sections.1.slug", "add it")
    assert "(got 0)" in faults[2].problem
    assert faults[3].problem == "is not a known key"
