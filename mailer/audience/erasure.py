"""Erasure: forgetting a reader, and knowing an address again that asked to be forgotten.

What stays of a reader who asked is a keyed hash of the address, a reason and the date. Sign-ups
and imports ask ``erased_among``; the hash answers for that address and nobody can list the others.

The key (the *pepper*) is random and made at the first erasure. It is kept in the database, sealed
(encrypted and authenticated) under a key that HKDF derives from MAILER_SECRET_KEY for this
purpose alone. Why not simply derive the pepper from the secret: secrets are rotated, and with a
new pepper every old erasure would become unfindable, for there is no address left to hash anew.
Why not leave the pepper bare beside the hashes: whoever stole the database could try addresses
against them. Sealed, a retired secret still opens it, and the next erasure seals it again under
the newest; the hashes never change. A secret that is gone altogether is an error with its
remedy, and never a fresh pepper that silently knows nobody.

Functions work inside the caller's transaction, on normalised addresses. Failures:
``ConfigurationError`` when the pepper cannot be opened. Where nobody was ever erased no secret is
needed. Standards: RFC 2104 (HMAC), RFC 5869 (HKDF), RFC 8439 (ChaCha20-Poly1305).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, delete, insert, select, update

from mailer.audience.movement import CONFIRMED, count_movements, day_of
from mailer.audience.tally import LEAVES, add_tallies
from mailer.audience.tokens import SHORTEST_SECRET
from mailer.errors import ConfigurationError, Fault
from mailer.storage import schema

_NAME = "erasures"
_SALT = b"briefing-mailer erasures v1"
_KEY_OCTETS = 32
_NONCE_OCTETS = 12
_BATCH = 900
"""Values a question; SQLite before 3.32 takes 999."""

ERASED_REMEDY = "only the reader can come back, by signing up again and confirming"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was deleted of a reader; ``subscriber_id`` is None for one who was on no list."""

    digest: str
    subscriber_id: int | None
    subscriptions: int = 0
    consent_events: int = 0
    confirmations: int = 0
    was_suppressed: bool = False


class Pepper:
    """The key of the hashes: opened once, made when the first reader is erased.

    Args:
        secrets: MAILER_SECRET_KEY first, then any retired ones; shorter than 32 characters
            count as missing.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [each for each in secrets if len(each) >= SHORTEST_SECRET]
        self._key: bytes | None = None

    def key(self, connection: Connection) -> bytes | None:
        """Return the key, or None while nobody was ever erased.

        Raises:
            ConfigurationError: there is one and no secret opens it.
        """
        if self._key is None:
            table = schema.peppers
            sealed = connection.execute(
                select(table.c.sealed).where(table.c.name == _NAME)
            ).scalar()
            if sealed is not None:
                self._key, _ = self._open(sealed)
        return self._key

    def make(self, connection: Connection, *, now: datetime) -> bytes:
        """Return the key for an erasure, made if need be, sealed under the newest secret.

        Raises:
            ConfigurationError: there is no secret, or none that opens it.
        """
        if not self._secrets:
            raise _no_secret("is missing or too short, and erasing needs it")
        table = schema.peppers
        sealed = connection.execute(select(table.c.sealed).where(table.c.name == _NAME)).scalar()
        if sealed is None:
            self._key = randomness.token_bytes(_KEY_OCTETS)
            connection.execute(
                insert(table).values(name=_NAME, sealed=self._seal(self._key), made_at=now)
            )
            return self._key
        self._key, is_newest = self._open(sealed)
        if not is_newest:
            connection.execute(
                update(table).where(table.c.name == _NAME).values(sealed=self._seal(self._key))
            )
        return self._key

    def _seal(self, key: bytes) -> str:
        nonce = randomness.token_bytes(_NONCE_OCTETS)
        box = ChaCha20Poly1305(_sealing_key(self._secrets[0])).encrypt(nonce, key, _SALT)
        return base64.b64encode(nonce + box).decode()

    def _open(self, sealed: str) -> tuple[bytes, bool]:
        if not self._secrets:
            raise _no_secret(
                "is missing or too short, and without it nobody can tell who is erased"
            )
        try:
            raw = base64.b64decode(sealed, validate=True)
        except binascii.Error:
            raw = b""
        for place, secret in enumerate(self._secrets):
            try:
                box = ChaCha20Poly1305(_sealing_key(secret))
                return box.decrypt(raw[:_NONCE_OCTETS], raw[_NONCE_OCTETS:], _SALT), place == 0
            except (InvalidTag, ValueError):
                continue
        raise _no_secret("is not the one that sealed the record of who asked to be forgotten")


def digest(address: str, key: bytes) -> str:
    """Return the keyed hash of a normalised address: HMAC-SHA256 in hex."""
    return hmac.digest(key, address.encode(), hashlib.sha256).hex()


def erased_among(connection: Connection, addresses: Sequence[str], pepper: Pepper) -> set[str]:
    """Return those of any number of normalised addresses that asked to be forgotten."""
    table = schema.erasures
    found: set[str] = set()
    key = pepper.key(connection) if addresses else None
    if key is None:
        return found
    for start in range(0, len(addresses), _BATCH):
        by_digest = {digest(each, key): each for each in addresses[start : start + _BATCH]}
        rows = connection.execute(
            select(table.c.digest).where(table.c.digest.in_(list(by_digest)))
        ).scalars()
        found.update(by_digest[each] for each in rows)
    return found


def lift_erasure(connection: Connection, address: str, pepper: Pepper) -> bool:
    """Forget that an address was erased: its reader came back by themselves and confirmed.

    Their deliveries of issues that are still being sent are theirs again, so that they do not get
    a second copy. Returns whether it had been erased.
    """
    key = pepper.key(connection)
    if key is None:
        return False
    table, rows, issues = schema.erasures, schema.deliveries, schema.issues
    gone = connection.execute(delete(table).where(table.c.digest == digest(address, key))).rowcount
    if not gone:
        return False
    for issue_id in connection.execute(select(issues.c.id).where(issues.c.state == "sending")):
        connection.execute(
            update(rows)
            .where(rows.c.issue_id == issue_id[0])
            .where(rows.c.address == veiled_address(issue_id[0], address, key))
            .values(address=address)
        )
    return True


def veiled_address(issue_id: str, address: str, key: bytes) -> str:
    """Return what stands for an erased address in one issue's ledger.

    A hash over the issue too: without the key, nobody can tell that two issues went to one reader.
    ``.invalid`` is RFC 2606's; nothing is ever sent there.
    """
    code = hmac.digest(key, f"{issue_id} {address}".encode(), hashlib.sha256)[:16]
    return f"{base64.b32encode(code).decode().rstrip('=').lower()}@erased.invalid"


def erase_person(
    connection: Connection, address: str, pepper: Pepper, *, reason: str, now: datetime
) -> Erased:
    """Delete what the register holds of a normalised address and keep its hash.

    Joins and leaves stay counted (``tally``); being on a list when erased counts as leaving it.
    Works for an address that is unknown or only suppressed too: it is barred from then on.
    """
    people, links = schema.subscribers, schema.subscriptions
    facts, asked, barred = schema.consent_events, schema.confirmations, schema.suppressions
    code = digest(address, pepper.make(connection, now=now))
    number = connection.execute(select(people.c.id).where(people.c.address == address)).scalar()
    counts = (0, 0, 0)
    if number is not None:
        _tally(connection, number, now)
        deleted = [
            connection.execute(delete(each).where(each.c.subscriber_id == number)).rowcount
            for each in (links, facts, asked)
        ]
        counts = (deleted[0], deleted[1], deleted[2])
        connection.execute(delete(people).where(people.c.id == number))
    posts = schema.sign_ups
    connection.execute(delete(posts).where(posts.c.address == address))
    suppressed = connection.execute(delete(barred).where(barred.c.address == address)).rowcount
    table = schema.erasures
    if not connection.execute(select(table).where(table.c.digest == code)).first():
        connection.execute(insert(table).values(digest=code, reason=reason, at=now))
    return Erased(code, number, *counts, bool(suppressed))


def _tally(connection: Connection, subscriber_id: int, now: datetime) -> None:
    links, facts = schema.subscriptions, schema.consent_events
    rows = connection.execute(
        select(facts.c.region, facts.c.step, facts.c.state, facts.c.source, facts.c.at)
        .where(facts.c.subscriber_id == subscriber_id)
        .order_by(facts.c.id)
    )
    counted = count_movements((row[0], row[1], row[2], row[3], row[4]) for row in rows)
    for region in connection.execute(
        select(links.c.region).where(
            links.c.subscriber_id == subscriber_id, links.c.state == CONFIRMED
        )
    ).scalars():
        counted[LEAVES, f"{region}/erased", day_of(now)] += 1
    add_tallies(connection, counted)


def _sealing_key(secret: str) -> bytes:
    return HKDF(SHA256(), _KEY_OCTETS, _SALT, b"purpose erasure pepper").derive(secret.encode())


def _no_secret(problem: str) -> ConfigurationError:
    return ConfigurationError(
        Fault(
            problem,
            where="environment or .env",
            field="MAILER_SECRET_KEY",
            remedy="put the publication's secret back; one that was changed belongs into "
            "MAILER_RETIRED_SECRET_KEYS",
        )
    )
