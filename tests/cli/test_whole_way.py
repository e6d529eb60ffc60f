"""From sample articles to an inbox, by the commands a person would type."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mailer.app import open_app
from mailer.articles.article import DirectoryEntry, Document
from mailer.audience.suppression import SuppressionReason
from mailer.inbox.store import Store
from tests.cli.driving import ISSUE, Mailer, change


def test_a_week_by_hand(mailer: Mailer, inbox: Store, drafted: Path, publication: Path) -> None:
    checked = mailer("issue", "check", "next", "--json")
    assert checked.data["errors"] == 0
    assert checked.code == 0

    foreseen = mailer("send", "next", "--dry-run", "--json").data
    wanted = {r["address"]: row["region"] for row in foreseen["regions"] for r in row["readers"]}
    assert foreseen["total"] == len(wanted) > 100

    refused = mailer("send", ISSUE, "--yes")
    assert refused.code == 5
    assert "not approved" in refused.err
    assert inbox.messages() == []

    assert mailer("issue", "approve", "next", "--by", "nora").code == 0
    sent = mailer("send", "next", "--json", "--yes")
    assert sent.code == 0
    assert sent.data["totals"] == {"accepted": len(wanted)}
    assert sent.data["state"] == "sent"

    messages = inbox.messages()
    assert Counter(m.recipients[0] for m in messages) == Counter(list(wanted))
    for stored in messages:
        parsed = message_from_bytes(inbox.content(stored.id), policy=policy.default)
        assert not parsed.defects
        region = wanted[stored.recipients[0]]
        assert f"<{region}.briefing.lantern.example>" in parsed["List-Id"]
        text = parsed.get_body(("plain",))
        assert text is not None
        assert stored.recipients[0] in text.get_content()

    again = mailer("send", "next", "--json", "--yes")
    assert again.code == 0
    assert len(inbox.messages()) == len(messages)

    one = messages[0].recipients[0]
    # Of a draft of the week after there is nothing to say; of this one there is.
    assert mailer("issue", "draft", "2026-12-07").code == 0
    assert mailer("ledger", "--json").data["issue"] == ISSUE
    history = mailer("ledger", "--address", one, "--json").data
    assert [row["state"] for row in history] == ["accepted"]


def test_one_region_then_the_rest(mailer: Mailer, inbox: Store, drafted: Path) -> None:
    mailer("issue", "approve", "next")
    first = mailer("send", "next", "--region", "wales", "--json", "--yes").data
    assert [row["region"] for row in first["regions"]] == ["wales"]
    assert first["state"] == "sending"
    rest = mailer("send", "next", "--json", "--yes").data
    assert rest["state"] == "sent"
    everybody = [m.recipients[0] for m in inbox.messages()]
    assert len(everybody) == len(set(everybody)) == rest["total"]


def test_a_change_after_approval_voids_it(mailer: Mailer, inbox: Store, drafted: Path) -> None:
    mailer("issue", "approve", "next")
    change(drafted, r"^subject: .*$", 'subject: "Another subject"')
    said = mailer("send", "next", "--yes")
    assert said.code == 5
    assert len(said.error_lines) == 1
    assert "approv" in said.err
    assert inbox.messages() == []
    assert mailer("issue", "show", "next", "--json").data["state"] == "draft"
    mailer("issue", "approve", "next")
    assert mailer("send", "next", "--yes").code == 0
    assert {m.subject for m in inbox.messages()} == {"Another subject"}


def test_who_left_after_planning_is_not_mailed(mailer: Mailer, inbox: Store, drafted: Path) -> None:
    mailer("issue", "approve", "next")
    plan = mailer("send", "next", "--dry-run", "--json").data
    leaver = plan["regions"][0]["readers"][0]["address"]
    assert mailer("subscribers", "remove", leaver, "--yes").code == 0
    mailer("send", "next", "--yes")
    assert leaver not in {m.recipients[0] for m in inbox.messages()}


def test_a_proof_touches_nothing(mailer: Mailer, inbox: Store, drafted: Path) -> None:
    said = mailer("test", "next", "--to", "nora@lantern.example", "--region", "wales", "--json")
    assert said.code == 0
    (message,) = inbox.messages()
    assert message.subject.startswith("[Proof] ")
    assert mailer("issue", "show", "next", "--json").data["state"] == "draft"
    assert mailer("ledger", ISSUE, "--json").data["total"] == 0


def test_no_proof_goes_to_a_suppressed_address(mailer: Mailer, inbox: Store, drafted: Path) -> None:
    gone = "gone@lantern.example"
    with open_app(drafted.parent.parent) as app:
        app.register.suppress(gone, SuppressionReason.COMPLAINT, "said so")
    said = mailer("test", "next", "--to", "nora@lantern.example", "--to", f" {gone.upper()} ")
    assert said.code == 1
    assert f"{gone} is suppressed (complaint)" in said.err
    assert inbox.messages() == []


def test_cancel_and_reopen(mailer: Mailer, inbox: Store, drafted: Path) -> None:
    mailer("issue", "approve", "next")
    assert mailer("issue", "cancel", "next", "--yes").code == 0
    assert mailer("send", "next", "--yes").code == 5
    shown = mailer("issue", "show", ISSUE)
    assert "It is cancelled by" in shown.out
    for rows in (mailer("schedule", "--json").data, mailer("status", "--json").data["next"]):
        assert rows
        assert ISSUE not in {row["issue"] for row in rows}
    assert mailer("issue", "reopen", "next").code == 0
    assert "cancelled" not in mailer("issue", "show", ISSUE).out
    assert "cancelled" not in mailer("status").out
    assert mailer("ledger", ISSUE, "--json").data["order"] == ""
    assert ISSUE in {row["issue"] for row in mailer("schedule", "--json").data}
    assert mailer("issue", "approve", "next").code == 0
    assert mailer("send", "next", "--yes").code == 0
    assert inbox.messages()


def test_draft_never_overwrites_an_edited_file(mailer: Mailer, drafted: Path) -> None:
    before = drafted.read_text(encoding="utf-8")
    said = mailer("issue", "draft")
    assert said.code == 5
    assert "--force" in said.err
    assert drafted.read_text(encoding="utf-8") == before
    assert mailer("issue", "draft", "--force").code == 0
    kept = [path for path in drafted.parent.iterdir() if path != drafted]
    assert [path.read_text(encoding="utf-8") for path in kept] == [before]


def test_why_answers_for_every_article(mailer: Mailer, drafted: Path) -> None:
    for row in mailer("articles", "--json").data:
        decisions = mailer("why", row["id"], "--json").data["decisions"]
        assert decisions, row["id"]
        assert all(decision["reasons"] for decision in decisions)


def test_preview_writes_what_it_says(mailer: Mailer, drafted: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = mailer("preview", "next", "--region", "wales", "--out", out, "--json").data
    files = made["editions"]
    assert set(files) == {"wales"}
    assert Path(made["page"]) == out / "index.html"
    assert files["wales"]["html_bytes"] < 100_000
    html = Path(files["wales"]["html"]).read_text(encoding="utf-8")
    assert "Nine towns, one invoice" in html
    eml = Path(files["wales"]["eml"]).read_bytes()
    assert message_from_bytes(eml, policy=policy.default)["Subject"] == "Nine towns, one invoice"
    assert files["wales"]["message_bytes"] == len(eml)


def test_preview_shows_a_part(mailer: Mailer, drafted: Path) -> None:
    def part(name: str) -> str:
        said = mailer("preview", "next", "--region", "wales", "--part", name)
        assert said.code == 0
        return str(said.out)

    assert "Nine towns, one invoice" in part("text")
    assert part("html").startswith("<!doctype html>")
    head, source = part("headers"), part("source")
    assert source.startswith(head)
    assert "Subject: Nine towns, one invoice\n" in head
    assert "\n\n" not in head
    assert "quoted-printable" not in head


def test_run_once_sends_at_the_hour(
    mailer: Mailer, inbox: Store, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailer("issue", "approve", "next")
    assert mailer("tick").code == 0
    assert inbox.messages() == []
    assert mailer("issue", "show", ISSUE, "--json").data["state"] == "scheduled"
    monkeypatch.setenv("MAILER_FIXED_NOW", f"{ISSUE}T07:00:30+00:00")
    assert mailer("tick").code == 0
    early = {m.list_id for m in inbox.messages()}
    assert "national.briefing.lantern.example" in early
    assert "scotland.briefing.lantern.example" not in early
    monkeypatch.setenv("MAILER_FIXED_NOW", f"{ISSUE}T09:00:00+00:00")
    assert mailer("tick").code == 0
    assert mailer("issue", "show", ISSUE, "--json").data["state"] == "sent"
    everybody = [m.recipients[0] for m in inbox.messages()]
    assert len(everybody) == len(set(everybody))


def test_the_directory_lists_the_groups_of_a_paper(mailer: Mailer, drafted: Path) -> None:
    assert mailer("directory", "--json").data == []
    assert "No directory yet" in mailer("directory").out
    group = DirectoryEntry("Wales", "wales@groups.example", "01632 960001", "wales")
    other = DirectoryEntry("Bristol", "b@groups.example")
    paper = Document("paper.txt", directory=(group, other))
    with open_app(drafted.parent.parent) as app:
        app.library.keep(paper)
    found = mailer("directory", "--json").data
    assert [entry["name"] for entry in found] == ["Bristol", "Wales"]
    assert found[1] == asdict(group)
    assert "01632 960001" in mailer("directory").out


def test_schedule_lists_local_and_utc(mailer: Mailer) -> None:
    rows = mailer("schedule", "--json").data
    first = next(row for row in rows if row["region"] == "national")
    assert first["utc"].startswith(f"{ISSUE}T07:00")
    assert first["local"].startswith(f"{ISSUE}T07:00")
    assert first["issue"] == ISSUE
