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
    """One thing a check found; ``region`` is empty where it concerns every edition."""

    level: Level
    code: str
    message: str
    region: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.level}: {self.message}"
        return f"{text}; {self.remedy}" if self.remedy else text


def has_errors(findings: tuple[Finding, ...] | list[Finding]) -> bool:
    """Say whether any finding stops approval."""
    return any(finding.level is Level.ERROR for finding in findings)
