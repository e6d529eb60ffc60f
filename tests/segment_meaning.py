"""What a segment means, in plain Python: the judge of what the databases select."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailer.segment import Both, Comparison, Either, Node, Not

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Reader:
    joined: datetime
    region: str = "wales"
    language: str = ""
    source: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def matches(node: Node, reader: Reader) -> bool:
    match node:
        case Not(part):
            return not matches(part, reader)
        case Both(parts):
            return all(matches(part, reader) for part in parts)
        case Either(parts):
            return any(matches(part, reader) for part in parts)
        case Comparison(subject="joined"):
            return any(compared(reader.joined.date(), node.operator, day) for day in node.values)
        case Comparison(subject="field"):
            return holds(node, reader.fields.get(node.name, ""))
        case Comparison():
            return holds(node, getattr(reader, node.subject))


def holds(test: Comparison, text: str) -> bool:
    if test.operator == "is set":
        return text != ""
    return any(holds_for(test.operator, text, value) for value in test.values)


def holds_for(sign: str, text: str, value: Any) -> bool:
    if isinstance(value, float):
        is_number = len(text) <= 15 and NUMBER.fullmatch(text) is not None
        return is_number and compared(float(text), sign, value)
    match sign:
        case "contains":
            return value in text
        case "starts with":
            return text.startswith(value)
        case "=":
            return text == value
    return text != "" and compared(text, sign, value)


def compared(left: Any, sign: str, right: Any) -> bool:
    match sign:
        case "=":
            return bool(left == right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
    return bool(left >= right)
