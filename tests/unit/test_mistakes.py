"""What is wrong with a value is said in the house's words, whichever key it stands at."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date
from types import UnionType
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core.core_schema import ErrorType

from mailer.mistakes import WORDS, said_of, said_of_typing
from mailer.publication import Publication, Region
from mailer.tomlfile import faults_of

LIBRARYS = (
    "Input", "input ", "should be", "should have", "should match", "a valid ", "Tuple", "Field",
    "required", "pattern", "parse", "after validation",
)  # fmt: skip
WRONG: tuple[Any, ...] = (
    1.5, True, "@@ x", -7, 10**9, [1], [], {"zz": 1}, date(2026, 1, 1), "", "2026-11-31",
)  # fmt: skip


def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """Yield a model and every model within it."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for kind in kinds(field.annotation):
            yield from models(kind, seen)


def kinds(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif isinstance(annotation, UnionType) or get_args(annotation):
        for part in get_args(annotation):
            yield from kinds(part)


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_no_key_answers_in_the_librarys_words(wrong: Any) -> None:
    said = []
    for model in (*models(Publication, set()), *models(Region, set())):
        # These two are no keys of a file.
        for key in model.model_fields.keys() - {"root", "region_map"}:
            try:
                model.model_validate({key: copy.deepcopy(wrong)})
            except ValidationError as error:
                said += faults_of(error, where="publication.toml")
    assert said
    strange = {fault.problem for fault in said if any(word in fault.problem for word in LIBRARYS)}
    assert strange == set()


def test_every_kind_of_the_table_is_one_the_library_has() -> None:
    assert set(WORDS) <= set(get_args(ErrorType))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"type": "less_than_equal", "ctx": {"le": 30}}, ("must be 30 or less", "")),
        ({"type": "greater_than", "ctx": {"gt": 0.0}}, ("must be more than 0", "")),
        ({"type": "too_short", "ctx": {"min_length": 1}}, ("is empty", "write something")),
        ({"type": "int_parsing"}, ("is not a whole number", "write one such as 3")),
        (
            {"type": "value_error", "msg": "Value error, Is odd; write it even"},
            ("is odd", "write it even"),
        ),
        ({"type": "a_new_kind", "msg": "Something else"}, ("something else", "")),
    ],
)
def test_what_is_said(error: dict[str, Any], said: tuple[str, str]) -> None:
    assert said_of(error) == said


def test_a_typed_day_and_number_are_in_the_houses_words() -> None:
    day = "Invalid value for '[DATE]': '2026-11-31' does not match the formats '%Y-%m-%d'"
    assert said_of_typing(day) == (
        "Invalid value for '[DATE]': '2026-11-31' is not a day of the calendar; write one such as "
        "2026-12-24"
    )
    count = (
        "Invalid value for '--count': Input should be a valid integer, unable to parse string as "
        "an integer"
    )
    assert said_of_typing(count).endswith("'--count': is not a whole number; write one such as 3")
    assert said_of_typing("No such option: --x") == "No such option: --x"
