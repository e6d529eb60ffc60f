"""Errors of the whole program, and the one-line form a person reads.

An error carries *faults*: where (file), line, field, what is wrong, what to do. The command
line prints one line a fault; the pages show the same words. ``ConfigurationError`` stands
outside ``MailerError`` so that code which skips a bad article or a bad row can never swallow a
broken installation; it reports every fault at once.

An SMTP reply or a lost connection is a returned outcome, never an exception here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NUMBER = re.compile(r"^\[Errno -?\d+\] ")


def in_words(error: Exception) -> str:
    """Say in one line what failed beneath us, without the system's number for it."""
    return _NUMBER.sub("", " ".join(str(error).split())) or type(error).__name__


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing a person must mend.

    ``where`` is a file or a setting's source as the user wrote it, ``line`` counts from 1,
    ``field`` is a dotted key or a column, ``problem`` says what is wrong, ``remedy`` what to do.
    """

    problem: str
    where: str = ""
    line: int | None = None
    field: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        place = self.where
        if self.line is not None:
            place = f"{place}:{self.line}" if place else f"line {self.line}"
        parts = [part for part in (place, self.field) if part]
        sentence = self.problem if not self.remedy else f"{self.problem}; {self.remedy}"
        text = ": ".join([*parts, sentence])
        # One fault is one line, whatever a hostile file put into a value we quote.
        return " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())


class _Faulty(Exception):
    """An exception made of faults; a plain string becomes one fault."""

    def __init__(self, faults: str | Fault | Iterable[Fault] = "") -> None:
        if isinstance(faults, str):
            faults = (Fault(faults or (self.__doc__ or "").strip().splitlines()[0]),)
        elif isinstance(faults, Fault):
            faults = (faults,)
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ConfigurationError(_Faulty):
    """The settings or the publication cannot be used."""


class MailerError(_Faulty):
    """The work cannot go on."""


class InvalidInput(MailerError):
    """What was given is not usable."""


class NotFound(MailerError):
    """There is no such thing."""


class IllegalTransition(MailerError):
    """That is not possible in the present state."""


class RenderFailed(MailerError):
    """A template or an edition could not be rendered."""


class StorageFailed(MailerError):
    """The database cannot be read or written."""
