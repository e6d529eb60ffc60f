"""Secrets and machines: the environment and the publication's ``.env``.

Every variable starts with ``MAILER_`` and stands in ``.env.example`` with its meaning (a test
compares the two). The environment outranks the file. All faults are reported at once. Nothing
here is needed to preview; ``faults_before_sending`` says what sending lacks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mailer.checked import ZoneName, is_loopback
from mailer.clock import Clock, FixedClock, SystemClock
from mailer.errors import ConfigurationError, Fault

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


def _aware(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise ValueError("needs a time zone; write 2026-11-30T07:00:00+00:00")
    return None if value is None else value.astimezone(UTC)


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
    relay_tls: Literal["none", "starttls", "implicit"] = "none"
    relay_ca_file: str = ""
    relay_username: str = ""
    relay_password: SecretStr = SecretStr("")
    relay_timeout_s: float = Field(default=300, gt=0)
    relay_hello_name: str = ""
    secret_key: SecretStr = SecretStr("")
    web_url: Annotated[str, AfterValidator(_base_url)] = ""
    inbox_host: str = "127.0.0.1"
    inbox_smtp_port: int = Field(default=2525, ge=1, le=65535)
    inbox_web_port: int = Field(default=8025, ge=1, le=65535)
    time_zone: ZoneName | None = None
    dkim_selector: str = ""
    dkim_key_file: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    fixed_now: Annotated[datetime | None, AfterValidator(_aware)] = None

    def clock(self) -> Clock:
        """Return the machine's clock, or the fixed one of a rehearsal."""
        return FixedClock(self.fixed_now) if self.fixed_now else SystemClock()

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
        if is_loopback(self.relay_host):
            return faults
        if is_loopback(urlsplit(self.web_url).hostname):
            faults.append(
                Fault(
                    f"is {self.web_url}, which no reader can open, and the relay is a real one",
                    where=".env",
                    field="MAILER_WEB_URL",
                    remedy="write the https address where your readers reach you",
                )
            )
        if self.relay_tls == "none":
            what = "the password" if self.relay_username else "readers' addresses"
            faults.append(
                Fault(
                    f"is none: {what} would go to {self.relay_host} in the clear",
                    where=".env",
                    field="MAILER_RELAY_TLS",
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
            problem, _, remedy = item["msg"].removeprefix("Value error, ").partition("; ")
            where, line = _place(env_file, name)
            faults.append(
                Fault(
                    problem[:1].lower() + problem[1:],
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
