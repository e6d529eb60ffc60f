"""A fault is one line that says where, what and what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import (
    ConfigurationError,
    Fault,
    IllegalTransition,
    InvalidInput,
    MailerError,
    NotFound,
    RenderFailed,
    StorageFailed,
    in_words,
)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Fault("is wrong"), "is wrong"),
        (Fault("is wrong", where="a.toml"), "a.toml: is wrong"),
        (Fault("is wrong", where="a.toml", line=3), "a.toml:3: is wrong"),
        (Fault("is wrong", line=3), "line 3: is wrong"),
        (Fault("is wrong", field="theme.ink"), "theme.ink: is wrong"),
        (
            Fault("is wrong", where="a.toml", line=3, field="title", remedy="mend it"),
            "a.toml:3: title: is wrong; mend it",
        ),
    ],
)
def test_a_fault_reads_as_one_sentence(fault: Fault, line: str) -> None:
    assert str(fault) == line


@given(st.text(), st.text(), st.text(), st.text())
def test_a_fault_is_one_line_whatever_it_quotes(
    problem: str, where: str, field: str, remedy: str
) -> None:
    line = str(Fault(problem, where=where, field=field, remedy=remedy))
    assert len(line.splitlines()) <= 1
    assert all(ch.isprintable() for ch in line)


def test_an_error_keeps_every_fault() -> None:
    faults = [Fault("one", where="a"), Fault("two", where="b")]
    error = InvalidInput(iter(faults))
    assert error.faults == tuple(faults)
    assert str(error) == "a: one\nb: two"
    assert InvalidInput("plain").faults == (Fault("plain"),)
    assert InvalidInput(Fault("single", line=2)).faults == (Fault("single", line=2),)


@pytest.mark.parametrize(
    "kind",
    [
        ConfigurationError,
        IllegalTransition,
        InvalidInput,
        NotFound,
        RenderFailed,
        StorageFailed,
    ],
)
def test_without_words_an_error_says_what_its_kind_means(kind: type[InvalidInput]) -> None:
    assert kind.__doc__
    assert str(kind()) == kind.__doc__.strip().splitlines()[0]


def test_whoever_skips_a_bad_row_cannot_swallow_a_broken_installation() -> None:
    assert issubclass(InvalidInput, MailerError)
    assert not issubclass(ConfigurationError, MailerError)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("[Errno 111] Connection refused"), "Connection refused"),
        (OSError(111, "Connection refused"), "Connection refused"),
        (OSError("[Errno -2] Name or service not known"), "Name or service not known"),
        (ValueError("two\nlines"), "two lines"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_what_failed_beneath_us_is_one_line_without_a_number(error: Exception, said: str) -> None:
    assert in_words(error) == said
