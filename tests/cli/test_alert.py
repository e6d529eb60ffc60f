"""The relay objects to the sender: the issue pauses, and the operator is told, once a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.cli.driving import ISSUE, Mailer, change
from tests.faults.chaos import ChaosServer

OBJECTION = "550 5.7.26 unauthenticated mail from this domain is not accepted"
CONTACT = "post@lantern.example"


class Objecting(ChaosServer):
    """Objects to whoever sends a briefing; to null senders as well when ``is_deaf``."""

    is_objecting = True
    is_deaf = False

    def answer(self, stage: str, sender: str, recipient: str) -> str | tuple[bytes, ...]:
        if stage == "dot" and self.is_objecting and (sender or self.is_deaf):
            return OBJECTION
        return super().answer(stage, sender, recipient)

    def alerts(self) -> list[bytes]:
        return [item.content for item in self.taken if not item.sender]


@pytest.fixture
def serve() -> Iterator[Callable[[], Objecting]]:
    servers: list[Objecting] = []

    def make() -> Objecting:
        server = Objecting()
        server.start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def relay(serve: Callable[[], Objecting], monkeypatch: pytest.MonkeyPatch) -> Objecting:
    server = serve()
    monkeypatch.setenv("MAILER_RELAY_PORT", str(server.port))
    return server


@pytest.fixture
def approved(mailer: Mailer, relay: Objecting) -> Mailer:
    assert mailer("issue", "approve", "next").code == 0
    return mailer


def test_one_alert_a_stop_and_nobody_is_given_up(approved: Mailer, relay: Objecting) -> None:
    first = approved("send", ISSUE, "--yes", "--json")
    assert first.code == 8
    assert "5.7.26" in first.data["stopped"]
    assert f"an alert was mailed to {CONTACT}" in first.data["stopped"]
    assert first.data["totals"].get("refused", 0) == 0
    tried = first.data["retries"]["waiting"]
    assert 0 < tried < first.data["total"] / 2, "it went on trying everybody"

    (content,) = relay.alerts()
    message = message_from_bytes(content, policy=policy.default)
    assert not message.defects
    assert message["To"] == CONTACT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    assert message["Precedence"] is None
    assert ISSUE in message["Subject"]
    body = message.get_content()
    assert "550 5.7.26 unauthenticated mail from this domain" in body
    assert f"mailer send {ISSUE}" in body
    assert f"0 of {first.data['total']} deliveries were accepted" in body

    again = approved("send", ISSUE, "--yes", "--json")
    assert again.code == 8
    assert "alert" not in again.data["stopped"]
    assert len(relay.alerts()) == 1
    (alert,) = approved("ledger", ISSUE, "--json").data["alerts"]
    assert (alert["to"], alert["is_mailed"]) == (CONTACT, True)
    assert f"mailed to {CONTACT}" in approved("ledger", ISSUE).out

    relay.is_objecting = False
    done = approved("send", ISSUE, "--yes", "--json")
    assert done.code == 0, done.err
    assert done.data["totals"] == {"accepted": done.data["total"]}
    assert len(relay.alerts()) == 1


def test_another_relay_carries_the_alert(
    approved: Mailer,
    relay: Objecting,
    serve: Callable[[], Objecting],
    monkeypatch: pytest.MonkeyPatch,
    publication: Path,
) -> None:
    change(
        publication / "publication.toml",
        r"^alerts_to = .*$",
        'alerts_to = "desk@lantern.example"',
    )
    other = serve()
    relay.is_deaf = True
    monkeypatch.setenv("MAILER_RELAY_OTHERS", f"smtp://127.0.0.1:{other.port}")
    said = approved("send", ISSUE, "--yes", "--json")
    assert "an alert was mailed to desk@lantern.example" in said.data["stopped"]
    assert (len(relay.alerts()), len(other.alerts())) == (0, 1)


def test_an_alert_nobody_takes_stands_in_the_ledger(approved: Mailer, relay: Objecting) -> None:
    relay.is_deaf = True
    said = approved("send", ISSUE, "--yes")
    assert said.code == 8
    assert "an alert could not be mailed" in said.out
    (alert,) = approved("ledger", ISSUE, "--json").data["alerts"]
    assert alert["is_mailed"] is False
    assert "5.7.26" in alert["problem"]
    assert "unauthenticated" in alert["why"]
    assert "not mailed" in approved("ledger", ISSUE).out


def test_without_an_address_it_says_what_to_set(
    approved: Mailer, relay: Objecting, publication: Path
) -> None:
    change(publication / "publication.toml", r'^contact = "[^"]*"', 'contact = ""')
    assert approved("issue", "approve", "next").code == 0
    assert "no alerts_to and no contact" in approved("send", ISSUE, "--yes").out
    assert not relay.alerts()


def test_the_scheduler_tells_once_and_goes_on_by_itself(
    approved: Mailer, relay: Objecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = []
    for minute in ("00", "01", "10", "59"):
        monkeypatch.setenv("MAILER_FIXED_NOW", f"{ISSUE}T07:{minute}:00+00:00")
        report = approved("tick", "--json").data
        notes.append(" ".join(row["note"] for row in report["results"]) + report["retried"])
    assert "an alert was mailed" in notes[0]
    assert "paused until" in notes[1] or not notes[1]
    assert len(relay.alerts()) == 1
    relay.is_objecting = False
    monkeypatch.setenv("MAILER_FIXED_NOW", f"{ISSUE}T11:59:00+00:00")
    approved("tick", "--json")
    summary = approved("ledger", ISSUE, "--json").data
    assert summary["totals"] == {"accepted": summary["total"]}
