"""Two Mondays: who moved does not get a story again, who did not move does, and nobody else."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mailer.inbox.store import Store
from tests.cli.driving import ISSUE, Mailer, change

NEXT = "2026-12-07"


def parts(store: Store, address: str, issue: str) -> str:
    (found,) = [
        message
        for item in store.messages()
        if item.recipients == (address,)
        for message in [message_from_bytes(store.content(item.id), policy=policy.default)]
        if issue in str(message["Feedback-ID"])
    ]
    said = ""
    for kind in ("plain", "html"):
        part = found.get_body((kind,))
        assert part is not None
        said += str(part.get_content())
    return said


@pytest.fixture
def second_week(
    mailer: Mailer, drafted: Path, inbox: Store, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The first issue is sent, a reader has moved, and the next issue is drafted."""
    assert mailer("issue", "approve", ISSUE).code == 0
    assert mailer("send", ISSUE, "--yes").code == 0
    monkeypatch.setenv("MAILER_FIXED_NOW", "2026-12-04T12:00:00+00:00")
    assert mailer("issue", "draft", NEXT).code == 0
    return drafted.with_name(f"{NEXT}.md")


def picks_of(mailer: Mailer, region: str) -> list[str]:
    blocks = mailer("issue", "show", ISSUE, "--json").data["blocks"]
    return [
        pick["article"]
        for block in blocks
        if block["block"] == f"region:{region}"
        for pick in block["picks"]
    ]


def test_who_moved_gets_the_issue_without_it(
    mailer: Mailer, second_week: Path, inbox: Store
) -> None:
    story = picks_of(mailer, "liverpool")[0]
    title = next(row["title"] for row in mailer("articles", "--json").data if row["id"] == story)
    plan = mailer("send", NEXT, "--dry-run", "--json").data["regions"]
    movers = next(row["readers"] for row in plan if row["region"] == "liverpool")
    stayers = next(row["readers"] for row in plan if row["region"] == "bristol")
    mover, stayer = movers[0]["address"], stayers[0]["address"]
    assert title in parts(inbox, mover, ISSUE)
    assert title not in parts(inbox, stayer, ISSUE)
    assert mailer("subscribers", "remove", mover, "--region", "liverpool", "--yes").code == 0
    said = mailer("subscribers", "add", mover, "--region", "bristol", "--rejoin")
    assert said.code == 0, said.err

    change(
        second_week,
        r"^  bristol:\n(    note: .*\n)?    picks: .*$",
        f"  bristol:\n    picks: [{story}]",
    )
    found = mailer("issue", "check", NEXT, "--json").data["findings"]
    (finding,) = [row for row in found if row["code"].startswith("already-sent")]
    assert finding["level"] == "note"
    assert finding["region"] == "bristol"
    assert mailer("issue", "approve", NEXT).code == 0
    assert mailer("send", NEXT, "--yes").code == 0

    assert title in parts(inbox, stayer, NEXT)
    assert title not in parts(inbox, mover, NEXT)
    rows = mailer("ledger", NEXT, "--address", mover, "--json").data
    assert {row["issue"]: row["left_out"] for row in rows} == {NEXT: [story], ISSUE: []}
    said = mailer("ledger", NEXT, "--address", mover)
    assert f"{NEXT} went without {story}" in said.out + said.err


def test_a_repeat_for_everybody_stops_the_approval_until_it_is_a_follow_up(
    mailer: Mailer, second_week: Path, inbox: Store
) -> None:
    blocks = mailer("issue", "show", ISSUE, "--json").data["blocks"]
    story = next(block["picks"][0]["article"] for block in blocks if block["block"] == "news")
    change(second_week, r"^  news:( \[\])?$", f"  news:\n    - {story}")
    said = mailer("issue", "approve", NEXT)
    assert said.code != 0
    assert f"{story} in news was sent before" in said.err
    assert "follow_up: true" in said.err
    change(second_week, rf"^    - {story}$", f"    - article: {story}\n      follow_up: true")
    found = mailer("issue", "check", NEXT, "--json").data["findings"]
    assert not [row for row in found if row["code"].startswith("already-sent")]
