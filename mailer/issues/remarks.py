"""What faults of an issue's file say beside the place: the value shown, the nearest known name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rapidfuzz import process

from mailer.errors import Fault, InvalidInput
from mailer.issues.issue import is_correction, issue_day
from mailer.segment import read_segment, wrong_region

_NEAR_ENOUGH = 60


def nearest(name: str, known: Collection[str]) -> str:
    """Return the known name that somebody most likely meant; "" when none is near."""
    found = process.extractOne(str(name), sorted(known), score_cutoff=_NEAR_ENOUGH)
    return str(found[0]) if found else ""


def shown(value: Any) -> str:
    """Name a value for a person: its kind when it is large, itself when it is small."""
    if value is None or value == "":
        return "empty"
    if isinstance(value, dict):
        return "a list of keys"
    if isinstance(value, list):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def audience_fault(text: str, regions: tuple[str, ...]) -> Fault | None:
    """Return what is wrong with an audience's expression; None when nothing is."""
    try:
        error = wrong_region(read_segment(text), regions) if text else None
    except InvalidInput as caught:
        error = caught
    return error.faults[0] if error else None


def correction_fault(name: str, value: Any) -> Fault | None:
    """Return what is wrong with ``corrects:`` in the file of that name, None for nothing."""
    if not is_correction(name):
        if value is None:
            return None
        remedy = "take it out; `mailer issue correct` drafts a correction"
        return Fault("stands in a file that is no correction's", remedy=remedy)
    wanted = issue_day(name)
    if value in (wanted, wanted.isoformat()):
        return None
    what = "is missing" if value is None else f"is {shown(value)}"
    return Fault(what, remedy=f"write corrects: {wanted.isoformat()}")
