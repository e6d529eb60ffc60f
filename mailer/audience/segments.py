"""Segments as conditions of the database: a tree of ``mailer.segment`` becomes a WHERE.

Values reach the database as bound parameters alone. What SQLite and PostgreSQL spell differently
(a field of the JSON, the place of a text in another, what is a number, order by code point) is
four small elements that SQLAlchemy compiles for the one that runs it, so that a segment selects
the same readers on both. No condition is ever NULL: what is not set is the empty text.

A test is about one subscription and its subscriber: ``region`` and ``source`` are the
subscription's, the rest is the person's. ``joined`` is the UTC day on which they were first known.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    func,
    literal,
    not_,
    or_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from mailer.errors import Fault, InvalidInput
from mailer.segment import Both, Comparison, Node, Not, Value, read_segment, wrong_region
from mailer.storage import schema

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_segment(
    node: Node,
    *,
    people: FromClause = schema.subscribers,
    links: FromClause = schema.subscriptions,
) -> ColumnElement[bool]:
    """Return a condition over rows of subscribers joined with subscriptions.

    Args:
        node: from ``read_segment``.
        people: the table of subscribers, or an alias of it.
        links: the table of subscriptions, or an alias of it.
    """
    if isinstance(node, Comparison):
        return _test(node, people, links)
    if isinstance(node, Not):
        return not_(compile_segment(node.part, people=people, links=links))
    parts = [compile_segment(part, people=people, links=links) for part in node.parts]
    return and_(*parts) if isinstance(node, Both) else or_(*parts)


def read_where(text: str, regions: tuple[str, ...], *, field: str = "--where") -> Node:
    """Read an expression that a person gave on the command line.

    Raises:
        InvalidInput: it is not in the grammar, or names a region that does not exist.
    """
    try:
        node = read_segment(text)
        if (error := wrong_region(node, regions)) is not None:
            raise error
    except InvalidInput as error:
        (fault,) = error.faults
        raise InvalidInput(Fault(fault.problem, field=field, remedy=fault.remedy)) from None
    return node


def narrow(audience: Mapping[str, Select[Any]], where: str) -> dict[str, Select[Any]]:
    """Return an audience's statements (``Register.audience``) narrowed by an expression, "" none.

    Raises:
        InvalidInput: the expression is not in the grammar.
    """
    if not where:
        return dict(audience)
    condition = compile_segment(read_segment(where))
    return {region: statement.where(condition) for region, statement in audience.items()}


def _test(test: Comparison, people: FromClause, links: FromClause) -> ColumnElement[bool]:
    if test.subject == "joined":
        return or_(*(_joined(people.c.created_at, test.operator, day) for day in test.values))
    text = _text_of(test, people, links)
    if test.operator == "is set":
        return text != ""
    return or_(*(_compared(text, test.operator, value) for value in test.values))


def _text_of(test: Comparison, people: FromClause, links: FromClause) -> ColumnElement[str]:
    if test.subject == "field":
        # SQLite compares a path with the JSON's own spelling of a key, which is in ASCII: see
        # `roster_columns`.
        path = f'$."{json.dumps(test.name)[1:-1]}"'
        return func.coalesce(
            _FieldText(people.c.fields, literal(test.name), literal(path)), "", type_=String()
        )
    return people.c.language if test.subject == "language" else links.c[test.subject]


def _compared(text: ColumnElement[str], sign: str, value: Value) -> ColumnElement[bool]:
    if isinstance(value, int | float):
        number = _NumberOf(text)
        return and_(
            number.is_not(None), _COMPARISONS[sign](number, literal(float(value), Double()))
        )
    said = literal(str(value), String())
    match sign:
        case "=":
            return text == said
        case "contains":
            return _PlaceOf(text, said) > 0
        case "starts with":
            return func.substr(text, 1, len(str(value)), type_=String()) == said
        case _:
            return and_(text != "", _COMPARISONS[sign](_ByCodePoint(text), said))


def _joined(column: Any, sign: str, day: Value) -> ColumnElement[bool]:
    if not isinstance(day, date):
        raise TypeError(f"{day!r} is not a day")
    start = datetime.combine(day, time(), UTC)
    # The day after the last one has no end that could be written.
    end = start + timedelta(days=1) if day < date.max else datetime.max.replace(tzinfo=UTC)
    match sign:
        case "=":
            return and_(column >= start, column < end)
        case "<":
            return column < start  # type: ignore[no-any-return]
        case "<=":
            return column < end  # type: ignore[no-any-return]
        case ">":
            return column >= end  # type: ignore[no-any-return]
        case _:
            return column >= start  # type: ignore[no-any-return]


class _FieldText(FunctionElement[str]):
    """A roster's field as text, NULL where the reader has none; name, then SQLite's path."""

    inherit_cache = True
    type = String()


class _PlaceOf(FunctionElement[int]):
    """Where the second text begins in the first, from 1; 0 where it is not."""

    inherit_cache = True
    type = Integer()


class _NumberOf(FunctionElement[float]):
    """A text as a number, NULL where it is none: -12, 3.5; at most 15 characters."""

    inherit_cache = True
    type = Double()


class _ByCodePoint(FunctionElement[str]):
    """A text that is compared by code point, as SQLite does by itself."""

    inherit_cache = True
    type = String()


def _arguments(element: Any, compiler: Any, options: dict[str, Any]) -> list[str]:
    return [f"({compiler.process(clause, **options)})" for clause in element.clauses]


@compiles(_FieldText, "sqlite")
def _field_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    fields, _name, path = element.clauses
    found = (
        f"json_extract({compiler.process(fields, **options)}, {compiler.process(path, **options)})"
    )
    return f"CAST({found} AS TEXT)"


@compiles(_FieldText, "postgresql")
def _field_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    fields, name, _path = element.clauses
    return f"({compiler.process(fields, **options)} ->> {compiler.process(name, **options)}::text)"


@compiles(_PlaceOf, "sqlite")
def _place_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    text, part = _arguments(element, compiler, options)
    return f"instr({text}, {part})"


@compiles(_PlaceOf, "postgresql")
def _place_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    text, part = _arguments(element, compiler, options)
    return f"strpos({text}, {part})"


@compiles(_NumberOf, "sqlite")
def _number_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    (text,) = _arguments(element, compiler, options)
    body = f"substr({text}, CASE WHEN substr({text}, 1, 1) = '-' THEN 2 ELSE 1 END)"
    shape = f"{body} GLOB '[0-9]*' AND {body} NOT GLOB '*[^0-9.]*'"
    dots = f"{body} NOT GLOB '*.*.*' AND {body} NOT GLOB '*.'"
    return f"CASE WHEN length({text}) <= 15 AND {shape} AND {dots} THEN CAST({text} AS REAL) END"


@compiles(_NumberOf, "postgresql")
def _number_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    (text,) = _arguments(element, compiler, options)
    shape = f"length({text}) <= 15 AND {text} ~ '^-?[0-9]+([.][0-9]+)?$'"
    return f"CASE WHEN {shape} THEN CAST({text} AS DOUBLE PRECISION) END"


@compiles(_ByCodePoint, "sqlite")
def _order_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    (text,) = _arguments(element, compiler, options)
    return text


@compiles(_ByCodePoint, "postgresql")
def _order_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    (text,) = _arguments(element, compiler, options)
    return f'({text} COLLATE "C")'
