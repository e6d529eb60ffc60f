"""The kinds of value a configuration file may hold: zones, times, slugs, addresses, lines.

Each is a pydantic type whose message says what is wrong and, after a semicolon, what to write.
The publication's own addresses go into headers and are plain ASCII, so that no server need offer
SMTPUTF8; readers' addresses are another matter (``audience.addresses``).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import time
from ipaddress import ip_address
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

LANGUAGE = r"[a-z]{2,3}(-[A-Za-z0-9]+)*"
SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
_ATOMS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOMAIN = r"([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*"


def zone(name: str) -> str:
    """Return an IANA time zone's name, or raise ValueError."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is not a time zone; use an IANA name such as Europe/London"
        ) from None
    return name


def is_zone(name: str) -> bool:
    """Say whether a text is the name of a time zone."""
    try:
        zone(name)
    except ValueError:
        return False
    return True


def _clock_time(value: object) -> object:
    # TOML's own local time (07:00:00, no quotes) arrives as a time; a bare number would be read
    # as seconds after midnight.
    is_text = isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value)
    if not is_text and not isinstance(value, time):
        raise ValueError('is not a time of day; write HH:MM such as "07:00"')
    return value


def _slug(value: str) -> str:
    if not re.fullmatch(SLUG, value):
        raise ValueError("is not a slug; use lower-case letters, digits and single hyphens")
    return value


def _address(value: str) -> str:
    if value and not re.fullmatch(rf"{_ATOMS}(\.{_ATOMS})*@{_DOMAIN}", value):
        raise ValueError("is not a mail address in ASCII; write name@domain")
    return value


def _domain(value: str) -> str:
    if value and not re.fullmatch(_DOMAIN, value):
        raise ValueError("is not a domain in ASCII; write bounces.briefing.example")
    return value


def _one_line(value: str) -> str:
    if any(unicodedata.category(ch) in {"Cc", "Cs", "Zl", "Zp"} for ch in value):
        raise ValueError("has a line break or control character; keep it on one line")
    return value.strip()


def _web_address(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s\"<>]+", value):
        raise ValueError("is not a web address; write https://…")
    return value.rstrip("/")


def _colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ValueError("is not a colour; write # and six hexadecimal digits, such as #8f3b14")
    return value


def _language(value: str) -> str:
    if value and not re.fullmatch(LANGUAGE, value):
        raise ValueError("is not a language's tag; write one such as en, de or en-GB")
    return value


def _fonts(value: str) -> str:
    # It stands in style attributes, where a semicolon or a double quote would end it.
    if re.fullmatch(r"[A-Za-z0-9 ,'-]{0,200}", value):
        return value
    raise ValueError("names no fonts; write them as in: Georgia, 'Times New Roman', serif")


ZoneName = Annotated[str, AfterValidator(zone)]


def is_loopback(host: str | None) -> bool:
    """Say whether a host is this machine, by name or by address."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


ClockTime = Annotated[
    time,
    BeforeValidator(_clock_time),
    # What is written as JSON reads back.
    PlainSerializer(lambda at: at.strftime("%H:%M"), return_type=str, when_used="json"),
]
Slug = Annotated[str, AfterValidator(_slug)]
MailAddress = Annotated[str, AfterValidator(_address)]
Domain = Annotated[str, AfterValidator(_domain)]
Line = Annotated[str, AfterValidator(_one_line)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Colour = Annotated[str, AfterValidator(_colour)]
LanguageTag = Annotated[str, AfterValidator(_language)]
FontList = Annotated[str, AfterValidator(_fonts)]
