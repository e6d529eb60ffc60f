"""What the validation library says of a value, in the house's words.

The one table from its kinds of error to what is wrong and what to write instead. Our own checks
(``checked`` and the models) speak for themselves: a sentence and, after a semicolon, the remedy.
A kind that is not in the table keeps the library's words, which is unhelpful and never wrong.

Source: https://docs.pydantic.dev/latest/errors/validation_errors/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_WHOLE = ("is not a whole number", "write one such as 3")
_NUMBER = ("is not a number", "write one such as 1.5")
_YES_NO = ("is neither true nor false", "write true or false")
_DAY = ("is not a day of the calendar", "write one such as 2026-12-24")
_INSTANT = ("is not an instant", "write one such as 2026-11-30T07:00:00+00:00")
_TABLE = ("is not a table", "give its keys, each with a value")
_LIST = ("is not a list", 'write it in brackets, such as ["one", "two"]')

WORDS: dict[str, tuple[str, str]] = {
    "missing": ("is missing", "add it"),
    "extra_forbidden": ("is not a known key", "check its spelling or remove it"),
    "string_type": ("is not a text", "write it in quotes"),
    "bool_type": _YES_NO,
    "bool_parsing": _YES_NO,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": ("is not a finite number", "write one such as 1.5"),
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "timezone_aware": ("names no time zone", "write one such as 2026-11-30T07:00:00+00:00"),
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "greater_than": ("must be more than {gt}", ""),
    "greater_than_equal": ("must be {ge} or more", ""),
    "less_than": ("must be less than {lt}", ""),
    "less_than_equal": ("must be {le} or less", ""),
    "too_short": ("has too little in it", "give at least {min_length}"),
    "string_too_short": ("is too short", "give at least {min_length} letters"),
    "too_long": ("has too much in it", "give at most {max_length}"),
    "string_too_long": ("is too long", "give at most {max_length} letters"),
    "literal_error": ("must be {expected}", ""),
    "enum": ("must be {expected}", ""),
}
"""Kinds of error, each with what is wrong and what to do; braces hold what the error brings."""


def said_of(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is wrong with a value, and what to do, "" where nothing is known.

    Args:
        error: one of ``ValidationError.errors()``.
    """
    about = error.get("ctx", {})
    if error["type"] in {"too_short", "string_too_short"} and about.get("min_length") == 1:
        return "is empty", "write something"
    if error["type"] in WORDS:
        # A limit of 1.0 is written as the whole number it is.
        plain = {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in about.items()
        }
        problem, remedy = WORDS[error["type"]]
        return problem.format(**plain), remedy.format(**plain)
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    problem, _, remedy = message.partition("; ")
    return problem[:1].lower() + problem[1:], remedy


_TYPED = (
    (r"does not match the formats? '%Y-%m-%d'.*", "; ".join(_DAY)),
    (r"Input should be a valid integer.*|is not a valid int(eger)?$", "; ".join(_WHOLE)),
    (r"Input should be a valid number.*|is not a valid float$", "; ".join(_NUMBER)),
)


def said_of_typing(message: str) -> str:
    """Return what the command line's library says of a typed value, in the house's words."""
    for pattern, words in _TYPED:
        message = re.sub(pattern, words, message)
    return message
