"""Stances: what a roster's row says about its reader, and the words and dates it says it with.

A row may say that somebody subscribed, never confirmed, left, or must not be mailed at all (it
bounced, complained, was blocked). Where one person is in a file twice the stronger stance holds:
an objection beats a consent. A word nobody knows is not guessed at, and neither is a date like
03/04/2021. Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache

from mailer.audience.suppression import SuppressionReason


class Stance(IntEnum):
    """What a row says; the greater holds against the smaller."""

    UNCONFIRMED = 0
    CONFIRMED = 1
    LEFT = 2
    BOUNCED = 3
    BLOCKED = 4
    COMPLAINED = 5


SUPPRESSING: dict[Stance, SuppressionReason] = {
    Stance.BOUNCED: SuppressionReason.BOUNCE,
    Stance.BLOCKED: SuppressionReason.MANUAL,
    Stance.COMPLAINED: SuppressionReason.COMPLAINT,
}
"""The stances that become suppressions, and their reason."""

STATUS_WORDS: dict[str, Stance] = {
    **dict.fromkeys(
        ("", "confirmed", "subscribed", "active", "opted in", "opt in", "enabled"),
        Stance.CONFIRMED,
    ),
    **dict.fromkeys(
        (
            "pending",
            "unconfirmed",
            "unactivated",
            "not confirmed",
            "nonsubscribed",
            "non subscribed",
            "not subscribed",
            "transactional",
            "archived",
            "disabled",
            "inactive",
        ),
        Stance.UNCONFIRMED,
    ),
    **dict.fromkeys(
        ("unsubscribed", "unsubscribe", "opted out", "opt out", "left", "removed"),
        Stance.LEFT,
    ),
    **dict.fromkeys(
        ("bounced", "bounce", "hard bounce", "hard bounced", "cleaned", "undeliverable"),
        Stance.BOUNCED,
    ),
    **dict.fromkeys(
        ("blocked", "blocklisted", "blacklisted", "suppressed", "banned", "spammy"),
        Stance.BLOCKED,
    ),
    **dict.fromkeys(
        ("complained", "complaint", "abuse", "spam", "spam complaint", "reported spam"),
        Stance.COMPLAINED,
    ),
}
"""What a status column may say in a roster of nobody's in particular."""

_YES = frozenset({"1", "true", "yes", "y", "t", "ja", "oui", "sí", "si", "x"})
_NO = frozenset({"", "0", "false", "no", "n", "f", "nein", "non", "-", "null", "none", "n/a"})

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=256)
def word_of(text: str) -> str:
    """Return a status word as ``STATUS_WORDS`` has it: folded, with spaces for - and _."""
    return " ".join(text.casefold().replace("_", " ").replace("-", " ").split())


def is_yes(text: str) -> bool:
    """True for a cell that affirms its column; a date does so too."""
    folded = text.strip().casefold()
    return folded not in _NO and (folded in _YES or instant_of(folded) is not None)


def is_no(text: str) -> bool:
    """True for a filled cell that denies its column."""
    folded = text.strip().casefold()
    return bool(folded) and folded in _NO


@lru_cache(maxsize=4096)
def instant_of(text: str) -> datetime | None:
    """Return an ISO 8601 date or instant as aware UTC, else None.

    An instant without an offset is taken as UTC; one before 1990 is nobody's consent to mail.
    """
    text = text.strip()
    if len(text) < 8 or not text[:4].isdigit():
        return None
    try:
        at = datetime.fromisoformat(text.upper().removesuffix(" UTC"))
    except ValueError:
        return None
    try:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return None
    return at if at >= _EARLIEST else None
