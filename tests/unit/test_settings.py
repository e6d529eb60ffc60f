"""Settings come from the environment and .env, and every fault is told at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.clock import FixedClock, SystemClock
from mailer.errors import ConfigurationError, Fault
from mailer.settings import Settings, load_settings

SECRET = "0123456789abcdef0123456789abcdef"


def write(root: Path, text: str, encoding: str = "utf-8") -> Path:
    (root / ".env").write_text(text, encoding=encoding)
    return root


def faults(root: Path | None) -> list[Fault]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(root)
    return list(caught.value.faults)


def test_nothing_is_needed_to_preview(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert settings == load_settings(None)
    assert isinstance(settings.clock(), SystemClock)


def test_the_environment_outranks_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "MAILER_RELAY_HOST=file.example\nexport MAILER_RELAY_PORT=587\n")
    monkeypatch.setenv("MAILER_RELAY_HOST", "env.example")
    settings = load_settings(tmp_path)
    assert (settings.relay_host, settings.relay_port) == ("env.example", 587)


def test_a_byte_order_mark_hides_no_setting(tmp_path: Path) -> None:
    write(tmp_path, "MAILER_RELAY_HOST=relay.example\n", "utf-8-sig")
    assert load_settings(tmp_path).relay_host == "relay.example"
    write(tmp_path, "MAILER_RELAY_HOTS=relay.example\n", "utf-8-sig")
    assert [fault.field for fault in faults(tmp_path)] == ["MAILER_RELAY_HOTS"]


def test_an_empty_value_means_not_set(tmp_path: Path) -> None:
    write(tmp_path, "MAILER_RELAY_PORT=\nMAILER_TIME_ZONE=\nMAILER_FIXED_NOW=\n")
    assert load_settings(tmp_path) == load_settings(None)


def test_every_fault_at_once_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(
        tmp_path,
        "# a comment\n"
        "MAILER_RELAY_PORT=0\n"
        "MAILER_RELAY_TLS=maybe\n"
        "MAILER_TYPING_ERROR=1\n"
        "MAILER_WEB_URL=http://mail.example\n"
        "MAILER_FIXED_NOW=2026-11-30T07:00:00\n",
    )
    monkeypatch.setenv("MAILER_TIME_ZONE", "Mars/Olympus")
    found = {fault.field: fault for fault in faults(root)}

    assert {field: fault.line for field, fault in found.items()} == {
        "MAILER_RELAY_PORT": 2,
        "MAILER_RELAY_TLS": 3,
        "MAILER_TYPING_ERROR": 4,
        "MAILER_WEB_URL": 5,
        "MAILER_FIXED_NOW": 6,
        "MAILER_TIME_ZONE": None,
    }
    assert found["MAILER_TIME_ZONE"].where == "environment"
    assert found["MAILER_RELAY_PORT"].where == str(root / ".env")
    assert all(fault.remedy for fault in found.values())


@pytest.mark.parametrize(
    "url", ["ftp://mail.example", "https://", "https://mail.example/?a=1", "mail.example"]
)
def test_a_web_address_readers_cannot_use(tmp_path: Path, url: str) -> None:
    assert [f.field for f in faults(write(tmp_path, f"MAILER_WEB_URL={url}\n"))] == [
        "MAILER_WEB_URL"
    ]


@pytest.mark.parametrize("url", ["https://mail.example/", "http://localhost:8025"])
def test_a_web_address_has_no_slash_at_its_end(tmp_path: Path, url: str) -> None:
    assert load_settings(write(tmp_path, f"MAILER_WEB_URL={url}\n")).web_url == url.rstrip("/")


def test_a_rehearsal_stands_at_a_fixed_instant(tmp_path: Path) -> None:
    write(tmp_path, "MAILER_FIXED_NOW=2026-11-30T07:00:00+01:00\n")
    clock = load_settings(tmp_path).clock()
    assert isinstance(clock, FixedClock)
    assert clock.now() == datetime(2026, 11, 30, 6, tzinfo=UTC)


def test_a_secret_is_never_printed(tmp_path: Path) -> None:
    write(tmp_path, f"MAILER_SECRET_KEY={SECRET}\nMAILER_RELAY_PASSWORD=hush-hush\n")
    settings = load_settings(tmp_path)
    assert settings.secret_key.get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    assert "hush-hush" not in str(settings)


def test_what_sending_lacks_is_told_all_at_once() -> None:
    fields = [fault.field for fault in Settings().faults_before_sending()]
    assert fields == ["MAILER_SECRET_KEY", "MAILER_WEB_URL"]
    ready = Settings(secret_key=SECRET, web_url="https://mail.example")
    assert ready.faults_before_sending() == []


@pytest.mark.parametrize("username", ["lantern", ""])
@pytest.mark.parametrize(
    ("host", "tls", "is_fine"),
    [
        ("relay.example", "none", False),
        ("relay.example", "starttls", True),
        ("relay.example", "implicit", True),
        ("127.0.0.1", "none", True),
        ("127.0.0.2", "none", True),
        ("::1", "none", True),
    ],
)
def test_nothing_is_sent_to_another_machine_in_the_clear(
    host: str, tls: str, is_fine: bool, username: str
) -> None:
    settings = Settings(
        secret_key=SECRET,
        web_url="https://mail.example",
        relay_host=host,
        relay_tls=tls,
        relay_username=username,
    )
    found = [fault.field for fault in settings.faults_before_sending()]
    assert found == ([] if is_fine else ["MAILER_RELAY_TLS"])


@pytest.mark.parametrize(
    ("host", "url", "is_fine"),
    [
        ("127.0.0.1", "http://127.0.0.1:8025", True),
        ("localhost", "http://localhost:8025", True),
        ("relay.example", "https://mail.example", True),
        ("relay.example", "http://127.0.0.1:8025", False),
        ("relay.example", "https://localhost", False),
        ("relay.example", "http://[::1]:8025", False),
    ],
)
def test_readers_elsewhere_get_no_links_to_this_machine(host: str, url: str, is_fine: bool) -> None:
    settings = Settings(secret_key=SECRET, web_url=url, relay_host=host, relay_tls="starttls")
    found = [fault.field for fault in settings.faults_before_sending()]
    assert found == ([] if is_fine else ["MAILER_WEB_URL"])


def test_an_unreadable_file_is_one_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"MAILER_RELAY_HOST=\xff\xfe\n")
    (fault,) = faults(tmp_path)
    assert fault.where == str(tmp_path / ".env")


def test_a_fault_is_where_the_value_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path, "MAILER_RELAY_HOST=127.0.0.1\nMAILER_RELAY_PORT=25\n")
    monkeypatch.setenv("MAILER_RELAY_PORT", "abc")
    [fault] = faults(root)
    assert str(fault) == (
        "environment: MAILER_RELAY_PORT: is not a whole number; write one such as 3"
    )
