"""Keys are made, put into DNS and into the settings, and what is sent then verifies."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.delivery.dkim import SIGNED
from mailer.inbox.store import Store
from tests.cli.driving import ISSUE, Mailer
from tests.signatures import all_verify

SEND_AT = "2026-11-30T07:00:00+00:00"
READ_AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def configure(publication: Path, settings: list[str]) -> None:
    with (publication / ".env").open("a", encoding="utf-8") as env:
        env.write("\n".join(["", *settings, ""]))


def test_new_keys_are_private_and_never_replaced(mailer: Mailer, publication: Path) -> None:
    made = mailer("dkim", "new", "--json").data
    assert made["files"] == ["dkim/nov2026-rsa.pem", "dkim/nov2026-ed25519.pem"]
    before = [(publication / name).read_bytes() for name in made["files"]]
    for name in made["files"]:
        assert (publication / name).stat().st_mode & 0o777 == 0o600
    assert (publication / "dkim").stat().st_mode & 0o777 == 0o700
    assert (publication / "dkim" / ".gitignore").read_text() == "*\n"
    again = mailer("dkim", "new")
    assert again.code == 1
    assert len(again.error_lines) == 2
    assert "--selector" in again.err
    assert [(publication / name).read_bytes() for name in made["files"]] == before
    assert mailer("dkim", "new", "--selector", "dec2026", "--rsa-only").code == 0
    assert (publication / "dkim" / "dec2026.pem").exists()


def test_records_are_those_of_the_keys_in_use(mailer: Mailer, publication: Path) -> None:
    none = mailer("dkim", "records")
    assert none.code == 3
    assert "mailer dkim new" in none.err
    made = mailer("dkim", "new", "--json").data
    assert mailer("dkim", "records").code == 3
    configure(publication, made["settings"])
    records = mailer("dkim", "records", "--json").data
    assert records == made["records"]
    for record in records:
        strings = record["zone"].partition("( ")[2].rpartition(" )")[0].split('" "')
        assert "".join(strings).strip('"') == record["value"]
        assert all(len(string.strip('"')) <= 255 for string in strings)
        assert record["name"].endswith("._domainkey.lantern.example")
    assert mailer("dkim", "records").out.splitlines() == [record["zone"] for record in records]
    doctor = {(check["subject"], check["level"]) for check in mailer("doctor", "--json").data}
    assert ("DKIM", "ok") in doctor


def test_a_selector_too_few_is_explained(mailer: Mailer, publication: Path) -> None:
    made = mailer("dkim", "new", "--json").data
    configure(publication, ["MAILER_DKIM_SELECTOR=nov2026-rsa", made["settings"][1]])
    said = mailer("dkim", "records")
    assert said.code == 3
    assert "1 selectors for 2 key files" in said.err
    doctor = [check for check in mailer("doctor", "--json").data if check["subject"] == "DKIM"]
    assert [check["level"] for check in doctor] == ["fail"]


@pytest.mark.parametrize("selector", ["a b", "-a", "x" * 60, "a_b", "ü"])
def test_a_selector_dns_cannot_hold_makes_nothing(
    mailer: Mailer, publication: Path, selector: str
) -> None:
    said = mailer("dkim", "new", f"--selector={selector}")
    assert said.code == 3
    assert "is not a selector" in said.err
    assert not (publication / "dkim").exists()


def test_every_message_of_an_issue_verifies_with_both_keys(
    mailer: Mailer, publication: Path, inbox: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = mailer("dkim", "new", "--json").data
    configure(publication, made["settings"])
    records = {record["name"]: record["value"] for record in made["records"]}
    assert mailer("issue", "approve", ISSUE).code == 0
    monkeypatch.setenv("MAILER_FIXED_NOW", SEND_AT)
    said = mailer("send", ISSUE, "--yes")
    assert said.code == 0, said.err
    contents = [inbox.content(name) for name in inbox.ids()]
    assert len(contents) > 100
    for content in contents[:40]:
        assert content.count(b"DKIM-Signature:") == 2
        assert all_verify(content, records, at=READ_AT)
    # One octet anywhere below the signatures, in any part, and none verifies.
    content = contents[0]
    start = content.index(b"From:")
    for place in range(start, len(content), max(1, (len(content) - start) // 25)):
        octet = content[place]
        if octet in b" \t\r\n":
            continue
        other = b"x" if octet != ord("x") else b"y"
        broken = content[:place] + other + content[place + 1 :]
        if _is_signed(content, place):
            assert not all_verify(broken, records, at=READ_AT), content[place - 20 : place + 20]


def _is_signed(content: bytes, place: int) -> bool:
    """True in the body, and in the fields that a signature covers."""
    head = content.partition(b"\r\n\r\n")[0]
    if place >= len(head):
        return True
    lines = head[: place + 1].split(b"\r\n")
    field = next(line for line in reversed(lines) if line[:1] not in b" \t")
    return field.partition(b":")[0].decode().lower() in SIGNED
