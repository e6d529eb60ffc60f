"""Approving with a second person, what voids it, diff, and making it again, as typed."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from mailer.cli.demonstration import edited
from tests.cli.driving import ISSUE, Mailer, change


@pytest.fixture
def two_persons(publication: Path) -> None:
    change(publication / "publication.toml", r"second_person = false", "second_person = true")


def owner(drafted: Path) -> str:
    return drafted.owner()


def test_a_second_person_must_approve(mailer: Mailer, drafted: Path, two_persons: None) -> None:
    refused = mailer("issue", "approve", ISSUE, "--by", owner(drafted))
    assert refused.code == 5
    assert f"issues/{ISSUE}.md: a second person must approve" in refused.err
    assert "--override" in refused.err
    assert mailer("issue", "approve", ISSUE, "--by", "Somebody Else").code == 0
    shown = mailer("issue", "show", ISSUE).out
    assert f"Approved by Somebody Else, last edited by {owner(drafted)}." in shown


def test_an_override_wants_a_reason_and_is_kept(
    mailer: Mailer, drafted: Path, two_persons: None
) -> None:
    by = owner(drafted)
    assert mailer("issue", "approve", ISSUE, "--by", by, "--override", "  ").code == 5
    said = mailer("issue", "approve", ISSUE, "--by", by, "--override", "Bo is ill", "--json")
    assert said.data["override"] == "Bo is ill"
    found = mailer("issue", "show", ISSUE, "--json").data
    assert found["override"] == f"Bo is ill ({by})"
    assert "set aside: Bo is ill" in mailer("issue", "show", ISSUE).out


def test_strict_lets_warnings_stop_it(mailer: Mailer, drafted: Path) -> None:
    change(drafted, r"^preheader: .*$", 'preheader: "Short."')
    refused = mailer("issue", "approve", ISSUE, "--strict")
    assert refused.code == 1
    assert f"issues/{ISSUE}.md:" in refused.err
    assert "the preheader has 6 characters" in refused.err
    assert mailer("issue", "approve", ISSUE).code == 0


def test_a_template_that_changes_no_byte_of_a_mail_still_voids(
    mailer: Mailer, publication: Path, drafted: Path
) -> None:
    assert mailer("issue", "approve", ISSUE).code == 0
    own = publication / "templates" / "briefing" / "parts"
    own.mkdir(parents=True, exist_ok=True)
    (own / "never-included.mjml.j2").write_text("<mj-text>x</mj-text>\n")
    refused = mailer("send", ISSUE, "--yes")
    assert refused.code == 5
    assert "the template parts/never-included.mjml.j2, which is new" in refused.err


def test_diff_says_what_changed_since_approval(mailer: Mailer, drafted: Path) -> None:
    nothing = mailer("issue", "diff", ISSUE)
    assert nothing.code == 4
    assert "is not approved" in nothing.err
    assert mailer("issue", "approve", ISSUE).code == 0
    assert "Nothing changed." in mailer("issue", "diff", ISSUE).out
    kept = drafted.with_name(f"{ISSUE}.md.~1~")
    kept.write_bytes(drafted.read_bytes())
    change(drafted, r"^subject: .*$", 'subject: "Another subject"')
    found = mailer("issue", "diff", ISSUE, "--json").data
    assert [each["kind"] for each in found["changes"]] == ["subject"]
    assert found["before"] == f"{ISSUE} as approved"
    said = mailer("issue", "diff", f"issues/{kept.name}", ISSUE)
    assert "the subject" in said.out
    assert "1 change, 0 to stories." in said.out
    assert mailer("issue", "diff", f"{ISSUE}@yesterday", ISSUE).code == 4
    assert mailer("issue", "diff", "issues/gone.md", ISSUE).code == 4


def test_rebuild_makes_the_same_bytes_whatever_changed_since(
    mailer: Mailer, publication: Path, drafted: Path
) -> None:
    assert mailer("issue", "rebuild", ISSUE).code == 5
    assert mailer("issue", "approve", ISSUE).code == 0
    # Everything it was made of changes: the file, the publication, the articles.
    drafted.write_text("not an issue any more\n")
    change(publication / "publication.toml", r'^title = ".*?"', 'title = "Another"')
    for article in (publication / "articles").glob("*.md"):
        article.write_text(article.read_text().replace(" the ", " a "))
    mailer("ingest")
    said = mailer("issue", "rebuild", ISSUE, "--verify", "--json")
    assert said.code == 0, said.out
    assert said.data["is_same"]
    assert said.data["editions"] == 14
    assert said.data["files"] == []
    assert mailer("issue", "rebuild", ISSUE, "--out", publication / "again").code == 0
    assert len(list((publication / "again").iterdir())) == 28


FOOTER_ALTERED = """
    UPDATE inputs SET content = replace(content, 'Unsubscribe', 'Leave') WHERE checksum =
    (SELECT checksum FROM locks WHERE name = 'parts/footer.mjml.j2')
"""


def tamper(publication: Path, statement: str) -> None:
    with sqlite3.connect(publication / "var" / "mailer.db") as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            FOOTER_ALTERED,
            "the kept template parts/footer.mjml.j2 was altered",
        ),
        (
            'UPDATE issues SET tools = replace(tools, \'"jinja2": "\', \'"jinja2": "0.\')',
            "jinja2 was 0.",
        ),
        (
            "DELETE FROM locks WHERE name = (SELECT min(name) FROM locks WHERE kind = 'article')",
            "there is no article",
        ),
    ],
)
def test_rebuild_says_what_is_not_as_it_was(
    mailer: Mailer, publication: Path, drafted: Path, statement: str, said: str
) -> None:
    assert mailer("issue", "approve", ISSUE).code == 0
    tamper(publication, statement)
    found = mailer("issue", "rebuild", ISSUE, "--verify")
    assert said in found.out + found.err
    # Other versions are told of, and are no fault while the bytes are the same.
    assert (found.code == 0) == ("jinja2" in said)


def test_rebuild_misses_a_picture(mailer: Mailer, publication: Path, drafted: Path) -> None:
    assert mailer("issue", "approve", ISSUE).code == 0
    images = sorted((publication / "var" / "images").glob("*.jpg"))
    images[0].unlink()
    images[1].write_bytes(b"other")
    found = mailer("issue", "rebuild", ISSUE, "--verify", "--json")
    assert found.code == 8
    damage = " ".join(found.data["damage"])
    assert "is gone" in damage
    assert "is not its content" in damage


def test_who_sends_what_is_approved_is_said_as_it_is(mailer: Mailer, drafted: Path) -> None:
    said = mailer("issue", "approve", ISSUE).out
    assert "`mailer run` sends it at its hour." in said


def test_a_day_without_an_issue_is_named_at_the_draft_and_at_the_approval(
    mailer: Mailer, publication: Path, drafted: Path
) -> None:
    tuesday = "2026-12-01"
    words = "no issue on Tuesday 1 December 2026 (every Monday)"
    said = mailer("issue", "draft", tuesday)
    assert f"The schedule has {words}" in said.out
    file = publication / "issues" / f"{tuesday}.md"
    number = re.search(r"^number: \d+$", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert number
    body = edited(drafted.read_text(encoding="utf-8"))
    file.write_text(
        re.sub(r"^number: \d+$", number[0], body.replace(ISSUE, tuesday), flags=re.MULTILINE),
        encoding="utf-8",
    )
    approved = mailer("issue", "approve", tuesday)
    assert approved.code == 0, approved.err
    assert f"sends it; the schedule does not: it has {words}." in approved.out
    assert "mailer run" not in approved.out
    # Nor does the schedule take it for one of its own.
    mailer("tick")
    assert mailer("issue", "show", tuesday, "--json").data["state"] == "approved"
    assert "The schedule has" not in mailer("issue", "draft", "2026-12-07").out


def test_an_hour_that_is_past_is_not_promised(
    mailer: Mailer, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_FIXED_NOW", "2026-12-01T12:00:00+00:00")
    assert "its hour is past" in mailer("issue", "approve", ISSUE).out


def test_show_and_status_say_why_an_approval_is_void(
    mailer: Mailer, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mailer("issue", "approve", ISSUE).code == 0
    monkeypatch.setenv("MAILER_WEB_URL", "https://elsewhere.lantern.example")
    mailer("tick")
    shown = " ".join(mailer("issue", "show", ISSUE).out.split())
    assert "Its approval is void since 2026-11-27 12:00 UTC" in shown
    assert "what changed: the readers' web address, the edition of" in shown
    assert "its approval is void since 27 Nov 12:00 UTC" in mailer("status").out
