"""The doctor: offline it asks nobody, online it asks a name server, a relay and a web address."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dns.message
import pytest

from mailer.checkup.machine import megabytes
from mailer.checkup.mailway import skew_s
from mailer.inbox.store import Store
from mailer.schedule.runs import Runs
from tests.cli.driving import Mailer
from tests.faults.certificates import make_certificates
from tests.faults.chaos import ChaosServer
from tests.names import NameServer, Zone

FROM = "lantern.example"
BOUNCE = "bounce.lantern.example"


def zone(**changes: dict[str, list[str]]) -> Zone:
    """A domain where all is as it should be; names may be given anew."""
    found: Zone = {
        FROM: {"MX": ["10 mx.lantern.example."]},
        BOUNCE: {
            "MX": ["10 mx.lantern.example."],
            "TXT": ['"v=spf1 include:spf.relay.example -all"'],
        },
        "spf.relay.example": {"TXT": ['"v=spf1 ip4:192.0.2.0/24 -all"']},
        "mx.lantern.example": {"A": ["192.0.2.5"]},
        f"_dmarc.{FROM}": {"TXT": ['"v=DMARC1; p=quarantine; rua=mailto:dmarc@lantern.example"']},
        f"_mta-sts.{BOUNCE}": {"TXT": ['"v=STSv1; id=20261130"']},
        f"default._bimi.{FROM}": {"TXT": ['"v=BIMI1; l=https://lantern.example/logo.svg"']},
        "mail.lantern.example": {"A": ["192.0.2.7"]},
        "7.2.0.192.in-addr.arpa": {"PTR": ["mail.lantern.example."]},
    }
    return found | changes


Asked = dict[str, list[tuple[str, str]]]


def ask(mailer: Mailer, names: NameServer, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setenv("MAILER_DNS_SERVER", names.address)
    found: Asked = {}
    for check in mailer("doctor", "--online", "--json").data:
        found.setdefault(check["subject"], []).append((check["level"], check["message"]))
    return found


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_RELAY_HELLO_NAME", "mail.lantern.example")


def test_a_domain_in_order(
    mailer: Mailer, publication: Path, inbox: Store, named: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = mailer("dkim", "new", "--selector", "nov", "--json")
    assert keys.code == 0, keys.err
    for line in keys.data["settings"]:
        monkeypatch.setenv(*line.split("=", 1))
    right = zone()
    for record in mailer("dkim", "records", "--json").data:
        text = record["value"]
        halves = [text[at : at + 200] for at in range(0, len(text), 200)]
        right[record["name"].rstrip(".")] = {"TXT": [" ".join(f'"{half}"' for half in halves)]}
    with NameServer(right) as names:
        found = ask(mailer, names, monkeypatch)
    for subject in ("SPF", "DKIM", "DMARC", "MX", "PTR", "MTA-STS", "BIMI"):
        assert {level for level, _message in found[subject]} == {"ok"}, found[subject]
    assert [message for _level, message in found["DKIM"] if "has the key that signs" in message]
    # Another key under the same name: what is signed here would be refused everywhere.
    name = next(name for name in right if "_domainkey" in name)
    right[name] = {"TXT": ['"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"']}
    with NameServer(right) as names:
        found = ask(mailer, names, monkeypatch)
    assert ("fail", f"{name} has another key than the one that signs here") in found["DKIM"]


@pytest.mark.parametrize(
    ("changes", "subject", "level", "said"),
    [
        ({BOUNCE: {"MX": ["10 mx.lantern.example."]}}, "SPF", "fail", "has no record"),
        ({BOUNCE: {"TXT": ['"v=spf1 -all"', '"v=spf1 ~all"']}}, "SPF", "fail", "2 records"),
        ({BOUNCE: {"TXT": ['"v=spf1 +all"']}}, "SPF", "fail", "allows everybody"),
        ({BOUNCE: {"TXT": ['"v=spf1 mx"']}}, "SPF", "warn", "forbids nobody"),
        (
            {
                BOUNCE: {"TXT": ['"v=spf1 include:spf.relay.example -all"']},
                "spf.relay.example": {"TXT": ['"v=spf1 include:spf.relay.example -all"']},
            },
            "SPF",
            "fail",
            "look-ups",
        ),
        ({BOUNCE: {"TXT": ['"v=spf1 -all"']}}, "MX", "fail", f"{BOUNCE} has no mail server"),
        ({BOUNCE: {"MX": ["0 ."]}}, "MX", "fail", "null MX"),
        ({"mx.lantern.example": {}}, "MX", "fail", "mx.lantern.example has no address"),
        ({f"_dmarc.{FROM}": {}}, "DMARC", "fail", "has no record"),
        ({f"_dmarc.{FROM}": {"TXT": ['"v=DMARC1; p=none"']}}, "DMARC", "warn", "forbids nothing"),
        ({f"_dmarc.{FROM}": {"TXT": ['"v=DMARC1; q=none"']}}, "DMARC", "fail", "has no policy"),
        (
            {"7.2.0.192.in-addr.arpa": {"PTR": ["x.example."]}},
            "PTR",
            "fail",
            "is x.example, and not",
        ),
        ({"mail.lantern.example": {}}, "PTR", "fail", "has no address"),
        ({f"_mta-sts.{BOUNCE}": {"TXT": ['"v=STSv1; id=!"']}}, "MTA-STS", "warn", "cannot be used"),
        ({f"_mta-sts.{BOUNCE}": {}}, "MTA-STS", "ok", "has none"),
        ({f"default._bimi.{FROM}": {"TXT": ['"v=BIMI1; l="']}}, "BIMI", "warn", "no https"),
    ],
)
def test_what_is_wrong_in_dns_is_said(
    mailer: Mailer,
    named: None,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, dict[str, list[str]]],
    subject: str,
    level: str,
    said: str,
) -> None:
    with NameServer(zone(**changes)) as names:
        found = ask(mailer, names, monkeypatch)
    assert [pair for pair in found[subject] if pair[0] == level and said in pair[1]], found[subject]


def test_a_name_server_that_refuses_is_no_verdict_on_the_records(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NameServer({}, is_ill=True) as names:
        found = ask(mailer, names, monkeypatch)
    for subject in ("SPF", "DMARC", "MX"):
        assert all("did not answer" in message for _level, message in found[subject])
        assert {level for level, _message in found[subject]} == {"fail"}
    for subject in ("MTA-STS", "BIMI"):
        assert [level for level, _message in found[subject]] == ["warn"]


def test_a_name_server_that_is_dead_is_asked_one_question_and_named_once(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MAILER_DNS_SERVER", f"127.0.0.1:{dead.getsockname()[1]}")
        rows = mailer("doctor", "--online", "--json").data
        dead.setblocking(False)
        asked = set()
        with suppress(BlockingIOError):
            while True:
                asked.add(str(dns.message.from_wire(dead.recv(4096)).question[0]))
    about = [row for row in rows if row["subject"] in {"DNS", "SPF", "DMARC", "MX", "BIMI"}]
    assert [(row["subject"], row["level"]) for row in about] == [("DNS", "fail")]
    assert "did not answer" in about[0]["message"]
    assert "MAILER_DNS_SERVER" in about[0]["remedy"]
    assert asked == {". IN SOA"}


def test_offline_asks_no_name_server_and_no_relay_elsewhere(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_RELAY_HOST", "relay.example")
    monkeypatch.setenv("MAILER_RELAY_TLS", "starttls")
    monkeypatch.setenv("MAILER_WEB_URL", "https://mail.lantern.example")
    with NameServer(zone()) as names:
        monkeypatch.setenv("MAILER_DNS_SERVER", names.address)
        rows = mailer("doctor", "--json").data
        assert names.asked == []
    [relay] = [row for row in rows if row["subject"] == "relay"]
    assert relay["level"] == "ok"
    assert "--online" in relay["message"]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_the_end_of_the_relays_certificate_is_seen_in_time(
    mailer: Mailer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    certificates = make_certificates(tmp_path)
    server = ChaosServer(tls=certificates.good, is_implicit=tls == "implicit")
    server.start()
    monkeypatch.setenv("MAILER_RELAY_PORT", str(server.port))
    monkeypatch.setenv("MAILER_RELAY_TLS", tls)
    monkeypatch.setenv("MAILER_RELAY_CA_FILE", str(certificates.ca_file))
    found = {}
    # It is good for a day from now.
    for days in (-30, 0, 2):
        now = datetime.now(UTC) + timedelta(days=days)
        monkeypatch.setenv("MAILER_FIXED_NOW", now.isoformat())
        [row] = [row for row in mailer("doctor", "--json").data if row["subject"] == "TLS"]
        found[days] = (row["level"], "its certificate is good until" in row["message"])
    server.stop()
    assert found == {-30: ("ok", True), 0: ("warn", True), 2: ("fail", True)}


def test_a_certificate_that_cannot_be_trusted_is_a_failure(
    mailer: Mailer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = make_certificates(tmp_path)
    server = ChaosServer(tls=certificates.untrusted)
    server.start()
    monkeypatch.setenv("MAILER_RELAY_PORT", str(server.port))
    monkeypatch.setenv("MAILER_RELAY_TLS", "starttls")
    rows = mailer("doctor", "--json").data
    server.stop()
    [relay] = [row for row in rows if row["subject"] == "relay"]
    assert relay["level"] == "fail"
    assert "certificate" in relay["message"]
    assert not [row for row in rows if row["subject"] == "TLS"]


class Site(BaseHTTPRequestHandler):
    """Answers as the public pages do; its clock is that of ``date``."""

    date = ""
    posted = 404

    def do_GET(self) -> None:
        self._say(200, b"ok\n")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say(self.posted, b"")

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.date or super().date_time_string(timestamp)

    def log_message(self, *_args: Any) -> None: ...

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Site]]:
    class Own(Site): ...

    server = HTTPServer(("127.0.0.1", 0), Own)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setenv("MAILER_WEB_URL", f"http://127.0.0.1:{server.server_address[1]}")
    yield Own
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("posted", "date", "expected"),
    [
        (404, "", {("web", "ok"), ("one-click", "ok")}),
        (405, "", {("web", "ok"), ("one-click", "fail")}),
        (
            404,
            "Mon, 30 Nov 2020 07:00:00 GMT",
            {("web", "ok"), ("one-click", "ok"), ("clock", "warn")},
        ),
    ],
)
def test_one_click_leaving_is_tried_on_nobody(
    mailer: Mailer,
    site: type[Site],
    monkeypatch: pytest.MonkeyPatch,
    posted: int,
    date: str,
    expected: set[tuple[str, str]],
) -> None:
    site.posted, site.date = posted, date
    with NameServer(zone()) as names:
        found = ask(mailer, names, monkeypatch)
    levels = {
        (subject, level)
        for subject in ("web", "one-click", "clock")
        for level, message in found.get(subject, [])
        if subject != "clock" or "web server" in message
    }
    assert levels == expected


def test_a_web_address_that_is_not_ours_is_found(
    mailer: Mailer, nowhere: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_WEB_URL", f"http://127.0.0.1:{nowhere}")
    with NameServer(zone()) as names:
        found = ask(mailer, names, monkeypatch)
    assert found["web"][0][0] == "fail"


def test_a_test_message_is_sent_only_when_it_is_asked_for(
    mailer: Mailer, inbox: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailer("doctor")
    assert inbox.messages() == []
    said = mailer("doctor", "--send", "nora@lantern.example", "--json")
    [sent] = [row for row in said.data if row["subject"] == "sending"]
    assert sent["level"] == "ok"
    [message] = inbox.messages()
    assert message.recipients == ("nora@lantern.example",) or list(message.recipients) == [
        "nora@lantern.example"
    ]
    assert mailer("doctor", "--send", "nonsense").code == 8
    assert len(inbox.messages()) == 1


def test_without_a_relay_a_test_message_says_what_to_start_and_nothing_of_issues(
    mailer: Mailer, nowhere: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_RELAY_PORT", str(nowhere))
    said = mailer("doctor", "--send", "nora@lantern.example", "--json")
    assert said.code == 8
    [sent] = [row for row in said.data if row["subject"] == "sending"]
    assert sent["level"] == "fail"
    assert sent["message"].startswith("nothing was sent: the relay 127.0.0.1:")
    assert "MAILER_RELAY_" in sent["remedy"]
    assert "ledger" not in sent["message"] + sent["remedy"]


def test_the_week_and_the_backups_are_looked_at(
    mailer: Mailer, publication: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(subject: str) -> tuple[str, str]:
        [row] = [row for row in mailer("doctor", "--json").data if row["subject"] == subject]
        return row["level"], row["message"]

    assert found("schedule")[0] == "warn"
    assert found("backup") == ("warn", "none was made from here")
    from mailer.app import open_app

    with open_app(publication) as app:
        Runs(app.database, app.clock).beat(app.clock.now())
    assert mailer("backup", tmp_path / "x.tar").code == 0
    assert found("schedule")[0] == "ok"
    assert found("backup")[0] == "ok"
    monkeypatch.setenv("MAILER_FIXED_NOW", "2026-12-03T12:00:00+00:00")
    assert found("backup")[0] == "warn"
    assert re.search(r"last looked at 2026-11-27", found("schedule")[1])


def test_a_database_that_rotted_is_found(mailer: Mailer, publication: Path) -> None:
    path = publication / "var" / "mailer.db"
    size = path.stat().st_size
    with path.open("r+b") as handle:
        handle.seek(size // 2)
        handle.write(b"\xff" * 8192)
    rows = [row for row in mailer("doctor", "--json").data if row["subject"] == "database"]
    assert rows[-1]["level"] == "fail"


def test_what_the_doctor_shows_has_the_remedies_and_a_count(
    mailer: Mailer, nowhere: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_RELAY_PORT", str(nowhere))
    said = mailer("doctor")
    assert said.code == 8
    assert "-> " in said.out
    assert re.search(r"^\d+ to mend before anything is sent, \d+ to look at\.$", said.out,
                     re.MULTILINE)  # fmt: skip


def test_a_setting_that_is_no_name_server_is_refused(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_DNS_SERVER", "dns.example")
    said = mailer("regions")
    assert said.code == 3
    assert "MAILER_DNS_SERVER" in said.err


def test_sizes_and_skews_are_told_as_people_do() -> None:
    assert [megabytes(n << 20) for n in (1, 12, 2048)] == ["1.0 MB", "12 MB", "2.0 GB"]
    now = datetime(2026, 11, 30, 7, 0, 40, tzinfo=UTC)
    assert skew_s("Mon, 30 Nov 2026 07:00:00 GMT", now) == 40
    assert skew_s("nonsense", now) is None
