"""Signed tokens: what a link or a mail address carries to prove it came from us.

A token is key id, payload and the first 128 bits of an HMAC-SHA256 over purpose, key id and
payload. Every purpose has a key of its own, derived from the secret by HKDF, so that a token for
one thing is worthless for another. The key id names the secret, so that a new one can sign while
older ones still verify: an unsubscribe link never expires.

Two spellings: base64url for addresses of pages, lower-case base32 for the local part of a mail
address, where servers change the case of letters. Only the one canonical spelling of the bytes is
accepted (base64 decoders elsewhere ignore stray characters and spare bits).

Unsubscribe tokens hold the subscriber's number and a fingerprint of the list's slug; they are
at most 44 characters long, whatever the slug's length.

Standards: RFC 2104 and RFC 5869 (HMAC, HKDF), RFC 4648 (spellings). Known limit: tokens cannot be
revoked one by one; what they allow is checked against the database when they are used.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, Protocol

from mailer.errors import ConfigurationError, Fault, InvalidInput

Form = Literal["url", "mail"]

SHORTEST_SECRET = 32
"""Characters; the same bound as the settings' own check before sending."""

LONGEST_TOKEN = 60
"""Characters; a local part may have 64 octets and a line of a text mail stays whole."""

_MAC_OCTETS = 16
_FINGERPRINT_OCTETS = 6
_DAY_OCTETS = 3
_NUMBER_OCTETS = 2
_CORRECTION = "-correction"
"""An issue's id is its day; a correction's goes on with this word, and a number from the second."""
_SALT = b"briefing-mailer tokens v1"


@dataclass(frozen=True, slots=True)
class UnsubscribeClaim:
    """What a valid unsubscribe token says.

    ``region`` is "" when its list is no longer one of the publication's; the reader then means
    every list they are still on.
    """

    subscriber_id: int
    region: str


@dataclass(frozen=True, slots=True)
class ProofClaim:
    """What the token in a proof's links says: which edition it is a proof of."""

    issue_id: str
    region: str


class Tokens:
    """Signs with one secret and verifies with it and any retired ones.

    Raises:
        ConfigurationError: a secret is shorter than 32 characters.
    """

    def __init__(self, secret: str, *, retired: Sequence[str] = ()) -> None:
        if any(len(each) < SHORTEST_SECRET for each in (secret, *retired)):
            raise ConfigurationError(
                Fault(
                    f"is missing or shorter than {SHORTEST_SECRET} characters",
                    where=".env",
                    field="MAILER_SECRET_KEY",
                    remedy="put in the output of `python3 -c 'import secrets; "
                    "print(secrets.token_urlsafe(48))'`",
                )
            )
        self._keys = [_Key(each) for each in (secret, *retired)]

    def sign(self, purpose: str, payload: bytes, *, form: Form = "url") -> str:
        """Return the token for a payload.

        Raises:
            InvalidInput: the token would be longer than 60 characters.
        """
        key = self._keys[0]
        body = key.id + payload
        token = _spell(body + key.mac(purpose, body), form)
        if len(token) > LONGEST_TOKEN:
            raise InvalidInput(f"a token of {len(token)} characters is longer than {LONGEST_TOKEN}")
        return token

    def verify(self, purpose: str, token: str, *, form: Form = "url") -> bytes | None:
        """Return the payload, or None for a token we did not make for this purpose."""
        raw = _read(token, form)
        if raw is None or len(raw) < 1 + _MAC_OCTETS:
            return None
        body, mac = raw[:-_MAC_OCTETS], raw[-_MAC_OCTETS:]
        for key in self._keys:
            # The id is public; only the code itself must be compared in constant time.
            if key.id == body[:1] and hmac.compare_digest(key.mac(purpose, body), mac):
                return body[1:]
        return None

    def unsubscribe(self, subscriber_id: int, region: str) -> str:
        """Return the token of a reader's unsubscribe link for one region's list."""
        return self.sign("unsubscribe", _number(subscriber_id) + _fingerprint(region))

    def read_unsubscribe(self, token: str, regions: Iterable[str]) -> UnsubscribeClaim | None:
        """Return what an unsubscribe token says, or None when it is not ours.

        Args:
            token: as it came in the link.
            regions: slugs of the publication's regions.
        """
        payload = self.verify("unsubscribe", token)
        if payload is None or len(payload) <= _FINGERPRINT_OCTETS:
            return None
        number, mark = payload[:-_FINGERPRINT_OCTETS], payload[-_FINGERPRINT_OCTETS:]
        region = next((slug for slug in regions if _fingerprint(slug) == mark), "")
        return UnsubscribeClaim(int.from_bytes(number, "big"), region)

    def proof(self, issue_id: str, region: str) -> str:
        """Return the token of the links in a proof; it is nobody's and allows nothing."""
        day, is_correction, number = issue_id.partition(_CORRECTION)
        what = date.fromisoformat(day).toordinal().to_bytes(_DAY_OCTETS, "big")
        what += _fingerprint(region)
        if is_correction:
            what += int(number.removeprefix("-") or 1).to_bytes(_NUMBER_OCTETS, "big")
        return self.sign("proof", what)

    def read_proof(self, token: str, regions: Iterable[str]) -> ProofClaim | None:
        """Return what a proof's token says, or None when it is not ours or its region is gone."""
        payload = self.verify("proof", token)
        shortest = _DAY_OCTETS + _FINGERPRINT_OCTETS
        if payload is None or len(payload) not in {shortest, shortest + _NUMBER_OCTETS}:
            return None
        day, mark = payload[:_DAY_OCTETS], payload[_DAY_OCTETS:shortest]
        region = next((slug for slug in regions if _fingerprint(slug) == mark), None)
        if region is None:
            return None
        issue_id = date.fromordinal(int.from_bytes(day, "big")).isoformat()
        if number := int.from_bytes(payload[shortest:], "big"):
            issue_id += _CORRECTION if number == 1 else f"{_CORRECTION}-{number}"
        return ProofClaim(issue_id, region)


class _Key:
    """One secret's keys by purpose."""

    def __init__(self, secret: str) -> None:
        # RFC 5869 section 2.2, extract.
        self._root = hmac.digest(_SALT, secret.encode(), hashlib.sha256)
        self._by_purpose: dict[str, tuple[_Hash, _Hash]] = {}
        self.id = self._expand("key id")[:1]

    def mac(self, purpose: str, body: bytes) -> bytes:
        halves = self._by_purpose.get(purpose)
        if halves is None:
            halves = self._by_purpose[purpose] = _halves(self._expand(f"purpose {purpose}"))
        inner, outer = halves[0].copy(), halves[1].copy()
        inner.update(body)
        outer.update(inner.digest())
        return outer.digest()[:_MAC_OCTETS]

    def _expand(self, info: str) -> bytes:
        # RFC 5869 section 2.3; one block is all that is needed.
        return hmac.digest(self._root, info.encode() + b"\x01", hashlib.sha256)


class _Hash(Protocol):
    def copy(self) -> _Hash: ...
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


def _halves(key: bytes) -> tuple[_Hash, _Hash]:
    """Return HMAC's two hashes with the key taken in: signing goes on from there.

    Source: RFC 2104 section 4, which names this way; it takes a third of the time.
    """
    block = key.ljust(hashlib.sha256().block_size, b"\0")
    inner, outer = (hashlib.sha256(bytes(b ^ pad for b in block)) for pad in (0x36, 0x5C))
    return inner, outer


def _number(value: int) -> bytes:
    if not 0 < value < 1 << 63:
        raise InvalidInput(f"{value} is not a subscriber's number")
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


@lru_cache(maxsize=256)
def _fingerprint(region: str) -> bytes:
    return hashlib.sha256(f"region {region}".encode()).digest()[:_FINGERPRINT_OCTETS]


def _spell(raw: bytes, form: Form) -> str:
    if form == "mail":
        return base64.b32encode(raw).decode().rstrip("=").lower()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _read(token: str, form: Form) -> bytes | None:
    if not token or len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    try:
        if form == "mail":
            token = token.lower()
            raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        else:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if _spell(raw, form) == token else None
