"""Segments: the small language in which a list or an issue's audience is narrowed.

    field.town = "Swansea" and joined < 2026-01-01 and not language in ("cy", "de")

``read_segment`` turns a text into a tree of tests joined by and, or and not; it knows nothing of
databases (``audience/segments`` makes the statement) and nothing of a publication's regions.
Every test is either true or false: what is not set is the empty text, equal to nothing but "".
The grammar stands in ``docs/segments.md``. Refused with the column and what to do: whatever is
not in the grammar, control characters, and what is longer or deeper than anybody needs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from mailer.errors import Fault, InvalidInput

LONGEST = 2000
"""Characters of an expression."""

DEEPEST = 20
"""Brackets and nots within each other."""

MOST_TESTS = 100
MOST_VALUES = 200
"""Values in one list."""

LONGEST_NUMBER = 15
"""Characters: a number that long is the same in every database; longer ones are text."""

Operator = Literal["=", "<", "<=", ">", ">=", "contains", "starts with", "is set"]
Value = str | int | float | date
TEXTS = ("field", "region", "language", "source")
SUBJECTS = (*TEXTS, "joined")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison; with several values it is true when it is for any of them.

    ``name`` is the roster's field for the subject ``field``, as ``field_name`` makes it;
    ``column`` counts from 1.
    """

    subject: str
    name: str
    operator: Operator
    values: tuple[Value, ...] = ()
    column: int = 0


@dataclass(frozen=True, slots=True)
class Not:
    """True when its part is false."""

    part: Node


@dataclass(frozen=True, slots=True)
class Both:
    """``and``: true when every part is."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """``or``: true when any part is."""

    parts: tuple[Node, ...]


Node = Comparison | Not | Both | Either


def column_key(header: str) -> str:
    """Return a header as columns are compared: folded, underscores and hyphens as spaces."""
    text = unicodedata.normalize("NFC", header).strip(" \t\ufeff*:").casefold()
    return " ".join(text.replace("_", " ").replace("-", " ").split())


def field_name(header: str) -> str:
    """Return what a roster's column is called as a field: ``home_town`` for ``Home Town``."""
    return column_key(header).replace(" ", "_")


def read_segment(text: str) -> Node:
    """Return an expression as a tree.

    Raises:
        InvalidInput: it is not in the grammar; one fault that begins with the column.
    """
    if len(text) > LONGEST:
        raise _wrong(LONGEST + 1, f"it goes on past {LONGEST} characters", "make it shorter")
    return _Parser(list(_tokens(text))).read()


def comparisons_of(node: Node) -> Iterator[Comparison]:
    """Yield every test of a tree, from left to right."""
    if isinstance(node, Comparison):
        yield node
    elif isinstance(node, Not):
        yield from comparisons_of(node.part)
    else:
        for part in node.parts:
            yield from comparisons_of(part)


def wrong_region(node: Node, regions: tuple[str, ...]) -> InvalidInput | None:
    """Return the error of a test that names a region the publication does not have, if any."""
    for test in comparisons_of(node):
        for value in test.values:
            if test.subject == "region" and test.operator == "=" and value not in regions:
                return _wrong(
                    test.column, f"there is no region {value!r}", f"use one of {', '.join(regions)}"
                )
    return None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["word", "text", "number", "date", "sign", "end"]
    text: str
    column: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


_PATTERNS = re.compile(
    r"""(?P<space>\s+)
    |(?P<date>\d{4}-\d{2}-\d{2}(?![\w.-]))
    |(?P<number>-?\d+(\.\d+)?(?![\w.-]))
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<word>[^\W\d][\w-]*)
    |(?P<sign>==|!=|<>|<=|>=|&&|\|\||[=<>(),.!])""",
    re.VERBOSE,
)
_INSTEAD = {"==": "=", "<>": "!=", "&&": "and", "||": "or", "!": "not"}
_QUOTES = "“”„‟‘’‚«»`"


def _tokens(text: str) -> Iterator[_Token]:
    for place, character in enumerate(text):
        # Cc: a NUL could not be stored; Cs: a lone surrogate has no bytes.
        if unicodedata.category(character) in {"Cc", "Cs"} and character not in "\t\r\n":
            raise _wrong(place + 1, f"the control character U+{ord(character):04X}", "take it out")
    at = 0
    while at < len(text):
        found = _PATTERNS.match(text, at)
        if found is None:
            raise _unreadable(text, at)
        kind, said = found.lastgroup, found[0]
        if kind == "sign" and said in _INSTEAD:
            raise _wrong(at + 1, f"{said!r} is not used here", f"write {_INSTEAD[said]}")
        if kind in ("word", "text", "number", "date", "sign"):
            if kind == "text":
                said = re.sub(r"\\(.)", r"\1", said[1:-1], flags=re.DOTALL)
            yield _Token(kind, said, at + 1)  # type: ignore[arg-type]
        at = found.end()
    yield _Token("end", "", len(text) + 1)


def _unreadable(text: str, at: int) -> InvalidInput:
    if text[at] in "\"'":
        return _wrong(at + 1, "a quote is opened and never closed", "close it")
    if text[at] in _QUOTES:
        return _wrong(at + 1, f"{text[at]!r} is a printer's quote", 'use "straight" ones')
    if text[at].isdigit():
        what = re.match(r"[\w.-]*", text[at:])
        said = what[0] if what else text[at]
        return _wrong(
            at + 1, f"{said!r} is neither a number nor a date", "write 12, 3.5 or 2026-01-31"
        )
    return _wrong(at + 1, f"{text[at]!r} means nothing here", "take it out")


class _Parser:
    """Reads tokens from left to right: or, and, not, then a test or a bracket."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._tests = 0

    def read(self) -> Node:
        if self._ended():
            raise _wrong(1, "it is empty", 'write a test such as language = "cy"')
        node = self._either()
        if not self._ended():
            raise self._unexpected("and, or, or the end")
        return node

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _ended(self) -> bool:
        return self._now.kind == "end"

    def _next(self) -> _Token:
        token = self._now
        self._at += 1
        return token

    def _is_word(self, *words: str) -> bool:
        return self._now.kind == "word" and self._now.text.lower() in words

    def _is_sign(self, *signs: str) -> bool:
        return self._now.kind == "sign" and self._now.text in signs

    def _unexpected(self, wanted: str) -> InvalidInput:
        return _wrong(
            self._now.column, f"{self._now} stands where {wanted} should", "see docs/segments.md"
        )

    def _either(self) -> Node:
        return self._joined("or", self._both, Either)

    def _both(self) -> Node:
        return self._joined("and", self._negated, Both)

    def _joined(self, word: str, part: Callable[[], Node], make: type[Either] | type[Both]) -> Node:
        parts = [part()]
        while self._is_word(word):
            self._next()
            parts.append(part())
        return make(tuple(parts)) if len(parts) > 1 else parts[0]

    def _negated(self) -> Node:
        if not self._is_word("not"):
            return self._primary()
        with_not = self._next()
        self._deeper(with_not)
        node = Not(self._negated())
        self._depth -= 1
        return node

    def _primary(self) -> Node:
        if not self._is_sign("("):
            return self._test()
        opening = self._next()
        self._deeper(opening)
        node = self._either()
        if not self._is_sign(")"):
            if self._ended():
                raise _wrong(opening.column, "a bracket is opened and never closed", "close it")
            raise self._unexpected("and, or, or )")
        self._next()
        self._depth -= 1
        return node

    def _deeper(self, token: _Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _wrong(token.column, f"it goes deeper than {DEEPEST} levels", "make it simpler")

    def _test(self) -> Node:
        column = self._now.column
        self._tests += 1
        if self._tests > MOST_TESTS:
            raise _wrong(column, f"it has more than {MOST_TESTS} tests", "make it shorter")
        subject, name = self._subject()
        if self._is_sign("=", "!=", "<", "<=", ">", ">="):
            sign = self._next().text
            value = self._value(subject)
            if sign == "!=":
                return Not(Comparison(subject, name, "=", (value,), column))
            return Comparison(subject, name, sign, (value,), column)  # type: ignore[arg-type]
        if self._is_word("is"):
            return self._is_set(subject, name, column)
        is_negated = self._is_word("not")
        if is_negated:
            self._next()
        node = self._worded(subject, name, column)
        return Not(node) if is_negated else node

    def _subject(self) -> tuple[str, str]:
        if not self._is_word(*SUBJECTS):
            if self._now.kind == "word":
                said = self._now.text
                raise _wrong(
                    self._now.column,
                    f"there is no {said!r}",
                    f"a roster's field is field.{said}; else use {', '.join(SUBJECTS[1:])}",
                )
            raise self._unexpected("a test")
        subject = self._next().text.lower()
        if subject != "field":
            return subject, ""
        if not self._is_sign("."):
            raise self._unexpected('a field\'s name, as in field.town or field."home town",')
        self._next()
        name = field_name(self._now.text)
        if self._now.kind not in ("word", "text") or not name:
            raise self._unexpected("a field's name")
        if set('"\\') & set(self._now.text):
            raise _wrong(
                self._now.column, "a field's name holds a quote or a backslash", "rename the field"
            )
        self._next()
        return subject, name

    def _is_set(self, subject: str, name: str, column: int) -> Node:
        self._next()
        is_negated = self._is_word("not")
        if is_negated:
            self._next()
        if not self._is_word("set"):
            raise self._unexpected("set or not set")
        if subject == "joined":
            raise _wrong(column, "everybody has joined", "compare it with a date")
        self._next()
        node = Comparison(subject, name, "is set", (), column)
        return Not(node) if is_negated else node

    def _worded(self, subject: str, name: str, column: int) -> Node:
        if self._is_word("in"):
            self._next()
            return Comparison(subject, name, "=", self._list(subject), column)
        operator: Operator = "contains"
        if self._is_word("starts"):
            self._next()
            if not self._is_word("with"):
                raise self._unexpected("with, as in starts with,")
            operator = "starts with"
        elif not self._is_word("contains"):
            raise self._unexpected("=, !=, <, <=, >, >=, in, contains, starts with or is set")
        self._next()
        if subject == "joined":
            raise _wrong(column, "joined is a date", "compare it by =, <, <=, > or >=")
        if self._now.kind != "text":
            raise self._unexpected("a text in quotes")
        return Comparison(subject, name, operator, (self._next().text,), column)

    def _list(self, subject: str) -> tuple[Value, ...]:
        opening = self._now
        if not self._is_sign("("):
            raise self._unexpected('a list such as ("cy", "de")')
        self._next()
        values = [self._value(subject)]
        while self._is_sign(","):
            self._next()
            values.append(self._value(subject))
            if len(values) > MOST_VALUES:
                raise _wrong(
                    opening.column, f"a list has more than {MOST_VALUES} values", "make it shorter"
                )
        if not self._is_sign(")"):
            raise self._unexpected("a comma or )")
        self._next()
        return tuple(values)

    def _value(self, subject: str) -> Value:
        token = self._now
        if token.kind not in ("text", "number", "date"):
            if token.kind == "word":
                raise _wrong(token.column, f"{token} is not a value", "put a text in quotes")
            raise self._unexpected("a value")
        self._next()
        if subject == "joined":
            if token.kind not in ("date", "text"):
                raise _wrong(token.column, "joined is a date", "write 2026-01-31")
            return _date(token)
        if token.kind == "text":
            return token.text
        if subject != "field":
            raise _wrong(token.column, f"{subject} is a text", f'write "{token.text}"')
        return _date(token).isoformat() if token.kind == "date" else _number(token)


def _date(token: _Token) -> date:
    try:
        return date.fromisoformat(token.text)
    except ValueError:
        raise _wrong(token.column, f"{token} is not a date", "write 2026-01-31") from None


def _number(token: _Token) -> float:
    if len(token.text) > LONGEST_NUMBER:
        raise _wrong(
            token.column, f"a number has more than {LONGEST_NUMBER} characters", "round it"
        )
    return float(token.text)


def _wrong(column: int, problem: str, remedy: str) -> InvalidInput:
    return InvalidInput(Fault(f"column {column}: {problem}", remedy=remedy))
