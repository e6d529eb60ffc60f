"""What the command-line tests share: what a command said, and a careful search and replace."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FRIDAY = "2026-11-27T12:00:00+00:00"
ISSUE = "2026-11-30"


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def error_lines(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error:")]


Mailer = Callable[..., Said]


def change(path: Path, pattern: str, replacement: str) -> None:
    """Replace one place in a file; the test fails when it is not there."""
    text = path.read_text(encoding="utf-8")
    changed, count = re.subn(pattern, lambda _m: replacement, text, count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern!r} is not in {path}"
    path.write_text(changed, encoding="utf-8")
