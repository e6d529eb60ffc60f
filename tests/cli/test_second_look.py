"""What a first user stumbled over: small promises that are easily broken again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.driving import ISSUE, Mailer, change

FREE = """---
title: A piece that waits
date: 2026-11-25
description: It waits until it is free.
{key}
---
Some words that say what there is to say about waiting, and a few more of them.
"""


@pytest.mark.parametrize("key", ["draft: true", "briefing:\n  embargo: 2026-12-02"])
def test_what_was_held_back_comes_when_it_is_free(
    mailer: Mailer, publication: Path, nowhere: int, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    path = publication / "articles" / "waits.md"
    path.write_text(FREE.format(key=key), encoding="utf-8")
    assert mailer("ingest").code == 0
    assert mailer("issue", "draft", "--force").code == 0
    mailer("issue", "approve", "next")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_RELAY_PORT", str(nowhere))
        mailer("send", "next", "--yes")
    monkeypatch.setenv("MAILER_FIXED_NOW", "2026-12-04T12:00:00+00:00")
    if key.startswith("draft"):
        change(path, r"^draft: true$", "draft: false")
    assert mailer("ingest").code == 0
    assert mailer("issue", "draft", "2026-12-07").code == 0
    decisions = mailer("why", "a-piece-that-waits", "--json").data["decisions"]
    latest = [row for row in decisions if row["issue"] == "2026-12-07"]
    assert "window" not in {row["rule"] for row in latest}


def test_a_story_dated_ahead_waits(mailer: Mailer, publication: Path) -> None:
    path = publication / "articles" / "ahead.md"
    path.write_text(FREE.format(key="").replace("2026-11-25", "2026-12-09"), encoding="utf-8")
    mailer("ingest")
    mailer("issue", "draft", "--force")
    (decision,) = mailer("why", "a-piece-that-waits", "--json").data["decisions"]
    assert decision["rule"] == "dated-later"
    assert "it is dated 2026-12-09" in decision["reasons"][0]
    assert "an earlier `date:`" in mailer("why", "a-piece-that-waits").out


def test_an_endless_headline_does_not_spoil_the_draft(mailer: Mailer, publication: Path) -> None:
    (publication / "articles" / "endless.txt").write_text("# " + "long " * 40_000, "utf-8")
    mailer("ingest")
    assert mailer("issue", "draft", "--force").code == 0
    assert mailer("issue", "show", "next").code == 0


def test_comments_without_an_end_are_refused(mailer: Mailer, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<title>T</title><p>x</p>" + "<!--" * 50_000, encoding="utf-8")
    said = mailer("ingest", page)
    assert said.code == 8
    assert "comments" in said.error_lines[0]


@pytest.mark.parametrize("line", ['MAILER_RELAY_HOST="mail.example', "this is no setting"])
def test_a_broken_line_of_env_is_told(mailer: Mailer, publication: Path, line: str) -> None:
    with (publication / ".env").open("a", encoding="utf-8") as handle:
        handle.write(f"{line}\n")
    said = mailer("articles")
    assert said.code == 3
    assert ".env:" in said.error_lines[0]


def test_a_missing_dkim_key_is_found_by_the_doctor(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_DKIM_KEY_FILE", "missing.pem")
    monkeypatch.setenv("MAILER_DKIM_SELECTOR", "s1")
    rows = mailer("doctor", "--json").data
    assert any(row["level"] == "fail" and "missing.pem" in row["message"] for row in rows)


def test_next_is_todays_issue_while_nobody_has_it(
    mailer: Mailer, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_FIXED_NOW", f"{ISSUE}T09:30:00+00:00")
    assert mailer("issue", "approve", "next", "--json").data["id"] == ISSUE


def test_a_place_that_cannot_be_written_is_one_line(mailer: Mailer, tmp_path: Path) -> None:
    target = tmp_path / "missing" / "wales.csv"
    said = mailer("subscribers", "export", "--region", "wales", "--out", target)
    assert said.code == 1
    assert len(said.error_lines) == 1


def test_a_title_is_needed(mailer: Mailer, publication: Path) -> None:
    change(publication / "publication.toml", r"^title = .*$", 'title = ""')
    said = mailer("articles")
    assert said.code == 3
    assert "title" in said.error_lines[0]


def test_a_paper_of_next_month_goes_into_this_issue(mailer: Mailer, tmp_path: Path) -> None:
    words = "The harbour board will let the old ice house to a choir of welders. " * 12
    paper = tmp_path / "paper.md"
    paper.write_text(
        "# THE QUAY POST\n\nIssue 9, December 2026, free\n\n"
        + "".join(f"# {name} of the ice house\n\n{name}: {words}\n\n" for name in PIECES),
        encoding="utf-8",
    )
    taken = mailer("ingest", paper, "--json").data["articles"]
    assert {row["date"] for row in taken} == {"2026-12-01"}
    mailer("issue", "draft", "--force")
    for row in taken:
        decisions = mailer("why", row["id"], "--json").data["decisions"]
        assert decisions
        assert not {d["rule"] for d in decisions} & {"dated-later", "embargo", "too-new", "window"}


PIECES = ("Rent", "Repair", "Opening")
