"""``mailer issue check`` as typed: file, line and what to do; levels, exit codes, acceptance."""

from __future__ import annotations

from pathlib import Path

from tests.cli.driving import ISSUE, Mailer, change


def findings(mailer: Mailer, *options: str) -> dict[str, dict]:
    data = mailer("issue", "check", ISSUE, "--json", *options).data
    return {row["code"]: row for row in data["findings"]}


def test_the_sample_stands_and_shows_what_was_accepted(mailer: Mailer, drafted: Path) -> None:
    said = mailer("issue", "check", ISSUE, "--strict", "--accepted")
    assert said.code == 0, said.out
    assert "14 editions, 0 errors, 0 warnings" in said.out
    assert "accepted: CSS border-radius" in said.out


def test_a_finding_names_file_and_line(mailer: Mailer, publication: Path, drafted: Path) -> None:
    change(drafted, r"^preheader: .*$", 'preheader: "Short."')
    (publication / "publication.toml").write_text(
        (publication / "publication.toml")
        .read_text()
        .replace('accent = "#8f3b14"', 'accent = "#f0a598"')
    )
    rows = findings(mailer)
    lines = drafted.read_text().splitlines()
    assert rows["preheader-length"]["where"] == f"issues/{ISSUE}.md"
    assert lines[rows["preheader-length"]["line"] - 1].startswith("preheader:")
    assert rows["contrast-light"]["where"] == "publication.toml"
    assert rows["contrast-light"]["line"]
    assert all(row["remedy"] for row in rows.values())
    said = mailer("issue", "check", ISSUE)
    assert said.code == 8
    assert f"issues/{ISSUE}.md:{rows['preheader-length']['line']}" in said.out


def test_warnings_stop_only_the_strict(mailer: Mailer, drafted: Path) -> None:
    change(drafted, r"^preheader: .*$", 'preheader: "Short."')
    assert mailer("issue", "check", ISSUE).code == 0
    assert mailer("issue", "check", ISSUE, "--strict").code == 8


def test_the_publication_accepts_with_a_reason(
    mailer: Mailer, publication: Path, drafted: Path
) -> None:
    change(drafted, r"^preheader: .*$", 'preheader: "Short."')
    accepted = publication / "templates" / "accepted-findings.toml"
    accepted.write_text('[[accept]]\ncode = "preheader-length"\nreason = "It is a poem."\n')
    assert mailer("issue", "check", ISSUE, "--strict").code == 0
    data = mailer("issue", "check", ISSUE, "--json").data
    assert "It is a poem." in [row["reason"] for row in data["accepted"]]
    accepted.write_text('[[accept]]\ncode = "html-too-large"\nreason = "x"\n')
    refused = mailer("issue", "check", ISSUE)
    assert refused.code == 3
    assert "templates/accepted-findings.toml:2: code: 'html-too-large' is not" in refused.err


def test_a_template_that_is_not_sound_is_a_finding_with_its_line(
    mailer: Mailer, publication: Path, drafted: Path
) -> None:
    folder = publication / "templates" / "parts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "quote.mjml.j2").write_text("<mj-section>\n<mj-colum></mj-colum>\n</mj-section>\n")
    said = mailer("issue", "check", ISSUE, "--json")
    assert said.code == 8
    (row,) = said.data["findings"]
    assert (row["code"], row["line"]) == ("template", 2)
    assert row["where"].endswith("quote.mjml.j2")
    assert row["remedy"] == "did you mean <mj-column>?"


def test_a_name_in_two_forms_is_found(mailer: Mailer, publication: Path, drafted: Path) -> None:
    change(drafted, r"\Z", "\n\nThanks to Nora Whitfeild for the lamp.\n")
    row = findings(mailer)["name-spelt-two-ways"]
    assert "Nora Whitfield" in row["message"]
    assert "Nora Whitfeild" in row["message"]
