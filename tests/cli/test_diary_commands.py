"""``mailer diary``, as an editor types it."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mailer.inbox.store import Store
from tests.cli.driving import ISSUE, Mailer, change

SUPPER = "2026-12-05-harbour-supper"


def add(mailer: Mailer) -> str:
    said = mailer(
        "diary", "add", "Harbour supper", "Saturday 5 December, 7.30–10pm", "--place", "Net Loft",
        "-r", "wales",
    )  # fmt: skip
    assert said.code == 0
    return said.out


def test_an_added_happening_is_offered_and_dropped(mailer: Mailer, publication: Path) -> None:
    assert add(mailer) == f"Added: {SUPPER} (2026-12-05, 19:30–22:00: Harbour supper)\n"
    row = next(r for r in mailer("diary", "list", "--json").data if r["id"] == SUPPER)
    assert (row["time"], row["ends_at"], row["regions"]) == ("19:30", "22:00", ["wales"])
    mailer("issue", "draft", "--force")
    drafted = (publication / "issues" / f"{ISSUE}.md").read_text(encoding="utf-8")
    words = "Saturday 5 December 2026, 19:30: Harbour supper, Net Loft"
    assert f'  # {words}\n  - "{SUPPER}"' in drafted
    assert re.search(r"  #   found in [a-z0-9-]+\n", drafted)
    assert mailer("diary", "drop", SUPPER).code == 0
    assert mailer("diary", "drop", SUPPER).code == 4


def test_a_draft_that_lists_what_was_dropped_is_warned(mailer: Mailer, drafted: Path) -> None:
    add(mailer)
    change(drafted, "^diary:$", f"diary:\n  - {SUPPER}")
    assert "lists it: take its line out" in mailer("diary", "drop", SUPPER).out
    for words in (("issue", "show", ISSUE), ("preview", ISSUE)):
        assert mailer(*words).code == 0
    codes = {f["code"] for f in mailer("issue", "check", ISSUE, "--json").data["findings"]}
    assert "diary-unknown" in codes


def _text(content: bytes) -> str:
    body = message_from_bytes(content, policy=policy.default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_an_approved_issue_goes_out_with_what_was_dropped(
    mailer: Mailer, drafted: Path, inbox: Store
) -> None:
    add(mailer)
    change(drafted, "^diary:$", f"diary:\n  - {SUPPER}")
    mailer("issue", "approve", ISSUE)
    dropped = mailer("diary", "drop", SUPPER, "--json").data
    assert dropped["issues"] == {ISSUE: "approved"}
    assert mailer("send", ISSUE, "--dry-run").code == 0
    assert mailer("issue", "show", ISSUE, "--json").data["state"] == "approved"
    said = mailer("send", ISSUE, "--yes")
    assert said.code == 0, said.err
    texts = [_text(inbox.content(each.id)) for each in inbox.messages()]
    assert any("Harbour supper" in text for text in texts)
    for words in (("issue", "show", ISSUE), ("preview", ISSUE), ("issue", "diff", ISSUE)):
        assert mailer(*words).code == 0
    codes = {f["code"] for f in mailer("issue", "check", ISSUE, "--json").data["findings"]}
    assert "diary-unknown" not in codes


def test_what_is_hidden_comes_into_no_draft(mailer: Mailer, publication: Path) -> None:
    first = mailer("diary", "list", "--json").data[0]["id"]
    assert mailer("diary", "drop", first).code == 5
    assert mailer("diary", "hide", first).code == 0
    mailer("ingest")
    assert first not in [row["id"] for row in mailer("diary", "list", "--json").data]
    assert first in mailer("diary", "list", "--hidden").out
    # An issue that names it already is only warned of it.
    assert first in (publication / "issues" / f"{ISSUE}.md").read_text(encoding="utf-8")
    assert "there is no entry" in mailer("issue", "check", ISSUE).out
    mailer("diary", "show", first)
    assert first in [row["id"] for row in mailer("diary", "list", "--json").data]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("Supper", "some day"), r"WHEN: 'some day' names no day; write 'Saturday 5 December"),
        (("Supper", "Monday 5 December"), "WHEN: The text says Monday, but 2026-12-05 is a Sat"),
        (("Supper", "5 December 2024"), "WHEN: 2024-12-05 is past"),
        (
            ("Supper", "12 December 25:00"),
            "WHEN: '25:00' is not understood; write one hour as 7.30pm",
        ),
        (("Supper", "12 December, 3pm and 5pm"), "WHEN: '5pm' is not understood; write one hour"),
        (("Supper", "5, 12 and 19 December"), "WHEN: '5' is not understood; write one hour as"),
        (("Supper", "5 December, 31 November"), "WHEN: '31 November' is no day; correct it"),
        (("", "5 December"), "TITLE: is empty; say what it is"),
        (("Supper", "5 December", "--url", "nonsense"), "--url: 'nonsense' is no web address"),
    ],
)
def test_what_cannot_be_added_is_said_in_a_line(
    mailer: Mailer, args: tuple[str, ...], said: str
) -> None:
    answer = mailer("diary", "add", *args)
    assert answer.code == 1
    assert len(answer.error_lines) == 1
    assert said in answer.error_lines[0]


def test_a_happening_that_repeats(mailer: Mailer) -> None:
    (said,) = mailer("diary", "add", "Choir", "every first Tuesday, 7pm", "--json").data
    assert (said["date"], said["repeats"]) == ("2026-12-01", "FREQ=MONTHLY;BYDAY=1TU")
    listed = mailer("diary", "list", "--since", "2026-12-02").out
    assert "2027-01-05, every first Tuesday of the month" in listed


def test_two_days_are_two_entries_and_all_or_none_is_added(mailer: Mailer) -> None:
    said = mailer("diary", "add", "Two", "5 and 12 December, 15.30").out
    days = ("2026-12-05", "2026-12-12")
    assert said == "".join(f"Added: {day}-two ({day}, 15:30: Two)\n" for day in days)
    again = mailer("diary", "add", "Two", "19 December and 12 December, 15.30")
    assert "'Two' stands in the diary for that day as 2026-12-12-two" in again.error_lines[0]
    assert not any(row["date"] == "2026-12-19" for row in mailer("diary", "list", "--json").data)


def test_the_same_title_elsewhere_or_at_another_hour_is_another_occasion(mailer: Mailer) -> None:
    def add_at(when: str, *more: str) -> tuple[int, str]:
        said = mailer("diary", "add", "Coffee morning", f"Saturday 12 December{when}", *more)
        return said.code, said.out + said.err

    assert add_at(", 10am", "--place", "Corn Exchange, Ely")[0] == 0
    assert add_at(", 10am", "--place", "Wisbech hall")[0] == 0
    assert add_at(", 2pm", "--place", "Corn Exchange, Ely")[0] == 0
    code, said = add_at("")
    assert code == 1
    assert "say its hour and its --place if it is another occasion" in said
    assert "give yours another title" in add_at(", 10am", "--place", "the Corn Exchange")[1]
