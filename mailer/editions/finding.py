"""What a check found in an edition: how bad, where, and what to do about it.

An ``error`` stops approval, a ``warning`` is for the editor to judge, a ``note`` is good to know.
``code`` is stable and machine-readable; ``message`` is one sentence for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check found; ``region`` is empty where it concerns every edition.

    ``where`` and ``line`` are the file to mend, as far as it can be known.
    """

    level: Level
    code: str
    message: str
    region: str = ""
    remedy: str = ""
    where: str = ""
    line: int | None = None

    @property
    def place(self) -> str:
        """The file and line, as an editor's tools understand them; "" where unknown."""
        return f"{self.where}:{self.line}" if self.where and self.line else self.where

    def __str__(self) -> str:
        place = f"{self.place}: " if self.where else ""
        text = f"{place}{self.level}: {self.message}"
        return f"{text}; {self.remedy}" if self.remedy else text


def has_errors(findings: tuple[Finding, ...] | list[Finding]) -> bool:
    """Say whether any finding stops approval."""
    return any(finding.level is Level.ERROR for finding in findings)
