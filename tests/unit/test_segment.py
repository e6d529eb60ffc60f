"""The segment language: what it reads, and how it says what is wrong."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import InvalidInput
from mailer.segment import (
    DEEPEST,
    LONGEST,
    MOST_TESTS,
    MOST_VALUES,
    Both,
    Comparison,
    Either,
    Not,
    comparisons_of,
    read_segment,
    wrong_region,
)


def test_the_example_of_the_docs_reads_as_it_looks() -> None:
    text = 'field.town = "Swansea" and joined < 2026-01-01 and not language in ("cy", "de")'
    assert read_segment(text) == Both(
        (
            Comparison("field", "town", "=", ("Swansea",), 1),
            Comparison("joined", "", "<", (date(2026, 1, 1),), 28),
            Not(Comparison("language", "", "=", ("cy", "de"), 56)),
        )
    )


def test_and_binds_closer_than_or_and_not_closest() -> None:
    a, b, c = (f'field.{name} = "1"' for name in "abc")
    read = read_segment(f"{a} or not {b} and {c}")
    assert isinstance(read, Either)
    assert isinstance(read.parts[1], Both)
    assert isinstance(read.parts[1].parts[0], Not)
    grouped = read_segment(f"({a} or {b}) AND {c}")
    assert isinstance(grouped, Both)
    assert [test.name for test in comparisons_of(grouped)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("field.age >= 18", Comparison("field", "age", ">=", (18.0,), 1)),
        ("field.balance < -3.5", Comparison("field", "balance", "<", (-3.5,), 1)),
        ("field.renewed < 2026-01-01", Comparison("field", "renewed", "<", ("2026-01-01",), 1)),
        ("field.a in (1, 'two')", Comparison("field", "a", "=", (1.0, "two"), 1)),
        ('field."home town" is set', Comparison("field", "home_town", "is set", (), 1)),
        ("field.town is not set", Not(Comparison("field", "town", "is set", (), 1))),
        ("field.straße contains 'ß'", Comparison("field", "strasse", "contains", ("ß",), 1)),
        ('source starts with "shop"', Comparison("source", "", "starts with", ("shop",), 1)),
        ("region != 'wales'", Not(Comparison("region", "", "=", ("wales",), 1))),
        ("language not in ('cy')", Not(Comparison("language", "", "=", ("cy",), 1))),
        ("field.a not contains 'x'", Not(Comparison("field", "a", "contains", ("x",), 1))),
        (r'field.a = "say \"hi\" \\"', Comparison("field", "a", "=", ('say "hi" \\',), 1)),
        ("joined = '2026-02-28'", Comparison("joined", "", "=", (date(2026, 2, 28),), 1)),
        ("Field.Town = 'x'", Comparison("field", "town", "=", ("x",), 1)),
    ],
)
def test_each_form_reads(text: str, read: object) -> None:
    assert read_segment(text) == read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'column 1: it is empty; write a test such as language = "cy"'),
        ("town = 'x'", "column 1: there is no 'town'; a roster's field is field.town"),
        ("field.town == 'x'", "column 12: '==' is not used here; write ="),
        ("region = 'a' && region = 'b'", "column 14: '&&' is not used here; write and"),
        ("language = cy", "column 12: 'cy' is not a value; put a text in quotes"),
        ("language = “cy”", "column 12: '“' is a printer's quote"),
        ("language = 'cy", "column 12: a quote is opened and never closed"),
        ("language =", "column 11: the end stands where a value should"),
        ("language = 5", 'column 12: language is a text; write "5"'),
        ("(language = 'cy'", "column 1: a bracket is opened and never closed"),
        ("language = 'cy')", "column 16: ')' stands where and, or, or the end should"),
        ("language 'cy'", "column 10: 'cy' stands where =, !=, <"),
        ("language in 'cy'", "column 13: 'cy' stands where a list such as"),
        ("language in ('cy'", "column 18: the end stands where a comma or )"),
        ("language in ()", "column 14: ')' stands where a value should"),
        ("joined < 2026-02-30", "column 10: '2026-02-30' is not a date"),
        ("joined < 5", "column 10: joined is a date; write 2026-01-31"),
        ("joined contains '2026'", "column 1: joined is a date"),
        ("joined is set", "column 1: everybody has joined"),
        ("field.a < 1.2.3", "column 11: '1.2.3' is neither a number nor a date"),
        ("field.a < 1234567890123456", "column 11: a number has more than 15 characters"),
        ("field.a = 'x' ; drop", "column 15: ';' means nothing here; take it out"),
        ("field.a = 'x\0'", "column 13: the control character U+0000; take it out"),
        ("field.a = '\ud800'", "column 12: the control character U+D800"),
        ("field", "column 6: the end stands where a field's name, as in field.town"),
        ("field.'' = 'x'", "column 7: '' stands where a field's name"),
        ("field.' * ' = 'x'", "column 7: ' * ' stands where a field's name"),
        ("field.'a\"b' = 'x'", "column 7: a field's name holds a quote"),
        ("field.a starts 'x'", "column 16: 'x' stands where with"),
        ("field.a contains 5", "column 18: '5' stands where a text in quotes"),
        ("not", "column 4: the end stands where a test should"),
        ("field.a is 'x'", "column 12: 'x' stands where set or not set should"),
        ("( not ( region = 'a' ) or )", "column 27: ')' stands where a test should"),
    ],
)
def test_a_mistake_is_one_line_with_its_column(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_segment(text)
    (fault,) = caught.value.faults
    assert message in str(fault)
    assert "\n" not in str(fault)
    assert fault.remedy


def test_nothing_is_read_that_is_longer_or_deeper_than_allowed() -> None:
    test = "region = 'a'"
    read_segment("(" * DEEPEST + test + ")" * DEEPEST)
    with pytest.raises(InvalidInput, match=f"column {DEEPEST + 1}: it goes deeper"):
        read_segment("(" * (DEEPEST + 1) + test + ")" * (DEEPEST + 1))
    with pytest.raises(InvalidInput, match="it goes deeper"):
        read_segment("not " * (DEEPEST + 1) + test)
    with pytest.raises(InvalidInput, match=f"past {LONGEST} characters"):
        read_segment(f"{test:<{LONGEST + 1}}")
    short = "region='a'"
    read_segment(" or ".join([short] * MOST_TESTS))
    with pytest.raises(InvalidInput, match="more than 100 tests"):
        read_segment(" or ".join([short] * (MOST_TESTS + 1)))
    read_segment(f"field.a in ({','.join('1' * MOST_VALUES)})")
    with pytest.raises(InvalidInput, match="column 12: a list has more than"):
        read_segment(f"field.a in ({','.join('1' * (MOST_VALUES + 1))})")


def test_a_region_that_does_not_exist_is_named() -> None:
    regions = ("wales", "essex")
    assert wrong_region(read_segment("region in ('wales', 'essex')"), regions) is None
    assert wrong_region(read_segment("region contains 'ess'"), regions) is None
    error = wrong_region(read_segment("language = 'cy' and region = 'whales'"), regions)
    assert str(error) == "column 21: there is no region 'whales'; use one of wales, essex"


@given(st.text(max_size=60))
def test_any_text_reads_or_is_refused_with_a_column(text: str) -> None:
    refuse_or_read(text)


PIECES = [
    "field.a", 'field."b c"', "region", "joined", "language", "and", "or", "not", "in", "(", ")",
    "=", "!=", "<", ">=", ",", "'x'", '"y"', "5", "-1.5", "2026-01-01", "contains", "starts",
    "with", "is", "set", ".", "x",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_any_pieces_in_any_order_too(pieces: list[str]) -> None:
    refuse_or_read(" ".join(pieces))


def refuse_or_read(text: str) -> None:
    try:
        read = read_segment(text)
    except InvalidInput as error:
        (fault,) = error.faults
        column = int(fault.problem.split()[1].rstrip(":"))
        assert 1 <= column <= max(len(text), 1) + 1
    else:
        assert list(comparisons_of(read))
