"""Secrets and machines: the environment and the publication's ``.env``.

Every variable starts with ``MAILER_`` and stands in ``.env.example`` with its meaning (a test
compares the two). The environment outranks the file. All faults are reported at once. Nothing
here is needed to preview; ``faults_before_sending`` says what sending lacks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mailer.checked import ZoneName, is_loopback
from mailer.clock import Clock, FixedClock, SystemClock
from mailer.endpoints import host_and_port, listening, name_server, server_and_port
from mailer.errors import ConfigurationError, Fault
from mailer.mistakes import said_of

PREFIX = "MAILER_"


def _base_url(value: str) -> str:
    if not value:
        return value
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must be https (http only for localhost); write https://mail.example")
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is not a plain web address; write https://mail.example")
    return value.rstrip("/")


def _hook_url(value: str) -> str:
    if value:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError("is no address to post to; write https://chat.example/hooks/lantern")
    return value


def _aware(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise ValueError("needs a time zone; write 2026-11-30T07:00:00+00:00")
    return None if value is None else value.astimezone(UTC)


def _networks(value: str) -> str:
    for item in value.replace(",", " ").split():
        try:
            ip_network(item)
        except ValueError:
            raise ValueError(
                f"names {item!r}, which is no address or network; write 10.0.0.7 or 10.0.0.0/8"
            ) from None
    return value


Tls = Literal["none", "starttls", "implicit"]
Auth = Literal["auto", "plain", "login", "xoauth2"]

_SCHEMES: dict[str, tuple[Tls, int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("implicit", 465),
}


@dataclass(frozen=True, slots=True)
class RelaySetting:
    """One relay as it is set; see MAILER_RELAY_* in ``.env.example``."""

    host: str
    port: int
    tls: Tls
    username: str = ""
    password: str = field(default="", repr=False)
    connections: int = 5
    per_second: float = 0.0
    weight: float = 1.0
    auth: Auth = "auto"


def _read_relay(text: str, usual: RelaySetting) -> RelaySetting:
    parts = urlsplit(text)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError(
            "names a relay that is no address; write smtps://user:password@host:465?weight=2"
        )
    tls, port = _SCHEMES[parts.scheme]
    try:
        options = {
            name: float(value) for name, value in parse_qsl(parts.query, strict_parsing=True)
        }
        port = parts.port or port
    except ValueError:
        options = {"": 0.0} if parts.query else {}
    unknown = options.keys() - {"connections", "per_second", "weight"}
    if unknown or any(not 0 <= value < 1e6 for value in options.values()):
        raise ValueError(
            "has a relay with an option that cannot be used; use connections=, per_second=, weight="
        )
    return RelaySetting(
        host=parts.hostname,
        port=port,
        tls=tls,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        connections=max(1, int(options.get("connections", usual.connections))),
        per_second=options.get("per_second", usual.per_second),
        weight=options.get("weight", usual.weight),
        auth=usual.auth,
    )


def _relays(value: SecretStr) -> SecretStr:
    for text in value.get_secret_value().split():
        _read_relay(text, RelaySetting("", 0, "none"))
    return value


class Settings(BaseSettings):
    """What differs between machines, and what must not stand in git."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        # A byte order mark must not make the first setting a stranger; empty means not set.
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    database_url: str = ""
    relay_host: str = "127.0.0.1"
    relay_port: int = Field(default=2525, ge=1, le=65535)
    relay_tls: Tls = "none"
    relay_ca_file: str = ""
    relay_username: str = ""
    relay_password: SecretStr = SecretStr("")
    relay_auth: Auth = "auto"
    relay_timeout_s: float = Field(default=300, gt=0)
    relay_hello_name: str = ""
    relay_connections: int = Field(default=1, ge=1, le=500)
    relay_per_second: float = Field(default=0, ge=0)
    relay_weight: float = Field(default=1, ge=0)
    relay_others: Annotated[SecretStr, AfterValidator(_relays)] = SecretStr("")
    secret_key: SecretStr = SecretStr("")
    retired_secret_keys: SecretStr = SecretStr("")
    web_url: Annotated[str, AfterValidator(_base_url)] = ""
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8080, ge=1, le=65535)
    web_proxies: Annotated[str, AfterValidator(_networks)] = ""
    fetch_allow: Annotated[str, AfterValidator(_networks)] = ""
    hook_url: Annotated[str, AfterValidator(_hook_url)] = ""
    hook_secret: SecretStr = SecretStr("")
    hook_private: bool = False
    hook_timeout_s: float = Field(default=10, gt=0, le=60)
    inbox_host: str = "127.0.0.1"
    inbox_smtp_port: int = Field(default=2525, ge=1, le=65535)
    inbox_web_port: int = Field(default=8025, ge=1, le=65535)
    time_zone: ZoneName | None = None
    operator: str = ""
    dkim_selector: str = ""
    dkim_key_file: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "text", "json"] = "auto"
    dns_server: Annotated[str, AfterValidator(name_server)] = ""
    health_listen: Annotated[str, AfterValidator(listening)] = ""
    fixed_now: Annotated[datetime | None, AfterValidator(_aware)] = None

    def clock(self) -> Clock:
        """Return the machine's clock, or the fixed one of a rehearsal."""
        return FixedClock(self.fixed_now) if self.fixed_now else SystemClock()

    def health_address(self) -> tuple[str, int] | None:
        """Return where the private listener is to be, or None."""
        return host_and_port(self.health_listen) if self.health_listen else None

    def dns_address(self) -> tuple[str, int] | None:
        """Return the name server to ask, or None for the machine's own."""
        return server_and_port(self.dns_server) if self.dns_server else None

    def secrets(self) -> list[str]:
        """Return the secret that signs, then the retired ones that still verify."""
        current = self.secret_key.get_secret_value()
        return [current, *self.retired_secret_keys.get_secret_value().split()]

    def dkim_keys(self) -> list[tuple[str, Path]]:
        """Return the selectors with their key files, in order; empty when none is set.

        Raises:
            ConfigurationError: there are not as many selectors as files.
        """
        selectors = [item.strip() for item in self.dkim_selector.split(",") if item.strip()]
        files = [item.strip() for item in self.dkim_key_file.split(",") if item.strip()]
        if files and len(selectors) != len(files):
            raise ConfigurationError(
                Fault(
                    f"names {len(selectors)} selectors for {len(files)} key files",
                    where="environment or .env",
                    field="MAILER_DKIM_SELECTOR",
                    remedy="write one selector for each file, in the same order, with commas",
                )
            )
        return [(selector, Path(path)) for selector, path in zip(selectors, files, strict=False)]

    def relays(self) -> list[RelaySetting]:
        """Return every relay, the main one first."""
        main = RelaySetting(
            host=self.relay_host,
            port=self.relay_port,
            tls=self.relay_tls,
            username=self.relay_username,
            password=self.relay_password.get_secret_value(),
            connections=self.relay_connections,
            per_second=self.relay_per_second,
            weight=self.relay_weight,
            auth=self.relay_auth,
        )
        others = self.relay_others.get_secret_value().split()
        return [main, *(_read_relay(text, main) for text in others)]

    def faults_before_sending(self) -> list[Fault]:
        """Say what is missing before anything may be sent; empty when all is there."""
        faults = []
        if len(self.secret_key.get_secret_value()) < 32:
            faults.append(
                Fault(
                    "is missing or shorter than 32 characters; it signs unsubscribe links",
                    where=".env",
                    field="MAILER_SECRET_KEY",
                    remedy="put in the output of `python3 -c 'import secrets; "
                    "print(secrets.token_urlsafe(48))'`",
                )
            )
        if not self.web_url:
            faults.append(
                Fault(
                    "is missing: every mail carries an unsubscribe link",
                    where=".env",
                    field="MAILER_WEB_URL",
                    remedy="write the https address where your readers reach you",
                )
            )
        relays = [relay for relay in self.relays() if not is_loopback(relay.host)]
        if relays and is_loopback(urlsplit(self.web_url).hostname):
            faults.append(
                Fault(
                    f"is {self.web_url}, which no reader can open, and the relay is a real one",
                    where=".env",
                    field="MAILER_WEB_URL",
                    remedy="write the https address where your readers reach you",
                )
            )
        for relay in relays:
            if relay.tls == "none":
                what = "the password" if relay.username else "readers' addresses"
                is_main = relay.host == self.relay_host
                faults.append(
                    Fault(
                        f"is none: {what} would go to {relay.host} in the clear",
                        where=".env",
                        field="MAILER_RELAY_TLS" if is_main else "MAILER_RELAY_OTHERS",
                        remedy="use starttls or implicit",
                    )
                )
        if bool(self.dkim_selector) != bool(self.dkim_key_file):
            faults.append(
                Fault(
                    "a DKIM key and its selector go together, and one of them is missing",
                    where=".env",
                    field="MAILER_DKIM_KEY_FILE, MAILER_DKIM_SELECTOR",
                    remedy="set both, or none to let the relay sign",
                )
            )
        return faults


def service_socket() -> str:
    """Return the socket of the service manager that started this process, "" without one."""
    return os.environ.get("NOTIFY_SOCKET", "")


def environment_with(**more: str) -> dict[str, str]:
    """Return this process's environment with further variables, for a program it starts."""
    return {**os.environ, **more}


def load_settings(root: Path | None) -> Settings:
    """Read the environment and ``root/.env``.

    Raises:
        ConfigurationError: one fault a bad or unknown variable.
    """
    env_file = root / ".env" if root else None
    faults = _unknown_names(env_file)
    try:
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        for item in error.errors(include_url=False):
            name = f"{PREFIX}{'_'.join(str(part) for part in item['loc'])}".upper()
            problem, remedy = said_of(item)
            where, line = _place(env_file, name)
            faults.append(
                Fault(
                    problem,
                    where=where,
                    line=line,
                    field=name,
                    remedy=remedy or "see .env.example",
                )
            )
        raise ConfigurationError(faults) from None
    except (UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(Fault(f"cannot be read: {error}", where=str(env_file))) from None
    if faults:
        raise ConfigurationError(faults)
    return settings


def _lines(env_file: Path | None) -> list[str]:
    if env_file is None or not env_file.is_file():
        return []
    return env_file.read_text(encoding="utf-8-sig", errors="replace").splitlines()


def _place(env_file: Path | None, name: str) -> tuple[str, int | None]:
    # The environment outranks the file, in whatever case its name is written.
    if any(given.upper() == name for given in os.environ):
        return "environment", None
    for number, line in enumerate(_lines(env_file), 1):
        if line.strip().removeprefix("export ").split("=", 1)[0].strip().upper() == name:
            return str(env_file), number
    return "environment", None


def _malformed(line: str) -> str:
    """Say what the reader of ``.env`` would pass over in silence; "" for a good line."""
    text = line.strip()
    if not text or text.startswith("#"):
        return ""
    name, equals, value = text.removeprefix("export ").partition("=")
    if not equals or not name.strip().isidentifier():
        return "is not a setting"
    value = value.strip()
    quote = value[:1]
    if quote in {"'", '"'} and quote not in value[1:]:
        return f"has a value whose quote {quote} is not closed"
    return ""


def _unknown_names(env_file: Path | None) -> list[Fault]:
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {"MAILER_PUBLICATION"}
    faults = []
    for number, line in enumerate(_lines(env_file), 1):
        name = line.strip().removeprefix("export ").split("=", 1)[0].strip().upper()
        if trouble := _malformed(line):
            faults.append(
                Fault(
                    trouble,
                    where=str(env_file),
                    line=number,
                    remedy="write NAME=value, with # before a comment",
                )
            )
        elif name.startswith(PREFIX) and name not in known:
            faults.append(
                Fault(
                    "is not a known setting",
                    where=str(env_file),
                    line=number,
                    field=name,
                    remedy="check its spelling against .env.example",
                )
            )
    return faults
