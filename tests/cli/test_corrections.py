"""Setting right what went out, as typed: the page on the web, and those who got it by mail."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from mailer.inbox.store import Store
from tests.cli.driving import ISSUE, Mailer, change

CORRECTION = f"{ISSUE}-correction"


@pytest.fixture
def publication(friday: None, tmp_path: Path, ready_made: Path, request: Any) -> Path:
    """A publication of the test's own, whose issue was sent where the test wants that."""
    made = request.getfixturevalue("ready_sent") if "sent" in request.fixturenames else ready_made
    root = tmp_path / "lantern"
    shutil.copytree(made, root)
    return root


@pytest.fixture
def sent(drafted: Path, inbox: Store) -> Path:
    """The file of an issue that everybody has."""
    assert inbox.ids()
    return drafted


def write(path: Path, words: str = "We gave the wrong day. It is Thursday.") -> None:
    change(path, r"<!-- Write this week's opening here\. -->", words)


def got(store: Store, words: str) -> dict[str, int]:
    """Count by address the messages whose subject has these words."""
    counts: dict[str, int] = {}
    for item in store.messages():
        if words in item.subject:
            for address in item.recipients:
                counts[address] = counts.get(address, 0) + 1
    return counts


def test_nobody_is_corrected_who_has_nothing(mailer: Mailer, drafted: Path) -> None:
    for command in (("correct", ISSUE), ("amend", ISSUE, "--note", "Wrong.", "--yes")):
        assert mailer("issue", *command).code == 5
    assert mailer("issue", "approve", ISSUE).code == 0
    for command in (("correct", ISSUE), ("amend", ISSUE, "--note", "Wrong.", "--yes")):
        refused = mailer("issue", *command)
        assert refused.code == 5
        assert "nobody has it yet" in refused.err


def test_a_correction_that_is_not_drafted_says_how(mailer: Mailer, drafted: Path) -> None:
    refused = mailer("issue", "check", CORRECTION)
    assert refused.code == 4
    assert f"run `mailer issue correct {ISSUE}`" in refused.err


def test_a_correction_goes_to_those_who_got_it_once_and_to_nobody_else(
    mailer: Mailer, publication: Path, sent: Path, inbox: Store
) -> None:
    readers = sorted(got(inbox, ""))
    left, moved, suppressed, *_ = readers
    assert mailer("subscribers", "remove", left, "--yes").code == 0
    region = mailer("subscribers", "show", moved, "--json").data["subscriptions"][0]["region"]
    other = "wales" if region != "wales" else "scotland"
    assert mailer("subscribers", "remove", moved, "--region", region, "--yes").code == 0
    assert mailer("subscribers", "add", moved, "--region", other, "--rejoin").code == 0
    assert mailer("subscribers", "remove", suppressed, "--suppress", "--yes").code == 0
    assert mailer("subscribers", "add", "late@reader.example", "--region", "wales").code == 0

    drafted = mailer("issue", "correct", ISSUE, "--json").data
    assert drafted["id"] == CORRECTION
    assert drafted["receivers"] == len(readers)
    empty = mailer("issue", "check", CORRECTION, "--json")
    assert empty.code == 8
    assert "correction-empty" in [row["code"] for row in empty.data["findings"]]
    write(publication / "issues" / f"{CORRECTION}.md")
    checked = mailer("issue", "check", CORRECTION, "--json").data
    assert checked["errors"] == 0
    explained = mailer("issue", "explain", CORRECTION)
    assert explained.code == 4
    assert "issue draft" not in explained.err
    approved = mailer("issue", "approve", CORRECTION)
    assert approved.code == 0
    assert "the schedule does not: a correction has no hour" in approved.out
    plan = mailer("send", CORRECTION, "--dry-run", "--json").data
    assert plan["total"] == len(readers) - 2
    for _ in range(2):
        assert mailer("send", CORRECTION, "--yes").code == 0
    counts = got(inbox, "Correction: ")
    assert counts == dict.fromkeys(set(readers) - {left, suppressed}, 1)
    assert mailer("issue", "show", CORRECTION, "--json").data["state"] == "sent"
    amended = mailer("issue", "amend", CORRECTION, "--note", "Now it is right.", "--yes")
    assert amended.code == 0
    assert "issue correct" not in amended.out
    assert mailer("issue", "show", "latest", "--json").data["id"] == ISSUE


def test_a_second_correction_has_a_name_of_its_own_and_a_correction_has_none(
    mailer: Mailer, sent: Path
) -> None:
    assert mailer("issue", "correct", ISSUE, "--json").data["id"] == CORRECTION
    assert mailer("issue", "correct", ISSUE, "--json").data["id"] == f"{CORRECTION}-2"
    refused = mailer("issue", "correct", CORRECTION)
    assert refused.code == 5
    assert "nobody has it yet" in refused.err or "is a correction itself" in refused.err


def test_the_file_of_a_correction_says_what_it_corrects(mailer: Mailer, sent: Path) -> None:
    assert mailer("issue", "correct", ISSUE).code == 0
    path = sent.with_name(f"{CORRECTION}.md")
    change(path, r"^corrects: .*$", "corrects: 2026-11-23")
    refused = mailer("issue", "check", CORRECTION)
    assert refused.code == 1
    assert "write corrects: 2026-11-30" in refused.err


@pytest.mark.parametrize(
    ("language", "prefix", "headline"),
    [
        ("en-GB", "Correction: ", "A correction"),
        ("de", "Berichtigung: ", "Eine Berichtigung"),
        ("ar", "تصويب: ", "تصويب"),
        ("cy", "Correction: ", "A correction"),
    ],
)
def test_a_correction_says_what_it_is_in_the_publications_language(
    mailer: Mailer, publication: Path, sent: Path, language: str, prefix: str, headline: str
) -> None:
    change(publication / "publication.toml", r"^language = .*$", f'language = "{language}"')
    done = mailer("issue", "correct", ISSUE, "--json")
    assert done.code == 0, done.err
    found = mailer("issue", "show", CORRECTION, "--json").data
    assert found["subject"].startswith(prefix)
    assert len(found["subject"]) <= 70
    text = (publication / "issues" / f"{CORRECTION}.md").read_text(encoding="utf-8")
    assert f'column_title: "{headline}"' in text


def test_the_page_is_amended_and_what_was_sent_stays(
    mailer: Mailer, publication: Path, sent: Path
) -> None:
    change(sent, r"^subject: .*$", 'subject: "The right subject"')
    said = mailer("issue", "amend", ISSUE, "--note", "The subject was wrong.", "--yes")
    assert said.code == 0, said.err
    assert "the subject" in said.out
    found = mailer("issue", "show", ISSUE, "--json").data
    assert [each["note"] for each in found["amendments"]] == ["The subject was wrong."]
    assert "The subject was wrong." in mailer("issue", "show", ISSUE).out
    twice = mailer("issue", "amend", ISSUE, "--note", "The subject was wrong.", "--yes")
    assert twice.code == 1
    assert f"`mailer issue amend {ISSUE} --withdraw 1` takes it back" in twice.err
    again = mailer("issue", "amend", ISSUE, "--note", "And more.", "--yes", "--json").data
    assert again["regions"] == []
    assert "2. Its page was corrected" in mailer("issue", "show", ISSUE).out
    unsure = mailer("issue", "amend", ISSUE, "--withdraw", "2")
    assert unsure.code != 0
    taken = mailer("issue", "amend", ISSUE, "--withdraw", "2", "--yes", "--json").data
    assert taken["withdrawn"] == "And more."
    assert mailer("issue", "amend", ISSUE, "--withdraw", "2", "--yes").code == 4
    assert mailer("issue", "amend", ISSUE, "--withdraw", "1", "--note", "x", "--yes").code == 2
    assert mailer("issue", "rebuild", ISSUE, "--verify").code == 0
    assert mailer("issue", "amend", ISSUE, "--note", "  ", "--yes").code == 1


def test_an_amendment_with_a_fault_changes_nothing(mailer: Mailer, sent: Path) -> None:
    change(sent, r"^subject: .*$", "subject: " + '"' + "x" * 300 + '"')
    refused = mailer("issue", "amend", ISSUE, "--note", "Wrong.", "--yes")
    assert refused.code == 1
    assert "the subject has 300 characters" in refused.err
    assert mailer("issue", "show", ISSUE, "--json").data["amendments"] == []


@pytest.fixture
def correction(mailer: Mailer, publication: Path, sent: Path) -> str:
    """An approved correction, its readers having mornings of their own."""
    path = publication / "publication.toml"
    change(path, r"(?m)^#? ?reader_time_zones = \w+", "reader_time_zones = true")
    assert mailer("issue", "correct", ISSUE).code == 0
    write(publication / "issues" / f"{CORRECTION}.md")
    return CORRECTION


def test_a_correction_can_be_proofed(mailer: Mailer, correction: str, inbox: Store) -> None:
    said = mailer("test", correction, "--to", "editor@reader.example", "--region", "wales")
    assert said.code == 0, said.err
    (proof,) = [item for item in inbox.messages() if "editor@reader.example" in item.recipients]
    assert "We gave the wrong day" in inbox.content(proof.id).decode()


def test_a_correction_goes_at_once_also_where_readers_have_mornings_of_their_own(
    mailer: Mailer, correction: str, inbox: Store
) -> None:
    readers = len(got(inbox, ""))
    assert mailer("issue", "approve", correction).code == 0
    said = mailer("send", correction, "--yes")
    assert said.code == 0, said.err
    assert len(got(inbox, "Correction")) == readers


def test_what_a_relay_took_of_a_correction_is_settled_before_it_goes(
    mailer: Mailer, publication: Path, correction: str, inbox: Store
) -> None:
    first, *others = sorted(got(inbox, ""))
    assert mailer("issue", "approve", correction).code == 0
    assert mailer("issue", "pause", correction).code == 0
    taken = publication / "taken.txt"
    taken.write_text(f"{first}\n", encoding="utf-8")
    said = mailer("ledger", correction, "--accepted", taken, "--json")
    assert said.code == 0, said.err
    assert (said.data["accepted"], said.data["unknown"]) == (1, [])
    assert mailer("issue", "resume", correction).code == 0
    before = got(inbox, "")
    assert mailer("send", correction, "--yes").code == 0
    after = got(inbox, "")
    assert {reader for reader in after if after[reader] > before[reader]} == set(others)
