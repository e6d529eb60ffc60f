"""What may go wrong between approval and the last message, by the commands that cause it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mailer.app import App, open_app
from mailer.clock import SystemClock
from mailer.delivery.delivery import DeliveryState
from mailer.errors import IllegalTransition
from mailer.inbox.server import InboxServer
from mailer.inbox.store import Store
from mailer.usecases import mailing, sign_off
from tests.cli.driving import ISSUE, Mailer, change


def send_some(root: Path, count: int) -> None:
    """Send an issue's first messages and stop as Ctrl-C would."""
    with open_app(root) as app:
        mailing.send(app, ISSUE, should_stop=lambda: len(app.inbox.ids()) >= count)


def copies(inbox: Store) -> Counter[str]:
    return Counter(message.recipients[0] for message in inbox.messages())


def everybody(mailer: Mailer) -> set[str]:
    plan = mailer("send", "next", "--dry-run", "--json").data
    return {reader["address"] for row in plan["regions"] for reader in row["readers"]}


def test_a_reopened_issue_reaches_everybody_who_has_not_had_it(
    mailer: Mailer, inbox: Store, publication: Path, drafted: Path
) -> None:
    wanted = everybody(mailer)
    mailer("issue", "approve", "next")
    send_some(publication, 5)
    had = set(copies(inbox))
    assert 0 < len(had) < len(wanted)
    assert mailer("issue", "cancel", "next", "--yes").code == 0
    assert mailer("issue", "reopen", "next").code == 0
    change(drafted, r"^subject: .*$", 'subject: "Put right"')
    assert mailer("issue", "approve", "next").code == 0
    assert mailer("send", "next", "--yes").code == 0
    assert copies(inbox) == Counter(list(wanted))
    late = {m.recipients[0] for m in inbox.messages() if m.subject == "Put right"}
    assert late == wanted - had


def test_a_reader_who_moves_while_it_is_being_sent_gets_the_new_regions(
    mailer: Mailer, inbox: Store, publication: Path, drafted: Path
) -> None:
    mailer("issue", "approve", "next")
    plan = mailer("send", "next", "--dry-run", "--json").data
    mover = next(r for r in plan["regions"] if r["region"] == "south-yorkshire")["readers"][-1]
    send_some(publication, 3)
    mailer("subscribers", "add", mover["address"], "--region", "scotland")
    mailer("subscribers", "remove", mover["address"], "--region", "south-yorkshire", "--yes")
    said = mailer("send", "next", "--json", "--yes")
    assert said.data["state"] == "sent"
    (message,) = [m for m in inbox.messages() if m.recipients[0] == mover["address"]]
    assert message.list_id == "scotland.briefing.lantern.example"
    assert set(copies(inbox).values()) == {1}


def test_who_joins_late_is_sent_to_and_does_not_keep_it_open(
    mailer: Mailer, inbox: Store, publication: Path, drafted: Path
) -> None:
    mailer("issue", "approve", "next")
    send_some(publication, 3)
    mailer("subscribers", "add", "late@reader.example", "--region", "brighton")
    assert mailer("send", "next", "--json", "--yes").data["state"] == "sent"
    assert copies(inbox)["late@reader.example"] == 1


def test_who_left_after_the_plan_is_skipped_and_the_ledger_says_why(
    mailer: Mailer, inbox: Store, publication: Path, drafted: Path
) -> None:
    mailer("issue", "approve", "next")
    send_some(publication, 3)
    waiting = mailer("ledger", ISSUE, "--state", "planned", "--json").data
    leaver = waiting[-1]["address"]
    assert mailer("subscribers", "remove", leaver, "--yes").code == 0
    assert mailer("send", "next", "--yes").code == 0
    assert leaver not in copies(inbox)
    (row,) = mailer("ledger", ISSUE, "--state", "skipped", "--json").data
    assert (row["address"], row["reply"]) == (leaver, "left or suppressed since the plan")


def test_a_cancelled_issue_sends_nothing_whenever_it_was_cancelled(
    mailer: Mailer, inbox: Store, publication: Path, drafted: Path
) -> None:
    mailer("issue", "approve", "next")
    with open_app(publication) as app:
        editions = mailing.frozen_editions(app, ISSUE)
        sender = mailing.make_sender(app, editions)
        mailer("issue", "cancel", "next", "--yes")
        with pytest.raises(IllegalTransition):
            mailing.send(app, ISSUE)
        mailing.plan_regions(app, ISSUE, dict.fromkeys(editions, app.clock.now()))
        sender.run(ISSUE)
    assert inbox.messages() == []


def test_approved_anew_while_the_command_starts_stops_it(
    mailer: Mailer, inbox: Store, publication: Path, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailer("issue", "approve", "next")
    plain = mailing.make_sender

    def meanwhile(app: App, editions: object) -> object:
        change(drafted, r"^subject: .*$", 'subject: "Second thoughts"')
        sign_off.approve(app, ISSUE, by="nora")
        return plain(app, editions)  # type: ignore[arg-type]

    monkeypatch.setattr(mailing, "make_sender", meanwhile)
    said = mailer("send", "next", "--yes")
    assert said.code == 5
    assert "approved anew" in said.err
    assert inbox.messages() == []
    monkeypatch.setattr(mailing, "make_sender", plain)
    assert mailer("send", "next", "--yes").code == 0
    assert {m.subject for m in inbox.messages()} == {"Second thoughts"}


def test_what_was_approved_is_sent_whatever_the_publication_says_by_then(
    mailer: Mailer, inbox: Store, publication: Path, drafted: Path
) -> None:
    mailer("issue", "approve", "next")
    send_some(publication, 3)
    toml = publication / "publication.toml"
    change(toml, r"^from_name = .*$", 'from_name = "Somebody else"')
    change(toml, r"^postal_address = .*$", 'postal_address = "Another street"')
    change(
        publication / "subscribers" / "wales.toml", r"^reply_to = .*$", 'reply_to = "x@y.example"'
    )
    assert mailer("send", "next", "--yes").code == 0
    for message in inbox.messages():
        content = inbox.content(message.id)
        assert b"Somebody else" not in content
        assert b"x@y.example" not in content


@pytest.mark.parametrize(
    ("file", "pattern", "replacement"),
    [
        ("publication.toml", r"^from_name = .*$", 'from_name = "Somebody else"'),
        ("subscribers/wales.toml", r"^parent = .*$", 'parent = ""'),
        ("subscribers/wales.toml", r"^reply_to = .*$", 'reply_to = "other@lantern.example"'),
        (".env", r"^MAILER_WEB_URL=.*$", "MAILER_WEB_URL=http://localhost:9999"),
    ],
)
def test_a_change_of_who_writes_or_who_reads_voids_the_approval(
    mailer: Mailer, inbox: Store, publication: Path, drafted: Path,
    file: str, pattern: str, replacement: str,
) -> None:  # fmt: skip
    mailer("issue", "approve", "next")
    change(publication / file, pattern, replacement)
    said = mailer("send", "next", "--yes")
    assert said.code == 5
    assert "void" in said.err
    assert inbox.messages() == []


def test_a_region_added_or_removed_meanwhile_stops_nobody_else(
    mailer: Mailer, inbox: Store, publication: Path, drafted: Path
) -> None:
    wanted = everybody(mailer)
    mailer("issue", "approve", "next")
    send_some(publication, 3)
    toml = publication / "publication.toml"
    change(toml, r'^\s*"wales",?\n', '"cornwall",\n')
    (publication / "subscribers" / "cornwall.toml").write_text(
        'name = "Cornwall"\nlist_id = "cornwall.briefing.lantern.example"\n'
        'reply_to = "cornwall@lantern.example"\nparent = "national"\n',
        encoding="utf-8",
    )
    assert mailer("send", "next", "--yes").code == 0
    assert set(copies(inbox)) == wanted
    refused = mailer("send", "next", "--region", "cornwall", "--yes")
    assert refused.code == 4
    assert "without an edition" in refused.err


@pytest.mark.parametrize("setting", ["MAILER_DKIM_KEY_FILE", "MAILER_RELAY_CA_FILE"])
def test_a_bad_key_shows_before_anything_is_planned(
    mailer: Mailer, publication: Path, drafted: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    mailer("issue", "approve", "next")
    monkeypatch.setenv(setting, "missing.pem")
    monkeypatch.setenv("MAILER_DKIM_SELECTOR", "s1")
    monkeypatch.setenv("MAILER_RELAY_TLS", "starttls")
    said = mailer("send", "next", "--yes")
    assert said.code == 3
    assert mailer("issue", "show", "next", "--json").data["state"] == "approved"
    assert mailer("ledger", ISSUE, "--json").data["total"] == 0


def test_an_issue_nobody_got_does_not_use_up_its_stories(
    mailer: Mailer,
    publication: Path,
    drafted: Path,
    nowhere: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAILER_RELAY_PORT", str(nowhere))
    mailer("issue", "approve", "next")
    assert mailer("send", "next", "--yes").code == 8
    with open_app(publication) as app:
        assert app.archive.exposures() == frozenset()


def test_what_is_in_doubt_can_be_settled_by_hand(
    mailer: Mailer, inbox: Store, publication: Path, drafted: Path
) -> None:
    change(publication / "publication.toml", r"^in_doubt = .*$", 'in_doubt = "hold"')
    mailer("issue", "approve", "next")
    send_some(publication, 3)
    address = mailer("ledger", ISSUE, "--state", "planned", "--json").data[0]["address"]
    with open_app(publication) as app, app.database.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE deliveries SET state = 'in_doubt' WHERE address = '{address}'"
        )
    said = mailer("send", "next", "--json", "--yes")
    assert said.code == 8
    assert said.data["totals"]["in_doubt"] == 1
    assert said.data["next_due_at"] is None
    settle = ("ledger", ISSUE, "--address", address, "--resolve", "resend")
    assert mailer(*settle).code == 0
    assert mailer(*settle).code == 5
    assert mailer("send", "next", "--yes").code == 0
    assert copies(inbox)[address] == 1


def test_a_lasting_trouble_is_not_hammered(
    mailer: Mailer, publication: Path, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailer.delivery.delivery import Outcome, Reply, Verdict
    from mailer.delivery.relay import PipelinedRelay

    tries: list[str] = []

    class Objecting:
        """A session whose server objects to the sender at every message."""

        async def drive(self, work: Any) -> None:
            if item := work.next():
                tries.append(item.envelope.recipient)
                reply = Reply(550, "5.7.515", "access denied, sending domain does not comply")
                work.ended(item, Outcome(Verdict.DEFER, reply, is_sender_at_fault=True))

        async def close(self) -> None: ...

    async def connect(_self: object) -> Objecting:
        return Objecting()

    monkeypatch.setattr(PipelinedRelay, "connect", connect)
    monkeypatch.setenv("MAILER_RELAY_CONNECTIONS", "1")
    mailer("issue", "approve", "next")
    for minute in range(30):
        monkeypatch.setenv("MAILER_FIXED_NOW", f"{ISSUE}T08:{minute:02}:00+00:00")
        mailer("tick")
    told = tries.count("post@lantern.example")
    assert 1 < len(tries) - told <= 6
    # The alarm itself, mailed again after 1, 2, 4, 8 and 16 minutes.
    assert 1 < told <= 6
    assert mailer("ledger", ISSUE, "--json").data["totals"].get("refused") is None


def test_the_run_says_what_it_did(
    mailer: Mailer, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_FIXED_NOW", f"{ISSUE}T07:30:00+00:00")
    said = mailer("tick", "--json")
    assert said.code == 8
    assert {row["state"] for row in said.data["results"]} == {"held"}
    assert "not approved" in said.data["results"][0]["note"]


def test_a_change_on_sunday_is_told_on_sunday(
    mailer: Mailer, drafted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailer("issue", "approve", "next")
    monkeypatch.setenv("MAILER_FIXED_NOW", "2026-11-28T09:01:00+00:00")
    mailer("tick")
    assert mailer("issue", "show", ISSUE, "--json").data["state"] == "scheduled"
    change(drafted, r"^subject: .*$", 'subject: "Another subject"')
    assert mailer("issue", "show", ISSUE, "--json").data["changed_since_approval"]
    monkeypatch.setenv("MAILER_FIXED_NOW", "2026-11-29T09:02:00+00:00")
    said = mailer("tick")
    assert "void" in said.err
    assert mailer("issue", "show", ISSUE, "--json").data["state"] == "draft"


def test_a_week_old_briefing_expires(
    mailer: Mailer,
    publication: Path,
    drafted: Path,
    nowhere: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAILER_RELAY_PORT", str(nowhere))
    mailer("issue", "approve", "next")
    assert mailer("send", "next", "--yes").code == 8
    store = Store(publication / "var" / "inbox", SystemClock())
    with InboxServer(store) as server, open_app(publication) as app:
        monkeypatch.setenv("MAILER_RELAY_PORT", str(server.port))
        monkeypatch.setenv("MAILER_FIXED_NOW", "2026-12-09T07:00:00+00:00")
        planned = set(app.ledger.summary(ISSUE)["wales"])
        assert planned == {DeliveryState.PLANNED}
        mailer("tick")
        assert set(app.ledger.summary(ISSUE)["wales"]) == {DeliveryState.EXPIRED}
    assert store.messages() == []
