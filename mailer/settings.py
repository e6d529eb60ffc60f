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

from mailer.checked import MailAddress, ZoneName
from mailer.clock import Clock, FixedClock, SystemClock
from mailer.errors import ConfigurationError, Fault

PREFIX = "MAILER_"


def _base_url(value: str) -> str:
    if not value:
        return value
    parts = urlsplit(value)
    is_loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback):
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
    alert_address: MailAddress = ""
    dkim_selector: str = ""
    dkim_key_file: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    fixed_now: Annotated[datetime | None, AfterValidator(_aware)] = None

    def clock(self) -> Clock:
        """Return the machine's clock, or the fixed one of a rehearsal."""
        return FixedClock(self.fixed_now) if self.fixed_now else SystemClock()

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
        is_loopback = self.relay_host in {"localhost", "127.0.0.1", "::1"}
        if self.relay_tls == "none" and self.relay_username and not is_loopback:
            faults.append(
                Fault(
                    "would send the password in the clear",
                    where=".env",
                    field="MAILER_RELAY_TLS",
                    remedy="use starttls or implicit",
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


def _unknown_names(env_file: Path | None) -> list[Fault]:
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {"MAILER_PUBLICATION"}
    faults = []
    for number, line in enumerate(_lines(env_file), 1):
        name = line.strip().removeprefix("export ").split("=", 1)[0].strip().upper()
        if name.startswith(PREFIX) and name not in known:
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
