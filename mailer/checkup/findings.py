"""A line of the doctor's report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]

_ORDER: tuple[Level, ...] = ("ok", "warn", "fail")


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, what was found, and what to do about it."""

    level: Level
    subject: str
    message: str
    remedy: str = ""


def worst(checks: Iterable[Check]) -> Level:
    """Return the worst level there is; ok for none."""
    return max((check.level for check in checks), key=_ORDER.index, default="ok")
