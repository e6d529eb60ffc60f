"""Findings that were looked at and accepted: set aside with a reason, until a day, never errors."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mailer.editions.acceptance import Acceptance, Accepted, load_accepted, set_aside
from mailer.editions.checks.rulebook import found
from mailer.editions.finding import Finding
from mailer.errors import ConfigurationError

TODAY = date(2026, 11, 30)
RADIUS = found("client-support", "CSS border-radius: not known to Outlook (Windows)")
SHADOW = found("client-support", "CSS box-shadow: not known to Outlook (Windows)")
BROKEN = found("link-broken", "the link leads nowhere")


def aside(*entries: Acceptance, findings: tuple[Finding, ...] = (RADIUS, SHADOW, BROKEN)):
    file = Accepted("templates/accepted-findings.toml", tuple((each, 3) for each in entries))
    return set_aside(findings, [file], today=TODAY)


def entry(**given) -> Acceptance:
    return Acceptance(**({"code": "client-support", "reason": "No loss."} | given))


def test_what_is_accepted_is_set_aside_with_its_reason() -> None:
    standing, accepted = aside(entry(about=("CSS border-radius",)))
    assert standing == [SHADOW, BROKEN]
    assert accepted == [(RADIUS, "No loss.")]


def test_without_words_every_finding_of_the_code_is_accepted() -> None:
    standing, accepted = aside(entry())
    assert standing == [BROKEN]
    assert len(accepted) == 2


def test_an_error_is_never_accepted() -> None:
    standing, _ = aside(entry(code="link-broken"), findings=(BROKEN,))
    assert BROKEN in standing


def test_an_entry_whose_day_is_past_accepts_nothing_and_says_so() -> None:
    standing, accepted = aside(entry(until=date(2026, 11, 29)))
    assert accepted == []
    assert standing[:3] == [RADIUS, SHADOW, BROKEN]
    assert (standing[3].code, standing[3].line) == ("acceptance-over", 3)
    assert aside(entry(until=TODAY))[0] == [BROKEN]


def test_an_entry_that_nothing_came_up_for_is_a_note() -> None:
    standing, _ = aside(entry(about=("CSS gap",)))
    assert standing[-1].code == "acceptance-unused"
    assert standing[-1].place == "templates/accepted-findings.toml:3"
    shipped = Accepted("accepted-findings.toml", ((entry(about=("CSS gap",)), 1),), is_ours=True)
    assert set_aside([BROKEN], [shipped], today=TODAY)[0] == [BROKEN]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[accept]]\ncode = "link-broken"\nreason = "x"\n', ":2: code: 'link-broken' is not"),
        ('[[accept]]\ncode = "no-such"\nreason = "x"\n', "'no-such' is not a finding"),
        ('[[accept]]\ncode = "client-support"\nreason = ""\n', "reason"),
        ('[[accept]]\ncode = "client-support"\nwhy = "x"\n', "why"),
        ("[[accept]\n", "templates/accepted-findings.toml"),
    ],
)
def test_a_fault_of_the_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "accepted-findings.toml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_accepted(tmp_path)
    assert said in str(caught.value)


def test_the_shipped_file_can_be_read(tmp_path: Path) -> None:
    (shipped,) = load_accepted(tmp_path)
    assert shipped.is_ours
    assert shipped.entries
