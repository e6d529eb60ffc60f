"""Placeholders for a reader's fields: tokens nobody can guess, and the way back to slots.

A render draws a key from ``secrets``; what a template prints in a field's place holds it, and the
output is cut there. No article can imitate a token, and a template that changes one is told.
Where a roster's field stands decides how it is written: inside an address it is percent-encoded,
elsewhere escaped; in styles and scripts it may not stand at all, because nothing would be safe.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import fields

from mailer.editions.edition import Edge, Segments, Slot, roster_slot
from mailer.editions.viewmodel import ReaderView
from mailer.errors import Fault, RenderFailed

LONGEST_NAME = 60
"""Characters of a field's name; a roster's columns have no longer ones."""

_NEAR = 4000
_IN_LINK = re.compile(
    r"""(?:href|src|background|action|cite)\s*=\s*(?:"[^"]*|'[^']*|[^\s"'>]*)\Z"""
    r"""|\b(?:https?://|mailto:|tel:)[^\s<>"']*\Z""",
    re.IGNORECASE,
)
_IN_STYLE = re.compile(
    r"""\b(?:style|on[a-z]+)\s*=\s*(?:"[^"]*|'[^']*|[^\s"'>]*)\Z""", re.IGNORECASE
)
_UNSAFE = ("style", "script")


def field_name(text: str) -> str:
    """Return a field's name as rosters are read: "Home Town" is ``home_town``.

    Raises:
        ValueError: it is empty, too long or holds what no column's name does.
    """
    name = "_".join(text.casefold().split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"{text[:LONGEST_NAME]!r} cannot be the name of a roster's field")
    return name


class ReaderTokens:
    """The reader's fields of one render."""

    def __init__(self) -> None:
        self._key = secrets.token_hex(16)
        self._slots: list[Slot | Edge] = []

    def reader(self) -> ReaderView:
        """Return what templates know as ``reader``."""
        own = [field.name for field in fields(ReaderView) if field.name != "field"]
        return ReaderView(**{name: self._token(Slot(name)) for name in own}, field=self._field)

    def edges(self, article_ids: Sequence[str]) -> tuple[str, str]:
        """Return the marks around what a reader who had all of these articles does not get."""
        ids = tuple(article_ids)
        return self._token(Edge(ids, is_start=True)), self._token(Edge(ids, is_start=False))

    def is_in(self, output: str) -> bool:
        """True when a token, or what became of one, is in the text."""
        return self._key in output.casefold()

    def split(self, output: str, *, where: str) -> Segments:
        """Cut at the tokens; literals and slots in order, no literal empty.

        Raises:
            RenderFailed: a template changed a token, or printed a roster's field into a style.
        """
        parts = re.split(f"s{self._key}n(\\d+)e", output)
        segments: list[str | Slot | Edge] = []
        before = ""
        for number, part in enumerate(parts):
            if number % 2:
                segments.append(_placed(self._slots[int(part)], before, where))
                before += "x"
            elif self.is_in(part):
                raise RenderFailed(
                    Fault(
                        "changes the letters of a reader's field",
                        where=where,
                        remedy="print reader's fields as they are, without filters",
                    )
                )
            elif part:
                segments.append(part)
                before += part
        self._refuse_crossed(segments, where)
        return tuple(segments)

    def _refuse_crossed(self, segments: Sequence[str | Slot | Edge], where: str) -> None:
        waiting: list[tuple[str, ...]] = []
        for part in segments:
            if not isinstance(part, Edge):
                continue
            if part.is_start:
                waiting.append(part.article_ids)
            elif not waiting or waiting.pop() != part.article_ids:
                waiting.append(())
                break
        if waiting:
            raise RenderFailed(
                Fault(
                    "prints the marks around a story crossed, or one without the other",
                    where=where,
                    remedy="print story.start before the story and story.end right after it",
                )
            )

    def _field(self, name: object, default: object = None) -> str:
        column = field_name(str(name))
        return self._token(roster_slot(column, None if default is None else str(default)))

    def _token(self, slot: Slot | Edge) -> str:
        if slot not in self._slots:
            self._slots.append(slot)
        return f"s{self._key}n{self._slots.index(slot)}e"


def _placed(slot: Slot | Edge, before: str, where: str) -> Slot | Edge:
    if isinstance(slot, Edge) or not slot.column:
        return slot
    near = before[-_NEAR:]
    if _IN_STYLE.search(near) or any(_is_within(tag, before) for tag in _UNSAFE):
        raise RenderFailed(
            Fault(
                f"prints the roster's field {slot.column!r} into a style or a script",
                where=where,
                remedy="print it as text, in an attribute such as alt, or in a link",
            )
        )
    return roster_slot(slot.column, slot.default, in_link=bool(_IN_LINK.search(near)))


def _is_within(tag: str, before: str) -> bool:
    return before.rfind(f"<{tag}") > before.rfind(f"</{tag}")
